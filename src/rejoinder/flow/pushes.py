"""Brings MOs and final statuses to customers' servers: takes what is due, hands it to couriers, records the results.

Holds in memory only what is under way. Refuses to speak before the claim is committed, to a target whose breaker is
open, and to let servers that hang hold the places of those that answer.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.errors import RejoinderError
from rejoinder.flow.batches import Batches
from rejoinder.flow.ports import Push, Store
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_queue import MAIL, SMPP
from rejoinder.flow.push_records import MOST_AT_ONCE, Brought, Recorded, Result, Room, Taken, record, take
from rejoinder.observe import PUSHES_DELIVERED, PUSHES_FAILED, PUSHES_PARKED, log
from rejoinder.waits import woken

# Another node's pushes, or a retry's time, are noticed after at most this.
LOOK_SECONDS = 1.0
# Sessions pull what is theirs.
_PULLED = f"{SMPP}:"
STORE_AWAY_SECONDS = 0.5
# Places of tries in their first second, of slower ones, and, of either, of targets that failed last: a thousand
# servers that hang fill the second kind, and those that answer still find room in the first.
AT_ONCE = 256
SLOW_AT_ONCE = 512
FAILING_AT_ONCE = 64
SLOW_SECONDS = 1.0
# Targets whose pace is remembered.
REMEMBERED = 10_000


class Courier(Protocol):
    """Brings parcels of one channel: one try each, in bounded time."""

    async def start(self) -> None: ...

    async def bring(self, parcel: Parcel) -> Brought:
        """One try. Raises nothing that was foreseen: what went wrong is a word."""

    async def stop(self) -> None: ...


class PushLanes:
    """All targets' pushes in one process."""

    def __init__(
        self, store: Store, clock: Clock, guard: ClockGuard, couriers: Mapping[str, Courier]
    ) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard
        self._couriers = couriers
        self._results: Batches[Result, None] = Batches(self._record_all, most=256, waiting=10_000)
        self._under_way: dict[asyncio.Task[None], Push] = {}
        self._slow: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        # How many at once a target has earned: one more with each success, one again after a failure.
        self._earned: dict[str, int] = {}
        self._probed: set[str] = set()
        self._wake = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    def wake(self, target: str) -> None:
        """There is something to bring to this target."""
        if not target.startswith(_PULLED):
            self._wake.set()

    async def start(self) -> None:
        for courier in self._couriers.values():
            await courier.start()
        self._runner = asyncio.create_task(self._run())

    async def stop(self, seconds: float = 3.0) -> None:
        """Starts no more tries, takes the results that come within the time, leaves the rest to their leases."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=seconds)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._results.drained()
        for courier in self._couriers.values():
            await courier.stop()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                wait = await self.turn()
            except RejoinderError as error:
                log.warning("pushes_wait_for_store", sentence=error.sentence)
                wait = STORE_AWAY_SECONDS
            except Exception as error:  # noqa: BLE001  # the lanes' outermost line: they must go on
                log.error("pushes_failed", exc_info=error)
                wait = LOOK_SECONDS
            if wait > 0:
                await woken(self._wake, wait)

    async def turn(self) -> float:
        """Takes what is due and starts its tries; says how long to rest (0: there may be more at once)."""
        now = self._clock.wall_us()
        room = self._room()
        due = await self._store.read.pushes.next_due()
        if room.free <= 0 or due is None or due > now:
            return self._until(due, now)
        taken: Taken = await self._store.write(lambda tx: take(tx, room, now))
        self._probed |= taken.probed
        for push, parcel in taken.pushes:
            self._begin(push, parcel)
        return 0.0 if taken.pushes else self._until(taken.next_due, now)

    async def idle(self) -> None:
        """Returns when nothing is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    def _room(self) -> Room:
        quick = len(self._under_way) - len(self._slow)
        free = min(AT_ONCE - quick, AT_ONCE + SLOW_AT_ONCE - len(self._under_way))
        of = {target: self._earned.get(target, 1) - busy for target, busy in self._busy.items()}
        probing = sum(self._busy[target] for target in self._probed)
        return Room(free, FAILING_AT_ONCE - probing, of, self._earned)

    def _until(self, due: int | None, now: int) -> float:
        if due is None or due <= now:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.001, (due - now) / MICROSECONDS))

    def _begin(self, push: Push, parcel: Parcel | None) -> None:
        task = asyncio.create_task(self._carry(push, parcel))
        self._under_way[task] = push
        self._busy[push.queued.target] += 1
        timer = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._is_slow, task)
        task.add_done_callback(lambda _: timer.cancel())
        task.add_done_callback(self._landed)

    def _is_slow(self, task: asyncio.Task[None]) -> None:
        """It keeps its socket, but no longer the place of a quick one."""
        self._slow.add(task)
        self._wake.set()

    def _landed(self, task: asyncio.Task[None]) -> None:
        target = self._under_way.pop(task).queued.target
        self._slow.discard(task)
        self._busy[target] -= 1
        if self._busy[target] <= 0:
            del self._busy[target]
            self._probed.discard(target)
        self._wake.set()

    async def _carry(self, push: Push, parcel: Parcel | None) -> None:
        brought = await self._try(push, parcel)
        self._learn(push.queued.target, brought)
        result = Result(push, brought, random.random())  # noqa: S311  # spreads retries, guards nothing
        while True:
            try:
                await self._results.put(result)
                return
            except RejoinderError:
                await asyncio.sleep(STORE_AWAY_SECONDS)

    async def _try(self, push: Push, parcel: Parcel | None) -> Brought:
        courier = self._couriers.get(push.queued.channel)
        if courier is None:
            return Brought(
                False, "no mail server is configured" if push.queued.channel == MAIL else "no courier"
            )
        if parcel is None:
            return Brought(False, "no push is set any more")
        try:
            return await courier.bring(parcel)
        except Exception as error:  # noqa: BLE001  # a courier's outermost line: what it forgot to foresee
            log.error("push_failed", id=push.id, exc_info=error)
            return Brought(False, "internal error")

    def _learn(self, target: str, brought: Brought) -> None:
        earned = self._earned.pop(target, 1)
        if brought.ok:
            # Put back at the end: the one that was not heard of for longest leaves a full memory.
            self._earned[target] = min(MOST_AT_ONCE, earned + 1)
            if len(self._earned) > REMEMBERED:
                del self._earned[next(iter(self._earned))]

    async def _record_all(self, results: list[Result]) -> Sequence[None]:
        now, sure = self._clock.wall_us(), not self._guard.suspect()
        recorded: Recorded = await self._store.write(lambda tx: record(tx, results, now, sure))
        for channel in recorded.delivered:
            PUSHES_DELIVERED.labels(channel).inc()
        for channel in recorded.failed:
            PUSHES_FAILED.labels(channel).inc()
        PUSHES_PARKED.inc(recorded.parked)
        for push_id, word in recorded.opened:
            log.warning("push_target_left_alone", id=push_id, reason=word)
        return [None] * len(results)
