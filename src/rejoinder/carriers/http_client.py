"""A carrier behind a web server: one request takes a whole text, the answer's status tells its fate.

Follows no redirect, asks no proxy, keeps no cookie, reads no answer beyond 64 KB, and sends nothing twice: what
may have left this machine without an answer is UNKNOWN. Refuses binary content; a part of a customer's long
message goes as its own text. Its addresses are the operator's own and are not guarded.
Addresses, numbers and texts are never logged.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import aiohttp
from yarl import URL

from rejoinder.carriers.http_settings import HttpScript, read_http
from rejoinder.clock import Clock
from rejoinder.flow.ports import CarrierEvents, CarrierRow
from rejoinder.message.model import Fate, Outcome, Outgoing
from rejoinder.message.text import Alphabet

_MOST_BYTES = 65_536
# As the inbound side's: a longer one could never come back in a receipt.
_LONGEST_ID = 200
# Below the 5 s after which common servers close an idle connection: a request that meets the closing is lost
# without an answer, and nothing tells whether it was read.
_IDLE_SECONDS = 4.0
_THROTTLED = 429
_WHOLE = 0
# Refusals that say something about the link and not about one message: the operator has to see them.
_LINK_TROUBLE = frozenset((*range(300, 400), 401, 402, 403, 404, 405))
# What went wrong before anything left, in words; the first class that fits.
_UNREACHED: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no connection in time"),
    (aiohttp.ClientConnectorDNSError, "its host name is not known"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not trusted"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ClientConnectorError, "no connection"),
)


class _Cut(aiohttp.ClientError):
    """The connection broke under a request."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps the client from sending GET and PUT again by itself when a connection breaks: it takes them for
    idempotent (RFC 9110 §9.2.2), but each would be a message.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Cut from error


async def _note_sent(_session: object, context: SimpleNamespace, _event: object) -> None:
    context.trace_request_ctx.left = True


def _tracing() -> aiohttp.TraceConfig:
    # Both come just before the bytes go to the kernel, so that an error in between counts as left.
    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(_note_sent)
    tracing.on_request_chunk_sent.append(_note_sent)
    return tracing


class _Progress:
    """How far one request came: whether any of it may have left, and the status of its answer."""

    __slots__ = ("left", "status")

    def __init__(self) -> None:
        self.left = False
        self.status: int | None = None


class HttpCarrier:
    """A `Carrier` over HTTP. One per CarrierRow of kind `http`; receipts and MOs come in by endpoints/."""

    whole = True

    def __init__(self, row: CarrierRow, _events: CarrierEvents, _clock: Clock) -> None:
        self._script: HttpScript = read_http(row.settings)
        self._settings = self._script.settings
        self.window = self._settings.window
        self.throughput = self._settings.throughput
        self._session: aiohttp.ClientSession | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Connects to nothing yet: the first message does."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.window, keepalive_timeout=_IDLE_SECONDS),
            # Compressed answers would need a limit of their own, and are short anyway.
            headers={"User-Agent": "rejoinder", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            trace_configs=[_tracing()],
            middlewares=(_once,),
            trust_env=False,
        )

    async def stop(self) -> None:
        """Closes all connections; what is under way ends as UNKNOWN."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def state(self) -> str:
        return "down" if self._session is None else self._trouble or "up"

    def ready(self) -> bool:
        return self._session is not None

    def last_error(self) -> str:
        return self._trouble

    async def send(self, message: Outgoing) -> list[Outcome]:
        """One request with the whole text; one outcome, for part number 0."""
        if self._session is None:
            return [Outcome(_WHOLE, Fate.LATER, reason="the carrier is not started")]
        if message.alphabet == Alphabet.BINARY:
            # What the server would take for a text are hex digits. Another carrier of the route may carry it.
            return [Outcome(_WHOLE, Fate.REFUSED, reason="binary content does not go over this carrier")]
        progress = _Progress()
        try:
            answer = await self._ask(self._session, message, progress)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            # TimeoutError is an OSError; the client raises ValueError for addresses it can't use, and
            # RuntimeError when `stop` closes it meanwhile.
            return [self._broken(error, progress)]
        return [self._answered(progress.status or 0, answer)]

    async def _ask(self, session: aiohttp.ClientSession, message: Outgoing, progress: _Progress) -> bytes:
        """The answer's body. Raises what the client raises."""
        values = {
            "recipient": message.recipient,
            "sender": message.sender,
            "text": message.text,
            "id": message.id,
            "duplicate": "true" if message.possible_duplicate else "false",
        }
        headers = {name: value.fill(values) for name, value in self._settings.headers}
        body = None
        if self._script.body is not None:
            headers["Content-Type"] = self._settings.content_type
            body = self._script.body.fill(values).encode()
        async with session.request(
            self._settings.method,
            URL(self._settings.url.fill(values), encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            progress.status = response.status
            return await _read(response)

    def _answered(self, status: int, answer: bytes) -> Outcome:
        reason = f"HTTP status {status}"
        if status in self._settings.accept_status:
            self._trouble = ""
            return Outcome(_WHOLE, Fate.ACCEPTED, self._carrier_id(answer), reason)
        if status in self._settings.retry_status:
            self._trouble = reason
            return Outcome(_WHOLE, Fate.THROTTLED if status == _THROTTLED else Fate.LATER, reason=reason)
        self._trouble = reason if status in _LINK_TROUBLE else ""
        return Outcome(_WHOLE, Fate.REFUSED, reason=reason)

    def _broken(self, error: Exception, progress: _Progress) -> Outcome:
        if progress.status is not None:
            # The status came whole and has said it; with the rest only the carrier's id is lost.
            return self._answered(progress.status, b"")
        timed_out = isinstance(error, TimeoutError)
        if progress.left:
            self._trouble = "gives no answer in time" if timed_out else "breaks connections off"
            return Outcome(_WHOLE, Fate.UNKNOWN, reason=self._trouble)
        words = (words for kind, words in _UNREACHED if isinstance(error, kind))
        self._trouble = f"can't be reached: {next(words, type(error).__name__)}"
        return Outcome(_WHOLE, Fate.LATER, reason=self._trouble)

    def _carrier_id(self, answer: bytes) -> str | None:
        found: object = None
        if self._settings.id_regex is not None:
            match = self._settings.id_regex.search(answer.decode("utf-8", "replace"))
            found = match[1] if match else None
        elif self._settings.id_path:
            found = _at(answer, self._settings.id_path)
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str):
            return None
        ref = found.strip()
        # Neither database nor receipt has a place for controls, surrogates, or an essay.
        return ref if ref.isprintable() and 0 < len(ref) <= _LONGEST_ID else None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body, at most 64 KB of it; a longer one is cut there, and its connection closed."""
    chunks, size = [], 0
    while size < _MOST_BYTES and (chunk := await response.content.read(_MOST_BYTES - size)):
        chunks.append(chunk)
        size += len(chunk)
    if not response.content.at_eof():
        response.close()
    return b"".join(chunks)


def _at(answer: bytes, path: tuple[str, ...]) -> object:
    """What stands at a path of names and list indices in a JSON answer, None where there is nothing."""
    try:
        value: object = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdecimal():
            value = value[int(step)] if len(step) < 6 and int(step) < len(value) else None
        else:
            return None
    return value
