"""One connection: binds, window, answers, time. The clock is a number that tests hand in."""

from __future__ import annotations

import pytest

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import Decoded, decode, encode
from rejoinder.smpp.constants import LAST_SEQUENCE, CommandStatus, Tag
from rejoinder.smpp.errors import NotAllowed, Unwritable
from rejoinder.smpp.events import Answered, Ended, Overdue, Requested, Strange
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side, State
from rejoinder.smpp.window import Timers


def bound(window: int = 10, timers: Timers | None = None) -> Session:
    """A client's session, bound as transceiver at second 0."""
    session = Session(Side.ESME, 0.0, timers, window)
    sequence = session.send_request(p.BindTransceiver("me"), 0.0)
    session.receive(encode(p.BindTransceiverResp("you"), sequence), 0.0)
    session.bytes_to_send()
    assert session.bound()
    return session


def serving(kind: type[p.Bind] = p.BindTransceiver, version: int = 0x34) -> Session:
    """A server's session that a client has bound."""
    session = Session(Side.CENTRE, 0.0)
    session.receive(encode(kind("me", interface_version=version), 1), 0.0)
    answer = kind.response
    assert answer is not None
    session.respond(1, answer("you"))
    session.bytes_to_send()
    return session


def sent(session: Session) -> list[Decoded]:
    """What the session wants to be written, cut into PDUs."""
    data, found = session.bytes_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(decode(data[:length]))
        data = data[length:]
    return found


def test_a_bind_that_is_accepted_binds_both_ends() -> None:
    client, server = Session(Side.ESME, 0.0), Session(Side.CENTRE, 0.0)
    client.send_request(p.BindReceiver("me", "secret"), 0.0)
    (request,) = server.receive(client.bytes_to_send(), 0.0)
    assert request == Requested(1, p.BindReceiver("me", "secret"))
    assert (client.state, server.state) == (State.BINDING, State.BINDING)
    server.respond(1, p.BindReceiverResp("you"))
    (answer,) = client.receive(server.bytes_to_send(), 0.0)
    assert isinstance(answer, Answered)
    assert (answer.status, answer.pdu) == (0, p.BindReceiverResp("you"))
    assert (client.state, server.state) == (State.BOUND_RX, State.BOUND_RX)


def test_a_bind_that_is_refused_leaves_both_ends_open_for_another() -> None:
    client, server = Session(Side.ESME, 0.0), Session(Side.CENTRE, 0.0)
    for status in (CommandStatus.ESME_RINVPASWD, 0):
        sequence = client.send_request(p.BindTransceiver("me"), 0.0)
        server.receive(client.bytes_to_send(), 0.0)
        server.respond(sequence, p.BindTransceiverResp(), status)
        (answer,) = client.receive(server.bytes_to_send(), 0.0)
        assert isinstance(answer, Answered)
        assert answer.status == status
        assert client.state is server.state
    assert client.bound()
    assert server.bound()


def test_the_answer_brings_back_what_belongs_to_its_request_in_any_order() -> None:
    session = bound()
    first = session.send_request(p.SubmitSm(short_message=b"1"), 1.0, "one")
    second = session.send_request(p.SubmitSm(short_message=b"2"), 1.0, "two")
    answers = encode(p.SubmitSmResp("id2"), second) + encode(
        p.SubmitSmResp(), first, CommandStatus.ESME_RTHROTTLED
    )
    assert [
        (event.context, event.status, event.pdu)
        for event in session.receive(answers, 2.0)
        if isinstance(event, Answered)
    ] == [("two", 0, p.SubmitSmResp("id2")), ("one", 0x58, p.SubmitSmResp())]
    assert session.in_flight() == 0


def test_the_window_holds_so_many_and_a_refused_request_writes_nothing() -> None:
    session = bound(window=2)
    for _ in range(2):
        session.send_request(p.SubmitSm(), 0.0)
    assert session.room() == 0
    session.bytes_to_send()
    with pytest.raises(NotAllowed):
        session.send_request(p.SubmitSm(), 0.0)
    assert session.bytes_to_send() == b""
    session.receive(encode(p.SubmitSmResp("a"), 2), 0.0)
    assert session.room() == 1


def test_an_enquire_link_takes_no_place_in_the_window_answered_or_overdue() -> None:
    session = bound(window=1, timers=Timers(answer=5.0))
    sequence = session.send_request(p.EnquireLink(), 0.0, "sign")
    assert session.room() == 1
    submit = session.send_request(p.SubmitSm(), 1.0, "message")
    session.send_request(p.EnquireLink(), 1.0, "sign")
    assert session.room() == 0
    session.receive(encode(p.EnquireLinkResp(), sequence), 1.0)
    session.receive(encode(p.SubmitSmResp("m1"), submit), 1.0)
    assert session.room() == 1
    assert [type(event) for event in session.tick(6.0)] == [Overdue]
    assert session.room() == 1


