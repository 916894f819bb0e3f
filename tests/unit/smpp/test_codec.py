"""PDUs on the wire: against octets written by hand from the specification, strict and tolerant where it says so."""

from __future__ import annotations

import struct

import pytest

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import decode, encode
from rejoinder.smpp.constants import Command, CommandStatus, Tag, status_name
from rejoinder.smpp.errors import Malformed, Unwritable

# 3.4 §4.4.1 field by field; the text is "Hello wonderful world!".
SUBMIT = bytes.fromhex(
    "00000042 00000004 00000000 00000005"
    "00 01 01 3631343535 00 01 01 3634333231 00 00 00 00 00 00 01 00 03 00"
    "16 48656c6c6f20776f6e64657266756c20776f726c6421"
)


def framed(command: int, body: bytes, status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, 7) + body


def test_a_submit_is_what_the_specification_lays_down() -> None:
    pdu = p.SubmitSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="61455",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="64321",
        registered_delivery=1,
        data_coding=3,
        short_message=b"Hello wonderful world!",
    )
    frame = struct.pack(">I", len(SUBMIT)) + SUBMIT[4:]
    assert encode(pdu, 5) == frame
    assert decode(frame).pdu == pdu


@pytest.mark.parametrize("kind", p.ALL, ids=lambda kind: kind.__name__)
def test_every_command_has_a_pdu_and_its_answer_the_same_number_with_the_bit(kind: type[p.Pdu]) -> None:
    if kind.response is not None:
        assert kind.response.command == kind.command | 0x8000_0000
    assert type(decode(encode(kind(), 1)).pdu) is kind if kind is not p.SubmitMulti else True


def test_all_commands_of_the_specification_are_there() -> None:
    assert {kind.command for kind in p.ALL} == set(Command)


@pytest.mark.parametrize(
    ("command", "body", "expected"),
    [
        (Command.SUBMIT_SM_RESP, b"", p.SubmitSmResp()),
        (Command.SUBMIT_SM_RESP, b"\0", p.SubmitSmResp()),
        (Command.SUBMIT_SM_RESP, b"abc", p.SubmitSmResp("abc")),
        (Command.SUBMIT_SM_RESP, b"abc\0", p.SubmitSmResp("abc")),
        (Command.SUBMIT_SM_RESP, b"i" * 64 + b"\0", p.SubmitSmResp("i" * 64)),
        (Command.SUBMIT_SM_RESP, b"abc\0\0", p.SubmitSmResp("abc")),
        (Command.DELIVER_SM_RESP, b"", p.DeliverSmResp()),
        (Command.BIND_TRANSCEIVER_RESP, b"name", p.BindTransceiverResp("name")),
        (Command.SUBMIT_MULTI_RESP, b"id\0", p.SubmitMultiResp("id")),
        (
            Command.BIND_RECEIVER,
            b"s" * 64 + b"\0p\0\0\x34\0\0\0",
            p.BindReceiver("s" * 64, "p"),
        ),
        (Command.ENQUIRE_LINK, b"\0\0", p.EnquireLink()),
        (
            Command.UNBIND_RESP,
            b"\x14\x99\0\x02hi",
            p.UnbindResp(((0x1499, b"hi"),)),
        ),
    ],
)
def test_what_peers_write_short_long_or_without_its_end_is_read(
    command: int, body: bytes, expected: p.Pdu
) -> None:
    assert decode(framed(command, body)).pdu == expected


def test_a_known_parameter_of_a_wrong_length_and_an_unknown_one_are_kept_as_octets() -> None:
    body = b"id\0" + bytes.fromhex("0427 0002 0002  1499 0001 ff")
    pdu = decode(framed(Command.SUBMIT_SM_RESP, body)).pdu
    assert pdu == p.SubmitSmResp("id", ((Tag.MESSAGE_STATE, b"\0\x02"), (0x1499, b"\xff")))
    assert pdu.tlv(0x1499) == b"\xff"
    assert pdu.tlv(Tag.NETWORK_ERROR_CODE) is None


