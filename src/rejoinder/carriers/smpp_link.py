"""One connection to a carrier's SMPP centre: the session's bytes on a socket, and each part's outcome.

What may have left this machine without an answer is UNKNOWN the moment the connection is gone; what waited for room in
the window is LATER. While the connection lives, silence about a part keeps waiting for it, until the carrier's
`answer_timeout`, which ends the connection. Refuses nothing. Texts and numbers are never logged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from rejoinder.clock import Clock
from rejoinder.message.model import Fate, Outcome
from rejoinder.observe import log
from rejoinder.smpp.constants import CommandStatus, status_name
from rejoinder.smpp.errors import NotAllowed, Unwritable
from rejoinder.smpp.events import Answered, Ended, Event, Overdue, Requested, Strange
from rejoinder.smpp.pdu import Bind, DataSm, DeliverSm, Pdu, SubmitSm, Unbind
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.window import Timers

# Deliveries that wait for the disk; a centre that sends more is not read from until some are answered.
MOST_DELIVERIES = 1_000
_TICK_SECONDS = 1.0

Take = Callable[[DeliverSm | DataSm], Awaitable[int]]
"""Stores what was delivered, then gives the status that the centre is answered with."""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What all links of a carrier share. `judge`: what a submit's status means."""

    name: str
    bind: Bind
    timers: Timers
    window: int
    judge: Callable[[int], Fate]
    take: Take


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


_Waiting = tuple[SubmitSm, Handover, int]


class Link(asyncio.Protocol):
    """One connection, from its making to its end. `ended` is done with the reason, in words."""

    def __init__(self, plan: LinkPlan, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.bound: asyncio.Future[int] = loop.create_future()
        """The status that the bind was answered with."""
        self.ended: asyncio.Future[str] = loop.create_future()
        self._loop = loop
        self._plan = plan
        self._clock = clock
        self._session = Session(Side.ESME, clock.monotonic(), plan.timers, plan.window)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[_Waiting] = deque()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._flushing = False
        self._slow = False
        self._full = False
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
        """A slow reader: what waits stays here, where it is not written yet."""
        self._slow = True

    def resume_writing(self) -> None:
        self._slow = False
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
            self._timer = self._loop.call_later(_TICK_SECONDS, self.tick)

    def unbind(self) -> None:
        """Says good-bye; `ended` follows when the centre has answered, or with its time-out."""
        if self._session.bound():
            self._session.send_request(Unbind(), self._clock.monotonic())
            self._flush()
        else:
            self.close("not bound")

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
                handover.settle(Outcome(number, Fate.LATER, reason="the link is down"))
            return
        now = self._clock.monotonic()
        while self._waiting and not self._slow and self._session.room():
            self._write(*self._waiting.popleft(), now)
        self._flush_soon()

    def _write(self, pdu: SubmitSm, handover: Handover, number: int, now: float) -> None:
        try:
            self._session.send_request(pdu, now, (handover, number))
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
        if event.context is None:
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
        if event.context is not None:
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
        if self._session.unanswered >= MOST_DELIVERIES and self._transport is not None and not self._full:
            self._full = True
            self._transport.pause_reading()

    async def _deliver(self, sequence: int, pdu: DeliverSm | DataSm) -> None:
        status = int(CommandStatus.ESME_RX_T_APPN)
        try:
            status = await self._plan.take(pdu)
        except Exception as error:  # noqa: BLE001 - a task's outermost line: the centre is asked to try again
            log.error("delivery_failed", carrier=self._plan.name, exc_info=error)
        kind = pdu.response
        assert kind is not None
        self._respond(sequence, kind(), status)

    def _respond(self, sequence: int, answer: Pdu, status: int) -> None:
        self._meet(self._session.respond(sequence, answer, status))
        if self._full and self._session.unanswered < MOST_DELIVERIES and self._transport is not None:
            self._full = False
            self._transport.resume_reading()

    def _end(self, reason: str) -> None:
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if self._timer is not None:
            self._timer.cancel()
        for handover, number in self._session.contexts():
            handover.settle(Outcome(number, Fate.UNKNOWN, reason=reason))
        self._fill()
        if not self.bound.done():
            self.bound.cancel()
        if self._transport is not None:
            self._transport.close()
