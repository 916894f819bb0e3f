"""`python -m faults.fuzz.others HTTP_PORT SMPP_PORT FILE`: the well-behaved clients of a server that is being fuzzed.

A process of its own, so that what the fuzzer computes does not delay them: two pollers, a sender, and an ESME where there
is an SMPP port. Each call's kind and seconds go to the file as they come. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

import uvloop

from faults.server import PASSWORD, USERS
from tests.smpp.esme import SECRET, Esme

# When it began (monotonic seconds), its kind, how many seconds it took, whether it was answered well.
SAMPLE = struct.Struct("<dBd?")
KINDS = ("poll", "post", "send", "submit_sm")
PAUSE = 0.02
ESME = "behaves"
PATIENCE = 20
Call = Callable[[], Awaitable[bool]]


class _Http:
    """A connection that stays."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, octets: bytes) -> bool:
        """Whether it was answered with a 200 and the status 0, or an id."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(octets)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        return head.startswith(b"HTTP/1.1 200 ") and (b'"status":0' in body or b"documentId" in body)

    def forget(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def _repeat(kind: int, call: Call, file: BinaryIO, lost: Callable[[], object]) -> None:
    while True:
        begun, good = time.monotonic(), False
        try:
            async with asyncio.timeout(PATIENCE):
                good = await call()
        except (OSError, EOFError, TimeoutError):
            lost()
            await asyncio.sleep(0.1)
        file.write(SAMPLE.pack(begun, kind, time.monotonic() - begun, good))
        file.flush()
        await asyncio.sleep(PAUSE)


def _request(method: str, path: str, **form: str) -> bytes:
    said = urlencode(form)
    target, body = (f"{path}?{said}", "") if method == "GET" else (path, said)
    more = (
        f"Content-Length: {len(body)}\r\nContent-Type: application/x-www-form-urlencoded\r\n" if body else ""
    )
    return f"{method} /services/rest/{target} HTTP/1.1\r\nHost: a\r\n{more}\r\n{body}".encode()


async def _behave(http_port: int, smpp_port: int, file: BinaryIO) -> None:
    poll = {"username": USERS[0], "password": PASSWORD, "since": "1"}
    send = {"username": USERS[1], "password": PASSWORD, "recipient": "61255588885", "text": "hello"}
    said = (
        _request("GET", "user/allMessages", **poll),
        _request("POST", "user/messages", **poll),
        _request("POST", "message/sendSingle2", **send),
    )
    async with asyncio.TaskGroup() as group:
        for kind, octets in enumerate(said):
            client = _Http(http_port)
            group.create_task(_repeat(kind, lambda c=client, o=octets: c.ask(o), file, client.forget))
        if smpp_port:
            async with Esme(smpp_port) as esme:
                assert await esme.bind(ESME, SECRET) == 0

                async def submit() -> bool:
                    return (await esme.submit(source_addr="", registered_delivery=1)).status == 0

                group.create_task(_repeat(len(said), submit, file, lambda: None))
                await _end_of_input()
        else:
            await _end_of_input()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def _end_of_input() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    await ended.wait()


def main() -> None:
    http_port, smpp_port, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with Path(name).open("ab") as file:
        uvloop.run(_behave(http_port, smpp_port, file))


if __name__ == "__main__":
    main()
