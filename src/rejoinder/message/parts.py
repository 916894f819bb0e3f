"""Parts: how a long text is cut into messages of 140 octets, and how parts that arrive become one text again.

Never cuts an escape pair or a surrogate pair; reads what others cut badly. Refuses to write more than 255
parts (the count is one octet). Source: 3GPP TS 23.040 §9.2.3.24 and §9.2.3.24.1 (8-bit reference),
§9.2.3.24.8 (16-bit).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rejoinder.message.model import Outgoing
from rejoinder.message.text import ESCAPE, Alphabet, gsm_decode, gsm_encode, septets

# Units that fit one message alone, and one of several beside the 6-octet header: 140 octets are 160 septets,
# 134 are 153.
_ALONE = {Alphabet.GSM: 160, Alphabet.UCS2: 140, Alphabet.LATIN1: 140, Alphabet.BINARY: 140}
_BESIDE_HEADER = {Alphabet.GSM: 153, Alphabet.UCS2: 134, Alphabet.LATIN1: 134, Alphabet.BINARY: 134}
# A character takes at most this many of those units: shorter texts are one part without being encoded.
_WIDEST = {Alphabet.GSM: 2, Alphabet.UCS2: 4, Alphabet.LATIN1: 1, Alphabet.BINARY: 1}
_OCTETS = 140
_ALPHABETS = {alphabet.value: alphabet for alphabet in Alphabet}

_HEADER = bytes((5, 0, 3))
_REFERENCE_8, _REFERENCE_16 = 0x00, 0x08
_MAX_PARTS = 255


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a text as it goes to a carrier."""

    number: int
    """From 1."""
    total: int
    reference: int
    """0 to 255 (65,535 where it is wide), the same in all parts of a text."""
    text: str
    octets: bytes
    """User data without the header: septets one to an octet, big-endian UTF-16, ISO 8859-1, or what it is."""
    udh: bytes
    """The user data header with its length octet; empty when the text is one part."""


@dataclass(frozen=True, slots=True)
class Concatenation:
    """What a header says of the part it stands before."""

    reference: int
    total: int
    number: int
    wide: bool
    """Whether the reference has 16 bits: 7 in 8 bits and 7 in 16 bits are different texts."""


def count(text: str, alphabet: Alphabet) -> int:
    """How many parts `text` takes, a text that suits the alphabet (`text.for_carrier` answers such ones).

    It is no check of that: for another text it raises ValueError, or counts it as if it did.
    """
    if len(text) * _WIDEST[alphabet] <= _ALONE[alphabet]:
        return 1
    if alphabet is Alphabet.GSM and len(text) <= _ALONE[alphabet] and septets(text) <= _ALONE[alphabet]:
        return 1
    return pieces(encode(text, alphabet), alphabet)


def pieces(data: bytes, alphabet: Alphabet) -> int:
    """How many parts user data takes (see `Part.octets` for what it is)."""
    return sum(1 for _ in _cut(data, alphabet, _BESIDE_HEADER[alphabet]))


def split(text: str, alphabet: Alphabet, reference: int) -> list[Part]:
    """The parts of `text`, in order. `reference` is 0 to 255.

    ValueError for a reference outside, for more than 255 parts, and for a character that the alphabet lacks
    (UnsuitableText for GSM).
    """
    return cut(encode(text, alphabet), alphabet, reference)


def outgoing(message: Outgoing, reference: int) -> list[Part]:
    """The parts of a message as it goes to a carrier: cut here, or the one part that the customer wrote.

    Raises as `split`.
    """
    alphabet = Alphabet(message.alphabet)
    data = user_data(message)
    if message.udh:
        return [Part(1, 1, reference, message.text, data, bytes.fromhex(message.udh))]
    return cut(data, alphabet, reference)


def user_data(message: Outgoing) -> bytes:
    """A message's user data, uncut (see `Part.octets` for what it is)."""
    if message.octets:
        return bytes.fromhex(message.octets)
    return encode(message.text, _ALPHABETS[message.alphabet])


def cut(data: bytes, alphabet: Alphabet, reference: int, *, wide: bool = False) -> list[Part]:
    """As `split`, from user data. `wide`: the reference has 16 bits, and the header one octet more."""
    if not 0 <= reference <= (65_535 if wide else 255):
        raise ValueError(f"a reference of {16 if wide else 8} bits is not {reference}")
    size = len(header(Concatenation(reference, 1, 1, wide)))
    found = [data[start:end] for start, end in _cut(data, alphabet, room(alphabet, size))]
    total = len(found)
    if total == 1:
        return [Part(1, 1, reference, decode(data, alphabet), data, b"")]
    if total > _MAX_PARTS:
        raise ValueError(f"{total} parts: a header counts to {_MAX_PARTS}")
    return [
        Part(
            number,
            total,
            reference,
            decode(piece, alphabet),
            piece,
            header(Concatenation(reference, total, number, wide)),
        )
        for number, piece in enumerate(found, 1)
    ]


