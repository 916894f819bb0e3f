"""The promise of contract §3, by which every step is judged, without a look at how the rules keep it.

A client is owed each message with a timestamp above its first `since`, and each message that is stored after
its first answer; retention excuses what it deletes. Refuses nothing: `None` is a promise kept.
"""

from __future__ import annotations

from tests.property.cursor.model import Answer, Box, Head, Row, Rules, Scope, View, of_view
from tests.property.cursor.state import Client, State, Work, bits

LOST = "a message was lost"
REPEATED = "a message was repeated"
NEVER = "a message is not shown, though writers have stopped"
UNTRUE = "hasMoreMessages was not true"
ENDLESS = "hasMoreMessages asks for calls without end"
DEADLOCK = "transactions wait for each other without end"
HURRIED = "the newest second was sealed twice within a hold"
FAULTS = frozenset({LOST, REPEATED, NEVER, UNTRUE, ENDLESS, DEADLOCK, HURRIED})


def take(client: Client, answer: Answer, messages: View) -> tuple[Client, str | None]:
    """The client after an answer has arrived, and whether that repeated a message or passed one over."""
    shown = bits(answer.page)
    owed = client.owed & ~shown
    broken = REPEATED if shown & client.got else None
    if owed and any(owed >> m.number & 1 and m.timestamp <= answer.newest for m in messages):
        broken = LOST
    return Client(answer.newest, True, owed, client.got | shown, None), broken


def owe(client: Client, new: View, received_only: bool) -> tuple[Client, str | None]:
    """The client after messages were stored, and whether one went where it does not look any more."""
    seen = [m for m in new if m.incoming or not received_only]
    owed = sum(1 << m.number for m in seen if client.answered or m.timestamp > client.since) & ~client.got
    lost = any(owed >> m.number & 1 and m.timestamp <= client.since for m in seen)
    return client._replace(owed=client.owed | owed), LOST if lost else None


def holds(held: bool, row: Row, now: int, scope: Scope) -> bool:
    """Rule 7: whether the newest second may not be sealed now."""
    return held and row.last > now + scope.ahead


def reach(box: Box, received_only: bool, held: bool) -> int:
    """The highest timestamp that a call could show at this moment."""
    for m in reversed(box.messages):
        if m.incoming or not received_only:
            if held and m.timestamp >= box.row.last and m.timestamp > box.row.sealed:
                continue
            return m.timestamp
    return -1


def untrue(answer: Answer, box: Box, received_only: bool, held: bool) -> str | None:
    """Rule 4 by its meaning: would a call at this moment, from newestMessageTimestamp on, show something?"""
    return None if answer.more == (answer.newest < reach(box, received_only, held)) else UNTRUE


def ever_untrue(answer: Answer, moments: tuple[int, int]) -> str | None:
    """The same for a poll whose row and page were read at different moments: it must be true at one of them.

    `moments`: the least and the greatest `reach` since the row was read.
    """
    least, greatest = moments
    return None if (answer.newest < greatest if answer.more else answer.newest >= least) else UNTRUE


class Patience:
    """Judges states: when writers stop, do polls and the passing of time show everybody everything?"""

    def __init__(self, rules: Rules, scope: Scope) -> None:
        self._rules = rules
        self._scope = scope
        self._known: dict[tuple[object, ...], str | None] = {}

    def judge(self, s: State) -> str | None:
        if s.works:
            return DEADLOCK if self._deadlocked(s.works) else None
        for place, start in enumerate(self._scope.clients):
            client = s.clients[place]
            if client.poll is not None:
                continue
            for now in self._scope.clock if self._scope.any_time else (s.now,):
                key = (s.boxes[start.box], client, now, s.held[start.process], place)
                if key not in self._known:
                    self._known[key] = self._polls_on(s, place, now)
                if self._known[key]:
                    return self._known[key]
        return None

    def _deadlocked(self, works: tuple[Work, ...]) -> bool:
        """Every transaction holds a row and waits for one that another holds."""
        for work in works:
            if not work.bundle or not work.rows:
                return False
            wanted = self._rules.lock_order([box for box, _ in work.bundle])[len(work.rows)]
            if not any(wanted == box for other in works for box, _ in other.rows):
                return False
        return True

    def _polls_on(self, s: State, place: int, now: int) -> str | None:
        """One client polls until told that there is no more; after 2 s once again. Then it has everything."""
        start = self._scope.clients[place]
        box, client, held = s.boxes[start.box], s.clients[place], s.held[start.process]
        while True:
            for _ in range(len(box.messages) + 2):
                head = Head(box.row.last, box.row.sealed, now, holds(held, box.row, now, self._scope))
                view = of_view(box.messages, self._rules.after(client.since), start.received_only)
                answer = self._rules.decide(head, view, client.since, self._scope)
                if answer is None:
                    return None
                if answer.seal:
                    row = box.row._replace(sealed=max(box.row.sealed, answer.newest))
                    box, held = box._replace(row=row), holds(True, row, now, self._scope) or held
                client, broken = take(client, answer, box.messages)
                if broken or not answer.more:
                    break
            else:
                return ENDLESS
            if broken or not client.owed:
                return broken
            if not holds(held, box.row, now, self._scope):
                return NEVER
            held = False
