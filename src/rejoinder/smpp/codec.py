"""PDUs to bytes and back: `encode` and `decode`, and the framing that a stream is cut by.

Refuses, with Malformed, bytes that are no PDU, and with Unwritable what the specification has no place for.
Submits and deliveries are read by one compiled pattern and written by one format (bench/README.md, `smpp-codec`);
all other PDUs go by the table below.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import LONGEST_PDU, RESPONSE, SHORTEST_PDU, Command, CommandStatus
from rejoinder.smpp.errors import Malformed, Unwritable
from rejoinder.smpp.layout import (
    LONGEST_MESSAGE,
    Field,
    Layout,
    destinations,
    failures,
    message,
    moment,
    octet,
    text,
)
from rejoinder.smpp.pdu import DeliverSm, Pdu, ShortMessage, SubmitSm, Tlvs
from rejoinder.smpp.tlv import read_tlvs, write_tlvs

HEADER = struct.Struct(">IIII")
_pack = HEADER.pack
_unpack = HEADER.unpack_from

S = CommandStatus


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A PDU with what its header says of it."""

    pdu: Pdu
    sequence: int
    status: int


def _address(kind: str, name: str, status: int) -> tuple[Field, ...]:
    return octet(f"{kind}_addr_ton"), octet(f"{kind}_addr_npi"), text(name, 21, status)


_SERVICE = text("service_type", 6, S.ESME_RINVSERTYP)
_SOURCE = _address("source", "source_addr", S.ESME_RINVSRCADR)
_DESTINATION = _address("dest", "destination_addr", S.ESME_RINVDSTADR)
_MESSAGE_ID = text("message_id", 65, S.ESME_RINVMSGID)
# §5.2.1 and §5.2.2 say 16 and 9. Credentials are the peer's choice, and many chose longer ones: refusing to write
# them would only mean that such a peer can't be reached.
_SYSTEM_ID = text("system_id", 65, S.ESME_RINVSYSID)
_PASSWORD = text("password", 65, S.ESME_RINVPASWD)
_SCHEDULE = moment("schedule_delivery_time", S.ESME_RINVSCHED)
_VALIDITY = moment("validity_period", S.ESME_RINVEXPIRY)
_BIND = (
    _SYSTEM_ID,
    _PASSWORD,
    text("system_type", 13, S.ESME_RINVSYSTYP),
    octet("interface_version"),
    octet("addr_ton"),
    octet("addr_npi"),
    text("address_range", 41),
)
_HOW = (
    octet("esm_class"),
    octet("protocol_id"),
    octet("priority_flag"),
    _SCHEDULE,
    _VALIDITY,
    octet("registered_delivery"),
    octet("replace_if_present_flag"),
    octet("data_coding"),
    octet("sm_default_msg_id"),
    message(),
)
_MESSAGE = (_SERVICE, *_SOURCE, *_DESTINATION, *_HOW)

_FIELDS: Mapping[type[Pdu], tuple[Field, ...]] = {
    p.BindReceiver: _BIND,
    p.BindTransmitter: _BIND,
    p.BindTransceiver: _BIND,
    p.BindReceiverResp: (_SYSTEM_ID,),
    p.BindTransmitterResp: (_SYSTEM_ID,),
    p.BindTransceiverResp: (_SYSTEM_ID,),
    p.Outbind: (_SYSTEM_ID, _PASSWORD),
    p.SubmitSm: _MESSAGE,
    p.DeliverSm: _MESSAGE,
    p.SubmitSmResp: (_MESSAGE_ID,),
    p.DeliverSmResp: (_MESSAGE_ID,),
    p.DataSmResp: (_MESSAGE_ID,),
    p.DataSm: (
        _SERVICE,
        *_SOURCE,
        *_DESTINATION,
        octet("esm_class"),
        octet("registered_delivery"),
        octet("data_coding"),
    ),
    p.SubmitMulti: (_SERVICE, *_SOURCE, destinations(), *_HOW),
    p.SubmitMultiResp: (_MESSAGE_ID, failures()),
    p.QuerySm: (_MESSAGE_ID, *_SOURCE),
    p.QuerySmResp: (
        _MESSAGE_ID,
        moment("final_date", S.ESME_RINVPARLEN),
        octet("message_state"),
        octet("error_code"),
    ),
    p.CancelSm: (_SERVICE, _MESSAGE_ID, *_SOURCE, *_DESTINATION),
    p.ReplaceSm: (
        _MESSAGE_ID,
        *_SOURCE,
        _SCHEDULE,
        _VALIDITY,
        octet("registered_delivery"),
        octet("sm_default_msg_id"),
        message(),
    ),
    p.AlertNotification: (*_SOURCE, octet("esme_addr_ton"), octet("esme_addr_npi"), text("esme_addr", 65)),
}
_LAYOUTS: Mapping[int, Layout] = {int(kind.command): Layout(kind, _FIELDS.get(kind, ())) for kind in p.ALL}

# The body of submit_sm and deliver_sm up to sm_length; what is wrong or longer is left to the table, which says why.
_SHORT_MESSAGE = re.compile(
    rb"([^\0]{0,64})\0(..)([^\0]{0,64})\0(..)([^\0]{0,64})\0(...)([^\0]{0,64})\0([^\0]{0,64})\0(.....)",
    re.DOTALL,
)
_match = _SHORT_MESSAGE.match
_TIME = (0, 16)
ReadTlvs = Callable[[bytes, int, int], Tlvs]


