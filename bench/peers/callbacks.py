"""`python -m bench.peers.callbacks`: the customer's server that a gateway calls with receipts and MOs; it counts them.

`GET /dlr?kind=…&id=…` is a receipt, `GET /mo?id=…` an MO, `GET /counts` tells what came. It prints its address. It
refuses nothing: what is called twice, or is not of kind 1 (delivered), shows in the counts.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import msgspec
import uvloop

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
DELIVERED = b"kind=1&"


class Counts(msgspec.Struct):
    """Calls that came, and different ids in them; `last`: the monotonic second, the machine's, of the latest call."""

    receipts: int = 0
    delivered: int = 0
    different_receipts: int = 0
    mos: int = 0
    different_mos: int = 0
    last: float = 0.0


class Tally:
    """What all connections share."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._receipts: set[bytes] = set()
        self._mos: set[bytes] = set()

    def took(self, path: bytes) -> bytes:
        """Counts a call; the answer to it."""
        counts = self._counts
        if path.startswith(b"/counts"):
            counts.different_receipts, counts.different_mos = len(self._receipts), len(self._mos)
            body = msgspec.json.encode(counts)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        name = path.rpartition(b"id=")[2]
        if path.startswith(b"/dlr?"):
            counts.receipts += 1
            counts.delivered += DELIVERED in path
            self._receipts.add(name)
        else:
            counts.mos += 1
            self._mos.add(name)
        counts.last = time.monotonic()
        return EMPTY


class Connection(asyncio.Protocol):
    """One kept-open connection; requests have no body."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # by class uvloop's are none

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(b"".join(self._tally.took(head.split(b" ", 2)[1]) for head in heads))


async def serve() -> None:
    """Until it is ended."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
