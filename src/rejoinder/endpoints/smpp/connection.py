"""One SMPP connection of a customer: a socket around the session, with its timer and its brakes.

Reads no more while its peer does not read (its answers would grow in memory), or while more requests wait than
`MOST_WAITING`. Refuses to judge: what a request asks for is decided by its owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

from rejoinder.clock import Clock
from rejoinder.observe import log
from rejoinder.smpp.errors import NotAllowed, Unwritable
from rejoinder.smpp.events import Answered, Ended, Event, Overdue, Requested, Strange
from rejoinder.smpp.pdu import Pdu, Unbind
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.window import Timers

# Octets that wait for a slow reader before nothing more is read from it.
WRITE_BUFFER = 65_536
# Requests of one connection under way at once, whatever its account's window is.
MOST_WAITING = 10_000
# Deliveries under way at once.
WINDOW = 100
# For so long a connection that is over waits until its peer has read the last of it.
LINGER_SECONDS = 5.0


class Owner(Protocol):
    """Who decides. Called in the event loop; none of it may wait."""

    def admit(self, connection: Connection) -> bool: ...

    def room_for_submits(self) -> int:
        """How many more submits can be taken in time."""

    def turned_away(self, commands: Mapping[int, int]) -> None:
        """So many of each were refused by the session for want of that room."""

    def requested(self, connection: Connection, sequence: int, pdu: Pdu) -> None: ...

    def answered(self, connection: Connection, status: int, context: object) -> None: ...

    def overdue(self, connection: Connection, context: object) -> None: ...

    def room(self, connection: Connection) -> None:
        """It can take deliveries again."""

    def ended(self, connection: Connection, contexts: list[Any]) -> None:
        """Its session is over; `contexts` of deliveries that have no answer."""

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""


class Connection(asyncio.Protocol):
    """One accepted socket."""

    def __init__(self, owner: Owner, clock: Clock, timers: Timers) -> None:
        self._owner = owner
        self._clock = clock
        self.session = Session(Side.CENTRE, clock.monotonic(), timers, WINDOW)
        self.address = ""
        # What binds.py keeps of it once it is bound.
        self.bind: Any = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._choked = False
        self._reading = True
        self._over = False
        # When one that is over is cut off.
        self._cut_at = float("inf")
        # Whether what is to be sent leaves at the end of this turn of the loop.
        self._flushing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._owner.admit(self):
            self._over = True
            self._transport.abort()
            return
        self._arm()

    def data_received(self, data: bytes) -> None:
        submits = self.session.submits
        submits.left = self._owner.room_for_submits()
        events = self.session.receive(data, self._clock.monotonic())
        if submits.turned_away:
            self._owner.turned_away(submits.turned_away)
            submits.turned_away.clear()
        self._take(events)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._meet(self.session.lost())
        self._transport = None
        self._disarm()
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self._choked = True
        self._brake()

    def resume_writing(self) -> None:
        self._choked = False
        self._brake()
        self._owner.room(self)

    def look(self) -> None:
        """What the passing of time means; called by the timer, and by tests that move a clock."""
        self._take(self.session.tick(self._clock.monotonic()))

    def room(self) -> int:
        """How many deliveries it takes now."""
        return self.session.room() if self.session.bound() and not self._choked else 0

    def deliver(self, pdu: Pdu, context: object) -> bool:
        """Puts a request of ours on its way; False when that cannot be now. Raises Unwritable."""
        try:
            self.session.send_request(pdu, self._clock.monotonic(), context)
        except NotAllowed:
            return False
        self._flush()
        return True

    def respond(self, sequence: int, pdu: Pdu, status: int = 0) -> None:
        """Answers a request, once."""
        try:
            events = self.session.respond(sequence, pdu, status)
        except Unwritable as error:
            log.error("smpp_answer_unwritable", sentence=error.sentence)
            self.cut()
            return
        self._meet(events)
        if not self._flushing and not self._over:
            # Answers that become ready in one turn of the loop leave in one piece: a batch of 128 commits together.
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)
        elif self._over:
            self._flush()

    def unbind(self) -> None:
        """Asks the peer to leave; the session ends with its answer, or after a time."""
        if self._over:
            return
        try:
            self.session.send_request(Unbind(), self._clock.monotonic())
        except NotAllowed:
            self.cut()
            return
        self._flush()

    def cut(self) -> None:
        """Ends it without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, events: list[Event]) -> None:
        self._meet(events)
        self._flush()

    def _meet(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Requested):
                self._owner.requested(self, event.sequence, event.pdu)
            elif isinstance(event, Answered):
                self._owner.answered(self, event.status, event.context)
            elif isinstance(event, Overdue):
                self._owner.overdue(self, event.context)
            elif isinstance(event, Strange):
                log.info("smpp_strange", reason=event.reason, code=event.command)
            elif isinstance(event, Ended):
                self._end(event.reason)

    def _end(self, reason: str) -> None:
        if self._over:
            return
        self._over = True
        log.info("smpp_ended", reason=reason, address=self.address)
        self._cut_at = self._clock.monotonic() + LINGER_SECONDS
        self._disarm()
        self._owner.ended(self, self.session.contexts())

    def _flush(self) -> None:
        self._flushing = False
        if self._transport is None:
            return
        out = self.session.bytes_to_send()
        if out and not self._transport.is_closing():
            self._transport.write(out)
        if self._over:
            self._leave(self._transport)
        else:
            self._brake()
        self._arm()

    def _leave(self, transport: asyncio.Transport) -> None:
        """Closing waits for the peer to read, however little is left; one that does not read is cut off."""
        if self._choked or self._clock.monotonic() >= self._cut_at:
            transport.abort()
        else:
            transport.close()

    def _brake(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        may = not self._choked and self.session.unanswered < MOST_WAITING
        if may and not self._reading:
            self._transport.resume_reading()
        elif not may and self._reading:
            self._transport.pause_reading()
        self._reading = may

    def _arm(self) -> None:
        """Keeps the timer no later than the next deadline; an early one looks and is set again."""
        due = self._cut_at if self._over else self.session.next_deadline()
        if due >= self._timer_at:
            return
        self._disarm()
        self._timer_at = due
        seconds = max(0.0, due - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, float("inf")

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        self.look()
