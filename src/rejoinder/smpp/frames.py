"""Where one PDU of a stream ends and the next begins.

Refuses a length that no PDU has before anything is kept for it: what follows can't be told apart any more. Keeps
no more than the PDU that is not whole yet. Turns submits away that there is no room for: a side that is overloaded does
little else, so their headers have to suffice, and nothing is made of them but their answers.
"""

from __future__ import annotations

from rejoinder.smpp.codec import HEADER
from rejoinder.smpp.constants import LONGEST_PDU, RESPONSE, SHORTEST_PDU
from rejoinder.smpp.window import FULL, SUBMITS, Room

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

    def cut(self, data: bytes, room: Room | None = None) -> tuple[bytes, list[Frame]]:
        """The octets that are here, and the whole PDUs in them, but for submits beyond the `room` (None: any number)."""
        data = self._rest + data if self._rest else data
        frames: list[Frame] = []
        at, end = 0, len(data)
        left = float("inf") if room is None else room.left
        away: list[int] = []
        while end - at >= SHORTEST_PDU:
            length, command, status, sequence = _header(data, at)
            if not SHORTEST_PDU <= length <= LONGEST_PDU:
                self.wrong = sequence
                break
            if at + length > end:
                break
            if command in SUBMITS and (left := left - 1) < 0:
                away += (SHORTEST_PDU, command | RESPONSE, FULL, sequence)
            else:
                frames.append((command, status, sequence, at + SHORTEST_PDU, at + length))
            at += length
        self._rest = data[at:] if at < end and self.wrong is None else b""
        if away and room is not None:
            room.turn_away(away)
        return data, frames
