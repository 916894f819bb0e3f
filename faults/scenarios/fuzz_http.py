"""A million raw HTTP requests, right in their framing or spoiled, to every operation, while other clients go on.

Every request that is right in its framing has an answer that the contract allows; of other octets only their connection
may suffer, which ends when its client has said all. What ends like a head that the connection knows is answered as on a
connection that does not know it, and as with a header that shuts the short way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
from collections.abc import Sequence
from urllib.parse import urlencode

from faults.fuzz.arena import FUZZ, STILL, Wrong, control, search
from faults.fuzz.requests import Request, RequestSource, Script, Twins, operations
from faults.run import Found, Say, Scenario
from faults.server import PASSWORD, Server

ALLOWED = frozenset({200, 304, 400, 401, 404, 405, 408, 413, 415, 429, 431, 503})
# Longer than any answer takes; whoever waits longer hangs. A poll may wait for 60 s where `wait` says so, however spelt.
PATIENCE = 80.0
# What is spoiled may have no end: so long its sender waits for a first answer before it says that it has said all.
GRACE = 0.05
TWINS = 0.12
# The same of twins, whose answers are compared: longer than any of theirs takes.
SILENCE = 0.5
_LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# An answer that tells the time may differ once.
TRIES = 3
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")
_CHANGING = re.compile(rb"\r\n(?:date|connection): [^\r\n]*", re.IGNORECASE)
_SHUTS_THE_SHORT_WAY = b"\r\nExpect: nothing\r\n"
PLAUSIBLE = {
    "username": (FUZZ,),
    "password": (PASSWORD,),
    "reseller": ("acme",),
    "resellerName": ("acme",),
    "resellerPassword": (PASSWORD,),
    "customer": ("shop",),
    "since": ("0", "1", "-1", "1700000000", "4000000000"),
    "wait": ("0", "1"),
    "text": ("Hello mommy", "€ Ωφ", "😀 hi", "x" * 161),
    "recipient": ("61255588885", "+61255588886", "61255588887"),
    "sender": ("", "", "FUZZ", "61500070001"),
    "replyTo": ("log", "http://127.0.0.1:9/{{from}}"),
    "rotation": ("max_rotation", "conversation"),
    "encoding": ("auto", "gsm", "utf-16"),
    "clientRef": ("a", "b"),
    "validity": ("60", "3600"),
    "scheduleAt": ("1", "0"),
    "documentId": ("51750a01e4b0d1406c9c5fdb",),
    "creditsToAdd": ("1", "0.001", "-1"),
    "name": ("shop",),
    "email": ("a@example.org",),
    "phoneNumber": ("61255588885",),
    "applyFreeCredits": ("true", "false"),
    "from": ("61255588885",),
    "to": ("61500070001", "61500070002"),
    "id": ("m1", "m2", "m3"),
    "status": ("DELIVRD", "EXPIRED"),
}


class HttpFuzzer:
    """Speaks on one connection at a time for each call."""

    name = "fuzz-http"

    def __init__(self, seed: int, patience: float = PATIENCE) -> None:
        self._draw = random.Random(f"{seed} http")
        self._patience = patience
        self._port = 0
        self._source: RequestSource | None = None

    async def prepare(self, server: Server) -> None:
        """Reads the server's description, and gives the mailbox that stands still something to show."""
        self._port = server.port
        form = {"username": STILL, "password": PASSWORD, "recipient": "61255588885"}
        path = b"/services/rest/message/sendSingle2?"
        async with _Connection(self._port) as connection:
            for number in range(3):
                said = urlencode({**form, "text": f"message {number}"}).encode()
                await connection.ask(_get(path + said))
            _, document = await connection.ask(_get(b"/openapi.json"))
        # What a log-in of an unknown name takes of memory (19 MB in each of two threads) is taken before it counts.
        await asyncio.gather(*(self._login(number) for number in range(8)))
        still = urlencode({"username": STILL, "password": PASSWORD})
        self._source = RequestSource(self._draw, operations(json.loads(document)), PLAUSIBLE, still)

    async def _login(self, number: int) -> None:
        async with _Connection(self._port) as connection:
            said = f"/services/rest/user/creditBalance?username=nobody{number}&password={number}"
            await connection.ask(_get(said.encode()))

    async def fuzz(self) -> int:
        assert self._source is not None
        if self._draw.random() < TWINS:
            await self._compare(self._source.twins())
            return 4
        script = self._source.next()
        await self._say(script)
        return script.units

    async def honest(self) -> int:
        assert self._source is not None
        script = self._source.plain()
        await self._say(script)
        return script.units

    async def _say(self, script: Script) -> None:
        """The whole script; raises Wrong."""
        said = [request.octets for request in script.requests]
        asked = b""
        try:
            async with asyncio.timeout(self._patience), _Connection(self._port) as connection:
                for request in script.requests:
                    asked = request.octets
                    status, body = await connection.ask(request)
                    _check(status, body, asked)
                    if connection.over:
                        return
                asked = b"".join([*said, script.spoiled])
                if script.spoiled:
                    for status in statuses(await connection.say_all(script.spoiled)):
                        _check(status, b"", asked)
        except TimeoutError:
            raise Wrong(f"no answer and no end within {self._patience:.0f} s", asked) from None
        except (EOFError, OSError) as error:
            raise Wrong(f"{type(error).__name__} instead of an answer", asked) from None
        except ValueError as error:
            raise Wrong(f"an answer that is none: {error}", asked) from None

    async def _compare(self, twins: Twins) -> None:
        """What a connection answers that knows the head, one that doesn't, and one whose short way is shut."""
        # Blank lines may stand before a request.
        begins = len(twins.strange) - len(twins.strange.lstrip(b"\r\n"))
        request = twins.strange[begins:].replace(b"\r\n", _SHUTS_THE_SHORT_WAY, 1)
        shut = twins.strange[:begins] + request
        heard: list[bytes] = []
        try:
            async with asyncio.timeout(self._patience):
                for _ in range(TRIES):
                    heard = await asyncio.gather(
                        self._hear([twins.known, twins.known], twins.strange),
                        self._hear([], twins.strange),
                        self._hear([], shut),
                    )
                    # After some wrong names the log-in guard answers alike on all ways, but not always at once.
                    if len(set(heard)) == 1 or any(b"HTTP/1.1 429 " in one for one in heard):
                        return
        except TimeoutError:
            raise Wrong(f"no answer and no end within {self._patience:.0f} s", twins.strange) from None
        except (EOFError, OSError) as error:
            raise Wrong(f"{type(error).__name__} instead of an answer", twins.strange) from None
        ends = " | ".join(repr(one[-300:]) for one in heard)
        raise Wrong(f"the ways in answer differently: {ends}", twins.strange)

    async def _hear(self, known: Sequence[bytes], strange: bytes) -> bytes:
        async with _Connection(self._port) as connection:
            for octets in known:
                await connection.ask(Request(octets, b"GET"))
            return _CHANGING.sub(b"", await connection.say_and_leave(strange))


