"""What a network has to deliver to us: handed in when it is due, many at once, each again until it is taken.

A delivery is made at the moment it is handed in. Those of one batch follow each other, batches overtake.
Refuses nothing, but says when `BACKLOG` batches wait (`full`). Lives in memory: what waits at `stop` is gone, as
at any network that loses power.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable

from rejoinder.clock import Clock
from rejoinder.errors import RejoinderError
from rejoinder.flow.ports import CarrierEvents
from rejoinder.message.model import InboundPart, Receipt
from rejoinder.observe import log
from rejoinder.waits import woken

Delivery = Callable[[int], Receipt | InboundPart]
"""Makes what is delivered; its argument is the time of its arrival in microseconds."""

BACKLOG = 100_000
_BACK_OFF_SECONDS = (0.02, 0.1, 0.5, 2.0)
_STOP_SECONDS = 2.0


class Deliveries:
    """Batches of deliveries on their way to `events`, at most `most` of them at once."""

    def __init__(self, events: CarrierEvents, clock: Clock, most: int) -> None:
        self._events = events
        self._clock = clock
        self._most = most
        self._due: deque[tuple[Delivery, ...]] = deque()
        self._later: list[tuple[float, int, tuple[Delivery, ...]]] = []
        self._order = itertools.count()
        self._runners: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()

    def full(self) -> bool:
        return len(self._due) + len(self._later) >= BACKLOG

    def put(self, batch: tuple[Delivery, ...], seconds: float = 0.0) -> None:
        """Hands the batch in after so many seconds; without any it goes no way over a timer."""
        if self._stopped.is_set():
            return
        if seconds > 0:
            due = self._clock.monotonic() + seconds
            heapq.heappush(self._later, (due, next(self._order), batch))
            if self._later[0][0] == due:
                self.wake()
            return
        self._due.append(batch)
        if len(self._runners) < self._most:
            self._run()

    def _run(self) -> None:
        # A runner takes batches until none is left: a task for each would cost more than the delivery.
        runner = asyncio.create_task(self._hand_in_all(), name="simulated deliveries")
        self._runners.add(runner)
        runner.add_done_callback(self._runners.discard)

    def wake(self) -> None:
        """Hands in what is due by the clock, and sets the timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            self.put(heapq.heappop(self._later)[2])
        if self._later:
            seconds = self._later[0][0] - now
            self._timer = asyncio.get_running_loop().call_later(seconds, self.wake)

    async def _hand_in_all(self) -> None:
        while self._due:
            await self.hand_in(self._due.popleft())

    async def hand_in(self, batch: tuple[Delivery, ...]) -> None:
        """Hands in one batch; returns when all of it is on disk or refused for good, or at `stop`."""
        for make in batch:
            delivery = make(self._clock.wall_us())
            for attempt in itertools.count():
                if self._stopped.is_set() or await self._taken(delivery):
                    break
                await woken(self._stopped, _BACK_OFF_SECONDS[min(attempt, len(_BACK_OFF_SECONDS) - 1)])

    async def _taken(self, delivery: Receipt | InboundPart) -> bool:
        """False when it has to be handed in again."""
        try:
            if isinstance(delivery, Receipt):
                await self._events.receipt(delivery)
            else:
                await self._events.inbound(delivery)
        except RejoinderError as error:
            if error.retryable:
                return False
            log.warning("delivery_refused", error_type=type(error).__name__, carrier_id=delivery.carrier_id)
        except Exception:  # noqa: BLE001 - a task's outermost line: one bad delivery must not end all others
            log.error("delivery_failed", exc_info=True, carrier_id=delivery.carrier_id)
        return True

    async def stop(self) -> None:
        """Forgets what waits; what is being handed in gets two seconds to reach the disk."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()
        self._later.clear()
        runners = set(self._runners)
        if runners:
            _, late = await asyncio.wait(runners, timeout=_STOP_SECONDS)
            for runner in late:
                runner.cancel()
            await asyncio.gather(*late, return_exceptions=True)
