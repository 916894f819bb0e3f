"""Pushes over HTTP: one GET or one signed POST, to addresses that the guard lets through.

Follows no redirect, asks no proxy, keeps no cookie and no connection, reads no answer beyond 64 KB, takes ten seconds
at most, whatever the server does, and believes no certificate that the system does not. Addresses and texts are
never logged: what went wrong is a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from rejoinder.clock import Clock
from rejoinder.endpoints.pushes.guard import AddressRefused, Guard, Network
from rejoinder.flow.push_content import Parcel, body, clean, filled, signed
from rejoinder.flow.push_records import Brought

SECONDS = 10.0
_MOST_BYTES = 65_536
# A name server that hangs holds a thread; the machine's other look-ups have their own.
_LOOKUPS = 32
# What went wrong, in words; the first class that fits. All of it is the server's trouble, not the push's.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (AddressRefused, "the address is not allowed"),
    (TimeoutError, "no answer in 10 s"),
    (aiohttp.ClientConnectorDNSError, "the host name is not known"),
    (aiohttp.ClientConnectorCertificateError, "the certificate is not trusted"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (aiohttp.ClientConnectionError, "the connection was closed"),
)


_Found = list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str | int, ...]]]


class _Names(AbstractResolver):
    """The system's resolver, in threads of its own that nobody waits for: one that hangs ends with the process."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        await self._room.acquire()
        found = await self._in_a_thread(
            lambda: cast(_Found, socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(where[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, where in found
        ]

    def _in_a_thread(self, look_up: Callable[[], _Found]) -> asyncio.Future[_Found]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Found] = loop.create_future()

        def over(found: _Found, error: Exception | None) -> None:
            self._room.release()
            if answer.done():
                return
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        def run() -> None:
            found: _Found = []
            error: Exception | None = None
            try:
                found = look_up()
            except Exception as raised:  # noqa: BLE001  # the thread's outermost line: who asked meets it
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(over, found, error)

        # An executor's threads are waited for when the process ends, as long as a name server takes.
        try:
            threading.Thread(target=run, name="push-names", daemon=True).start()
        except RuntimeError as error:
            over([], OSError(str(error)))
        return answer

    async def close(self) -> None:
        """What is under way ends by itself."""


class WebCourier:
    """A `Courier` for channel web. `trust`: another set of authorities than the system's."""

    def __init__(
        self, clock: Clock, allow: Sequence[Network] = (), trust: ssl.SSLContext | None = None
    ) -> None:
        self._clock = clock
        self._guard = Guard(allow)
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # How many there are at once is the lanes' matter.
                limit=0,
                # Every try dials, so that the guard sees every try; and nothing is sent again behind our back.
                force_close=True,
                resolver=_Names(),
                socket_factory=self._guard,
                ssl=self._trust or True,
            ),
            headers={"User-Agent": "rejoinder", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=SECONDS),
            middlewares=(_once,),
            read_bufsize=16_384,
            auto_decompress=False,
            trust_env=False,
        )

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def bring(self, parcel: Parcel) -> Brought:
        """One try."""
        if self._session is None:
            return Brought(False, "the courier is not started")
        try:
            # Around all of it: names, connection, TLS, and an answer that comes byte by byte.
            async with asyncio.timeout(SECONDS):
                response = await self._ask(self._session, parcel)
        except (aiohttp.InvalidURL, UnicodeError):
            return Brought(False, "the URL can't be used")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Brought(False, _word(error), trouble=True)
        # A status that came says it all; reading the rest is only polite, and never decides anything.
        async with response:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await _read(response)
        return _judged(response.status)

    async def _ask(self, session: aiohttp.ClientSession, parcel: Parcel) -> aiohttp.ClientResponse:
        """The answer as far as its head. Raises what the client raises."""
        setting, now = parcel.address, self._clock.wall_s()
        headers, data = {"webhook-id": parcel.id}, None
        if setting.method == "POST":
            data = body(parcel)
            headers = {"Content-Type": "application/json", **signed(parcel, data, now)}
            url = filled(setting.url, parcel.values) if "{{" in setting.url else clean(setting.url)
        else:
            url = filled(setting.url, parcel.values)
        return await session.request(
            setting.method, _as_written(url), data=data, headers=headers, allow_redirects=False
        )


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps the client from sending a GET again by itself when the connection breaks: the plan decides that."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError from error


def _as_written(url: str) -> URL:
    """The URL with nothing of path and query changed; only the host is brought into the form of the DNS."""
    scheme, _, rest = url.partition("://")
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    server = URL(f"{scheme}://{rest[:end]}")
    path = rest[end:] if rest[end : end + 1] == "/" else "/" + rest[end:]
    return URL(f"{str(server).rstrip('/')}{path}", encoded=True)


async def _read(response: aiohttp.ClientResponse) -> None:
    size = 0
    async with asyncio.timeout(1.0):
        while size < _MOST_BYTES and (chunk := await response.content.read(_MOST_BYTES - size)):
            size += len(chunk)


def _judged(status: int) -> Brought:
    if 200 <= status < 300:
        return Brought(True)
    word = f"HTTP status {status}" + (" (redirects are not followed)" if 300 <= status < 400 else "")
    # A server that says no is there; one that says it is overloaded or broken is left alone for a while.
    return Brought(False, word, trouble=status == 429 or status >= 500)


def _word(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AddressRefused):
            error = seen
        seen = seen.__cause__
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "no connection")