@pytest.mark.parametrize(
    ("command", "body", "status"),
    [
        (0x0000_0099, b"", CommandStatus.ESME_RINVCMDID),
        (Command.BIND_RECEIVER, b"s" * 65 + b"\0p\0\0\x34\0\0\0", CommandStatus.ESME_RINVSYSID),
        (Command.BIND_RECEIVER, b"name", CommandStatus.ESME_RINVCMDLEN),
        (Command.SUBMIT_SM, b"\0\1\1", CommandStatus.ESME_RINVCMDLEN),
        (Command.SUBMIT_SM, SUBMIT[16:-23] + b"\x17" + SUBMIT[-22:], CommandStatus.ESME_RINVMSGLEN),
        (Command.SUBMIT_SM, b"\0\1\1" + b"6" * 65 + SUBMIT[24:], CommandStatus.ESME_RINVSRCADR),
        (Command.SUBMIT_SM, SUBMIT[16:] + b"\0\5\0\2\1", CommandStatus.ESME_RINVOPTPARSTREAM),
        (Command.SUBMIT_MULTI, b"\0\0\0\0\1\3", CommandStatus.ESME_RINVDESTFLAG),
        (Command.QUERY_SM, b"i" * 65 + b"\0\0\0\0", CommandStatus.ESME_RINVMSGID),
    ],
)
def test_what_can_not_be_read_names_the_status_for_it(command: int, body: bytes, status: int) -> None:
    with pytest.raises(Malformed) as malformed:
        decode(framed(command, body))
    assert malformed.value.status == status
    assert not malformed.value.fatal


@pytest.mark.parametrize(
    ("octets", "tlvs"),
    [
        (b"\x14\x01\0\x10abc", ()),
        (b"\x14\x01\0\x01a" + b"\x14\x02\xff\xff", ((0x1401, b"a"),)),
        (b"\x04\x24\0\x10and more", ((Tag.MESSAGE_PAYLOAD, b"and more"),)),
    ],
    ids=["a vendor's", "the second", "the text itself"],
)
def test_a_delivery_is_taken_without_the_parameter_that_reaches_beyond_it(
    octets: bytes, tlvs: p.Tlvs
) -> None:
    delivery = p.DeliverSm(source_addr="61455555555", short_message=b"hello")
    decoded = decode(framed(Command.DELIVER_SM, encode(delivery, 1)[16:] + octets))
    assert decoded.pdu == p.DeliverSm(source_addr="61455555555", short_message=b"hello", tlvs=tlvs)


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFF_FFFF])
def test_an_impossible_length_is_fatal(length: int) -> None:
    with pytest.raises(Malformed) as malformed:
        decode(struct.pack(">IIII", length, Command.ENQUIRE_LINK, 0, 1))
    assert malformed.value.fatal


@pytest.mark.parametrize(
    "pdu",
    [
        p.SubmitSm(source_addr="6" * 21),
        p.SubmitSm(destination_addr="6\x001"),
        p.SubmitSm(service_type="é"),
        p.SubmitSm(short_message=b"x" * 255),
        p.SubmitSm(esm_class=256),
        p.SubmitSm(data_coding=-1),
        p.SubmitSm(validity_period="000000000100000"),
        p.SubmitSm(tlvs=((Tag.SAR_TOTAL_SEGMENTS, 256),)),
        p.SubmitSm(tlvs=((Tag.SAR_TOTAL_SEGMENTS, b"\1"),)),
        p.SubmitSm(tlvs=((Tag.CALLBACK_NUM, b"\1"),)),
        p.SubmitSm(tlvs=((Tag.RECEIPTED_MESSAGE_ID, "i" * 65),)),
        p.SubmitSm(tlvs=((Tag.RECEIPTED_MESSAGE_ID, "a\0"),)),
        p.SubmitSm(tlvs=((Tag.ALERT_ON_MESSAGE_DELIVERY, 1),)),
        p.SubmitSm(tlvs=((0x1499, "text"),)),
        p.SubmitSm(tlvs=((-1, b""),)),
        p.SubmitSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 65_536),)),
        p.DataSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 65_530),)),
        p.SubmitSmResp("i" * 65),
        p.BindReceiver("s" * 65),
        p.BindReceiver("s", "p" * 65),
        p.BindReceiver(system_type="t" * 13),
        p.BindReceiver(interface_version=256),
        p.SubmitMulti(),
        p.SubmitMulti(destinations=(p.Address(),) * 255),
        p.SubmitMultiResp("", (p.Failed(status=1 << 32),)),
        p.QuerySmResp(final_date="now"),
    ],
    ids=lambda pdu: type(pdu).__name__,
)
def test_what_the_specification_has_no_place_for_is_not_written(pdu: p.Pdu) -> None:
    with pytest.raises(Unwritable):
        encode(pdu, 1)


@pytest.mark.parametrize(("sequence", "status"), [(1 << 32, 0), (-1, 0), (1, 1 << 32)])
def test_a_header_of_four_octets_each_holds_no_more(sequence: int, status: int) -> None:
    with pytest.raises(Unwritable):
        encode(p.SubmitSmResp(), sequence, status)


def test_an_answer_that_refuses_has_no_body() -> None:
    frame = encode(p.SubmitSmResp(), 9, CommandStatus.ESME_RTHROTTLED)
    assert frame.hex() == "00000010800000040000005800000009"


def test_statuses_have_the_specifications_names_and_a_peers_own_its_number() -> None:
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_name(0x14) == "ESME_RMSGQFUL"
    assert status_name(0x401) == "0x00000401"