def test_what_can_not_be_written_takes_no_place_in_the_window() -> None:
    session = bound()
    with pytest.raises(Unwritable):
        session.send_request(p.SubmitSm(source_addr="6" * 40), 0.0)
    assert (session.in_flight(), session.bytes_to_send()) == (0, b"")


def test_a_second_answer_to_one_request_and_one_of_another_kind_are_strange() -> None:
    session = bound()
    sequence = session.send_request(p.SubmitSm(), 0.0)
    (wrong,) = session.receive(encode(p.DataSmResp("x"), sequence), 0.0)
    assert isinstance(wrong, Strange)
    (right,) = session.receive(encode(p.SubmitSmResp("x"), sequence), 0.0)
    assert isinstance(right, Answered)
    (again,) = session.receive(encode(p.SubmitSmResp("x"), sequence), 0.0)
    assert isinstance(again, Strange)


@pytest.mark.parametrize(("status", "told"), [(CommandStatus.ESME_RINVCMDID, 3), (0, 0xFF)])
def test_a_generic_nack_answers_its_request_and_never_with_success(status: int, told: int) -> None:
    session = bound()
    sequence = session.send_request(p.SubmitSm(), 0.0, "it")
    (event,) = session.receive(encode(p.GenericNack(), sequence, status), 0.0)
    assert isinstance(event, Answered)
    assert (event.status, event.pdu, event.context) == (told, p.SubmitSmResp(), "it")


def test_sequence_numbers_begin_anew_after_the_last_and_skip_those_in_use() -> None:
    session = bound()
    held = session.send_request(p.SubmitSm(), 0.0)
    session._window._last = LAST_SEQUENCE - 1
    numbers = [session.send_request(p.SubmitSm(), 0.0) for _ in range(4)]
    assert numbers == [LAST_SEQUENCE, 1, 3, 4]
    assert held == 2


def test_a_request_without_an_answer_is_overdue_after_its_time_and_leaves_the_window() -> None:
    session = bound(timers=Timers(answer=20))
    session.send_request(p.SubmitSm(), 1.0, "one")
    sequence = session.send_request(p.SubmitSm(), 5.0, "two")
    assert session.next_deadline() == 21.0
    assert session.tick(20.9) == []
    (event,) = session.tick(21.0)
    assert isinstance(event, Overdue)
    assert event.context == "one"
    assert session.contexts() == ["two"]
    (late,) = session.receive(encode(p.SubmitSmResp("a"), sequence - 1), 22.0)
    assert isinstance(late, Strange)


def test_silence_is_broken_after_thirty_seconds_and_ends_the_link_after_two_misses() -> None:
    session = bound()
    session.send_request(p.SubmitSm(), 10.0, "in doubt")
    session.bytes_to_send()
    assert session.next_deadline() == 30.0
    assert session.tick(29.9) == []
    assert session.bytes_to_send() == b""
    for now in (30.0, 60.0):
        assert all(isinstance(event, Overdue) is False for event in session.tick(now - 0.01))
        session.tick(now)
        assert [type(one.pdu) for one in sent(session)] == [p.EnquireLink]
    events = session.tick(90.0)
    assert events[-1] == Ended("silent")
    assert session.ended()


def test_whatever_comes_whole_is_a_sign_of_life_and_half_a_pdu_is_none() -> None:
    session = bound()
    session.tick(30.0)
    session.receive(encode(p.DeliverSm(), 9), 40.0)
    assert session.next_deadline() == 70.0
    session.receive(encode(p.DeliverSm(), 10)[:30], 69.0)
    session.tick(70.0)
    session.tick(100.0)
    assert session.tick(130.0) == [Ended("silent")]


def test_an_enquire_link_is_answered_at_once_and_its_answer_is_no_news() -> None:
    session = bound()
    assert session.receive(encode(p.EnquireLink(), 44), 0.0) == []
    assert sent(session) == [Decoded(p.EnquireLinkResp(), 44, 0)]
    session.tick(30.0)
    (asked,) = sent(session)
    assert session.receive(encode(p.EnquireLinkResp(), asked.sequence), 31.0) == []


def test_a_socket_that_nobody_binds_is_closed_after_ten_seconds() -> None:
    session = Session(Side.CENTRE, 100.0)
    session.receive(encode(p.EnquireLink(), 1), 109.0)
    assert session.next_deadline() == 110.0
    assert session.tick(109.9) == []
    assert session.tick(110.0) == [Ended("not bound in time")]


