"""Texts as networks carry them: the GSM 7-bit default alphabet with its extension table, and the choice of an
alphabet.

Refuses a text that an explicitly chosen alphabet cannot carry (`UnsuitableText`). A text is a `str` without
NUL and without lone surrogates (`is_text`). Source: 3GPP TS 23.038 §6.1.2.1 (packing) and §6.2.1 (tables),
contract §6 "encoding".
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

from rejoinder.message.nearest import nearest


class Alphabet(StrEnum):
    """What the octets of a message are. The values are the names callers use in `encoding`."""

    GSM = "gsm"
    UCS2 = "utf-16"
    LATIN1 = "iso-8859-1"
    BINARY = "binary"
    """No text: octets, written as hex digits where a text would stand. No caller can ask for it by name."""


class UnsuitableText(ValueError):
    """The text has a character that the chosen alphabet lacks."""


AUTO = "auto"
ENCODINGS: frozenset[str] = frozenset({AUTO, Alphabet.GSM, Alphabet.UCS2, Alphabet.LATIN1})

ESCAPE = 0x1B

# Septet 0x00 to 0x7F; the escape stands for itself and is no character of a text.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# The septet after an escape. 0x0D (CR2) and 0x1B (a further table) are reserved and stand for no character.
EXTENSION: dict[int, str] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_SEPTETS: dict[str, bytes] = {char: bytes([code]) for code, char in enumerate(BASIC) if code != ESCAPE}
_SEPTETS |= {char: bytes([ESCAPE, code]) for code, char in EXTENSION.items()}
GSM_CHARACTERS: frozenset[str] = frozenset(_SEPTETS)

# Most texts are ASCII: bytes.translate with a deletion list judges 100 characters in 0.2 µs, a pattern takes
# 1 µs.
_ASCII_GSM = bytes(ord(char) for char in GSM_CHARACTERS if char.isascii())
_ASCII_EXTENDED = bytes(ord(char) for char in EXTENSION.values() if char.isascii())
_ASCII_PLAIN = _ASCII_GSM.translate(None, _ASCII_EXTENDED)
_ASCII_TO_SEPTET = bytes(
    _SEPTETS[chr(code)][-1] if chr(code) in _SEPTETS else 0 for code in range(128)
) + bytes(128)
_NOT_GSM = re.compile(f"[^{re.escape(''.join(sorted(GSM_CHARACTERS)))}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# Octets above 0x7F are no septets: what a faulty sender put there shows as U+FFFD instead of as a wrong
# letter.
_DECODING = BASIC + "\ufffd" * 128
_AFTER_ESCAPE = {BASIC[code]: char for code, char in EXTENSION.items()}
_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)


def is_text(text: str) -> bool:
    """Whether `text` may be a message at all: no NUL and no lone surrogate (contract §1 "text")."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def is_gsm(text: str) -> bool:
    """Whether the default alphabet and its extension table carry every character of `text`."""
    if text.isascii():
        return not text.encode("ascii").translate(None, _ASCII_GSM)
    return _NOT_GSM.search(text) is None


def septets(text: str) -> int:
    """How many septets a GSM text takes: one a character, two for those of the extension table."""
    if text.isascii():
        data = text.encode("ascii")
        return 2 * len(data) - len(data.translate(None, _ASCII_EXTENDED))
    return len(text) + sum(map(text.count, EXTENSION.values()))


def gsm_encode(text: str) -> bytes:
    """The septets of `text`, one to an octet, escapes included. UnsuitableText when GSM lacks a character."""
    if text.isascii():
        data = text.encode("ascii")
        if not data.translate(None, _ASCII_PLAIN):
            return data.translate(_ASCII_TO_SEPTET)
    if not is_gsm(text):
        raise UnsuitableText("the text has characters that the GSM alphabet lacks")
    return b"".join(map(_SEPTETS.__getitem__, text))


