"""Sockets that our servers accept on, and how their addresses are written.

Refuses, with a sentence that names the address, one that cannot be listened on.
"""

from __future__ import annotations

import socket

from rejoinder.errors import RejoinderError

BACKLOG = 2048
# The event loop (libuv) accepts one connection a turn of each listening socket. While a turn takes 5 ms that is 200 a
# second, and whoever opens one more waits unheard: 4,000 callers with a connection each waited up to 18 s.
ACCEPTS_A_TURN = 16


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises RejoinderError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RejoinderError(f"can't listen on {_written(host, port)}: {error.strerror}") from error
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def often(listener: socket.socket) -> list[socket.socket]:
    """The same listening socket several times, so that as many connections are accepted in a turn of the loop."""
    return [listener, *(listener.dup() for _ in range(ACCEPTS_A_TURN - 1))]


def address_of(listener: socket.socket) -> str:
    """HOST:PORT that it listens on."""
    host, port = listener.getsockname()[:2]
    return _written(host, port)


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
