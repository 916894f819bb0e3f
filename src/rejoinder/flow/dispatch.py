"""MT step 3: each carrier's lane claims what is due, hands it over, and records the answers in batches.

Holds in memory only what is under way (the carrier's window); the queue stays on disk, however long.
Refuses to speak to a network before the claim is committed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.errors import RejoinderError
from rejoinder.flow.batches import GATHER_SECONDS, MANY, Batches
from rejoinder.flow.claims import Claimed, Lane, claim, lease_end
from rejoinder.flow.failover import BEGINNING, Stranded, relieve
from rejoinder.flow.outcomes import Answered, record
from rejoinder.flow.ports import Carrier, CarrierRow, Claim, Store
from rejoinder.flow.rates import Pace, Throughput
from rejoinder.flow.receipts import count_finished
from rejoinder.flow.setup import Setup
from rejoinder.flow.throttles import Throttles
from rejoinder.flow.unusable import Unusable
from rejoinder.message.model import Fate, Outcome, Outgoing
from rejoinder.observe import MT_MOVED, MT_RESENT, PARTS_SENT, log
from rejoinder.waits import woken

# Another node's messages, or a retry's hour, are noticed after at most this.
LOOK_SECONDS = 1.0
RENEW_SECONDS = 15.0
# How often a carrier whose link is down is looked at.
NOT_READY_SECONDS = 0.1
STORE_AWAY_SECONDS = 0.5
# Looked up once: a counter's labels() costs more than the count.
_series = cache(PARTS_SENT.labels)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all lanes stand on. `learnt`: the form in which each carrier's receipts name its ids."""

    store: Store
    clock: Clock
    guard: ClockGuard
    setup: Setup
    learnt: Mapping[int, str]


