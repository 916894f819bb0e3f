"""How the bodies of PDUs lie on the wire: one table of fields per PDU, and the reader and writer that go by it.

Tolerant when reading: texts up to 64 octets whatever their field allows, in answers also a text without its
end and a body that stops early. Strict when writing (Unwritable). Source: 3.4 §4 and §5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.errors import Malformed, Unwritable
from rejoinder.smpp.pdu import Address, Failed, ListName, Pdu
from rejoinder.smpp.tlv import read_tlvs, write_tlvs

# What is read of a text field, its NUL apart: more than any allows, for peers whose ids and names are longer.
LONGEST_TEXT = 64
# What short_message may have when written; a length octet of 255 is read as well (5.0 §4.7.25).
LONGEST_MESSAGE = 254
_MOST_DESTINATIONS = 254
_BY_NUMBER, _BY_LIST = 1, 2

Read = Callable[[bytes, int, int], tuple[Any, int]]
Write = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, how it is read from data between two places, how it is written."""

    name: str
    read: Read
    write: Write


def short() -> Malformed:
    return Malformed(CommandStatus.ESME_RINVCMDLEN, "the PDU ends within its mandatory fields")


def octet(name: str) -> Field:
    """A whole number of one octet."""

    def read(data: bytes, at: int, end: int) -> tuple[int, int]:
        if at >= end:
            raise short()
        return data[at], at + 1

    def write(value: int) -> bytes:
        if not 0 <= value <= 255:
            raise Unwritable(f"{name} is one octet")
        return bytes((value,))

    return Field(name, read, write)


def text(name: str, most: int, status: int = CommandStatus.ESME_RINVPARLEN) -> Field:
    """A C-octet string of at most `most` octets, its NUL included; `status` says that this one was too long."""

    def read(data: bytes, at: int, end: int) -> tuple[str, int]:
        nul = data.find(b"\0", at, end)
        if nul < 0:
            raise short()
        if nul - at > LONGEST_TEXT:
            raise Malformed(status, f"{name} is longer than {LONGEST_TEXT} octets")
        return data[at:nul].decode("latin-1"), nul + 1

    def write(value: str) -> bytes:
        if len(value) >= most or "\0" in value or not value.isascii():
            raise Unwritable(f"{name} has at most {most - 1} ASCII characters, none of them NUL")
        return value.encode("ascii") + b"\0"

    return Field(name, read, write)


def moment(name: str, status: int) -> Field:
    """A time of 16 characters, or none (§7.1.1)."""
    plain = text(name, 17, status)

    def write(value: str) -> bytes:
        if len(value) not in (0, 16):
            raise Unwritable(f"{name} is a time of 16 characters, or empty")
        return plain.write(value)

    return Field(name, plain.read, write)


def message() -> Field:
    """sm_length and short_message."""

    def read(data: bytes, at: int, end: int) -> tuple[bytes, int]:
        if at >= end:
            raise short()
        stop = at + 1 + data[at]
        if stop > end:
            raise Malformed(CommandStatus.ESME_RINVMSGLEN, "sm_length reaches beyond the PDU")
        return data[at + 1 : stop], stop

    def write(value: bytes) -> bytes:
        if len(value) > LONGEST_MESSAGE:
            raise Unwritable(f"short_message has at most {LONGEST_MESSAGE} octets")
        return bytes((len(value),)) + value

    return Field("short_message", read, write)


_TON, _NPI = octet("ton"), octet("npi")
_ADDRESS = text("address", 21, CommandStatus.ESME_RINVDSTADR)
_LIST_NAME = text("dl_name", 21, CommandStatus.ESME_RINVDLNAME)