def room(alphabet: Alphabet, header: int) -> int:
    """How many units (septets of GSM, else octets) one message holds beside a header of so many octets."""
    free = _OCTETS - header
    if alphabet is Alphabet.GSM:
        return free * 8 // 7
    return free & ~1 if alphabet is Alphabet.UCS2 else free


def header(concatenation: Concatenation) -> bytes:
    """The user data header that says this of a part, with its length octet."""
    place = bytes((concatenation.total, concatenation.number))
    if concatenation.wide:
        return bytes((6, _REFERENCE_16, 4)) + concatenation.reference.to_bytes(2, "big") + place
    return _HEADER + bytes((concatenation.reference,)) + place


def encode(text: str, alphabet: Alphabet) -> bytes:
    """User data of a text: see `Part.octets`. UnsuitableText or ValueError for what the alphabet lacks."""
    if alphabet is Alphabet.GSM:
        return gsm_encode(text)
    if alphabet is Alphabet.BINARY:
        return bytes.fromhex(text)
    return text.encode("utf-16-be" if alphabet is Alphabet.UCS2 else "latin-1")


def decode(data: bytes, alphabet: Alphabet) -> str:
    """The text of user data; what is no character of the alphabet shows as U+FFFD or a blank."""
    if alphabet is Alphabet.BINARY:
        return data.hex()
    if alphabet is Alphabet.GSM:
        return gsm_decode(data)
    if alphabet is Alphabet.UCS2:
        return data.decode("utf-16-be", "replace")
    return data.decode("latin-1")


def _cut(data: bytes, alphabet: Alphabet, room: int) -> Iterator[tuple[int, int]]:
    """Start and end of each part within the encoded text, as full as pairs and the room beside a header allow."""
    if len(data) <= _ALONE[alphabet]:
        yield 0, len(data)
        return
    start = 0
    while start < len(data):
        end = start + room
        if end < len(data):
            end -= _cut_off(data, end, alphabet)
        yield start, min(end, len(data))
        start = end


def _cut_off(data: bytes, end: int, alphabet: Alphabet) -> int:
    """How many octets before `end` are the first half of a pair."""
    if alphabet is Alphabet.GSM:
        # An escape is always a first half here: our own encoding never writes two in a row.
        return 1 if data[end - 1] == ESCAPE else 0
    if alphabet is Alphabet.UCS2:
        return 2 if 0xD8 <= data[end - 2] <= 0xDB else 0
    return 0


def read_udh(data: bytes) -> tuple[Concatenation | None, bytes]:
    """The concatenation that user data with a header (UDHI set) names, and the user data after the header.

    Other elements are skipped; of several references the last valid one counts. A header that does not fit
    its own lengths is none: (None, all of `data`). Number 0, total 0 or number > total: the element is
    ignored (§9.2.3.24.1).
    """
    if not data or data[0] >= len(data):
        return None, data
    header, rest = data[1 : data[0] + 1], data[data[0] + 1 :]
    found: Concatenation | None = None
    at = 0
    while at < len(header):
        if at + 2 > len(header) or at + 2 + header[at + 1] > len(header):
            return None, data
        element = header[at + 2 : at + 2 + header[at + 1]]
        found = _concatenation(header[at], element) or found
        at += 2 + len(element)
    return found, rest


def _concatenation(kind: int, element: bytes) -> Concatenation | None:
    if (kind, len(element)) not in ((_REFERENCE_8, 3), (_REFERENCE_16, 4)):
        return None
    reference, total, number = int.from_bytes(element[:-2], "big"), element[-2], element[-1]
    return Concatenation(reference, total, number, kind == _REFERENCE_16) if 1 <= number <= total else None


def join(texts: Mapping[int, str]) -> str:
    """One text from the texts of its parts by number, in that order; missing ones are simply not there."""
    return "".join(texts[number] for number in sorted(texts))


def join_octets(parts: Mapping[int, tuple[bytes, Alphabet]]) -> str:
    """One text from the user data of its parts by number, also where a sender cut a pair between two parts.

    Parts of one alphabet are decoded together as long as their numbers follow each other, so that what is lost in a
    gap spoils nothing after it. Half a surrogate pair becomes U+FFFD; NUL stays.
    """
    runs: list[tuple[bytes, Alphabet]] = []
    last: int | None = None
    for number in sorted(parts):
        octets, alphabet = parts[number]
        if last == number - 1 and runs[-1][1] is alphabet:
            runs[-1] = (runs[-1][0] + octets, alphabet)
        else:
            runs.append((octets, alphabet))
        last = number
    return "".join(decode(octets, alphabet) for octets, alphabet in runs)
