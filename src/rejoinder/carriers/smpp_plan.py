"""What a carrier's links share, and what passes between them and their carrier. Refuses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rejoinder.message.model import Fate, Outcome
from rejoinder.smpp.pdu import Bind, DataSm, DeliverSm
from rejoinder.smpp.window import Timers


@dataclass(slots=True)
class Arrival:
    """Which delivery of which link it is; `kept`: set where a repetition of it has to be known."""

    link: int
    number: int
    kept: bool = False


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
