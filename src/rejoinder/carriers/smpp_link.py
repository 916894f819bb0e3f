"""One connection to a carrier's SMPP centre: the session's bytes on a socket, and each part's outcome.

What may have left this machine without an answer is UNKNOWN the moment the connection is gone; what waited for room in
the window is UNSENT. While the connection lives, silence about a part keeps waiting for it, until the carrier's
`answer_timeout`, which ends the connection. Refuses nothing. Texts and numbers are never logged.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import cast

from rejoinder.carriers.smpp_doubts import Doubts
from rejoinder.carriers.smpp_plan import Arrival, Handover, LinkPlan
from rejoinder.carriers.smpp_proofs import Proofs
from rejoinder.clock import Clock
from rejoinder.message.model import Fate, Outcome
from rejoinder.observe import log
from rejoinder.smpp.constants import FIRST_WITH_TLVS, CommandStatus, status_name
from rejoinder.smpp.errors import NotAllowed, Unwritable
from rejoinder.smpp.events import Answered, Ended, Event, Overdue, Requested, Strange
from rejoinder.smpp.pdu import Bind, DataSm, DeliverSm, EnquireLink, Pdu, SubmitSm, Unbind
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side

# Deliveries that wait for the disk; a centre that sends more is not read from until some are answered. Nor is one that
# does not read: our answers would grow in memory.
MOST_DELIVERIES = 1_000
_TICK_SECONDS = 1.0
# So often at most a centre is asked, only to learn that it has read our answers: mostly its own answers tell.
_PROBE_SECONDS = 5.0
_PROBE = object()
_Waiting = tuple[SubmitSm, Handover, int]


class Link(asyncio.Protocol):
    """One connection, from its making to its end. `ended` is done with the reason, in words."""

    def __init__(self, plan: LinkPlan, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.bound: asyncio.Future[int] = loop.create_future()
        """The status that the bind was answered with."""
        self.ended: asyncio.Future[str] = loop.create_future()
        self.name = secrets.randbits(62)
        """What tells this connection from every other, in every process."""
        self._loop = loop
        self._plan = plan
        self._clock = clock
        self._session = Session(Side.ESME, clock.monotonic(), plan.timers, plan.window)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[_Waiting] = deque()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._proofs, self._doubts = Proofs(), Doubts()
        self._confirming: set[asyncio.Task[None]] = set()
        # The last delivery to be kept, and up to which one it is on disk that they were confirmed.
        self.kept = self._confirmed = 0
        self._probed_at = clock.monotonic()
        self._flushing = False
        self._slow = False
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by class.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        self._session.send_request(self._plan.bind, self._clock.monotonic())
        self._flush()
        self._timer = self._loop.call_later(_TICK_SECONDS, self.tick)

    def data_received(self, data: bytes) -> None:
        self._meet(self._session.receive(data, self._clock.monotonic()))

    def pause_writing(self) -> None:
        """A slow reader: what waits stays here, where it is not written yet, and no more comes in to be answered."""
        self._slow = True
        self._brake()

    def resume_writing(self) -> None:
        self._slow = False
        self._brake()
        self._fill()

    def connection_lost(self, error: Exception | None) -> None:
        self.close("the connection was lost")

    # the owner

    def room(self) -> int:
        """How many parts more it takes at once, less those that wait."""
        return self._session.room() - len(self._waiting)

    def in_flight(self) -> int:
        return 0 if self._session.ended() else self._session.in_flight()

    def usable(self) -> bool:
        return self._session.bound()

    def parameters(self) -> bool:
        """Whether the centre reads optional parameters: of who binds as 3.3 it expects none."""
        return min(self._session.peer_version, self._plan.bind.interface_version) >= FIRST_WITH_TLVS

    def submit(self, pdu: SubmitSm, handover: Handover, number: int) -> None:
        """Puts a part on its way, or behind those that wait for room; its outcome comes to the handover."""
        if self._waiting or self._slow or not self._session.room() or not self._session.bound():
            self._waiting.append((pdu, handover, number))
            self._fill()
            return
        self._write(pdu, handover, number, self._clock.monotonic())
        self._flush_soon()

    def tick(self) -> None:
        """Once a second: what time brings. Tests call it after they moved the clock."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self._meet(self._session.tick(self._clock.monotonic()))
            self._answer_written(self._doubts.lapsed(self._clock.monotonic()))
            self._probe(self._clock.monotonic())
            self._confirm()
            self._timer = self._loop.call_later(_TICK_SECONDS, self.tick)

    def unbind(self) -> None:
        """Says good-bye; `ended` follows when the centre has answered, or with its time-out."""
        if self._session.bound():
            self._session.send_request(Unbind(), self._clock.monotonic())
            self._flush()
        else:
            self.close("not bound")

    def deliveries(self) -> set[asyncio.Task[None]]:
        """What is being stored and answered now."""
        return set(self._deliveries)

    async def confirmed(self) -> None:
        """Returns when it is on disk what the centre is known to have read."""
        await asyncio.gather(*self._confirming)

    def close(self, reason: str) -> None:
        """Ends the connection at once."""
        self._session.lost()
        self._end(reason)

    # inside

    def _fill(self) -> None:
        if not self._session.bound():
            # The way out, or not yet in: nothing of these was written.
            while self._waiting:
                _, handover, number = self._waiting.popleft()
                handover.settle(Outcome(number, Fate.UNSENT, reason="the link is down"))
            return
        now = self._clock.monotonic()
        while self._waiting and not self._slow and self._session.room():
            self._write(*self._waiting.popleft(), now)
        self._flush_soon()

    def _write(self, pdu: SubmitSm, handover: Handover, number: int, now: float) -> None:
        try:
            self._proofs.sent(self._session.send_request(pdu, now, (handover, number)))
        except (Unwritable, NotAllowed) as error:
            handover.settle(Outcome(number, Fate.REFUSED, reason=error.sentence))

    def _flush_soon(self) -> None:
        # All that one turn of the loop brings goes in one write.
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        out = self._session.bytes_to_send()
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(out)

    def _meet(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Answered):
                self._answered(event)
            elif isinstance(event, Requested):
                self._requested(event)
            elif isinstance(event, Overdue):
                self._overdue(event)
            elif isinstance(event, Ended):
                self._flush()
                self._end(event.reason)
            else:
                self._strange(event)
        if self._waiting:
            self._fill()
        self._flush_soon()

    def _answered(self, event: Answered) -> None:
        self._proofs.came(event.sequence)
        if event.context is None or event.context is _PROBE:
            if isinstance(event.request, Bind) and not self.bound.done():
                self.bound.set_result(event.status)
            return
        handover, number = event.context
        if event.status:
            fate = self._plan.judge(event.status)
            handover.settle(Outcome(number, fate, reason=status_name(event.status)))
        else:
            ref = event.pdu.message_id  # type: ignore[attr-defined]  # the answer to a submit has one
            handover.settle(Outcome(number, Fate.ACCEPTED, ref or None))

    def _overdue(self, event: Overdue) -> None:
        if event.context is _PROBE:
            self._proofs.lapsed(event.sequence)
        elif event.context is not None:
            handover, number = event.context
            handover.settle(Outcome(number, Fate.UNKNOWN, reason="no answer in time"))
            self.close("an answer is overdue")

    def _strange(self, event: Strange) -> None:
        log.warning("smpp_strange", carrier=self._plan.name, code=event.command, reason=event.reason)

    def _requested(self, event: Requested) -> None:
        if not isinstance(event.pdu, DeliverSm | DataSm):
            return  # alert_notification and outbind ask for nothing
        task = self._loop.create_task(self._deliver(event.sequence, event.pdu), name="smpp delivery")
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        self._brake()

    async def _deliver(self, sequence: int, pdu: DeliverSm | DataSm) -> None:
        status = int(CommandStatus.ESME_RX_T_APPN)
        arrival = Arrival(self.name, self._proofs.begin(), self._doubts)
        try:
            status = await self._plan.deliveries.take(pdu, arrival)
        except Exception as error:  # noqa: BLE001 - a task's outermost line: the centre is asked to try again
            log.error("delivery_failed", carrier=self._plan.name, exc_info=error)
        kind = pdu.response
        assert kind is not None
        if arrival.kept:
            self.kept = max(self.kept, arrival.number)
        self._respond(sequence, kind(), status)
        if not self.ended.done():
            self._answer_written(arrival.done())

    def _answer_written(self, numbers: list[int]) -> None:
        for number in numbers:
            self._proofs.answered(number)

    def _probe(self, now: float) -> None:
        """Asks for a sign that our answers were read, where no submit brings one."""
        due = self._proofs.wanted() and now - self._probed_at >= _PROBE_SECONDS
        if due and self._session.bound():
            self._probed_at = now
            self._proofs.sent(self._session.send_request(EnquireLink(), now, _PROBE))
            self._flush_soon()

    def _confirm(self) -> None:
        upto, before = self._proofs.proven(), self._confirmed
        self._confirmed = max(upto, before)
        if upto > before and self.kept > before:
            task = self._loop.create_task(self._confirm_on_disk(upto, before), name="smpp confirmation")
            self._confirming.add(task)
            task.add_done_callback(self._confirming.discard)

    async def _confirm_on_disk(self, upto: int, before: int) -> None:
        if not await self._plan.deliveries.confirm(self.name, upto):
            self._confirmed = min(self._confirmed, before)

    def _respond(self, sequence: int, answer: Pdu, status: int) -> None:
        self._meet(self._session.respond(sequence, answer, status))
        self._brake()

    def _brake(self) -> None:
        may = not self._slow and self._session.unanswered < MOST_DELIVERIES
        if may == self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = may
        if may:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _end(self, reason: str) -> None:
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if self._timer is not None:
            self._timer.cancel()
        for handover, number in [it for it in self._session.contexts() if it is not _PROBE]:
            handover.settle(Outcome(number, Fate.UNKNOWN, reason=reason))
        if reason == "unbound":
            self._proofs.parted()
        self._confirm()
        self._fill()
        if not self.bound.done():
            self.bound.cancel()
        if self._transport is not None:
            # Closing waits for the centre to read.
            (self._transport.abort if self._slow else self._transport.close)()
