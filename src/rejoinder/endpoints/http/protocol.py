"""uvicorn's HTTP/1.1 protocol, mended where the contract asks for more (§1: size, answer).

Takes query strings longer than httptools can (65,535 bytes for a whole URL), so that 64 KB pass and more is
answered 413 by the server; answers what is no HTTP in JSON. Refuses to keep more of a URL than tells that it
is too long.

Plain GETs of the polls, what the machine does all day, take a short way (short_way.py): no ASGI cycle is made for
them, and of a client that repeats its head byte for byte not even the parser is asked, which found it good before.
Whatever the short way does not take goes the normal one, through the same `Api`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from rejoinder.endpoints.http.addresses import Addresses
from rejoinder.endpoints.http.brakes import Brakes, BrakingProtocol
from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.responses import Family, Response, fault
from rejoinder.endpoints.http.server import Api
from rejoinder.message.codes import AccountCode

# httptools counts positions in a URL in 16 bits.
_PARSED = 65_535
_KEPT = 2 * SIZE
_NOT_HTTP = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request is not HTTP", 400)
_BODY_FOLLOWS = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
_GET = b"GET /"


class Short(Protocol):
    """Where polls are answered before a task is made: short_way.py."""

    @property
    def views(self) -> Mapping[bytes, object]: ...

    def take(
        self, path: bytes, query: bytes, address: str
    ) -> bytes | Coroutine[Any, Any, Response] | None: ...


class _UnderWay:
    """Stands where uvicorn keeps a request's cycle, while its answer is being made."""

    __slots__ = ("disconnected", "keep_alive", "response_complete", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    @property
    def message_event(self) -> _UnderWay:
        return self

    def set(self) -> None:
        """What uvicorn calls when the connection is lost: nobody is there to be answered."""
        if self.task is not None:
            self.task.cancel()


class _Heads:
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


class HttpProtocol(BrakingProtocol):
    """One connection. `api`, `short`, `addresses` and `brakes` stand on a subclass made by `answering`."""

    api: Api
    short: Short
    addresses: Addresses
    heads: _Heads
    # What this client writes behind the target of a plain GET, whose address that means, and the headers in it.
    _tail: bytes | None = None
    _address = ""
    _tail_headers: Sequence[tuple[bytes, bytes]] = ()
    # The bytes that are being parsed; whether the short way took the request in them.
    _chunk = b""
    _taken = False
    _used_at = 0.0
    _under_way: _UnderWay | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._under_way is not None:
            self._under_way.set()

    def data_received(self, data: bytes) -> None:
        tail = self._tail
        if (
            tail is not None
            and data.endswith(tail)
            and data.startswith(_GET)
            and not self._midway
            and self.is_free()
            and self._take(data[4 : -len(tail)], self._address, None)
        ):
            return
        self._chunk = data
        super().data_received(data)
        self._chunk = b""

    def on_url(self, url: bytes) -> None:
        # Comes in pieces as the network brings them, without an end of its own.
        if len(self.url) <= _KEPT:
            super().on_url(url)

    def on_headers_complete(self) -> None:
        if self._is_plain_get() and self.is_free():
            self._taken = True
            address = self.addresses.of(self.client, self.headers)
            self._learn(address)
            if not self._take(self.url, address, self.headers):
                self._begin(None, self.url, self.headers)
            return
        self._taken = False
        if len(self.url) <= _PARSED:
            super().on_headers_complete()
            return
        path, _, query = self.url.partition(b"?")
        self.url = path[:_PARSED]
        super().on_headers_complete()
        # The request's task, just made, has not run yet.
        self.scope["query_string"] = query

    def on_message_complete(self) -> None:
        if self._taken:
            self.came_whole()
        else:
            super().on_message_complete()

    def _is_plain_get(self) -> bool:
        """A GET of a poll, without a body, on a connection that stays."""
        path, _, query = self.url.partition(b"?")
        return (
            path in self.short.views
            and b"#" not in query
            and len(query) <= SIZE
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not any(name in _BODY_FOLLOWS for name, _ in self.headers)
        )

    def _learn(self, address: str) -> None:
        """Remembers this client's head where the bytes at hand are one whole request and nothing else."""
        start, tail = 4 + len(self.url), self._chunk[4 + len(self.url) :]
        if (
            self._chunk[:start] == b"GET " + self.url
            and tail.startswith(b" HTTP/1.1\r\n")
            and tail.find(b"\r\n\r\n") == len(tail) - 4
        ):
            self._tail, self._address, self._tail_headers = tail, address, self.headers

    def _take(self, url: bytes, address: str, headers: Sequence[tuple[bytes, bytes]] | None) -> bool:
        """The short way: answered, or on the way to it. False: not its kind."""
        path, _, query = url.partition(b"?")
        if path not in self.short.views:
            return False
        taken = self.short.take(path, query, address)
        if taken is None:
            return False
        if not isinstance(taken, bytes):
            self._begin(taken, url, self._tail_headers if headers is None else headers)
            return True
        self._used_at = self.loop.time()
        self.transport.write(
            b"%b%d\r\n\r\n%b" % (self.heads.of(self.server_state.default_headers), len(taken), taken)
        )
        self.answered_at_once()
        return True

    def _begin(
        self, begun: Coroutine[Any, Any, Response] | None, url: bytes, headers: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Makes a task for an answer that has to wait for something."""
        self._unset_keepalive_if_required()
        self._under_way = under_way = _UnderWay()
        self.cycle = under_way  # type: ignore[assignment]  # it has what uvicorn asks of a cycle
        under_way.task = task = self.loop.create_task(self._finish(under_way, begun, url, headers))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(
        self,
        under_way: _UnderWay,
        begun: Coroutine[Any, Any, Response] | None,
        url: bytes,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        response = None
        if begun is not None:
            try:
                response = await begun
            except Exception:  # noqa: BLE001  # met again on the normal way, which answers and logs it
                response = None
        if response is None:
            path, _, query = url.partition(b"?")
            scope = {"method": "GET", "path": path.decode("ascii"), "query_string": query}
            response = await self.api.reply({**scope, "headers": headers, "client": self.client}, _no_body)
        self._under_way = None
        self._answer(under_way, response)

    def _answer(self, under_way: _UnderWay, response: Response) -> None:
        under_way.response_complete = True
        if self.transport.is_closing():
            return
        lines = [STATUS_LINE[response.status]]
        headers = [*self.server_state.default_headers, *response.headers()]
        if not under_way.keep_alive:
            headers.append((b"connection", b"close"))
        lines += [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([*lines, b"\r\n", response.body]))
        if not under_way.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _used(self, now: float) -> None:
        self._used_at = now

    def timeout_keep_alive_handler(self) -> None:
        # One timer serves many answers of the short way: setting one each time cost as much as an answer.
        left = self._used_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        head = [b"HTTP/1.1 400 Bad Request", b"connection: close"]
        head += [name + b": " + value for name, value in _NOT_HTTP.headers()]
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + _NOT_HTTP.body)
        self.transport.close()


async def _no_body() -> dict[str, Any]:
    raise RuntimeError("a GET has no body")


def answering(api: Api, short: Short, addresses: Addresses, brakes: Brakes) -> type[HttpProtocol]:
    """The protocol of one server."""
    parts = {"api": api, "short": short, "addresses": addresses, "brakes": brakes, "heads": _Heads()}
    return type("AnsweringProtocol", (HttpProtocol,), parts)
