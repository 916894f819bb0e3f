"""uvicorn's HTTP/1.1 protocol where a client asks for another one: it stays with HTTP/1.1 (RFC 9110 §7.8).

The parser leaves HTTP behind such a head: it reads no body, and what follows is not the next request to it. So the head
is parsed again without what asks, and the request is the one that it would have been. Java's client asks with the first
request of every connection.
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ASKING = frozenset({b"upgrade", b"http2-settings"})


class SteadyProtocol(HttpToolsProtocol):
    """One connection. Whoever overrides a callback of the parser first asks `is_asking`."""

    def data_received(self, data: bytes) -> None:
        # uvicorn stops its timer here. Ours goes on (brakes.py): not all that comes begins a request.
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as found:
                data = self._without_asking() + data[found.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self.send_400_response("")
                return

    def is_asking(self) -> bool:
        """Whether the request at hand comes again, without what asks. A CONNECT asks by its method: it is refused."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _without_asking(self) -> bytes:
        first = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        lines = [b"%b: %b" % pair for pair in self.headers if pair[0] not in _ASKING]
        return b"\r\n".join([first, *lines, b"\r\n"])
