"""New connections to PostgreSQL: to that one of the servers a URL names which takes writes.

Refuses standbys, and to wait long for a server that is silent while another one is named: a machine that is gone
answers nothing, and asyncpg's limit of time is one for all servers together.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import asyncpg

HOST_SECONDS = 2.0
# What one server of several says so that the next one is asked.
_NEXT = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TargetServerAttributeNotMatched)
DEFAULT_PORT = 5432
# Never what can't be read: where a password cuts the URL, that is a piece of it.
_UNREADABLE = (
    "its URL has a port that is no number, or a special character in name or password: percent-encode those"
)


def named(url: str) -> list[tuple[str, int]]:
    """Hosts and ports as `postgresql://user@one,two:5433/name` or `…/name?host=one,two&port=5432,5433` name them.

    Raises ValueError for a port that is no number, or for as many ports as fit to no host.
    """
    parts = _parts(url)
    query = parse_qs(parts.query)
    ports = [_port(port) for port in query.get("port", [""])[-1].split(",") if port]
    listed = parts.netloc.rpartition("@")[2] or query.get("host", [""])[-1]
    found = []
    hosts = [host for host in listed.split(",") if host]
    if len(ports) not in {0, 1, len(hosts)}:
        raise ValueError("the database's URL names another number of ports than of hosts")
    for place, host in enumerate(hosts):
        name, port = _split(unquote(host))
        given = ports[place % len(ports)] if ports else DEFAULT_PORT
        found.append((name, _port(port) if port else given))
    return found


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError(_UNREADABLE) from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(_UNREADABLE)
    return int(text)


def _split(host: str) -> tuple[str, str]:
    """A host with its port: `[::1]:5432`, `one:5432`, or the folder of a socket."""
    if host.startswith("/"):
        return host, ""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


async def connect(url: str, **options: Any) -> Any:
    """See asyncpg.connect. Where the URL itself says `target_session_attrs`, that holds."""
    if "target_session_attrs" not in parse_qs(_parts(url).query):
        options["target_session_attrs"] = "read-write"
    servers = named(url)
    if len(servers) < 2:
        return await asyncpg.connect(url, **options)
    last: Exception | None = None
    for host, port in servers:
        try:
            return await asyncpg.connect(
                url, **{**options, "host": host, "port": port, "timeout": HOST_SECONDS}
            )
        except _NEXT as error:
            # Which servers are away says more than which one is a standby.
            if last is None or not isinstance(error, asyncpg.TargetServerAttributeNotMatched):
                last = error
    assert last is not None
    raise last
