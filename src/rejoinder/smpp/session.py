"""One SMPP connection, from either end: bytes in, events out, and bytes to be sent. No socket, no clock.

Answers by itself what needs no judgement (enquire_link, unbind, unknown commands, PDUs that are malformed or
out of turn) and leaves every other request to its owner, who answers with `respond`. Refuses (NotAllowed) to send what
the state does not allow, or more requests than the window holds. `now` is a monotonic second handed in.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rejoinder.smpp import states
from rejoinder.smpp.codec import KINDS, READERS, encode
from rejoinder.smpp.constants import FIRST_WITH_TLVS, RESPONSE, Command, CommandStatus, Tag
from rejoinder.smpp.errors import Malformed, NotAllowed
from rejoinder.smpp.events import Answered, Ended, Event, Overdue, Requested, Strange
from rejoinder.smpp.frames import Frame, Frames
from rejoinder.smpp.pdu import (
    Bind,
    BindResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    UnbindResp,
)
from rejoinder.smpp.states import BOUND_BY, Side, State
from rejoinder.smpp.window import MISSES, KeepAlive, Room, Timers, Window

_NEVER = float("inf")
# Requests that wait for no room in the window.
_PLACELESS = frozenset({Command.UNBIND, Command.ENQUIRE_LINK})
# Requests that lead to another state.
_TURNING = frozenset({*map(int, BOUND_BY), int(Command.UNBIND), int(Command.OUTBIND)})


class Session:
    """See the package's summary. `window`: how many requests of ours may be unanswered at once."""

    def __init__(self, side: Side, now: float, timers: Timers | None = None, window: int = 10) -> None:
        self.side = side
        self.state = State.OPEN
        # What the peer speaks: below 0x34 it gets no TLVs.
        self.peer_version = FIRST_WITH_TLVS
        # The peer's requests that `respond` was not called for.
        self.unanswered = 0
        self.submits = Room()
        self._timers = timers or Timers()
        self._peer_may = states.allowed(side.other, self.state)
        self._we_may = states.allowed(side, self.state)
        self._frames = Frames()
        self._out: list[bytes] = []
        self._window = Window(window)
        self._bind: int = 0
        self._opened = self._now = now
        self._alive = KeepAlive(now, self._timers.enquire, MISSES)
        # Until when an unbind, ours or the peer's, has to be done with.
        self._leaving: float | None = None
        # The sequence number of the peer's unbind: answered after all its requests are.
        self._unbind_asked: int | None = None

    def room(self) -> int:
        """How many more requests the window takes."""
        return self._window.room()

    def in_flight(self) -> int:
        return len(self._window.sent)

    def bound(self) -> bool:
        """Bound, and not on the way out."""
        return states.is_bound(self.state) and self._leaving is None

    def ended(self) -> bool:
        return self.state is State.CLOSED

    def contexts(self) -> list[Any]:
        """The contexts of requests without an answer, the oldest first: what a lost connection leaves in doubt."""
        return [context for _, context, _ in self._window.sent.values() if context is not None]

    def send_request(self, pdu: Pdu, now: float, context: Any = None) -> int:
        """Puts a request on its way and gives its sequence number. Raises NotAllowed, Unwritable; then nothing was sent.

        `context` comes back with the answer. An unbind is sent at once; nothing but answers follows it.
        """
        command = pdu.command
        if command not in self._we_may or self._leaving is not None:
            raise NotAllowed(f"{command.name.lower()} may not be sent in the state {self.state}")
        window = self._window
        if command not in _PLACELESS and not window.room():
            raise NotAllowed("the window is full")
        sequence = window.next_sequence()
        self._write(pdu, sequence)
        if pdu.response is not None:
            window.put(sequence, pdu, context, now)
        if command in _TURNING:
            self._turn(command, now)
        return sequence

    def _turn(self, command: int, now: float) -> None:
        """What a request of ours changes by being sent."""
        if command == Command.UNBIND:
            self._leaving = now + self._timers.unbind
        elif command == Command.OUTBIND:
            self._become(State.OUTBOUND)
        else:
            self._bind = command
            self._become(State.BINDING)

    def respond(self, sequence: int, pdu: Pdu, status: int = 0) -> list[Event]:
        """Answers a request that `Requested` told of; nothing leaves any more once the session has ended.

        The last answer before an unbind that the peer has sent ends the session: then `Ended` comes back.
        """
        if self.ended():
            return []
        self._write(pdu, sequence, status)
        self.unanswered -= 1
        if isinstance(pdu, BindResp) and self.state is State.BINDING:
            self._become(State.OPEN if status else BOUND_BY[self._bind])
        return self._unbind_if_due() if self._unbind_asked is not None else []

    def bytes_to_send(self) -> bytes:
        """What has to be written to the connection now; each octet is given out once."""
        out, self._out = self._out, []
        return b"".join(out)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What these bytes, after all before them, mean. Never raises, whatever they are."""
        if self.ended():
            return []
        self._now = now
        events: list[Event] = []
        # Out of turn they have another answer.
        room = self.submits if Command.SUBMIT_SM in self._peer_may else None
        octets, frames = self._frames.cut(data, room)
        turned_away = self.submits.answers()
        if turned_away:
            self._out.append(turned_away)
        for frame in frames:
            self._take(events, octets, frame)
            if self.state is State.CLOSED:
                return events
        if frames or turned_away:
            self._alive.heard(now)
        if self._frames.wrong is not None:
            self._write(GenericNack(), self._frames.wrong, CommandStatus.ESME_RINVCMDLEN)
            events.append(self._end("a PDU of impossible length"))
        return events

    def _take(self, events: list[Event], octets: bytes, frame: Frame) -> None:
        command, _, sequence, at, end = frame
        if command & RESPONSE:
            self._answer(events, octets, frame)
        elif command not in READERS:
            self._write(GenericNack(), sequence, CommandStatus.ESME_RINVCMDID)
            events.append(Strange(command, sequence, "there is no such command"))
        elif command not in self._peer_may:
            self._out_of_turn(events, command, sequence)
        else:
            try:
                pdu = READERS[command](octets, at, end)
            except Malformed as malformed:
                self._refuse(command, sequence, malformed.status)
                events.append(Strange(command, sequence, malformed.sentence))
                return
            self._request(events, pdu, sequence)

    def _request(self, events: list[Event], pdu: Pdu, sequence: int) -> None:
        command = pdu.command
        if command == Command.ENQUIRE_LINK:
            self._write(EnquireLinkResp(), sequence)
            return
        if command == Command.UNBIND:
            self._unbind_asked = sequence
            self._leaving = self._now + self._timers.unbind
            self._peer_may = frozenset()
            events.extend(self._unbind_if_due())
            return
        if isinstance(pdu, Bind):
            self._bind = command
            self.peer_version = pdu.interface_version
            self._become(State.BINDING)
        elif command == Command.OUTBIND:
            self._become(State.OUTBOUND)
        if pdu.response is not None:
            self.unanswered += 1
        events.append(Requested(sequence, pdu))

    def _out_of_turn(self, events: list[Event], command: int, sequence: int) -> None:
        already = command in BOUND_BY and self.side is Side.CENTRE and self.state is not State.OPEN
        self._refuse(
            command, sequence, CommandStatus.ESME_RALYBND if already else CommandStatus.ESME_RINVBNDSTS
        )
        events.append(Strange(command, sequence, f"not allowed in the state {self.state}"))

    def _refuse(self, command: int, sequence: int, status: int) -> None:
        answer = KINDS[command].response or GenericNack
        self._write(answer(), sequence, status)

    def _answer(self, events: list[Event], octets: bytes, frame: Frame) -> None:
        command, status, sequence, at, end = frame
        waiting = self._window.sent.get(sequence)
        kind = None if waiting is None else waiting[0].response
        if waiting is None or kind is None or command not in (kind.command, Command.GENERIC_NACK):
            if command != Command.ENQUIRE_LINK_RESP:
                events.append(Strange(command, sequence, "an answer to nothing that was asked"))
            return
        self._window.take(sequence)
        request, context, _ = waiting
        if command == Command.GENERIC_NACK:
            pdu: Pdu = kind()
            status = status or CommandStatus.ESME_RUNKNOWNERR
        else:
            pdu = READERS[command](octets, at, end)
        if isinstance(request, Bind):
            self._bind_answered(pdu, status)
        elif request.command == Command.UNBIND:
            events.append(self._end("unbound"))
            return
        events.append(Answered(sequence, status, pdu, request, context))

    def _bind_answered(self, pdu: Pdu, status: int) -> None:
        self._become(State.OPEN if status else BOUND_BY[self._bind])
        version = pdu.tlv(Tag.SC_INTERFACE_VERSION)
        # Absent means 3.3 to the specification (§4.1.2), but many centres of 3.4 leave it out.
        if isinstance(version, int):
            self.peer_version = version

    def tick(self, now: float) -> list[Event]:
        """What the passing of time means. To be called at `next_deadline`, or more often."""
        if self.ended():
            return []
        if not states.is_bound(self.state):
            return [self._end("not bound in time")] if now >= self._bound_until() else []
        if self._leaving is not None and now >= self._leaving:
            if self._unbind_asked is not None:
                return self._unbound()
            return [self._end("the unbind was not answered")]
        events: list[Event] = [
            Overdue(sequence, pdu, context)
            for sequence, (pdu, context, _) in self._window.take_overdue(now - self._timers.answer)
        ]
        if self._alive.dead(now):
            return [*events, self._end("silent")]
        if self._alive.ask(now):
            self._write(EnquireLink(), self._window.next_sequence())
        return events

    def next_deadline(self) -> float:
        """When `tick` has something to do next; it may come later, when something was received meanwhile."""
        if self.ended():
            return _NEVER
        if not states.is_bound(self.state):
            return self._bound_until()
        oldest = self._window.oldest_at()
        return min(
            self._alive.deadline(),
            _NEVER if self._leaving is None else self._leaving,
            _NEVER if oldest is None else oldest + self._timers.answer,
        )

    def _bound_until(self) -> float:
        # Who judges a bind takes the time it takes; who waits for the judgement does not.
        judging = self.state is State.BINDING and self.side is Side.CENTRE
        return _NEVER if judging else self._opened + self._timers.bind

    def lost(self) -> list[Event]:
        """The connection is gone. Ask `contexts` for what is in doubt."""
        return [] if self.ended() else [self._end("the connection was lost")]

    def _unbind_if_due(self) -> list[Event]:
        return [] if self.unanswered else self._unbound()

    def _unbound(self) -> list[Event]:
        assert self._unbind_asked is not None
        self._write(UnbindResp(), self._unbind_asked)
        return [self._end("unbound")]

    def _end(self, reason: str) -> Ended:
        self._become(State.CLOSED)
        return Ended(reason)

    def _become(self, state: State) -> None:
        self.state = state
        self._peer_may = states.allowed(self.side.other, state)
        self._we_may = states.allowed(self.side, state)

    def _write(self, pdu: Pdu, sequence: int, status: int = 0) -> None:
        if self.peer_version < FIRST_WITH_TLVS:
            pdu = _without_tlvs(pdu)
        self._out.append(encode(pdu, sequence, status))


def _without_tlvs(pdu: Pdu) -> Pdu:
    """What a peer of 3.3 can read (3.4 §3.3): all but the TLV that is the text itself."""
    kept = tuple(tlv for tlv in pdu.tlvs if tlv[0] == Tag.MESSAGE_PAYLOAD)  # type: ignore[attr-defined]  # all have them
    return msgspec.structs.replace(pdu, tlvs=kept)