def gsm_decode(data: bytes) -> str:
    """The text of septets that stand one to an octet. Never fails, because a handset's text is never refused.

    After an escape a septet that the extension table does not know shows as the default table's character, an
    escape there or an escape at the end as a blank (23.038 §6.2.1.1); an octet above 0x7F as U+FFFD.
    """
    text, _ = codecs.charmap_decode(data, "strict", _DECODING)
    return _ESCAPED.sub(_extended, text) if "\x1b" in text else text


def _extended(found: re.Match[str]) -> str:
    char = found[1]
    if char in ("", "\x1b"):
        return " "
    return _AFTER_ESCAPE.get(char, char)


def gsm_pack(data: bytes, fill: int = 0) -> bytes:
    """Septets, one to an octet, packed 8 into 7 octets, least significant bit first, after `fill` zero bits
    (0 to 6).

    The fill bits bring the first septet after a user data header to a septet boundary (23.040 §9.2.3.24).
    ValueError for octets above 0x7F.
    """
    _check_fill(fill)
    if not data.isascii():
        raise ValueError("a septet is 0 to 127")
    packed = b"".join([_seven_octets(data[at : at + 8]) for at in range(0, len(data), 8)])
    return (int.from_bytes(packed, "little") << fill).to_bytes((7 * len(data) + fill + 7) // 8, "little")


def _seven_octets(septets: bytes) -> bytes:
    # 8 at a time: one number of all of them would be copied for every septet, 2.8 s for 64 KB.
    bits = 0
    for septet in reversed(septets):
        bits = bits << 7 | septet
    return bits.to_bytes(7, "little")


def gsm_unpack(data: bytes, count: int | None = None, fill: int = 0) -> bytes:
    """The septets of packed `data`, one to an octet, after `fill` bits that are skipped.

    `count` is how many septets there are. Without it all that fit, and then 7 spare bits at the end read as
    one septet 0 ("@") more, which nothing in the octets tells apart. Fewer than `count` are answered when the
    data ends earlier.
    """
    _check_fill(fill)
    available = max(0, 8 * len(data) - fill) // 7
    count = available if count is None else min(count, available)
    octets = (int.from_bytes(data, "little") >> fill).to_bytes(len(data), "little")
    septets = b"".join([_eight_septets(octets[at : at + 7]) for at in range(0, len(octets), 7)])
    return septets[:count]


def _eight_septets(octets: bytes) -> bytes:
    bits = int.from_bytes(octets, "little")
    return bytes([bits >> shift & 0x7F for shift in (0, 7, 14, 21, 28, 35, 42, 49)])


def _check_fill(fill: int) -> None:
    if not 0 <= fill <= 6:
        raise ValueError(f"fill bits are 0 to 6, not {fill}")


def to_gsm(text: str) -> str:
    """`text` with each character that GSM lacks replaced by its nearest one, or `?` where none is near.

    A replacement may be longer (`…` is `...`); invisible characters (joiners, variation selectors) vanish.
    What is GSM already comes back unchanged, and a text that is not empty never becomes empty.
    """
    return text if is_gsm(text) else nearest(text, GSM_CHARACTERS)


def for_carrier(text: str, encoding: str) -> tuple[str, Alphabet]:
    """The text a carrier gets and the alphabet it gets it in, for one of ENCODINGS in lower case (else
    ValueError).

    `auto` takes GSM where every character fits and UCS-2 otherwise; `gsm` replaces what GSM lacks.
    UnsuitableText when `iso-8859-1` was asked for and lacks a character.
    """
    if encoding == AUTO:
        return text, Alphabet.GSM if is_gsm(text) else Alphabet.UCS2
    alphabet = Alphabet(encoding)
    if alphabet is Alphabet.GSM:
        return to_gsm(text), alphabet
    if alphabet is Alphabet.LATIN1:
        try:
            text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise UnsuitableText("the text has characters that iso-8859-1 lacks") from error
    return text, alphabet
