"""Bugs put in from outside, one at a time, for negative controls: a fuzzer that finds none of them finds nothing."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from rejoinder.smpp import codec, frames, layout, session

Patched = contextlib.AbstractContextManager[Any]
_leaked: list[bytes] = []
_LEAK = 1 << 20


def _unchecked(data: bytes, at: int, end: int) -> Any:
    """Optional parameters by a reader that believes their lengths, and what stands at their end."""
    found = []
    while at < end:
        tag, length = struct.unpack_from(">HH", data, at)
        found.append((tag, data[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(found)


def _slow(right: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Time grows with the third power of a PDU's length, as where every two places in it are tried for every third."""

    def decode(frame: bytes) -> Any:
        for _ in range(min(len(frame), 500) ** 3 // 3 if len(frame) > 400 else 0):
            pass
        return right(frame)

    return decode


def _leaking(right: Callable[..., Any]) -> Callable[..., Any]:
    def cut(self: Any, data: bytes) -> Any:
        _leaked.append(b"x" * _LEAK)
        return right(self, data)

    return cut


def _forgetting(right: Callable[..., Any]) -> Callable[..., Any]:
    """A request that is refused gets no answer where its sequence number has its highest bit."""

    def refuse(self: Any, command: int, sequence: int, status: int) -> None:
        if sequence < 0x8000_0000:
            right(self, command, sequence, status)

    return refuse


PLANTS: dict[str, Callable[[], Iterator[Patched]]] = {
    "raises": lambda: iter([patch.object(layout, "read_tlvs", _unchecked)]),
    "slow": lambda: iter([patch.object(codec, "decode", _slow(codec.decode))]),
    "forgets": lambda: iter([patch.object(session.Session, "_refuse", _forgetting(session.Session._refuse))]),
    "leaks": lambda: iter([patch.object(frames.Frames, "cut", _leaking(frames.Frames.cut))]),
}


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with this bug in it, while the block runs; with none for an empty name."""
    with contextlib.ExitStack() as stack:
        for one in PLANTS[name]() if name else ():
            stack.enter_context(one)
        yield


def mend() -> None:
    """Gives back what was leaked on purpose."""
    _leaked.clear()