def test_a_bind_that_is_being_judged_is_not_cut_off_and_one_that_nobody_answers_is() -> None:
    server = Session(Side.CENTRE, 0.0)
    server.receive(encode(p.BindReceiver(), 1), 9.0)
    assert server.tick(11.0) == []
    client = Session(Side.ESME, 0.0)
    client.send_request(p.BindReceiver(), 0.0)
    assert client.tick(10.0) == [Ended("not bound in time")]


def test_an_unbind_waits_for_the_answers_that_are_owed() -> None:
    server = serving()
    submits = b"".join(encode(p.SubmitSm(), sequence) for sequence in (5, 6))
    events = server.receive(submits + encode(p.Unbind(), 7), 1.0)
    assert [event.sequence for event in events if isinstance(event, Requested)] == [5, 6]
    assert sent(server) == []
    assert server.respond(6, p.SubmitSmResp("b")) == []
    assert server.respond(5, p.SubmitSmResp("a")) == [Ended("unbound")]
    assert [type(one.pdu) for one in sent(server)] == [p.SubmitSmResp, p.SubmitSmResp, p.UnbindResp]
    assert server.respond(5, p.SubmitSmResp("a")) == []
    assert sent(server) == []


def test_an_unbind_does_not_wait_for_ever() -> None:
    server = serving()
    server.receive(encode(p.SubmitSm(), 5) + encode(p.Unbind(), 7), 1.0)
    assert server.next_deadline() == 11.0
    assert server.tick(11.0) == [Ended("unbound")]
    assert [type(one.pdu) for one in sent(server)] == [p.UnbindResp]


def test_our_unbind_lets_answers_in_and_nothing_more_out() -> None:
    session = bound()
    sequence = session.send_request(p.SubmitSm(), 0.0, "last")
    farewell = session.send_request(p.Unbind(), 1.0)
    assert not session.bound()
    with pytest.raises(NotAllowed):
        session.send_request(p.SubmitSm(), 1.0)
    (answer,) = session.receive(encode(p.SubmitSmResp("a"), sequence), 2.0)
    assert isinstance(answer, Answered)
    assert session.receive(encode(p.UnbindResp(), farewell), 3.0) == [Ended("unbound")]


def test_an_unbind_of_ours_that_nobody_answers_ends_the_session_after_its_time() -> None:
    session = bound()
    session.send_request(p.Unbind(), 1.0)
    assert session.next_deadline() == 11.0
    assert session.tick(11.0) == [Ended("the unbind was not answered")]


def test_unbinds_that_cross_end_both_sessions() -> None:
    client, server = bound(), serving()
    client.send_request(p.Unbind(), 1.0)
    server.send_request(p.Unbind(), 1.0)
    to_server, to_client = client.bytes_to_send(), server.bytes_to_send()
    assert server.receive(to_server, 1.0) == [Ended("unbound")]
    assert client.receive(to_client, 1.0) == [Ended("unbound")]


def test_what_a_lost_connection_leaves_in_doubt_is_told_oldest_first() -> None:
    session = bound()
    for name in ("one", "two", "three"):
        session.send_request(p.SubmitSm(), 0.0, name)
    session.receive(encode(p.SubmitSmResp("x"), 3), 0.0)
    assert session.lost() == [Ended("the connection was lost")]
    assert session.contexts() == ["one", "three"]
    assert session.lost() == []


def test_an_impossible_length_ends_the_session_and_what_came_before_it_counts() -> None:
    server = serving()
    events = server.receive(encode(p.SubmitSm(), 5) + bytes.fromhex("00020000 00000004 00000000 00000006"), 0)
    assert [type(event) for event in events] == [Requested, Ended]
    (nack,) = sent(server)
    assert (nack.pdu, nack.status, nack.sequence) == (p.GenericNack(), CommandStatus.ESME_RINVCMDLEN, 6)
    assert server.receive(encode(p.SubmitSm(), 7), 0.0) == []


def test_a_request_that_is_malformed_is_refused_by_name_and_the_connection_lives() -> None:
    server = serving()
    frame = bytes.fromhex("00000013 00000004 00000000 00000009 000101")
    (event,) = server.receive(frame, 0.0)
    assert isinstance(event, Strange)
    (answer,) = sent(server)
    assert (answer.pdu, answer.status, answer.sequence) == (
        p.SubmitSmResp(),
        CommandStatus.ESME_RINVCMDLEN,
        9,
    )
    assert server.bound()
    assert server.unanswered == 0


def test_a_peer_of_3_3_gets_no_parameters_it_can_not_read() -> None:
    server = serving(version=0x33)
    server.send_request(p.DeliverSm(tlvs=((Tag.MESSAGE_STATE, 2), (Tag.MESSAGE_PAYLOAD, b"hi"))), 0.0)
    (delivery,) = sent(server)
    assert delivery.pdu == p.DeliverSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"hi"),))


