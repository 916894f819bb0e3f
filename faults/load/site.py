"""A server to be loaded: on core 0 with its database, accounts ready; the load has core 1, as in bench/.

Refuses to leave anything behind: server and database are gone when the block ends.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import apsw
import asyncpg
import uvloop

from bench.measure import LOAD_CORE, SERVER_CORE, on_core
from faults.run import Ground, ground
from faults.server import PASSWORD, Server

T = TypeVar("T")
USER, OTHER_USER = "one@load", "two@load"
SYSTEM_ID, SECRET = "load", "secret-1"
NUMBER = "61480000001"
BINDS = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """The server under load. `smpp_port` 0: it speaks HTTP alone."""

    on: Ground
    server: Server
    smpp_port: int

    @property
    def pid(self) -> int:
        assert self.server.process is not None
        return self.server.process.pid


def accounts(server: Server, carrier: Mapping[str, str], kind: str = "simulator") -> None:
    """Two customers with a user each, the first of whom may bind; a pool; one carrier for everything."""
    command = server.command
    command("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid")
    for user, customer in ((USER, "shop"), (OTHER_USER, "bank")):
        command("customer", "add", customer, "--reseller", "acme", "--billing", "post_paid")
        command("user", "add", user, "--customer", customer, "--password", PASSWORD)
    command("number", "add", NUMBER, "--user", USER)
    for number in range(10):
        command("number", "add", f"6150007{number:04d}", "--pool")
    words = [word for key, value in carrier.items() for word in ("--set", f"{key}={value}")]
    command("carrier", "add", "wire", "--kind", kind, *words)
    command("route", "add", "", "wire")


def may_bind(server: Server, window: int) -> None:
    """The first user binds over SMPP, `BINDS` times, with so many submits under way on each."""
    words = ("--system-id", SYSTEM_ID, "--password", SECRET)
    limits = ("--max-binds", str(BINDS), "--window", str(window))
    server.command("user", "smpp", USER, *words, *limits)


@contextlib.contextmanager
def database(engine: str) -> Iterator[Ground]:
    """A new one, whose processes have the server's core."""
    with contextlib.ExitStack() as stack:
        with on_core(SERVER_CORE):
            on = stack.enter_context(ground(engine))
        yield on


@contextlib.contextmanager
def serving(
    on: Ground, wrapper: Sequence[str], environment: Mapping[str, str] | None = None, smpp: bool = False
) -> Iterator[Loaded]:
    """`rejoinder serve` on that database."""
    more = {"REJOINDER_SMPP_LISTEN": "127.0.0.1:0"} if smpp else {}
    server = Server(on.url, on.folder / "server.log", wrapper, {**more, **(environment or {})})
    with on_core(SERVER_CORE):
        server.start()
    try:
        yield Loaded(on, server, server.smpp_port)
    finally:
        server.end(signal.SIGTERM)


def loading(work: Coroutine[Any, Any, T]) -> T:
    """Runs the load on its core, with room for its connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with on_core(LOAD_CORE):
            return uvloop.run(work)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def lost(on: Ground, accepted: set[str]) -> int:
    """How many of the accepted messages are not in the store."""
    missing = set(accepted)
    if on.url.startswith("sqlite"):
        connection = apsw.Connection(str(on.folder / "faults.db"))
        for (one,) in connection.execute("SELECT id FROM mt"):
            missing.discard(one)
        connection.close()
    else:
        missing = uvloop.run(_lost(on.url, missing))
    return len(missing)


async def _lost(url: str, missing: set[str]) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            async for row in connection.cursor("SELECT id FROM mt", prefetch=10_000):
                missing.discard(row[0])
    finally:
        await connection.close()
    return missing


def cores() -> str:
    """How server and load are kept apart here."""
    both = {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)
    return "server on core 0, load on core 1" if both else "server and load share a core"
