"""What protocol.py keeps of a request that needs no ASGI cycle, and the octets of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from rejoinder.endpoints.http.responses import Response

Headers = Sequence[tuple[bytes, bytes]]
_CLOSES = (b"connection", b"close")
# Bounds memory, with heads of at most so many bytes: about 12 MB.
_MOST_HEADS = 4_000
LONGEST_HEAD = 2_000


@dataclass(frozen=True, slots=True)
class Plain:
    """A request whose every byte is there."""

    method: str
    url: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""


class KnownHead(msgspec.Struct, frozen=True):
    """A head that the parser found to be a plain POST's."""

    url: bytes
    headers: Sequence[tuple[bytes, bytes]]
    length: int


class KnownHeads(dict[bytes, KnownHead]):
    """Heads by their bytes: clients repeat theirs, but for the length of the body, with every message."""

    def learn(self, head: bytes, known: KnownHead) -> None:
        """The oldest leaves a full memory."""
        if len(self) >= _MOST_HEADS:
            del self[next(iter(self))]
        self[head] = known


class UnderWay:
    """Stands where uvicorn keeps a request's cycle, while its answer is being made.

    `ends`: the answer is given up when nobody is there to read it; what changes something is carried to its end.
    """

    __slots__ = ("_left", "disconnected", "ends", "keep_alive", "path", "response_complete", "task")

    def __init__(self, path: bytes, ends: bool) -> None:
        self.path = path
        self.task: asyncio.Task[None] | None = None
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False
        self.ends = ends
        self._left: asyncio.Event | None = None

    @property
    def message_event(self) -> UnderWay:
        return self

    def set(self) -> None:
        """What uvicorn calls when the connection is lost: nobody is there to be answered."""
        if self.task is not None and self.ends:
            self.task.cancel()
        if self._left is not None:
            self._left.set()

    async def receive(self) -> dict[str, Any]:
        """ASGI's, for the `Api`, which has the body: the caller's going away."""
        if not self.disconnected:
            self._left = asyncio.Event()
            await self._left.wait()
        return {"type": "http.disconnect"}


class Heads:
    """The head of a 200 up to the length of its body; made anew with the date, once a second."""

    def __init__(self) -> None:
        self._made_of: Sequence[tuple[bytes, bytes]] | None = None
        self._head = b""

    def of(self, standing: Sequence[tuple[bytes, bytes]]) -> bytes:
        if standing is not self._made_of:
            lines = [b"HTTP/1.1 200 OK", *(b"%b: %b" % pair for pair in standing)]
            lines += [b"content-type: application/json", b"cache-control: no-store", b"content-length: "]
            self._made_of, self._head = standing, b"\r\n".join(lines)
        return self._head


class Prepared:
    """An answer's bytes, which stay the same but for the date: made anew with it, once a second."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._made_of: Headers | None = None
        self._octets = b""

    def of(self, standing: Headers) -> bytes:
        if standing is not self._made_of:
            self._made_of, self._octets = standing, written(self._response, standing)
        return self._octets


def written(response: Response, standing: Headers, closes: bool = False) -> bytes:
    """An answer's octets. `standing`: headers that every answer has; `closes`: it is the connection's last."""
    headers = [*standing, *response.headers(), *([_CLOSES] if closes else [])]
    lines = [STATUS_LINE[response.status], *(b"%b: %b\r\n" % pair for pair in headers)]
    return b"".join([*lines, b"\r\n", response.body])
