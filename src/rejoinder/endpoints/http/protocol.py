"""uvicorn's HTTP/1.1 protocol, mended where the contract asks for more (§1: size, answer).

Takes query strings longer than httptools can (65,535 bytes for a whole URL), so that 64 KB pass and more is
answered 413 by the server; answers what is no HTTP in JSON. Refuses to keep more of a URL than tells that it
is too long.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.responses import Family, fault
from rejoinder.message.codes import AccountCode

# httptools counts positions in a URL in 16 bits.
_PARSED = 65_535
_KEPT = 2 * SIZE
_NOT_HTTP = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request is not HTTP", 400)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def on_url(self, url: bytes) -> None:
        # Comes in pieces as the network brings them, without an end of its own.
        if len(self.url) <= _KEPT:
            super().on_url(url)

    def on_headers_complete(self) -> None:
        if len(self.url) <= _PARSED:
            super().on_headers_complete()
            return
        path, _, query = self.url.partition(b"?")
        self.url = path[:_PARSED]
        super().on_headers_complete()
        # The request's task, just made, has not run yet.
        self.scope["query_string"] = query

    def send_400_response(self, msg: str) -> None:
        head = [b"HTTP/1.1 400 Bad Request", b"connection: close"]
        head += [name + b": " + value for name, value in _NOT_HTTP.headers()]
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + _NOT_HTTP.body)
        self.transport.close()
