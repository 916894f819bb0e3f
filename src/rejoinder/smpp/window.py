"""What a session counts: its seconds, the requests of ours that wait for answers, the peer's submits and signs of life.

Refuses nothing; whether there is room is asked before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from struct import pack
from typing import Any

from rejoinder.smpp.constants import LAST_SEQUENCE, RESPONSE, Command, CommandStatus
from rejoinder.smpp.pdu import Pdu


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds. `bind`: until a connection must be bound. `enquire`: of silence before an enquire_link, and until
    it counts as missed. `answer`: for a request of ours. `unbind`: for the end.
    """

    bind: float = 10.0
    enquire: float = 30.0
    answer: float = 60.0
    unbind: float = 10.0


# How many enquire_links in a row may stay without any sign of life.
MISSES = 2

Sent = tuple[Pdu, Any, float]


class Window:
    """At most `size` requests, the oldest first: sequence number to PDU, context, and when it was sent.

    An enquire_link takes no place: what only asks for a sign must not keep a message back.
    """

    __slots__ = ("_last", "_signs", "sent", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent: dict[int, Sent] = {}
        self._last = 0
        self._signs = 0

    def room(self) -> int:
        """How many more requests it takes."""
        return max(0, self.size + self._signs - len(self.sent))

    def put(self, sequence: int, pdu: Pdu, context: Any, now: float) -> None:
        """A request was sent."""
        self.sent[sequence] = (pdu, context, now)
        self._signs += pdu.command == Command.ENQUIRE_LINK

    def take(self, sequence: int) -> None:
        """It waits no more for an answer."""
        pdu, _, _ = self.sent.pop(sequence)
        self._signs -= pdu.command == Command.ENQUIRE_LINK

    def next_sequence(self) -> int:
        """The next number that no waiting request has."""
        while True:
            self._last = self._last % LAST_SEQUENCE + 1
            if self._last not in self.sent:
                return self._last

    def oldest_at(self) -> float | None:
        """When the oldest waiting request was sent."""
        for _, _, at in self.sent.values():
            return at
        return None

    def take_overdue(self, sent_until: float) -> list[tuple[int, Sent]]:
        """Takes out those sent at that moment or before it."""
        overdue = []
        for sequence, sent in self.sent.items():
            if sent[2] > sent_until:
                break
            overdue.append((sequence, sent))
        for sequence, _ in overdue:
            self.take(sequence)
        return overdue


class KeepAlive:
    """Whether the peer is still there: after so many seconds of silence it is asked, `misses` times."""

    __slots__ = ("_asked", "_heard", "_misses", "_seconds")

    def __init__(self, now: float, seconds: float, misses: int) -> None:
        self._heard = now
        self._seconds = seconds
        self._misses = misses
        self._asked = 0

    def heard(self, now: float) -> None:
        """A whole PDU came: a sign of life."""
        self._heard = now
        self._asked = 0

    def deadline(self) -> float:
        """When the silence has to be broken, or ends the connection. Each miss is as long as the first silence."""
        return self._heard + self._seconds * (1 + self._asked)

    def dead(self, now: float) -> bool:
        return self._asked >= self._misses and now >= self.deadline()

    def ask(self, now: float) -> bool:
        """Whether the peer has to be asked now; counted as asked."""
        if now < self.deadline():
            return False
        self._asked += 1
        return True


SUBMITS = frozenset({int(Command.SUBMIT_SM), int(Command.DATA_SM), int(Command.SUBMIT_MULTI)})
FULL = int(CommandStatus.ESME_RMSGQFUL)


class Room:
    """How many more submits of the peer may be read (frames.py), and what became of those beyond."""

    __slots__ = ("_headers", "left", "turned_away")

    def __init__(self) -> None:
        self.left: float = float("inf")
        self.turned_away: Counter[int] = Counter()
        """How many of each command, until its owner has counted them."""
        self._headers: list[int] = []

    def turn_away(self, headers: list[int]) -> None:
        """`headers`: four numbers for each answer; a status other than 0 has no body (3.4 §4.4.2)."""
        self._headers += headers
        commands = headers[1::4]
        for command in set(commands):
            self.turned_away[command & ~RESPONSE] += commands.count(command)

    def answers(self) -> bytes:
        """The answers to those turned away; each is given out once."""
        headers, self._headers = self._headers, []
        return pack(f">{len(headers)}I", *headers)
