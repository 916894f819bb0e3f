"""What time does to messages: expiry after 49 hours, release of unfinished MOs, retention, forgetting.

Works in small steps, so that nobody waits behind it. Refuses to end or delete anything while the wall
clock has just jumped (clock.py `ClockGuard`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.errors import RejoinderError
from rejoinder.flow.failover import adopt
from rejoinder.flow.inbound import MoIntake
from rejoinder.flow.joining import show_stale
from rejoinder.flow.ports import Store, Tx
from rejoinder.flow.push_plan import PARKED_AFTER_US
from rejoinder.flow.receipts import Moves, count_finished, move
from rejoinder.flow.set_back import SetBack
from rejoinder.flow.setup import Setup
from rejoinder.flow.steps import STEP, repeated
from rejoinder.message.status import Status
from rejoinder.observe import PUSHES_PARKED, log

HOUR_US = 3600 * MICROSECONDS
DAY_US = 24 * HOUR_US
# Contract §7: statuses are kept at least 80 hours after they are final.
STATUSES_KEPT_US = 80 * HOUR_US
RECEIPTS_KEPT_US = 72 * HOUR_US
REFERENCES_KEPT_US = 24 * HOUR_US
PARTS_WAIT_US = 24 * HOUR_US
# Carriers repeat a delivery within hours, not weeks.
SEEN_KEPT_US = 7 * DAY_US
PARKED_KEPT_US = 30 * DAY_US
# Networks give a text up after two or three days.
UNCONFIRMED_KEPT_US = 3 * DAY_US
# Beside what else there is to do: five thousand messages that end.
STEPS_A_SECOND = 10
# Where the walk over all boxes begins: ids of status boxes are negative.
BEFORE_ALL = -(2**63)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long history is kept, in days (contract §3); 0: for ever."""

    retention_days: int = 90


class Upkeep:
    """The recurring work, a step at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        guard: ClockGuard,
        setup: Setup,
        intake: MoIntake,
        keeping: Keeping,
    ) -> None:
        self._store = store
        self._clock = clock
        self._setup = setup
        self._intake = intake
        self._keeping = keeping
        self._walked = BEFORE_ALL
        self._set_back = SetBack(store, clock, setup)
        self.guard = guard

    async def run(self) -> None:
        """Every second what ends messages, every minute what forgets them; until cancelled."""
        turns = 0
        while True:
            await self._guarded(self.end_messages)
            await self._guarded(self.forget_entries)
            if turns % 60 == 0:
                await self._guarded(self.forget)
            if turns % 10 == 0:
                await self._tried(self.bring_forward)
            turns += 1
            await asyncio.sleep(1)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        if self.guard.suspect():
            log.warning(
                "clock_suspect", reason="wall and monotonic clock parted; rejoinder clock accept believes it"
            )
            return
        await self._tried(work)

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except RejoinderError as error:
            log.warning("upkeep_waits", sentence=error.sentence)
        except Exception as error:  # noqa: BLE001  # upkeep's outermost line: tomorrow's step must still come
            log.error("upkeep_failed", exc_info=error)

    async def end_messages(self) -> None:
        """Expired messages, messages without a carrier, unfinished MOs and long messages."""
        now = self._clock.wall_us()
        await self._end(lambda tx: _expire(tx, now))
        if self.guard.steady():
            # A step of the clock ends leases: what a removed carrier is just being given is in doubt only after them.
            await self._end(lambda tx: adopt(tx, self._setup.routes, now))
        await self._intake.release_stale(now - PARTS_WAIT_US, STEP)
        await self._store.write(lambda tx: show_stale(tx, now, STEP))

    async def bring_forward(self) -> None:
        """What was stored while the clock stood ahead is counted from now that it was set back (set_back.py)."""
        await self._set_back.queue()
        # A clock that was set back wrongly would let all that is under way end when it is put right.
        if not self.guard.suspect():
            await self._set_back.ages()

    async def _end(self, step: Callable[[Tx], Awaitable[tuple[int, dict[str, int]]]]) -> None:
        """Repeats a step until it finds nothing; what is left after some waits a second."""
        for _ in range(STEPS_A_SECOND):
            found, finished = await self._store.write(step)
            count_finished(finished)
            if not found:
                return

    async def forget(self) -> None:
        """Deletes what has been kept long enough, in steps of bounded size."""
        now = self._clock.wall_us()
        await self._repeat(lambda tx: tx.messages.forget_finished(now - STATUSES_KEPT_US, STEP))
        await self._repeat(lambda tx: tx.receipts.forget(now - RECEIPTS_KEPT_US, STEP))
        await self._repeat(lambda tx: tx.replies.forget_references(now - REFERENCES_KEPT_US, STEP))
        await self._repeat(lambda tx: tx.inbound.forget_seen(now - SEEN_KEPT_US, STEP))
        await self._repeat(lambda tx: tx.inbound.forget_unconfirmed(now - UNCONFIRMED_KEPT_US, STEP))
        await self._forget_pushes(now)
        if self._keeping.retention_days:
            before = now - self._keeping.retention_days * DAY_US
            await self._repeat(lambda tx: tx.replies.forget_pairs(before, STEP))
            await self._repeat(lambda tx: tx.replies.forget_conversations(before, STEP))

    async def _forget_pushes(self, now: int) -> None:
        """Parks what waits for targets that failed all the time; parked ones are kept for 30 days."""
        stale = now - PARKED_AFTER_US
        PUSHES_PARKED.inc(await self._repeat(lambda tx: tx.pushes.park_stale(stale, now, STEP)))
        await self._repeat(lambda tx: tx.pushes.forget_parked(now - PARKED_KEPT_US, STEP))
        await self._repeat(lambda tx: tx.pushes.forget_targets(STEP))

    async def forget_entries(self) -> None:
        """One step of the walk over all boxes: a bounded number of them, whatever their number is."""
        if not self._keeping.retention_days:
            return
        before = self._clock.wall_s() - self._keeping.retention_days * 86_400
        boxes = await self._store.read.mailboxes.in_order(self._walked, before, STEP)
        for box_id in [box_id for box_id, has_older in boxes if has_older]:
            await self._repeat(lambda tx, b=box_id: tx.mailboxes.forget(b, before, STEP))  # type: ignore[misc]  # default binds the loop's value
        self._walked = boxes[-1][0] if len(boxes) == STEP else BEFORE_ALL

    async def _repeat(self, step: Callable[[Tx], Awaitable[int]]) -> int:
        return await repeated(self._store, step)


async def _expire(tx: Tx, now: int) -> tuple[int, dict[str, int]]:
    """One step over messages whose time is over; says how many there were, and what ended."""
    over = await tx.messages.expired(now, STEP)
    # Queue rows are locked before messages, as where answers are recorded.
    await tx.outbox.fences(over)
    return len(over), await move(tx, Moves(ended=dict.fromkeys(over, Status.EXPIRED)), now)
