"""A front before a served centre that spoils connections as it is told, one after the other."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

REFUSALS = {
    "503": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}",
    "429": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n",
    "page": b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<p>403!",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<p>502!",
    "504": b"HTTP/1.1 504 Gateway Timeout\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<p>504!",
}


class Front:
    """Each request meets the next behaviour; when they are used up all pass.

    `drop`: closed when it was read, unseen by the centre. `lost`: carried out, its answer thrown away. Those
    of REFUSALS are answered so. `pass`: carried to the centre and back.
    """

    def __init__(self, port: int) -> None:
        self._behind = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.script: list[str] = []
        self.seen: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._one(connection)

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        request = _whole(connection)
        if not request:
            return
        self.seen.append(request)
        behaviour = self.script.pop(0) if self.script else "pass"
        if behaviour == "drop":
            return
        if behaviour in REFUSALS:
            connection.sendall(_closing(REFUSALS[behaviour]))
            return
        with socket.create_connection(("127.0.0.1", self._behind), timeout=10) as behind:
            behind.sendall(_closing(request))
            answer = b"".join(iter(lambda: behind.recv(65_536), b""))
        if behaviour == "pass":
            connection.sendall(answer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _whole(connection: socket.socket) -> bytes:
    """One request with its body."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def _closing(message: bytes) -> bytes:
    """With the word that the connection ends after it, so that every request comes on one of its own."""
    first, _, rest = message.partition(b"\r\n")
    return first + b"\r\nConnection: close\r\n" + rest


@contextlib.contextmanager
def fronted(port: int) -> Iterator[Front]:
    front = Front(port)
    thread = threading.Thread(target=front.serve, name="front")
    thread.start()
    try:
        yield front
    finally:
        front.close()
        thread.join(10)
