"""What a message that came over SMPP says: its octets, their alphabet, its header, which part it is.

Takes every data_coding: what is no alphabet known here is octets (binary), for nothing that was delivered may be
refused. Sources: 3.4 §5.2.19, §5.3.2.22 ff (SAR), 3GPP TS 23.038 §4 (the coding groups), 23.040 §9.2.3.24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rejoinder.message import parts
from rejoinder.message.parts import Concatenation
from rejoinder.message.text import Alphabet, gsm_unpack
from rejoinder.smpp.constants import DataCoding, EsmClass, Tag
from rejoinder.smpp.pdu import DataSm, DeliverSm, SubmitMulti, SubmitSm
from rejoinder.smpp.style import DefaultAlphabet, Style

_DISPLAY = 1
# A reference of 16 bits is another than the same one of 8, and one of SAR parameters another than both.
_WIDE, _SAR = 1 << 16, 1 << 17
_IMMEDIATE = 0

# What SMPP's own values mean; the alphabets without a place in a GSM network are read into UCS-2.
_CODINGS: Mapping[int, Alphabet] = {
    DataCoding.IA5: Alphabet.LATIN1,
    DataCoding.OCTETS: Alphabet.BINARY,
    DataCoding.LATIN1: Alphabet.LATIN1,
    DataCoding.OCTETS_8BIT: Alphabet.BINARY,
    DataCoding.UCS2: Alphabet.UCS2,
}
_FOREIGN: Mapping[int, str] = {
    5: "shift_jis",
    6: "iso8859_5",
    7: "iso8859_8",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A message's user data. `octets`: GSM septets one to an octet, big-endian UTF-16, ISO 8859-1, or what they are.

    `udh`: the user data header with its length octet, empty where there is none. `part`: which part of a long text
    it is, by the header or the SAR parameters. `sar`: the SAR parameters said so.
    """

    octets: bytes
    alphabet: Alphabet
    udh: bytes = b""
    part: Concatenation | None = None
    sar: bool = False
    flash: bool = False

    def text(self) -> str:
        """The text, or the octets in hex digits where they are none."""
        return parts.decode(self.octets, self.alphabet)

    def reference(self) -> int:
        """The long text's reference as a number that no other way of counting shares; 0 for a single message."""
        if self.part is None:
            return 0
        return self.part.reference + (_SAR if self.sar else _WIDE if self.part.wide else 0)


Textual = SubmitSm | DeliverSm | DataSm | SubmitMulti


def read_content(pdu: Textual, style: Style) -> Content:
    """What a submit, a delivery or a data_sm says, to or from a peer of this style."""
    data = user_data(pdu)
    udh, part = b"", None
    if pdu.esm_class & EsmClass.UDHI:
        part, rest = parts.read_udh(data)
        udh, data = data[: len(data) - len(rest)], rest
    sar = _sar(pdu) if part is None else None
    part = part or sar
    alphabet, flash = _coding(pdu.data_coding, style)
    if pdu.data_coding in _FOREIGN:
        data = data.decode(_FOREIGN[pdu.data_coding], "replace").encode("utf-16-be", "replace")
        alphabet = Alphabet.UCS2
    elif alphabet is Alphabet.GSM and style.default is DefaultAlphabet.GSM_PACKED:
        data = _unpacked(data, len(udh))
    elif alphabet is Alphabet.UCS2 and (part is None or part.number == 1):
        # In a later part the same octets are a character of the text.
        data = _big_endian(data)
    subunit = pdu.tlv(Tag.DEST_ADDR_SUBUNIT) == _DISPLAY
    return Content(data, alphabet, udh, part, sar is not None, flash or subunit)


def user_data(pdu: Textual) -> bytes:
    """The octets as they came, header and all."""
    if not isinstance(pdu, DataSm) and pdu.short_message:
        return pdu.short_message
    payload = pdu.tlv(Tag.MESSAGE_PAYLOAD)
    return payload if isinstance(payload, bytes) else b""


def _coding(coding: int, style: Style) -> tuple[Alphabet, bool]:
    """The alphabet, and whether it is shown at once (class 0)."""
    if coding in _FOREIGN or coding in _CODINGS:
        return _CODINGS.get(coding, Alphabet.BINARY), False
    if coding == DataCoding.DEFAULT:
        single = style.default in (DefaultAlphabet.GSM, DefaultAlphabet.GSM_PACKED)
        return Alphabet.GSM if single else Alphabet.LATIN1, False
    if coding >= 0xF0:
        return (Alphabet.BINARY if coding & 4 else Alphabet.GSM), coding & 3 == _IMMEDIATE
    if coding >= 0xC0:
        return (Alphabet.UCS2 if coding >= 0xE0 else Alphabet.GSM), False
    if coding < 0x40 and not coding & 0x20:
        alphabet = (Alphabet.GSM, Alphabet.BINARY, Alphabet.UCS2, Alphabet.BINARY)[coding >> 2 & 3]
        return alphabet, bool(coding & 0x10) and coding & 3 == _IMMEDIATE
    return Alphabet.BINARY, False


def _big_endian(data: bytes) -> bytes:
    """UTF-16 without its byte order mark, which no specification allows and some phones' programs send."""
    if data[:2] == b"\xff\xfe":
        return data[2:].decode("utf-16-le", "replace").encode("utf-16-be", "replace")
    return data[2:] if data[:2] == b"\xfe\xff" else data


def _unpacked(data: bytes, header: int) -> bytes:
    fill = fill_bits(header)
    septets = gsm_unpack(data, fill=fill)
    # Seven spare bits read as one "@" more (23.038 §6.1.2.3.1): the likelier reading is that there is none.
    spare = (8 * len(data) - fill) % 7 == 0
    return septets[:-1] if spare and septets[-1:] == b"\0" else septets


def fill_bits(header: int) -> int:
    """The bits between a header of so many octets and the first septet (23.040 §9.2.3.24)."""
    return -8 * header % 7


def _sar(pdu: Textual) -> Concatenation | None:
    if not pdu.tlvs:
        return None
    reference, total, number = (
        pdu.tlv(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if (
        isinstance(reference, int)
        and isinstance(total, int)
        and isinstance(number, int)
        and 1 <= number <= total
    ):
        return Concatenation(reference, total, number, wide=True)
    return None
