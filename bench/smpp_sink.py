"""`python -m bench.smpp_sink`: an SMPP centre that accepts every bind and answers every submit at once.

It prints its address. It reads no body and keeps nothing: the answer is made of the header's sequence number alone,
so that the sink is never what is slow.
"""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import cast

import uvloop

_HEADER = Struct(">IIII")
_SUBMIT, _RESPONSE = 4, 0x8000_0000
_ID = b"m1\0"


class Sink(asyncio.Protocol):
    """One client."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # By class uvloop's transports are none.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        data = self._rest + data
        at, answers = 0, []
        while len(data) - at >= 16:
            length, command, _, sequence = _HEADER.unpack_from(data, at)
            if at + length > len(data):
                break
            at += length
            body = _ID if command == _SUBMIT else b"sink\0" if command < 16 and command != 6 else b""
            answers.append(_HEADER.pack(16 + len(body), command | _RESPONSE, 0, sequence) + body)
        self._rest = data[at:]
        self._transport.write(b"".join(answers))


async def serve() -> None:
    """Until it is ended."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