@pytest.mark.parametrize(
    ("tlvs", "version"),
    [((), 0x34), (((Tag.SC_INTERFACE_VERSION, 0x33),), 0x33), (((Tag.SC_INTERFACE_VERSION, 0x50),), 0x50)],
)
def test_a_client_knows_the_centres_version_from_its_answer(tlvs: p.Tlvs, version: int) -> None:
    session = Session(Side.ESME, 0.0)
    session.send_request(p.BindTransmitter(), 0.0)
    session.receive(encode(p.BindTransmitterResp("you", tlvs), 1), 0.0)
    assert session.peer_version == version


def test_how_many_of_the_peers_requests_wait_is_known() -> None:
    server = serving()
    server.receive(b"".join(encode(p.SubmitSm(), n) for n in range(3, 8)), 0.0)
    assert server.unanswered == 5
    server.respond(4, p.SubmitSmResp("x"))
    assert server.unanswered == 4


def test_submits_beyond_the_room_are_turned_away_by_their_headers_and_all_else_is_answered() -> None:
    server = serving()
    server.submits.left = 1
    pdus = [encode(p.SubmitSm(destination_addr="1"), 11), encode(p.SubmitSm(destination_addr="2"), 12)]
    broken = encode(p.SubmitSm(), 13)[:-1]
    broken = (len(broken)).to_bytes(4, "big") + broken[4:]
    events = server.receive(b"".join([*pdus, broken, encode(p.EnquireLink(), 14)]), 0)
    assert [event.sequence for event in events if isinstance(event, Requested)] == [11]
    answers = sent(server)
    full = CommandStatus.ESME_RMSGQFUL
    assert [(one.sequence, one.status) for one in answers] == [(12, full), (13, full), (14, 0)]
    assert server.submits.turned_away == {4: 2}
    assert server.unanswered == 1


def turned_away(server: Session) -> list[tuple[int, int]]:
    """Sequence number and status of what it answers without asking anybody."""
    return [(one.sequence, one.status) for one in sent(server)]


def test_without_room_every_kind_of_submit_is_turned_away_and_nothing_else() -> None:
    server = serving()
    server.submits.left = 0
    many = p.SubmitMulti(destinations=(p.Address(1, 1, "61400000001"),))
    kinds = (p.SubmitSm(), p.DataSm(), many, p.QuerySm("7"), p.CancelSm("7"))
    events = server.receive(b"".join(encode(pdu, n) for n, pdu in enumerate(kinds, 2)), 0.0)
    assert [event.pdu for event in events if isinstance(event, Requested)] == [
        p.QuerySm("7"),
        p.CancelSm("7"),
    ]
    assert [one.pdu for one in sent(server)] == [p.SubmitSmResp(), p.DataSmResp(), p.SubmitMultiResp()]
    assert server.submits.turned_away == {4: 1, 0x103: 1, 0x21: 1}


@pytest.mark.parametrize("size", [1, 7, 16, 40, 1000])
def test_how_the_octets_come_changes_nothing_of_who_is_turned_away(size: int) -> None:
    server = serving()
    stream = b"".join(encode(p.SubmitSm(short_message=b"x" * n), n) for n in range(2, 22))
    for at in range(0, len(stream), size):
        server.submits.left = 0
        assert server.receive(stream[at : at + size], 0.0) == []
    assert turned_away(server) == [(n, CommandStatus.ESME_RMSGQFUL) for n in range(2, 22)]
    assert server.submits.turned_away == {4: 20}
    assert server.unanswered == 0


def test_a_submit_that_may_not_be_is_told_so_whether_or_not_there_is_room() -> None:
    receiver = serving(p.BindReceiver)
    receiver.submits.left = 0
    receiver.receive(encode(p.SubmitSm(), 2), 0.0)
    assert turned_away(receiver) == [(2, CommandStatus.ESME_RINVBNDSTS)]
    unbound = Session(Side.CENTRE, 0.0)
    unbound.submits.left = 0
    unbound.receive(encode(p.SubmitSm(), 2), 0.0)
    assert turned_away(unbound) == [(2, CommandStatus.ESME_RINVBNDSTS)]


def test_who_is_turned_away_is_alive() -> None:
    server = Session(Side.CENTRE, 0.0, Timers(enquire=30.0))
    server.receive(encode(p.BindTransceiver("me"), 1), 0.0)
    server.respond(1, p.BindTransceiverResp("you"))
    server.submits.left = 0
    server.receive(encode(p.SubmitSm(), 2), 20.0)
    assert server.next_deadline() == 50.0
