"""The table of states over everything: every state, every command, from both ends, as a session meets it."""

from __future__ import annotations

import pytest

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import decode, encode
from rejoinder.smpp.constants import Command, CommandStatus
from rejoinder.smpp.errors import NotAllowed
from rejoinder.smpp.events import Requested, Strange
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side, State

BINDS = {
    State.BOUND_TX: p.BindTransmitter,
    State.BOUND_RX: p.BindReceiver,
    State.BOUND_TRX: p.BindTransceiver,
}
REQUESTS = [kind for kind in p.ALL if not kind.command & 0x8000_0000]

# 3.4 table 2-1, written down anew: which requests each end may send in which state. enquire_link and OUTBOUND
# are 5.0's.
EVERYWHERE = {p.EnquireLink}
BINDING = {p.BindTransmitter, p.BindReceiver, p.BindTransceiver}
SUBMITTING = {p.SubmitSm, p.SubmitMulti, p.DataSm, p.QuerySm, p.CancelSm, p.ReplaceSm}
DELIVERING = {p.DeliverSm, p.DataSm, p.AlertNotification}
EXPECTED: dict[tuple[State, Side], set[type[p.Pdu]]] = {
    (State.OPEN, Side.ESME): EVERYWHERE | BINDING,
    (State.OPEN, Side.CENTRE): EVERYWHERE | {p.Outbind},
    (State.OUTBOUND, Side.ESME): EVERYWHERE | BINDING,
    (State.OUTBOUND, Side.CENTRE): EVERYWHERE,
    (State.BINDING, Side.ESME): EVERYWHERE,
    (State.BINDING, Side.CENTRE): EVERYWHERE,
    (State.BOUND_TX, Side.ESME): EVERYWHERE | SUBMITTING | {p.Unbind},
    (State.BOUND_TX, Side.CENTRE): EVERYWHERE | {p.Unbind},
    (State.BOUND_RX, Side.ESME): EVERYWHERE | {p.Unbind},
    (State.BOUND_RX, Side.CENTRE): EVERYWHERE | DELIVERING | {p.Unbind},
    (State.BOUND_TRX, Side.ESME): EVERYWHERE | SUBMITTING | {p.Unbind},
    (State.BOUND_TRX, Side.CENTRE): EVERYWHERE | DELIVERING | {p.Unbind},
    (State.CLOSED, Side.ESME): set(),
    (State.CLOSED, Side.CENTRE): set(),
}


def valid(kind: type[p.Pdu]) -> p.Pdu:
    return p.SubmitMulti(destinations=(p.Address(),)) if kind is p.SubmitMulti else kind()


def session_in(state: State, side: Side) -> Session:
    """A session of that side brought to that state by what really happens on a connection."""
    session = Session(side, 0.0)
    centre = side is Side.CENTRE
    if state is State.OUTBOUND:
        if centre:
            session.send_request(p.Outbind(), 0.0)
        else:
            session.receive(encode(p.Outbind(), 1), 0.0)
    elif state is State.CLOSED:
        session.lost()
    elif state is not State.OPEN:
        kind = BINDS.get(state, p.BindTransceiver)
        answer = kind.response
        assert answer is not None
        if centre:
            session.receive(encode(kind(), 1), 0.0)
        else:
            session.send_request(kind(), 0.0)
        if state is not State.BINDING:
            if centre:
                session.respond(1, answer())
            else:
                session.receive(encode(answer(), 1), 0.0)
    session.bytes_to_send()
    assert session.state is state
    return session


CASES = [
    pytest.param(state, side, kind, id=f"{state}-{side}-{kind.__name__}")
    for state in State
    for side in Side
    for kind in REQUESTS
]


@pytest.mark.parametrize(("state", "side", "kind"), CASES)
def test_a_side_sends_what_the_table_allows_and_nothing_else(
    state: State, side: Side, kind: type[p.Pdu]
) -> None:
    session = session_in(state, side)
    if kind in EXPECTED[state, side]:
        assert session.send_request(valid(kind), 0.0) >= 1
        assert type(decode(session.bytes_to_send()).pdu) is kind
    else:
        with pytest.raises(NotAllowed):
            session.send_request(valid(kind), 0.0)
        assert session.bytes_to_send() == b""
        assert session.state is state


@pytest.mark.parametrize(("state", "side", "kind"), CASES)
def test_what_the_peer_sends_is_taken_answered_or_refused_as_the_table_says(
    state: State, side: Side, kind: type[p.Pdu]
) -> None:
    session = session_in(state, side)
    events = session.receive(encode(valid(kind), 77), 0.0)
    answers = session.bytes_to_send()
    if state is State.CLOSED:
        assert (events, answers) == ([], b"")
    elif kind not in EXPECTED[state, side.other]:
        assert [type(event) for event in events] == [Strange]
        refused = decode(answers)
        already = kind in BINDING and side is Side.CENTRE and state not in (State.OPEN, State.OUTBOUND)
        wanted = CommandStatus.ESME_RALYBND if already else CommandStatus.ESME_RINVBNDSTS
        assert (type(refused.pdu), refused.sequence, refused.status) == (
            kind.response or p.GenericNack,
            77,
            wanted,
        )
        assert session.state is state
    elif kind in (p.EnquireLink, p.Unbind):
        assert decode(answers).pdu.command == kind.command | 0x8000_0000
        assert session.ended() == (kind is p.Unbind)
    else:
        assert events == [Requested(77, valid(kind))]
        assert answers == b""


@pytest.mark.parametrize(
    "kind", [kind for kind in p.ALL if kind.command & 0x8000_0000], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("state", list(State))
def test_an_answer_to_nothing_that_was_asked_changes_nothing(
    state: State, side: Side, kind: type[p.Pdu]
) -> None:
    session = session_in(state, side)
    waiting = session.in_flight()
    events = session.receive(encode(kind(), 5_000), 0.0)
    assert all(isinstance(event, Strange) for event in events)
    assert (session.state, session.in_flight(), session.bytes_to_send()) == (state, waiting, b"")


@pytest.mark.parametrize("command", [0x0000_0099, 0x0000_0111, 0x0000_0112])
@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_an_unknown_command_gets_a_generic_nack_and_the_connection_lives(state: State, command: int) -> None:
    session = session_in(state, Side.CENTRE)
    frame = bytes.fromhex("00000012") + command.to_bytes(4, "big") + bytes.fromhex("00000000 00000007 abcd")
    (event,) = session.receive(frame, 0.0)
    assert isinstance(event, Strange)
    answer = decode(session.bytes_to_send())
    assert (type(answer.pdu), answer.status, answer.sequence) == (
        p.GenericNack,
        CommandStatus.ESME_RINVCMDID,
        7,
    )
    assert session.state is state


def test_every_command_of_the_specification_is_among_the_cases() -> None:
    assert {kind.command for kind in p.ALL} == set(Command)
