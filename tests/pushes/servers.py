"""Customers' servers over real sockets: good ones, and each kind of bad one.

A server is a coroutine on a connection; what it was asked is kept whole. All listen on 127.0.0.1, at ports that the
system chooses.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Asked:
    """One request as its bytes came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


Behaviour = Callable[["CustomersServer", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class CustomersServer:
    """One server: its behaviour, its port, and what it was asked."""

    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    dialled: int = 0
    answer: bytes = OK
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, rest: str = "/push", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{rest}"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dialled += 1
        self.arrived.set()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            await self.behaviour(self, reader, writer)
        writer.close()

    async def read(self, reader: asyncio.StreamReader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)
        return asked


async def good(server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    writer.write(server.answer)
    await writer.drain()


async def hanging(server: CustomersServer, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await server.read(reader)
    await reader.read()


async def dripping(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    while not writer.is_closing():
        writer.write(b"H" if server.dialled < 0 else b"X")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_headers(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_body(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def resetting(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.transport.abort()


async def huge_body(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    server.sent = 0  # type: ignore[attr-defined]  # read by the test
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        server.sent += 65_536  # type: ignore[attr-defined]  # as above
        await writer.drain()


async def huge_headers(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Header: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def not_http(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()


@contextlib.asynccontextmanager
async def customers_server(
    behaviour: Behaviour = good, tls: ssl.SSLContext | None = None
) -> AsyncIterator[CustomersServer]:
    """Listens until the end of the block."""
    served = CustomersServer(behaviour, tls)
    listening: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.add(writer)
        try:
            await served(reader, writer)
        finally:
            listening.discard(writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, backlog=1024)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for writer in list(listening):
            writer.transport.abort()
        await asyncio.sleep(0)
