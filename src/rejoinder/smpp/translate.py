"""Messages to PDUs: the coding, the header, the parameters that a text needs, by the peer's style.

A carrier's link writes submits by it, the server deliveries; reading is content.py. Refuses nothing that a message can
hold: what the peer's default alphabet lacks goes as UCS-2 where it fits one message, else as its nearest characters.
"""

from __future__ import annotations

import msgspec

from rejoinder.message import parts
from rejoinder.message.model import Outgoing
from rejoinder.message.nearest import nearest
from rejoinder.message.parts import Part
from rejoinder.message.text import Alphabet, gsm_pack
from rejoinder.smpp.constants import DataCoding, EsmClass, Tag
from rejoinder.smpp.content import fill_bits
from rejoinder.smpp.layout import LONGEST_MESSAGE
from rejoinder.smpp.pdu import Tlvs
from rejoinder.smpp.style import DefaultAlphabet, Flash, Long, Style

_CHARACTERS = {
    DefaultAlphabet.LATIN1: frozenset(map(chr, range(256))),
    DefaultAlphabet.ASCII: frozenset(map(chr, range(128))),
}
_CODINGS = {
    Alphabet.LATIN1: DataCoding.LATIN1,
    Alphabet.UCS2: DataCoding.UCS2,
    Alphabet.BINARY: DataCoding.OCTETS_8BIT,
}
_ALPHABETS = {alphabet.value: alphabet for alphabet in Alphabet}
_ALONE_UCS2 = 140
_DISPLAY = ((int(Tag.DEST_ADDR_SUBUNIT), 1),)
WHOLE = 0


class Coded(msgspec.Struct, frozen=True, gc=False):
    """What a text decides of a PDU: put `octets` into short_message, `tlvs` beside your own."""

    number: int
    octets: bytes
    data_coding: int = 0
    esm_class: int = 0
    tlvs: Tlvs = ()


def code(message: Outgoing, style: Style) -> list[Coded]:
    """The parts of a message named in its `numbers`, in that order. The same message gets the same reference again."""
    alphabet = _ALPHABETS[message.alphabet]
    if message.numbers == (WHOLE,):
        return [_whole(message, style)]
    if message.parts == 1 and not message.udh:
        # Most messages: nothing to cut, half the time.
        single = Part(1, 1, 0, message.text, parts.user_data(message), b"")
        return [code_part(single, alphabet, style, flash=message.flash)] if message.numbers else []
    reference = int(message.id[-4:], 16)
    made = _cut(message, alphabet, reference, style)
    return [code_part(made[number - 1], alphabet, style, flash=message.flash) for number in message.numbers]


def _cut(message: Outgoing, alphabet: Alphabet, reference: int, style: Style) -> list[Part]:
    if style.long is Long.UDH16 and message.parts > 1:
        wide = parts.cut(parts.user_data(message), alphabet, reference, wide=True)
        if len(wide) == message.parts:
            return wide
    return parts.outgoing(message, reference & 0xFF)


def code_part(part: Part, alphabet: Alphabet, style: Style, *, flash: bool = False) -> Coded:
    """One part as this peer wants it."""
    sar = style.long is Long.SAR and part.total > 1
    udh = b"" if sar else part.udh
    octets, coding = _octets(part, alphabet, style, len(udh))
    tlvs: Tlvs = _sar(part) if sar else ()
    if flash and style.flash is Flash.SUBUNIT:
        tlvs = (*_DISPLAY, *tlvs)
    elif flash:
        coding = _CLASS_0.get(coding, coding)
    return Coded(part.number, udh + octets, coding, EsmClass.UDHI if udh else 0, tlvs)


# 0xF0 is the class group of 23.038 with the GSM alphabet, 0x18 the general group with UCS-2, 0xF4 octets.
_CLASS_0 = {
    int(DataCoding.DEFAULT): int(DataCoding.GSM_CLASS_0),
    int(DataCoding.UCS2): int(DataCoding.UCS2_CLASS_0),
    int(DataCoding.OCTETS_8BIT): 0xF4,
}


def _octets(part: Part, alphabet: Alphabet, style: Style, header: int) -> tuple[bytes, int]:
    if alphabet is not Alphabet.GSM:
        return part.octets, int(_CODINGS[alphabet])
    if style.default is DefaultAlphabet.GSM:
        return part.octets, 0
    if style.default is DefaultAlphabet.GSM_PACKED:
        return gsm_pack(part.octets, fill_bits(header)), 0
    known = _CHARACTERS[style.default]
    text = part.text
    if not known.issuperset(text):
        wide = text.encode("utf-16-be")
        if part.total == 1 and not part.udh and len(wide) <= _ALONE_UCS2:
            return wide, int(DataCoding.UCS2)
        text = nearest(text, known)
    return text.encode("latin-1"), 0


def _sar(part: Part) -> Tlvs:
    return (
        (int(Tag.SAR_MSG_REF_NUM), part.reference),
        (int(Tag.SAR_TOTAL_SEGMENTS), part.total),
        (int(Tag.SAR_SEGMENT_SEQNUM), part.number),
    )


def _whole(message: Outgoing, style: Style) -> Coded:
    """The text in one piece: as short_message where it is one part, else as message_payload."""
    alphabet = Alphabet(message.alphabet)
    udh = bytes.fromhex(message.udh)
    data = parts.user_data(message)
    coded = code_part(Part(1, 1, 0, message.text, data, udh), alphabet, style, flash=message.flash)
    if message.parts == 1 and len(coded.octets) <= LONGEST_MESSAGE:
        return msgspec.structs.replace(coded, number=WHOLE)
    payload = (int(Tag.MESSAGE_PAYLOAD), coded.octets)
    return msgspec.structs.replace(coded, number=WHOLE, octets=b"", tlvs=(*coded.tlvs, payload))
