"""Optional parameters: tag, length, value, and which Python value each known tag has.

Reading keeps unknown tags, and known ones of a wrong length, as bytes. Writing refuses (Unwritable) a value that
is not its tag's kind or not as long as the specification allows. Source: 3.4 §5.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from rejoinder.smpp.constants import CommandStatus, Tag
from rejoinder.smpp.errors import Malformed, Unwritable
from rejoinder.smpp.pdu import Tlvs, TlvValue

_HEAD = Struct(">HH")
_UNPACK = _HEAD.unpack_from
_PACK = _HEAD.pack

# Whole numbers: how many octets (§5.3.2).
INTEGERS: Mapping[int, int] = {
    **dict.fromkeys(
        (
            Tag.DEST_ADDR_SUBUNIT,
            Tag.DEST_NETWORK_TYPE,
            Tag.DEST_BEARER_TYPE,
            Tag.SOURCE_ADDR_SUBUNIT,
            Tag.SOURCE_NETWORK_TYPE,
            Tag.SOURCE_BEARER_TYPE,
            Tag.SOURCE_TELEMATICS_ID,
            Tag.PAYLOAD_TYPE,
            Tag.MS_MSG_WAIT_FACILITIES,
            Tag.PRIVACY_INDICATOR,
            Tag.USER_RESPONSE_CODE,
            Tag.LANGUAGE_INDICATOR,
            Tag.SAR_TOTAL_SEGMENTS,
            Tag.SAR_SEGMENT_SEQNUM,
            Tag.SC_INTERFACE_VERSION,
            Tag.CALLBACK_NUM_PRES_IND,
            Tag.NUMBER_OF_MESSAGES,
            Tag.DPF_RESULT,
            Tag.SET_DPF,
            Tag.MS_AVAILABILITY_STATUS,
            Tag.DELIVERY_FAILURE_REASON,
            Tag.MORE_MESSAGES_TO_SEND,
            Tag.MESSAGE_STATE,
            Tag.CONGESTION_STATE,
            Tag.USSD_SERVICE_OP,
            Tag.DISPLAY_TIME,
            Tag.MS_VALIDITY,
            Tag.ITS_REPLY_TYPE,
        ),
        1,
    ),
    **dict.fromkeys(
        (
            Tag.DEST_TELEMATICS_ID,
            Tag.USER_MESSAGE_REFERENCE,
            Tag.SOURCE_PORT,
            Tag.DESTINATION_PORT,
            Tag.SAR_MSG_REF_NUM,
            Tag.SMS_SIGNAL,
        ),
        2,
    ),
    Tag.QOS_TIME_TO_LIVE: 4,
}
# C-octet strings: the most octets, the NUL included.
STRINGS: Mapping[int, int] = {Tag.ADDITIONAL_STATUS_INFO_TEXT: 256, Tag.RECEIPTED_MESSAGE_ID: 65}
# Octet strings: the fewest and the most octets.
OCTETS: Mapping[int, tuple[int, int]] = {
    Tag.SOURCE_SUBADDRESS: (2, 23),
    Tag.DEST_SUBADDRESS: (2, 23),
    Tag.CALLBACK_NUM_ATAG: (0, 65),
    Tag.CALLBACK_NUM: (4, 19),
    Tag.NETWORK_ERROR_CODE: (3, 3),
    Tag.MESSAGE_PAYLOAD: (0, 65_535),
    Tag.BILLING_IDENTIFICATION: (0, 1024),
    Tag.ITS_SESSION_INFO: (2, 2),
}
# Tags whose presence says it all.
EMPTY = frozenset({int(Tag.ALERT_ON_MESSAGE_DELIVERY)})


def read_tlvs(data: bytes, at: int, end: int, *, tolerant: bool = False) -> Tlvs:
    """All TLVs from `at` to `end`; up to 3 octets at the end are dropped. Malformed where one reaches beyond.

    `tolerant`: such a one is dropped instead, and of a text (message_payload) is kept what there is.
    """
    found: list[tuple[int, TlvValue]] = []
    while end - at >= 4:
        tag, length = _UNPACK(data, at)
        at += 4
        if at + length > end and tolerant:
            text = [(tag, data[at:end])] if tag == Tag.MESSAGE_PAYLOAD else []
            return (*found, *text)
        if at + length > end:
            raise Malformed(
                CommandStatus.ESME_RINVOPTPARSTREAM, "an optional parameter reaches beyond its PDU"
            )
        found.append((tag, _value(tag, data[at : at + length])))
        at += length
    return tuple(found)


def _value(tag: int, octets: bytes) -> TlvValue:
    if INTEGERS.get(tag) == len(octets):
        return int.from_bytes(octets, "big")
    if tag in STRINGS:
        return octets.partition(b"\0")[0].decode("latin-1")
    if tag in EMPTY and not octets:
        return None
    return octets


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Their octets in order. Unwritable for a value that does not suit its tag."""
    pieces = []
    for tag, value in tlvs:
        octets = _octets(tag, value)
        pieces.append(_PACK(tag, len(octets)) + octets)
    return b"".join(pieces)


def _octets(tag: int, value: TlvValue) -> bytes:
    if not 0 <= tag <= 0xFFFF:
        raise Unwritable(f"a tag has two octets, {tag} does not fit them")
    if tag in INTEGERS:
        size = INTEGERS[tag]
        if isinstance(value, int) and 0 <= value < 1 << 8 * size:
            return value.to_bytes(size, "big")
    elif tag in STRINGS:
        if isinstance(value, str) and "\0" not in value and len(value) < STRINGS[tag]:
            return _latin(value) + b"\0"
    elif tag in EMPTY:
        if value is None:
            return b""
    elif isinstance(value, bytes):
        fewest, most = OCTETS.get(tag, (0, 65_535))
        if fewest <= len(value) <= most:
            return value
    raise Unwritable(f"the optional parameter 0x{tag:04X} can't have this value")


def _latin(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        raise Unwritable("an optional parameter has characters beyond ISO 8859-1") from None
