"""Where one PDU of a stream ends and the next begins.

Refuses a length that no PDU has before anything is kept for it: what follows can't be told apart any more. Keeps
no more than the PDU that is not whole yet.
"""

from __future__ import annotations

from rejoinder.smpp.codec import HEADER
from rejoinder.smpp.constants import LONGEST_PDU, SHORTEST_PDU

_header = HEADER.unpack_from

# command, status, sequence, and where the body begins and ends.
Frame = tuple[int, int, int, int, int]


class Frames:
    """The octets of a connection, cut."""

    __slots__ = ("_rest", "wrong")

    def __init__(self) -> None:
        self._rest = b""
        self.wrong: int | None = None
        """The sequence number of a PDU whose length is impossible: the stream ends with it."""

    def cut(self, data: bytes) -> tuple[bytes, list[Frame]]:
        """The octets that are here, and the whole PDUs in them."""
        data = self._rest + data if self._rest else data
        frames: list[Frame] = []
        at, end = 0, len(data)
        while end - at >= SHORTEST_PDU:
            length, command, status, sequence = _header(data, at)
            if not SHORTEST_PDU <= length <= LONGEST_PDU:
                self.wrong = sequence
                break
            if at + length > end:
                break
            frames.append((command, status, sequence, at + SHORTEST_PDU, at + length))
            at += length
        self._rest = data[at:] if at < end and self.wrong is None else b""
        return data, frames
