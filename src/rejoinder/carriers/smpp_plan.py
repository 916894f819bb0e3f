"""What a carrier's links share, and what passes between them and their carrier. Refuses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rejoinder.carriers.smpp_doubts import Doubts
from rejoinder.message.model import Fate, Outcome
from rejoinder.smpp.pdu import Bind, DataSm, DeliverSm
from rejoinder.smpp.window import Timers


@dataclass(slots=True)
class Arrival:
    """Which delivery of which link it is, among the link's doubts.

    `kept`: set where a repetition of it has to be known. `repeats`: the number of the delivery in doubt that it brings
    again. `in_doubt`: set where nobody knows whether it is stored.
    """

    link: int
    number: int
    doubts: Doubts
    kept: bool = False
    repeats: int | None = None
    in_doubt: bool = False

    def known_as(self) -> int:
        """The number under which the store knows it, if it does."""
        return self.number if self.repeats is None else self.repeats

    def done(self) -> list[int]:
        """The numbers that an answer to it ends."""
        numbers = [self.number] if self.repeats is None else [self.number, self.repeats]
        return [number for number in numbers if not self.in_doubt or number != self.known_as()]


class Deliveries(Protocol):
    """Where links bring what the centre delivers."""

    async def take(self, pdu: DeliverSm | DataSm, arrival: Arrival) -> int:
        """Stores it, then gives the status that the centre is answered with."""

    async def confirm(self, link: int, upto: int) -> bool:
        """The centre has read our answers to a link's deliveries, up to a number; whether that is on disk now."""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What all links of a carrier share. `judge`: what a submit's status means."""

    name: str
    bind: Bind
    timers: Timers
    window: int
    judge: Callable[[int], Fate]
    deliveries: Deliveries


class Handover:
    """A message whose parts are on their way: done when each has its outcome."""

    __slots__ = ("_wanted", "done", "outcomes")

    def __init__(self, numbers: tuple[int, ...], done: asyncio.Future[None]) -> None:
        self._wanted = len(numbers)
        self.outcomes: dict[int, Outcome] = {}
        self.done = done

    def settle(self, outcome: Outcome) -> None:
        self.outcomes[outcome.number] = outcome
        if len(self.outcomes) == self._wanted and not self.done.done():
            self.done.set_result(None)
