"""From a recording to what the disk may hold after the power went: synced writes stand, later ones may not.

A write that was not synced before the cut is dropped, kept, or torn at a sector, each by chance and by itself; so are
truncations. Refuses nothing: a recording that ends inside a record ends before it, as a killed process leaves it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_SIZES = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Record:
    """One call: its kind (w, t, s, u), the file, where and how much, and where its record ends in the log."""

    kind: str
    name: str
    offset: int
    length: int
    data: bytes
    ends_at: int


def records(log: Path) -> Iterator[Record]:
    """The recording in order."""
    content = log.read_bytes()
    at = 0
    while at + 5 <= len(content):
        kind = chr(content[at])
        (size,) = struct.unpack_from("<I", content, at + 1)
        start = at + 5 + size
        if start + 16 > len(content):
            return
        offset, length = _SIZES.unpack_from(content, start)
        end = start + 16 + (length if kind == "w" else 0)
        if end > len(content):
            return
        yield Record(kind, content[at + 5 : start].decode(), offset, length, content[start + 16 : end], end)
        at = end


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)


class Disk:
    """The files as a recording has made them so far; `image` is what one power cut leaves of them."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def take(self, record: Record) -> None:
        file = self._files.setdefault(record.name, _File())
        if record.kind == "u":
            del self._files[record.name]
        elif record.kind == "s":
            for pending in file.pending:
                _apply(file.durable, pending, pending.length)
            file.pending.clear()
        else:
            file.pending.append(record)

    def image(self, draw: random.Random) -> dict[str, bytes]:
        """File name to content: everything synced, and of the rest what chance lets stand."""
        found = {}
        for name, file in self._files.items():
            content = bytearray(file.durable)
            fate = draw.choice(("drop all", "keep all", "each"))
            for pending in file.pending:
                _let_stand(content, pending, fate, draw)
            found[name] = bytes(content)
        return found


def _let_stand(content: bytearray, record: Record, fate: str, draw: random.Random) -> None:
    if fate == "each":
        fate = draw.choice(("drop all", "keep all", "torn"))
    if fate == "keep all":
        _apply(content, record, record.length)
    elif fate == "torn" and record.kind == "w":
        _apply(content, record, draw.randrange(record.length + 1) // SECTOR * SECTOR)


def _apply(content: bytearray, record: Record, length: int) -> None:
    if record.kind == "t":
        if record.length < len(content):
            del content[record.length :]
        else:
            content.extend(bytes(record.length - len(content)))
        return
    if len(content) < record.offset:
        content.extend(bytes(record.offset - len(content)))
    content[record.offset : record.offset + length] = record.data[:length]
