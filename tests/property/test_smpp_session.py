"""SMPP's session over everything: any bytes, any cut of them, and two sessions that talk at random."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import encode
from rejoinder.smpp.errors import NotAllowed
from rejoinder.smpp.events import Answered, Ended, Event, Requested, Strange
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side, State
from tests import smpp_pdus

binds = st.sampled_from([p.BindReceiver, p.BindTransmitter, p.BindTransceiver])


def bound(side: Side, kind: type[p.Bind]) -> Session:
    """A session of that side, bound; a client has five submits under way where it may."""
    session = Session(side, 0.0)
    answer = kind.response
    assert answer is not None
    if side is Side.CENTRE:
        session.receive(encode(kind(), 1), 0.0)
        session.respond(1, answer())
        return session
    session.send_request(kind(), 0.0)
    session.receive(encode(answer(), 1), 0.0)
    while session.in_flight() < 5 and session.state is not State.BOUND_RX:
        session.send_request(p.SubmitSm(), 0.0, session.in_flight())
    return session


streams = st.lists(
    smpp_pdus.frames
    | st.builds(encode, smpp_pdus.of(p.SubmitSmResp), st.integers(1, 8))
    | st.binary(max_size=30),
    max_size=12,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Side)), binds, streams)
def test_no_bytes_do_more_than_make_events(side: Side, kind: type[p.Bind], stream: bytes) -> None:
    session = bound(side, kind)
    for event in session.receive(stream, 1.0):
        assert isinstance(event, Event)
    session.bytes_to_send()
    session.tick(2.0)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Side)), binds, streams, st.data())
def test_any_cut_of_the_stream_gives_the_same_events_and_the_same_answers(
    side: Side, kind: type[p.Bind], stream: bytes, data: st.DataObject
) -> None:
    whole, cut = bound(side, kind), bound(side, kind)
    expected = whole.receive(stream, 1.0)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    events: list[Event] = []
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        events += cut.receive(stream[start:end], 1.0)
    assert events == expected
    assert cut.bytes_to_send() == whole.bytes_to_send()
    assert (cut.state, cut.unanswered, cut.contexts()) == (whole.state, whole.unanswered, whole.contexts())


class Talk:
    """A client and a server over two pipes that deliver as late and in as small pieces as the test draws."""

    def __init__(self, window: int) -> None:
        self.ends = {side: Session(side, 0.0, window=window) for side in Side}
        self.pipes = dict.fromkeys(Side, b"")  # what the side has sent and the other has not got
        self.asked: dict[Side, dict[int, p.Pdu]] = {side: {} for side in Side}
        self.owed: dict[Side, list[Requested]] = {side: [] for side in Side}
        self.answered: dict[Side, list[int]] = {side: [] for side in Side}

    def flush(self) -> None:
        for side, session in self.ends.items():
            self.pipes[side] += session.bytes_to_send()

    def send(self, side: Side, pdu: p.Pdu) -> None:
        try:
            sequence = self.ends[side].send_request(pdu, 0.0, pdu)
        except NotAllowed:
            return
        if pdu.response is not None:
            self.asked[side][sequence] = pdu

    def carry(self, side: Side, most: int) -> None:
        """Brings up to so many octets from the side to the other."""
        self.flush()
        piece, self.pipes[side] = self.pipes[side][:most], self.pipes[side][most:]
        self.take(side.other, self.ends[side.other].receive(piece, 0.0))

    def take(self, side: Side, events: list[Event]) -> None:
        for event in events:
            # Two that keep to the protocol have nothing strange to say, except what crosses an unbind.
            if isinstance(event, Strange):
                raise AssertionError(event)
            if isinstance(event, Requested):
                if event.pdu.response is not None:
                    self.owed[side].append(event)
            elif isinstance(event, Answered):
                assert self.asked[side].pop(event.sequence) == event.request == event.context
                self.answered[side].append(event.sequence)
            else:
                assert event == Ended("unbound")

    def answer(self, side: Side, at: int, status: int) -> None:
        if self.owed[side]:
            event = self.owed[side].pop(at % len(self.owed[side]))
            kind = event.pdu.response
            assert kind is not None
            self.take(side, self.ends[side].respond(event.sequence, kind(), status))


steps = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(list(Side)), smpp_pdus.pdus),
    st.tuples(st.just("send"), st.just(Side.ESME), st.sampled_from([p.SubmitSm(), p.BindTransceiver()])),
    st.tuples(st.just("carry"), st.sampled_from(list(Side)), st.integers(1, 400)),
    st.tuples(st.just("answer"), st.sampled_from(list(Side)), st.integers(0, 9)),
)


@settings(max_examples=250, deadline=None)
@given(st.integers(1, 5), st.lists(steps, max_size=60))
def test_two_sessions_that_talk_at_random_never_disagree(window: int, script: list[Any]) -> None:
    talk = Talk(window)
    for what, side, how in script:
        if what == "send":
            # An unbind that crosses requests is a test of its own: what crosses it is refused. So is an outbind that
            # crosses the bind it asks for.
            crosses = isinstance(how, p.Outbind) and talk.ends[Side.ESME].state is not State.OPEN
            crosses |= isinstance(how, p.Unbind | p.GenericNack)
            if not crosses and not how.command & 0x8000_0000:
                talk.send(side, how)
            if isinstance(how, p.Outbind):
                talk.carry(side, 1 << 20)
        elif what == "carry":
            talk.carry(side, how)
        else:
            talk.answer(side, how, 0 if how else 8)
        for end in talk.ends.values():
            assert 0 <= window - end.room() <= min(window, end.in_flight())
    for _ in range(200):
        for side in Side:
            talk.carry(side, 1 << 20)
            talk.answer(side, 0, 0)
        talk.flush()
        if not any(talk.pipes.values()) and not any(talk.owed.values()):
            break
    client, server = talk.ends[Side.ESME], talk.ends[Side.CENTRE]
    assert client.state is server.state
    assert talk.asked == {side: {} for side in Side}
    assert (client.in_flight(), server.in_flight(), client.unanswered, server.unanswered) == (0, 0, 0, 0)


def test_an_outbind_that_crosses_a_bind_is_refused_and_harms_neither() -> None:
    client, server = Session(Side.ESME, 0.0), Session(Side.CENTRE, 0.0)
    client.send_request(p.BindTransceiver("shop", "secret"), 0.0, None)
    server.send_request(p.Outbind(), 0.0, None)
    (strange,) = client.receive(server.bytes_to_send(), 0.0)
    assert isinstance(strange, Strange)
    # The refusal comes too, as a generic_nack.
    (bind,) = [one for one in server.receive(client.bytes_to_send(), 0.0) if isinstance(one, Requested)]
    server.respond(bind.sequence, p.BindTransceiverResp("centre"), 0)
    (answered,) = client.receive(server.bytes_to_send(), 0.0)
    assert isinstance(answered, Answered)
    assert client.state is server.state is State.BOUND_TRX
