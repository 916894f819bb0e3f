"""Pollers of contract §3, step by step: the row is read, then the page, then the poll answers or seals.

Each answer is judged by promise.py. Refuses nothing: a generator of steps gives what is possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.property.cursor.model import Answer, Box, Head, Row, Rules, Scope, of_view
from tests.property.cursor.promise import HURRIED, ever_untrue, holds, reach, take, untrue
from tests.property.cursor.state import Poll, State, Work, pruned, with_item, with_poll

Label = tuple[Any, ...]  # what a step is called in a trace: words and their objects
Step = tuple[Label, State, "str | None"]  # the last: how the promise was broken
Steps = Iterator[Step]

NOTHING_READ = Head(0, 0, 0, False)


class Pollers:
    """What the clients of a world can do, and what both they and writers need to know of it."""

    def __init__(self, rules: Rules, scope: Scope) -> None:
        self.rules = rules
        self.scope = scope

    def _readings(self, s: State) -> tuple[int, ...]:
        return self.scope.clock if self.scope.any_time else (s.now,)

    def _free(self, s: State, box: int) -> bool:
        return not any(held == box for work in s.works for held, _ in work.rows)

    def _group(self, s: State) -> Work:
        return Work((), tuple((place, box.row) for place, box in enumerate(s.boxes)))

    def _holds(self, s: State, row: Row, process: int, now: int) -> bool:
        return holds(s.held[process], row, now, self.scope)

    def _head(self, s: State, place: int, now: int) -> Head:
        start = self.scope.clients[place]
        pending = next((row for work in s.works for box, row in work.rows if box == start.box), None)
        row = self.rules.row_to_read(s.boxes[start.box].row, pending)
        return Head(row.last, row.sealed, now, self._holds(s, row, start.process, now))

    def _begins(self, s: State, place: int) -> Steps:
        """A poll reads the row; where a wrong variant reads the page first, that."""
        start, since = self.scope.clients[place], s.clients[place].since
        for now in self._readings(s):
            if not self.rules.head_first:
                view = of_view(s.boxes[start.box].messages, self.rules.after(since), start.received_only)
                poll = Poll("head", Head(0, 0, now, False), view)
                yield ("client", place, "reads page", view), with_poll(s, place, poll), None
                continue
            head = self._head(s, place, now)
            if self.rules.asks_no_clock(since, head):
                head = head._replace(now=0)  # one state instead of one for each second
            yield ("client", place, "reads row", head), with_poll(s, place, Poll("page", head)), None

    def _reads(self, s: State, place: int, poll: Poll) -> Steps:
        """The second of row and page is read, and the poll decides: it answers, or goes on to seal."""
        start, since = self.scope.clients[place], s.clients[place].since
        box, now = s.boxes[start.box], poll.head.now
        if poll.stage == "page":
            head, view = poll.head, of_view(box.messages, self.rules.after(since), start.received_only)
        else:
            head, view = self._head(s, place, now), poll.kept
        answer = self.rules.decide(head, view, since, self.scope)
        if answer is None:
            yield ("client", place, "is refused"), with_poll(s, place, None), None
            return
        if answer.seal:
            wants = Poll("lock", NOTHING_READ, self.rules.keep(view, answer))
            yield ("client", place, "sees", view, "and must seal"), with_poll(s, place, wants), None
            return
        broken = None
        if poll.reach:
            broken = ever_untrue(answer, poll.reach)
        elif head == (*box.row[:2], now, self._holds(s, box.row, start.process, now)):
            broken = untrue(answer, box, start.received_only, head.held)
        after, worse = self._takes(s, place, answer)
        yield ("client", place, "gets", answer), after, worse or broken

    def _looks_again(self, s: State, place: int, poll: Poll) -> Steps:
        """Row and page are read again under the lock, alone or within a group commit, and decided again."""
        start, since = self.scope.clients[place], s.clients[place].since
        box = s.boxes[start.box]
        if not self.rules.locks_before_page and poll.kept is None:
            view = of_view(box.messages, self.rules.after(since), start.received_only)
            yield (
                ("client", place, "waits, seeing", view),
                with_poll(s, place, poll._replace(kept=view)),
                None,
            )
            return
        joins = self.scope.group_commit and bool(s.works)
        if joins:
            work = s.works[0]
            added = tuple(m for place_of, m in work.added if place_of == start.box)
            pending = Box(dict(work.rows)[start.box], box.made + len(added), box.messages + added)
            box = self.rules.read_in_group(box, pending)
        elif not self._free(s, start.box):
            return
        else:
            work = self._group(s) if self.scope.group_commit else Work((), ((start.box, box.row),))
        view = of_view(box.messages, self.rules.after(since), start.received_only)
        for now in self._readings(s):
            head = Head(*box.row[:2], now, self._holds(s, box.row, start.process, now))
            answer = self.rules.again(head, view, poll.kept, since, self.scope)
            if answer is not None:
                broken = untrue(answer, box, start.received_only, head.held)
                if answer.seal and head.held:
                    broken = HURRIED
                label, after, worse = self._seals(s, place, (answer, now, poll.kept), work)
                yield label, after, worse or broken

    def _seals(self, s: State, place: int, decided: tuple[Answer, int, Any], work: Work) -> Step:
        """The row is sealed where it must be, and the answer waits for the commit where it must."""
        answer, now, kept = decided
        joins = work in s.works
        if not answer.seal and not (joins and self.rules.group_waits_for_commit):
            return (("client", place, "looks again, gets", answer), *self._takes(s, place, answer))
        if answer.seal:
            rows, box = dict(work.rows), self.scope.clients[place].box
            rows[box] = rows[box]._replace(sealed=max(rows[box].sealed, self.rules.seal_to(answer, kept)))
            work = work._replace(rows=tuple(rows.items()))
        at_once = answer.seal and not self.rules.waits_for_commit
        if not at_once:
            work = work._replace(answers=(*work.answers, (place, answer, now)))
        s = s._replace(works=(work,) if joins else (*s.works, work))
        if at_once:
            return (
                ("client", place, "seals, before the commit gets", answer),
                *self._takes(s, place, answer),
            )
        s = with_poll(s, place, Poll("commit", NOTHING_READ))
        return ("client", place, "looks again at", now, "and seals to show", answer), s, None

    def _takes(self, s: State, place: int, answer: Answer) -> tuple[State, str | None]:
        """An answer arrives: the client goes on from newestMessageTimestamp."""
        box = self.scope.clients[place].box
        client, broken = take(s.clients[place], answer, s.boxes[box].messages)
        return pruned(s._replace(clients=with_item(s.clients, place, client)), self.scope, box), broken

    def _answers(self, step: Step, place: int, answer: Answer, now: int) -> list[Step]:
        label, s, broken = step
        start = self.scope.clients[place]
        if answer.seal and holds(True, s.boxes[start.box].row, now, self.scope):
            s = s._replace(held=with_item(s.held, start.process, True))
        lost = pruned(with_poll(s, place, None), self.scope, start.box)
        here, worse = self._takes(s, place, answer)
        return [
            ((*label, "client", place, "gets", answer), here, broken or worse),
            ((*label, "client", place, "never gets", answer), lost, broken),
        ]

    def _watched(self, steps: Steps) -> Steps:
        """Polls that have read the row remember what could have been shown at each moment since."""
        for label, after, broken in steps:
            s = after
            for place, client in enumerate(s.clients):
                poll, start = client.poll, self.scope.clients[place]
                if poll is None or poll.stage != "page":
                    continue
                held = self._holds(s, s.boxes[start.box].row, start.process, poll.head.now)
                here = reach(s.boxes[start.box], start.received_only, held)
                least, greatest = poll.reach or (here, here)
                s = with_poll(s, place, poll._replace(reach=(min(least, here), max(greatest, here))))
            yield label, s, broken
