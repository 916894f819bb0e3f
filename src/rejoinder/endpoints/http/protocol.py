"""uvicorn's HTTP/1.1 protocol, mended where the contract asks for more (§1: size, answer).

Takes query strings longer than httptools can (65,535 bytes for a whole URL), so that 64 KB pass and more is
answered 413 by the server; answers what is no HTTP in JSON. Refuses to keep more of a URL than tells that it
is too long.

Answers the two polls, what the machine does all day, before a task is made for them, where that can be done
without waiting (`at_once`): half the cost of a poll was the way to it. Everything unusual goes the normal way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rejoinder.endpoints.http.addresses import Addresses
from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.responses import Family, Response, fault
from rejoinder.message.codes import AccountCode
from rejoinder.observe import HTTP_ANSWERS

# httptools counts positions in a URL in 16 bits.
_PARSED = 65_535
_KEPT = 2 * SIZE
# What Response.headers() gives for an answer that is no error, as bytes in one go.
_OK = b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: %d\r\n\r\n%b"
_NOT_HTTP = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request is not HTTP", 400)


# The query and caller's address of a GET to its answer; None: it goes the normal way.
AtOnce = Callable[[bytes, str], Response | None]
_BODY_FOLLOWS = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})


class HttpProtocol(HttpToolsProtocol):
    """One connection. `at_once` stands on a subclass made by `answering`."""

    at_once: Mapping[bytes, AtOnce] = {}
    addresses = Addresses()
    # Each path's count of answers, looked up once: a counter's labels() costs more than the count.
    counts: Mapping[bytes, Counter] = {}
    _answered = False

    def on_url(self, url: bytes) -> None:
        # Comes in pieces as the network brings them, without an end of its own.
        if len(self.url) <= _KEPT:
            super().on_url(url)

    def on_headers_complete(self) -> None:
        self._answered = self._answer_at_once()
        if self._answered:
            return
        if len(self.url) <= _PARSED:
            super().on_headers_complete()
            return
        path, _, query = self.url.partition(b"?")
        self.url = path[:_PARSED]
        super().on_headers_complete()
        # The request's task, just made, has not run yet.
        self.scope["query_string"] = query

    def on_message_complete(self) -> None:
        if not self._answered:
            super().on_message_complete()

    def _answer_at_once(self) -> bool:
        path, _, query = self.url.partition(b"?")
        at_once = self.at_once.get(path)
        if at_once is None or not self._is_plain_get() or len(query) > SIZE:
            return False
        response = at_once(query, self.addresses.of(self.client, self.headers))
        if response is None:
            return False
        self.transport.write(_OK % (self._standing_headers(), len(response.body), response.body))
        self.counts[path].inc()
        self.on_response_complete()
        return True

    def _standing_headers(self) -> bytes:
        """The server's own headers (the date, renewed every second)."""
        return b"".join([b"%b: %b\r\n" % pair for pair in self.server_state.default_headers])

    def _is_plain_get(self) -> bool:
        """A GET without a body on a connection that stays, with nothing before it that is still under way."""
        return (
            self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            # uvicorn's annotation leaves out that a new connection has none.
            and (self.cycle is None or self.cycle.response_complete)  # type: ignore[redundant-expr]
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and not any(name in _BODY_FOLLOWS for name, _ in self.headers)
        )

    def send_400_response(self, msg: str) -> None:
        head = [b"HTTP/1.1 400 Bad Request", b"connection: close"]
        head += [name + b": " + value for name, value in _NOT_HTTP.headers()]
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + _NOT_HTTP.body)
        self.transport.close()


def answering(at_once: Mapping[bytes, AtOnce], addresses: Addresses) -> type[HttpProtocol]:
    """The protocol with these paths answered at once."""
    counts = {path: HTTP_ANSWERS.labels(path.decode("ascii"), "200") for path in at_once}
    return type(
        "AnsweringProtocol", (HttpProtocol,), {"at_once": at_once, "counts": counts, "addresses": addresses}
    )
