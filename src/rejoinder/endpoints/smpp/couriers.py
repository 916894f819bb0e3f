"""Brings receipts and MOs to users' sessions as deliver_sm: one courier a user, while it has receiving binds.

What is not acknowledged stays on disk (flow/pulled_pushes.py). Refuses to count as acknowledged what the customer
refused for now; what it refused for good is done with, and stays in its mailbox; what it refuses for a day otherwise
is parked.
"""

from __future__ import annotations

import asyncio

from rejoinder.clock import Clock, ClockGuard
from rejoinder.endpoints.smpp import deliveries
from rejoinder.endpoints.smpp.binds import Bind, Binds
from rejoinder.endpoints.smpp.waiting import settled
from rejoinder.errors import RejoinderError
from rejoinder.flow.ports import Store
from rejoinder.flow.pulled_pushes import Pulled, PulledPushes
from rejoinder.flow.push_queue import smpp_target
from rejoinder.observe import SMPP_DELIVERIES, log
from rejoinder.smpp.constants import CommandStatus, status_name
from rejoinder.smpp.errors import Unwritable
from rejoinder.waits import woken

# Another node's messages are noticed after at most this.
LOOK_SECONDS = 2.0
STORE_AWAY_SECONDS = 0.5
# §5.1.3: the customer's application refuses this message for good.
_FOR_GOOD = frozenset({CommandStatus.ESME_RX_P_APPN, CommandStatus.ESME_RX_R_APPN})
# What passes, whatever the message is. Any other refusal may be of this one message, and last for ever.
_FOR_NOW = frozenset(
    {
        CommandStatus.ESME_RX_T_APPN,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RINVBNDSTS,
        CommandStatus.ESME_RSERTYPUNAVAIL,
    }
)


class Delivery:
    """One deliver_sm under way: its push, and whether it is the last of it."""

    __slots__ = ("courier", "last", "pulled")

    def __init__(self, courier: Courier, pulled: Pulled, last: bool) -> None:
        self.courier = courier
        self.pulled = pulled
        self.last = last