def _read_message(kind: type[ShortMessage], tlvs: ReadTlvs, data: bytes, at: int, end: int) -> Pdu:
    found = _match(data, at, end)
    if found is None:
        return _LAYOUTS[kind.command].read(data, at, end)
    service, source, source_addr, dest, dest_addr, how, schedule, validity, rest = found.groups()
    source_ton, source_npi = source
    dest_ton, dest_npi = dest
    esm_class, protocol_id, priority = how
    registered, replace, coding, default_id, length = rest
    start = found.end()
    stop = start + length
    if stop > end:
        raise Malformed(S.ESME_RINVMSGLEN, "sm_length reaches beyond the PDU")
    # Most texts are empty: looking is quicker than decoding nothing.
    return kind(
        service.decode("latin-1") if service else "",
        source_ton,
        source_npi,
        source_addr.decode("latin-1"),
        dest_ton,
        dest_npi,
        dest_addr.decode("latin-1"),
        esm_class,
        protocol_id,
        priority,
        schedule.decode("latin-1") if schedule else "",
        validity.decode("latin-1") if validity else "",
        registered,
        replace,
        coding,
        default_id,
        data[start:stop],
        tlvs(data, stop, end) if stop < end else (),
    )


def _read_id(kind: type[p.SubmitSmResp] | type[p.DeliverSmResp], data: bytes, at: int, end: int) -> Pdu:
    if 0 < end - at <= 65 and data.find(b"\0", at, end) == end - 1:
        return kind(data[at : end - 1].decode("latin-1"))
    return _LAYOUTS[kind.command].read_answer(data, at, end)


Reader = Callable[[bytes, int, int], Pdu]

READERS: Mapping[int, Reader] = {
    command: layout.read_answer if command & RESPONSE else layout.read for command, layout in _LAYOUTS.items()
} | {
    int(Command.SUBMIT_SM): partial(_read_message, SubmitSm, read_tlvs),
    # A network does not mend what it is told of: refused, a handset's text is lost.
    int(Command.DELIVER_SM): partial(_read_message, DeliverSm, partial(read_tlvs, tolerant=True)),
    int(Command.SUBMIT_SM_RESP): partial(_read_id, p.SubmitSmResp),
    int(Command.DELIVER_SM_RESP): partial(_read_id, p.DeliverSmResp),
}
"""By command: reads a body that stands in `data` between two places. Raises Malformed."""

KINDS: Mapping[int, type[Pdu]] = {command: layout.kind for command, layout in _LAYOUTS.items()}


def check_length(length: int) -> None:
    """Malformed, fatally, for a command_length that no PDU has: looked at before anything is kept."""
    if not SHORTEST_PDU <= length <= LONGEST_PDU:
        raise Malformed(S.ESME_RINVCMDLEN, f"a PDU has {SHORTEST_PDU} to {LONGEST_PDU} octets", fatal=True)


def decode(frame: bytes) -> Decoded:
    """The PDU that these bytes are, all of them. Raises Malformed."""
    if len(frame) < SHORTEST_PDU:
        raise Malformed(S.ESME_RINVCMDLEN, "a header has 16 octets", fatal=True)
    length, command, status, sequence = _unpack(frame)
    if length != len(frame) or length > LONGEST_PDU:
        check_length(length)
        raise Malformed(S.ESME_RINVCMDLEN, "command_length is not the length of the PDU", fatal=True)
    reader = READERS.get(command)
    if reader is None:
        raise Malformed(S.ESME_RINVCMDID, f"there is no command 0x{command:08X}")
    return Decoded(reader(frame, SHORTEST_PDU, length), sequence, status)


def _write_message(pdu: ShortMessage) -> bytes:
    body = _message_body(pdu)
    if body is None:
        # The table says which field it is.
        _LAYOUTS[pdu.command].write(pdu)
        raise Unwritable("a field can't be written")
    return body + write_tlvs(pdu.tlvs) if pdu.tlvs else body


def _message_body(pdu: ShortMessage) -> bytes | None:
    """The mandatory fields by one format; None when one of them does not fit its place."""
    message = pdu.short_message
    texts = (
        pdu.service_type,
        pdu.source_addr,
        pdu.destination_addr,
        pdu.schedule_delivery_time,
        pdu.validity_period,
    )
    try:
        # Five texts are encoded and looked through for NULs at once: a NUL more makes a sixth.
        service, source, destination, schedule, validity = "\0".join(texts).encode("ascii").split(b"\0")
        if len(service) > 5 or len(source) > 20 or len(destination) > 20 or len(message) > LONGEST_MESSAGE:
            return None
        if len(schedule) not in _TIME or len(validity) not in _TIME:
            return None
        return b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b" % (
            service,
            pdu.source_addr_ton,
            pdu.source_addr_npi,
            source,
            pdu.dest_addr_ton,
            pdu.dest_addr_npi,
            destination,
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule,
            validity,
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            len(message),
            message,
        )
    except (ValueError, OverflowError):
        return None


def encode(pdu: Pdu, sequence: int, status: int = 0) -> bytes:
    """The PDU's octets, header and all. Raises Unwritable for what the specification has no place for.

    An answer with a status other than 0 has no body (3.4 §4.1.2 ff), unless something is said in it.
    """
    command = pdu.command
    if status and command & RESPONSE and pdu == type(pdu)():
        body = b""
    elif isinstance(pdu, ShortMessage):
        body = _write_message(pdu)
    else:
        body = _LAYOUTS[command].write(pdu)
    length = 16 + len(body)
    if length > LONGEST_PDU:
        raise Unwritable(f"a PDU has at most {LONGEST_PDU} octets")
    try:
        return _pack(length, command, status, sequence) + body
    except struct.error:
        raise Unwritable("sequence number and status have four octets") from None