def destinations() -> Field:
    """number_of_dests and the destinations of a submit_multi (§4.5.1.1)."""

    def read(data: bytes, at: int, end: int) -> tuple[tuple[Address | ListName, ...], int]:
        count, at = _TON.read(data, at, end)
        found: list[Address | ListName] = []
        for _ in range(count):
            flag, at = _TON.read(data, at, end)
            if flag == _BY_LIST:
                name, at = _LIST_NAME.read(data, at, end)
                found.append(ListName(name))
            elif flag == _BY_NUMBER:
                values, at = _fields((_TON, _NPI, _ADDRESS), data, at, end)
                found.append(Address(*values))
            else:
                raise Malformed(CommandStatus.ESME_RINVDESTFLAG, "a destination is neither number nor list")
        return tuple(found), at

    def write(value: Sequence[Address | ListName]) -> bytes:
        if not 1 <= len(value) <= _MOST_DESTINATIONS:
            raise Unwritable(f"a submit_multi has 1 to {_MOST_DESTINATIONS} destinations")
        pieces = [bytes((len(value),))]
        for one in value:
            if isinstance(one, ListName):
                pieces += [bytes((_BY_LIST,)), _LIST_NAME.write(one.name)]
            else:
                pieces += [
                    bytes((_BY_NUMBER,)),
                    _TON.write(one.ton),
                    _NPI.write(one.npi),
                    _ADDRESS.write(one.address),
                ]
        return b"".join(pieces)

    return Field("destinations", read, write)


def failures() -> Field:
    """no_unsuccess and the destinations that were not reached (§4.5.2)."""

    def read(data: bytes, at: int, end: int) -> tuple[tuple[Failed, ...], int]:
        count, at = _TON.read(data, at, end)
        found = []
        for _ in range(count):
            (ton, npi, address), at = _fields((_TON, _NPI, _ADDRESS), data, at, end)
            if at + 4 > end:
                raise short()
            found.append(Failed(ton, npi, address, int.from_bytes(data[at : at + 4], "big")))
            at += 4
        return tuple(found), at

    def write(value: Sequence[Failed]) -> bytes:
        if len(value) > 255:
            raise Unwritable("a submit_multi_resp counts to 255")
        pieces = [bytes((len(value),))]
        for one in value:
            if not 0 <= one.status <= 0xFFFF_FFFF:
                raise Unwritable("a status has four octets")
            pieces += [_TON.write(one.ton), _NPI.write(one.npi), _ADDRESS.write(one.address)]
            pieces.append(one.status.to_bytes(4, "big"))
        return b"".join(pieces)

    return Field("unsuccess", read, write)


def _fields(fields: Sequence[Field], data: bytes, at: int, end: int) -> tuple[list[Any], int]:
    values = []
    for field in fields:
        value, at = field.read(data, at, end)
        values.append(value)
    return values, at


@dataclass(frozen=True, slots=True)
class Layout:
    """The body of one kind of PDU."""

    kind: type[Pdu]
    fields: tuple[Field, ...]

    def read(self, data: bytes, at: int, end: int) -> Pdu:
        """The PDU whose body stands from `at` to `end`. Raises Malformed."""
        values, at = _fields(self.fields, data, at, end)
        return self.kind(*values, read_tlvs(data, at, end) if at < end else ())

    def read_answer(self, data: bytes, at: int, end: int) -> Pdu:
        """The same of a response, which is taken however little of it came or can be read: its status counts."""
        values: list[Any] = []
        for field in self.fields:
            try:
                value, at = field.read(data, at, end)
            except Malformed:
                # Some end their answers without the NUL; what is there is the id.
                rest = data[at:end]
                if field.read is self.fields[0].read and 0 < len(rest) <= LONGEST_TEXT and b"\0" not in rest:
                    return self.kind(rest.decode("latin-1"))
                return self.kind(*values)
            values.append(value)
        try:
            return self.kind(*values, read_tlvs(data, at, end))
        except Malformed:
            return self.kind(*values)

    def write(self, pdu: Pdu) -> bytes:
        """The body's octets. Raises Unwritable."""
        body = b"".join([field.write(getattr(pdu, field.name)) for field in self.fields])
        tlvs = pdu.tlvs  # type: ignore[attr-defined]  # every PDU has them
        return body + write_tlvs(tlvs) if tlvs else body