class CarrierLane:
    """One carrier's worker."""

    def __init__(
        self, row: CarrierRow, carrier: Carrier, ground: Ground, wake_other: Callable[[int], None]
    ) -> None:
        self.row = row
        self.carrier = carrier
        self._store = ground.store
        self._clock = ground.clock
        self._guard = ground.guard
        self._setup = ground.setup
        self._learnt = ground.learnt
        self._wake_other = wake_other
        self._pace = Pace(carrier.window)
        self._throttles = Throttles(self._pace)
        self._throughput = Throughput(float(row.settings.get("throughput") or 0), ground.clock.monotonic())
        self._under_way: dict[asyncio.Task[None], Claim] = {}
        self._answers: Batches[Answered, None] = Batches(
            self._record_all, most=256, waiting=100_000, gathers=True
        )
        self._wake = asyncio.Event()
        self._next_customer = 0
        # The window is full, or the last claim filled it: more may be due as soon as an answer makes room.
        self._more = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False
        # How far the queue was looked through since the carrier is down, and when that begins anew.
        self._relieved_to = BEGINNING
        self._relieve_at = 0.0
        # Parts the carrier has accepted since the start.
        self.taken = 0

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def window(self) -> int:
        """How many messages may be under way now."""
        return self._pace.room(self._clock.monotonic())

    def under_way(self) -> int:
        return len(self._under_way)

    async def start(self) -> None:
        await self.carrier.start()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._renew())]

    async def stop(self, seconds: float) -> None:
        """Sends no more, takes the answers that come within the time, leaves the rest to its leases."""
        self._ending, over_at = True, asyncio.get_running_loop().time() + seconds
        self._wake.set()
        # A turn is let end: its claim would be committed all the same, and nobody know what it took.
        await asyncio.wait(self._tasks[:1], timeout=seconds)
        if self._under_way:
            time_left = max(0.0, over_at - asyncio.get_running_loop().time())
            await asyncio.wait(list(self._under_way), timeout=time_left)
        left = [*self._tasks, *self._under_way]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._answers.drained()
        await self.carrier.stop()

    async def _run(self) -> None:
        while not self._ending:
            self._wake.clear()
            try:
                wait = await self._turn()
            except RejoinderError as error:
                log.warning("lane_waits_for_store", carrier=self.row.name, sentence=error.sentence)
                wait = STORE_AWAY_SECONDS
            except Exception as error:  # noqa: BLE001  # the lane's outermost line: it must go on
                log.error("lane_failed", carrier=self.row.name, exc_info=error)
                wait = LOOK_SECONDS
            if wait > 0:
                await woken(self._wake, wait)

    async def _turn(self) -> float:
        """One claim and its hand-overs; says how long to rest (0: there may be more at once)."""
        now = self._clock.monotonic()
        ready = self.carrier.ready()
        self._setup.health.link(self.row.id, ready, now)
        await self._relieve(now)
        if not ready:
            return NOT_READY_SECONDS
        free = self._pace.room(now) - len(self._under_way)
        if free <= 0:
            self._more = True
            return min(self._pace.wait(now) or LOOK_SECONDS, LOOK_SECONDS)
        self._throttles.claims()
        most = self._throughput.take(free, now)
        if most == 0:
            return 0.05
        claimed = await self._claim(most)
        self._throughput.give_back(most - len(claimed.outgoing))
        for claim_, outgoing in claimed.outgoing:
            carry = self._give_back if self._ending else self._carry
            task = asyncio.create_task(carry(claim_, outgoing))
            self._under_way[task] = claim_
            task.add_done_callback(self._landed)
        self._more = len(claimed.outgoing) == most or bool(claimed.finished)
        if len(claimed.outgoing) >= MANY and not self._more:
            await asyncio.sleep(GATHER_SECONDS)
        return 0.0 if self._more else self._until(claimed.next_due)

    async def _relieve(self, now: float) -> None:
        """A carrier that is down holds no message that another one may take."""
        setup, down = self._setup, self._setup.health.down(now)
        if self.row.id not in down or now < self._relieve_at or not setup.routes.has_others(self.row.id):
            return
        sure = not self._guard.suspect()
        stranded = Stranded(self.row.id, setup.routes, down, self._relieved_to, sure)
        relieved = await self._store.write(lambda tx: relieve(tx, stranded, self._clock.wall_us()))
        self._relieved_to = relieved.after
        self._relieve_at = now if relieved.after != BEGINNING else now + LOOK_SECONDS
        count_finished(relieved.finished)
        for carrier_id, count in relieved.moved.items():
            MT_MOVED.inc(count)
            self._wake_other(carrier_id)

    def _until(self, next_due: int | None) -> float:
        if next_due is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.001, (next_due - self._clock.wall_us()) / MICROSECONDS))

    async def _claim(self, most: int) -> Claimed:
        now, setup = self._clock.wall_us(), self._setup
        held = frozenset(claim_.row.id for claim_ in self._under_way.values())
        sure, steady = not self._guard.suspect(), self._guard.steady()
        lane = Lane(self.row.id, self.carrier.whole, setup.routes, held, sure, setup.opt_outs, steady)
        claimed = await self._store.write(lambda tx: claim(tx, lane, now, most, self._next_customer))
        self._next_customer = claimed.next_customer
        MT_RESENT.inc(claimed.resent)
        count_finished(claimed.finished)
        return claimed

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        if self._more:
            self._wake.set()

    async def _carry(self, claim_: Claim, outgoing: Outgoing) -> None:
        try:
            outcomes = await self.carrier.send(outgoing)
        except Exception as error:  # noqa: BLE001
            # A carrier's outermost line: what it forgot to foresee is an unknown outcome.
            log.error("carrier_failed", carrier=self.row.name, mt_id=outgoing.id, exc_info=error)
            outcomes = [Outcome(number, Fate.UNKNOWN) for number in outgoing.numbers]
        self._count(outcomes)
        answered = Answered(claim_, outcomes, random.random())  # noqa: S311  # spreads retries, guards nothing
        await self._keep(self._throttles.judged(answered, self._clock.monotonic(), self._clock.wall_us()))

    async def _give_back(self, claim_: Claim, outgoing: Outgoing) -> None:
        """What the last turn claimed leaves no more: it waits where it was, and nothing of it is in doubt."""
        await self._keep(Answered(claim_, [Outcome(number, Fate.UNSENT) for number in outgoing.numbers], 0.0))

    async def _keep(self, answered: Answered) -> None:
        """An answer is kept in memory until the store takes it; without it the lease would resend."""
        while True:
            try:
                await self._answers.put(answered)
                return
            except RejoinderError:
                await asyncio.sleep(STORE_AWAY_SECONDS)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        fates = {outcome.fate for outcome in outcomes}
        well = not fates <= {Fate.LATER, Fate.UNSENT}
        self._setup.health.answered(self.row.id, well, self._clock.monotonic())
        self.taken += sum(outcome.fate is Fate.ACCEPTED for outcome in outcomes)
        for outcome in outcomes:
            _series(self.row.name, outcome.fate.value).inc()

    async def answered(self) -> None:
        """Returns when the answers that have come so far are on disk, or could not be stored."""
        await self._answers.settled()

    async def _record_all(self, answers: list[Answered]) -> Sequence[None]:
        now, learnt = self._clock.wall_us(), self._learnt.get(self.row.id)
        routes, once = self._setup.routes, self._setup.speak_once
        finished = await self._store.write(lambda tx: record(tx, answers, routes, now, learnt, once))
        count_finished(finished)
        return [None] * len(answers)

    async def _renew(self) -> None:
        """While the link lives an unanswered message is never resent: its lease is renewed."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            held = [(claim_.row.id, claim_.fence) for claim_ in self._under_way.values()]
            lease = lease_end(self._clock.wall_us())
            try:
                await self._store.write(lambda tx, h=held, to=lease: tx.outbox.renew(h, to))  # type: ignore[misc]  # defaults bind the loop's values
            except RejoinderError as error:
                log.warning("lease_not_renewed", carrier=self.row.name, sentence=error.sentence)


MakeCarrier = Callable[[CarrierRow], Carrier]


class Dispatch:
    """All lanes: one per carrier, started, changed and stopped as the operator's set-up says."""

    def __init__(self, ground: Ground, make: MakeCarrier) -> None:
        self._ground = ground
        self._setup = ground.setup
        self._make = make
        self.lanes: dict[int, CarrierLane] = {}

    def wake(self, carrier_id: int) -> None:
        """Messages for this carrier are on disk."""
        if carrier_id in self.lanes:
            self.lanes[carrier_id].wake()

    async def answered(self, carrier_ids: Collection[int]) -> None:
        """Returns when what these carriers have answered so far is on disk, or could not be stored."""
        for carrier_id in carrier_ids:
            lane = self.lanes.get(carrier_id)
            if lane is not None:
                await lane.answered()

    async def reconcile(self) -> None:
        """Starts lanes of new carriers, stops those of removed ones, remakes those that changed or could not start."""
        for carrier_id, lane in list(self.lanes.items()):
            row = self._setup.carriers.get(carrier_id)
            if row != lane.row:
                self._setup.health.forget(carrier_id)
            if row != lane.row or isinstance(lane.carrier, Unusable):
                del self.lanes[carrier_id]
                await lane.stop(2.0)
        for carrier_id, row in self._setup.carriers.items():
            if carrier_id not in self.lanes:
                await self._open(row)

    async def _open(self, row: CarrierRow) -> None:
        try:
            lane = CarrierLane(row, self._make(row), self._ground, self.wake)
            await lane.start()
        except RejoinderError as error:
            log.error("carrier_not_started", carrier=row.name, sentence=error.sentence)
            lane = CarrierLane(row, Unusable(error.sentence), self._ground, self.wake)
            await lane.start()
        else:
            log.info("carrier_started", carrier=row.name, kind=row.kind)
        self.lanes[row.id] = lane

    async def stop(self, seconds: float = 6.0) -> None:
        await asyncio.gather(*(lane.stop(seconds) for lane in self.lanes.values()))
        self.lanes.clear()
