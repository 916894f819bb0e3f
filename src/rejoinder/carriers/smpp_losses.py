"""The links that a carrier has lost: what they brought may come again, once it is stored and they are known as lost.

Refuses to let a new link's delivery be stored before that: it would not be known again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from rejoinder.clock import Clock
from rejoinder.flow.ports import CarrierEvents

# So long after a link began or ended a centre may bring what it has no answer to; it does so at once or within minutes.
DOUBTFUL_SECONDS = 3_600.0


class Losses:
    """One carrier's, in this process. In the beginning every link that there ever was is lost."""

    def __init__(self, carrier_id: int, events: CarrierEvents, clock: Clock) -> None:
        self._carrier_id = carrier_id
        self._events = events
        self._clock = clock
        self._changed_at = clock.monotonic()
        self._every = True
        # Once only: what a link has brought since must not be taken for a loss.
        self._writing = asyncio.Lock()
        self._lost: dict[int, Collection[asyncio.Task[None]]] = {}

    def began(self) -> None:
        """A link begins."""
        self._changed_at = self._clock.monotonic()

    def ended(self, link: int, unstored: Collection[asyncio.Task[None]], brought: bool = True) -> None:
        """A link has ended; these deliveries of its are being stored yet. One that brought nothing need not be known."""
        self._changed_at = self._clock.monotonic()
        if brought:
            self._lost[link] = unstored

    def doubtful(self) -> bool:
        """Whether a delivery may repeat what a lost link has brought."""
        return self._clock.monotonic() - self._changed_at < DOUBTFUL_SECONDS

    async def known(self, link: int) -> None:
        """Returns when all losses are on disk, and it is this link's delivery's turn. Raises as `CarrierEvents.lost`."""
        # A delivery of a lost link waits for none: it is one of those that are waited for.
        while (self._every or self._lost) and link not in self._lost:
            lost = dict(self._lost)
            unstored = [task for tasks in lost.values() for task in tasks if not task.done()]
            if unstored:
                await asyncio.wait(unstored)
            async with self._writing:
                await self._write([name for name in lost if name in self._lost])

    async def _write(self, lost: list[int]) -> None:
        if self._every or lost:
            await self._events.lost(self._carrier_id, None if self._every else lost)
        self._every = False
        for name in lost:
            del self._lost[name]
