"""sendSingle2 over many kept connections, one request at a time on each, as customers' HTTP clients send.

Requests and answers are handled as bytes: all the load has to fit one core. Refuses nothing; what is neither an
acceptance nor a proper refusal (503 with Retry-After) is counted as wrong.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import cast
from urllib.parse import urlencode

from faults.load.tally import Tally

FIRST_RECIPIENT = 61_400_000_000
OPEN_AT_ONCE = 100


class _Link(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_customers", "_rest", "due", "tally", "transport")

    def __init__(self, customers: HttpCustomers) -> None:
        self._customers = customers
        self._rest = b""
        self.due = 0.0
        self.tally: Tally | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        if self.tally is not None:
            self.tally.broken += 1
        self._customers.lost(self)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        # Our bodies are flat objects, and nothing is asked before the last answer is there.
        if not data.endswith(b"}"):
            self._rest = data
            return
        self._rest = b""
        tally, self.tally = self.tally, None
        if tally is not None:
            _judge(tally, time.monotonic() - self.due, data)
        self._customers.free(self)


def _judge(tally: Tally, seconds: float, answer: bytes) -> None:
    status = answer[9:12]
    if status == b"200" and b'"messageStatus":10' in answer:
        at = answer.index(b'"documentId":"') + 14
        tally.accept(seconds, answer[at : at + 24].decode())
    elif status == b"503" and b"\r\nretry-after: " in answer:
        tally.refused.add(seconds)
    else:
        tally.wrong[
            answer[9:12].decode("latin-1") + " " + answer.rpartition(b"\r\n")[2][:80].decode("latin-1")
        ] += 1


class HttpCustomers:
    """Customers of one server; all speak as one user, each from a connection of its own."""

    def __init__(self, port: int, username: str, password: str, most: int) -> None:
        self._port = port
        self._most = most
        self._idle: deque[_Link] = deque()
        self._all: set[_Link] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self.saturated = Tally()
        self._closed_loop: Tally | None = None
        self._recipient = FIRST_RECIPIENT
        body = urlencode({"username": username, "password": password, "text": "Coffee at ten past six?"})
        self._body = body.encode() + b"&recipient="
        self._head = (
            b"POST /services/rest/message/sendSingle2 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
        ) % (len(self._body) + 11)

    async def open(self, count: int) -> None:
        """Opens so many more connections."""
        for begin in range(0, count, OPEN_AT_ONCE):
            await asyncio.gather(*(self._open() for _ in range(min(OPEN_AT_ONCE, count - begin))))

    def most_open(self, short: bool) -> int:
        """How many more to open before arrivals begin, so that none has to wait for one."""
        return (300 if short else self._most) - len(self._all)

    async def _open(self) -> _Link:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: _Link(self), "127.0.0.1", self._port)
        self._all.add(link)
        self.free(link)
        return link

    def send(self, due: float, tally: Tally) -> None:
        """Sends one now. Raises LookupError when all connections are busy and no more may be opened."""
        if self._idle:
            self._write(self._idle.popleft(), due, tally)
            return
        if len(self._all) + len(self._opening) >= self._most:
            raise LookupError("every connection is busy")
        task = asyncio.create_task(self._open_and_send(due, tally))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_and_send(self, due: float, tally: Tally) -> None:
        try:
            await self._open()
            link = self._idle.pop()
        except (OSError, IndexError):
            tally.broken += 1
            return
        self._write(link, due, tally)

    def _write(self, link: _Link, due: float, tally: Tally) -> None:
        if link.transport is None:
            tally.broken += 1
            return
        link.due, link.tally = due, tally
        self._recipient += 1
        link.transport.write(b"%b%b%d" % (self._head, self._body, self._recipient))

    def free(self, link: _Link) -> None:
        """It has its answer."""
        if self._closed_loop is not None:
            self._write(link, time.monotonic(), self._closed_loop)
        else:
            self._idle.append(link)

    def lost(self, link: _Link) -> None:
        self._all.discard(link)
        if link in self._idle:
            self._idle.remove(link)

    async def saturate(self, connections: int, seconds: float) -> float:
        """Closed loop: as many at once as connections, each waits for its answer; acceptances a second."""
        await self.open(max(0, connections - len(self._all)))
        tally = Tally()
        spare = [self._idle.pop() for _ in range(len(self._idle) - connections)]
        self._closed_loop = tally
        for _ in range(len(self._idle)):
            self.free(self._idle.popleft())
        begun = time.monotonic()
        await asyncio.sleep(seconds)
        rate = tally.accepted.count / (time.monotonic() - begun)
        self._closed_loop = None
        await self.settled()
        self._idle.extend(spare)
        self.saturated = tally
        return rate

    async def settled(self, seconds: float = 30.0) -> None:
        """Until every request is answered, for so long at most; what is not is counted as broken."""
        deadline = time.monotonic() + seconds
        while (self._opening or any(link.tally for link in self._all)) and time.monotonic() < deadline:  # noqa: ASYNC110  # answers set no event
            await asyncio.sleep(0.02)
        for link in self._all:
            if link.tally is not None:
                link.tally.wrong["no answer"] += 1
                link.tally = None

    def close(self) -> None:
        for link in list(self._all):
            link.tally = None
            if link.transport is not None:
                link.transport.abort()
