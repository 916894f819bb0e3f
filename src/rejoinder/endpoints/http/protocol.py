"""uvicorn's HTTP/1.1 protocol, mended where the contract asks for more (§1: size, answer).

Takes query strings longer than httptools can (65,535 bytes for a whole URL), so that 64 KB pass and more is
answered 413 by the server; answers what is no HTTP in JSON. Refuses to keep more of a URL than tells that it
is too long.

Plain requests, which are nearly all, reach the same `Api` without an ASGI cycle, which cost more than most answers.
Plain GETs of the polls, what the machine does all day, take a short way (short_way.py): no task is made for them, and
of a client that repeats its head byte for byte not even the parser is asked, which found it good before. The same holds
for POSTs, whose heads differ in the length of the body alone.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol

from rejoinder.endpoints.http.addresses import Addresses
from rejoinder.endpoints.http.brakes import Brakes, BrakingProtocol
from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.responses import Response
from rejoinder.endpoints.http.server import Api
from rejoinder.endpoints.http.under_way import (
    LONGEST_HEAD,
    Heads,
    KnownHead,
    KnownHeads,
    Plain,
    UnderWay,
    written,
)

# httptools counts positions in a URL in 16 bits.
_PARSED = 65_535
_KEPT = 2 * SIZE
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_GET = b"GET /"
_POST = b"POST /"
_LENGTH_DIGITS = len(str(SIZE))
# What the parser takes in a target, and where its query ends. Anything else may be the end of one request and the
# beginning of another, or a header.
_IN_TARGETS = bytes(octet for octet in range(0x21, 0x7F) if octet != ord("#"))


class Short(Protocol):
    """Where polls are answered before a task is made: short_way.py."""

    @property
    def views(self) -> Mapping[bytes, object]: ...

    def take(
        self, path: bytes, query: bytes, address: str
    ) -> bytes | Coroutine[Any, Any, Response] | None: ...


class HttpProtocol(BrakingProtocol):
    """One connection. `api`, `short`, `addresses` and `brakes` stand on a subclass made by `answering`."""

    api: Api
    short: Short
    addresses: Addresses
    known: KnownHeads
    heads: Heads
    # What this client writes behind the target of a plain GET, whose address that means, and the headers in it.
    _tail: bytes | None = None
    _address = ""
    _tail_headers: Sequence[tuple[bytes, bytes]] = ()
    # The bytes that are being parsed, where a request begins with them; whether it is a plain one, and its body.
    _chunk = b""
    _plain = False
    _body: Sequence[bytes] = ()
    _under_way: UnderWay | None = None

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
            and not (target := data[4 : -len(tail)]).translate(None, _IN_TARGETS)
            and self.is_free()
            and self._take(target, self._address, None)
        ):
            return
        if data.startswith(_POST) and not self._midway and self.is_free() and self._take_known(data):
            return
        # Of bytes in the middle of a request nothing is learnt: they may look like the head of another.
        self._chunk = b"" if self._midway else data
        super().data_received(data)
        self._chunk = b""

    def on_url(self, url: bytes) -> None:
        # Comes in pieces as the network brings them, without an end of its own.
        if len(self.url) <= _KEPT:
            super().on_url(url)

    def on_headers_complete(self) -> None:
        if self.is_asking():
            # Of a head that is parsed in another form nothing is learnt.
            self._chunk = b""
            return
        self._plain = self.is_free() and self._is_plain()
        if self._plain:
            self._body = []
            return
        if len(self.url) <= _PARSED:
            super().on_headers_complete()
            return
        path, _, query = self.url.partition(b"?")
        self.url = path[:_PARSED]
        super().on_headers_complete()
        # The request's task, just made, has not run yet.
        self.scope["query_string"] = query

    def on_body(self, body: bytes) -> None:
        if self._plain:
            self.of_a_body(len(body))
            self._body.append(body)  # type: ignore[attr-defined]  # a list since the head was complete
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.is_asking():
            return
        if not self._plain:
            super().on_message_complete()
            return
        self.came_whole()
        method = self.parser.get_method().decode("ascii")
        if self._is_poll(method, self.url):
            address = self.addresses.of(self.client, self.headers)
            self._learn(address)
            if self._take(self.url, address, self.headers):
                return
        plain = Plain(method, self.url, self.headers, b"".join(self._body))
        if method == "POST":
            self._learn_post(plain)
        if self.let_in(plain.url.partition(b"?")[0]):
            self._begin(None, plain)

    def _take_known(self, data: bytes) -> bool:
        """A plain POST in one piece, with a head that the parser knows."""
        end = data.find(b"\r\n\r\n") + 4
        known = self.known.get(data[:end])
        if known is None or len(data) != end + known.length:
            return False
        self.came_whole()
        if self.let_in(known.url):
            self._begin(None, Plain("POST", known.url, known.headers, data[end:]))
        return True

    def _learn_post(self, plain: Plain) -> None:
        """Remembers a head where the bytes at hand are one whole request; a query may hold a password."""
        head = self._chunk[: max(0, len(self._chunk) - len(plain.body))]
        if (
            len(head) <= LONGEST_HEAD
            and b"?" not in plain.url
            and head.startswith(b"POST %b HTTP/1.1\r\n" % plain.url)
            and head.find(b"\r\n\r\n") == len(head) - 4
        ):
            self.known.learn(head, KnownHead(plain.url, plain.headers, len(plain.body)))

    def _is_plain(self) -> bool:
        """A GET without a body or a POST with a small one, of an ordinary path, on a connection that stays."""
        path, _, query = self.url.partition(b"?")
        method, length = self.parser.get_method(), b"0"
        for name, value in self.headers:
            if name in _UNUSUAL:
                return False
            if name == b"content-length":
                length = value
        return (
            (method == b"POST" or (method == b"GET" and length == b"0"))
            and length.isdigit()
            and len(length) <= _LENGTH_DIGITS
            and int(length) <= SIZE
            and len(query) <= SIZE
            and path.startswith(b"/")
            and not path.startswith(b"//")
            and path.isascii()
            and b"%" not in path
            and b"#" not in self.url
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
        )

    def _is_poll(self, method: str, url: bytes) -> bool:
        return method == "GET" and url.partition(b"?")[0] in self.short.views

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
            self._begin(taken, Plain("GET", url, self._tail_headers if headers is None else headers))
            return True
        self._write_plain(taken)
        self.answered_at_once()
        return True

    def _write_plain(self, body: bytes) -> None:
        """A 200 with JSON on a connection that stays."""
        head = self.heads.of(self.server_state.default_headers)
        self.transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))

    def _begin(self, begun: Coroutine[Any, Any, Response] | None, request: Plain) -> None:
        """Makes a task for an answer that has to wait for something."""
        path = request.url.partition(b"?")[0]
        self._under_way = under_way = UnderWay(path, ends=self._is_poll(request.method, path))
        self.cycle = under_way  # type: ignore[assignment]  # it has what uvicorn asks of a cycle
        under_way.task = task = self.loop.create_task(self._finish(under_way, begun, request))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(
        self, under_way: UnderWay, begun: Coroutine[Any, Any, Response] | None, request: Plain
    ) -> None:
        response = None
        if begun is not None:
            try:
                response = await begun
            except Exception:  # noqa: BLE001  # met again on the normal way, which answers and logs it
                response = None
        if response is None:
            path, _, query = request.url.partition(b"?")
            scope: dict[str, Any] = {
                "method": request.method,
                "path": path.decode("ascii"),
                "query_string": query,
                "headers": request.headers,
                "client": self.client,
                "body": request.body,
            }
            response = await self.api.reply(scope, under_way.receive)
        self._under_way = None
        self._answer(under_way, response)

    def _answer(self, under_way: UnderWay, response: Response) -> None:
        under_way.response_complete = True
        if self.transport.is_closing():
            return
        if under_way.keep_alive and response.is_usual():
            self._write_plain(response.body)
            self.answered_at_once()
            return
        standing = self.server_state.default_headers
        self.transport.write(written(response, standing, closes=not under_way.keep_alive))
        if not under_way.keep_alive:
            self.transport.close()
        self.on_response_complete()


def answering(api: Api, short: Short, addresses: Addresses, brakes: Brakes) -> type[HttpProtocol]:
    """The protocol of one server."""
    parts = {"api": api, "short": short, "addresses": addresses, "brakes": brakes}
    parts |= {"heads": Heads(), "known": KnownHeads(), "polls": short.views.keys()}
    return type("AnsweringProtocol", (HttpProtocol,), parts)