def _get(target: bytes) -> Request:
    return Request(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET")


class _Connection:
    """One socket to the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.over = False

    async def __aenter__(self) -> _Connection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, request: Request) -> tuple[int, bytes]:
        """The one answer to a request that is right in its framing."""
        self._writer.write(request.octets)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if head == CONTINUE:
            head = await self._reader.readuntil(b"\r\n\r\n")
        found = _STATUS.match(head)
        if found is None:
            raise ValueError(repr(head[:60]))
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        self.over = lines.get(b"connection") == b"close"
        length = 0 if request.method == b"HEAD" else int(lines.get(b"content-length", 0))
        return int(found[1]), await self._reader.readexactly(length)

    async def say_and_leave(self, octets: bytes) -> bytes:
        """All that comes back on octets and, once something has, on a last request that ends the connection."""
        heard = b""
        self._writer.write(octets)
        with contextlib.suppress(OSError):
            async with asyncio.timeout(SILENCE):
                heard = await self._reader.read(1 << 16)
        return heard + await self.say_all(_LAST, SILENCE)

    async def say_all(self, octets: bytes, grace: float = GRACE) -> bytes:
        """All that comes back, to the end: what is said here is the last."""
        heard = b""
        self._writer.write(octets)
        try:
            async with asyncio.timeout(grace):
                heard = await self._reader.read(1 << 16)
                # More answers follow the first one at once, or not at all.
                while more := await self._reader.read(1 << 16):
                    heard += more
                return heard
        except TimeoutError:
            pass
        except OSError:
            return heard
        try:
            self._writer.write_eof()
            while more := await self._reader.read(1 << 16):
                heard += more
        except (OSError, RuntimeError):
            # A server that has heard enough may hang up before it has read all.
            pass
        return heard


def statuses(heard: bytes) -> list[int]:
    """The HTTP statuses in what came back. ValueError for what is no answer."""
    if heard and not _STATUS.match(heard):
        raise ValueError(repr(heard[:60]))
    return [int(found[1]) for found in _STATUS.finditer(heard) if found[1] != b"100"]


def _check(status: int, body: bytes, octets: bytes) -> None:
    if status not in ALLOWED:
        raise Wrong(f"HTTP status {status}", octets)
    if b"Traceback" in body:
        raise Wrong("a traceback in an answer", octets)
    if status not in (200, 304) and body:
        answer = json.loads(body)
        if not isinstance(answer, dict) or not {"status", "messageStatus"} & set(answer):
            raise Wrong(f"HTTP status {status} without the family's shape", octets)


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` requests. Not `protected`: a server with a bug in it, which must be found."""
    if protected:
        return search("fuzz-http", HttpFuzzer, count, seed, say)
    return control("fuzz-http", HttpFuzzer, count, seed, say)


FUZZ_HTTP = Scenario(
    "fuzz-http", "raw HTTP requests to every operation, while others call", 1_000_000, run, alone=True
)