class Courier:
    """One user's."""

    def __init__(self, store: Store, clock: Clock, guard: ClockGuard, binds: Binds, user_id: int) -> None:
        self._binds = binds
        self._user_id = user_id
        self._pulls = PulledPushes(store, clock, guard, user_id)
        self._wake = asyncio.Event()
        self._turn = 0
        self._in_flight = 0
        self.stopping = False

    def wake(self) -> None:
        """There may be something to bring, or room to bring it."""
        self._wake.set()

    def idle(self) -> bool:
        return self._in_flight == 0

    async def turn(self) -> bool:
        """One round: records what is done, takes what the windows hold, sends. Says whether the next should follow."""
        binds = self._binds.receiving(self._user_id)
        more = await self._pulls.turn(sum(bind.connection.room() for bind in binds))
        self.send()
        return more

    async def run(self) -> None:
        """Until the user has no receiving bind."""
        while True:
            self._wake.clear()
            wait = LOOK_SECONDS
            try:
                if await self.turn():
                    continue
            except RejoinderError as error:
                log.warning("smpp_courier_waits", sentence=error.sentence, user_id=self._user_id)
                wait = STORE_AWAY_SECONDS
            except Exception as error:  # noqa: BLE001  # the courier's outermost line: it must go on
                log.error("smpp_courier_failed", exc_info=error, user_id=self._user_id)
            if not self._binds.receiving(self._user_id):
                await self.settle()
                # A new bind may have come meanwhile.
                if not self._binds.receiving(self._user_id):
                    return
            await woken(self._wake, min(wait, self._pulls.next_try() or wait))

    async def settle(self) -> None:
        """Records what is acknowledged and gives the rest back; what cannot be now comes again when its lease ends."""
        self._pulls.give_back()
        try:
            await self._pulls.turn(0)
        except RejoinderError as error:
            log.warning("smpp_courier_not_settled", sentence=error.sentence, user_id=self._user_id)

    def send(self) -> None:
        """Fills the windows of the user's binds, one deliver_sm of each handset at a time."""
        while not self.stopping:
            bind = self._free_bind()
            pulled = self._pulls.next() if bind is not None else None
            if bind is None or pulled is None:
                return
            if not self._deliver(bind, pulled):
                return

    def _free_bind(self) -> Bind | None:
        """The next one in turn that takes a delivery."""
        binds = [bind for bind in self._binds.receiving(self._user_id) if bind.connection.room()]
        return binds[self._turn % len(binds)] if binds else None

    def _deliver(self, bind: Bind, pulled: Pulled) -> bool:
        try:
            pdus = deliveries.pdus(pulled, bind.account)
            if pulled.parts >= len(pdus):
                self._count(pulled, "gone")
                self._pulls.done(pulled)
                return True
            context = Delivery(self, pulled, pulled.parts + 1 == len(pdus))
            left = bind.connection.deliver(pdus[pulled.parts], context)
        except Unwritable as error:
            log.error("smpp_delivery_unwritable", sentence=error.sentence, user_id=self._user_id)
            self._count(pulled, "unwritable")
            # In the end it is parked, where the operator sees it.
            self._pulls.refused(pulled, "unwritable")
            return True
        if left:
            self._in_flight += 1
            self._turn += 1
        else:
            self._pulls.back(pulled)
        return left

    def answered(self, delivery: Delivery, status: int) -> None:
        """The customer's program answered."""
        self._in_flight -= 1
        pulled = delivery.pulled
        if status == 0 and not delivery.last:
            self._pulls.go_on(pulled)
        elif status == 0 or status in _FOR_GOOD:
            self._count(pulled, "acknowledged" if status == 0 else "refused")
            self._pulls.done(pulled)
        else:
            self._count(pulled, "refused for now")
            again = self._pulls.put_off if status in _FOR_NOW else self._pulls.refused
            again(pulled, status_name(status))
        self.send()
        self.wake()

    def overdue(self, delivery: Delivery) -> None:
        """No answer came in time: it is brought again later."""
        self._in_flight -= 1
        self._count(delivery.pulled, "unanswered")
        self._pulls.put_off(delivery.pulled, "no answer")
        self.wake()

    def lost(self, delivery: Delivery) -> None:
        """Its connection is gone: any bind may bring it again."""
        self._in_flight -= 1
        self._count(delivery.pulled, "unanswered")
        self._pulls.back(delivery.pulled)
        self.wake()

    def _count(self, pulled: Pulled, fate: str) -> None:
        SMPP_DELIVERIES.labels(pulled.push.queued.kind, fate).inc()


class Couriers:
    """All of them."""

    def __init__(self, store: Store, clock: Clock, guard: ClockGuard, binds: Binds) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard
        self._binds = binds
        self._by_target: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._stopping = False
        store.on_queued(self.queued)

    def queued(self, target: str) -> None:
        """Something for this target is on disk."""
        found = self._by_target.get(target)
        if found is not None:
            found[0].wake()

    def call(self, user_id: int) -> None:
        """The user has a receiving bind, or room in one."""
        target = smpp_target(user_id)
        found = self._by_target.get(target)
        if found is None or found[1].done():
            if self._stopping:
                return
            courier = Courier(self._store, self._clock, self._guard, self._binds, user_id)
            task = asyncio.create_task(self._run(courier, target), name="smpp courier")
            self._by_target[target] = (courier, task)
        else:
            found[0].send()
            found[0].wake()

    async def _run(self, courier: Courier, target: str) -> None:
        try:
            await courier.run()
        finally:
            found = self._by_target.get(target)
            if found is not None and found[0] is courier:
                del self._by_target[target]

    async def stop(self, seconds: float) -> None:
        """Brings nothing more, takes the answers that come within the time, and forgets what they acknowledge."""
        self._stopping = True
        running = list(self._by_target.values())
        for courier, _ in running:
            courier.stopping = True
        await settled(lambda: all(courier.idle() for courier, _ in running), seconds)
        for _, task in running:
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        for courier, _ in running:
            await courier.settle()
