"""Restarts after kill -9 with a million messages queued: how soon the first one goes out, and what the queue costs.

The queue stays on disk, however long: a server that reads all of it before it sends takes too much time, or, where the
machine is quick, too much memory. That is the negative control.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bench.databases import Database, PostgresDatabase, SqliteDatabase
from bench.fill import fill_queue
from faults.network import HttpNetwork
from faults.points import NONE, wrapper
from faults.run import Found, Ground, Say, Scenario, ground
from faults.seen import Seen
from faults.server import Server, WiredCarrier, set_up

QUEUED = 1_000_000
SECONDS, MEGABYTES = 5.0, 100.0
# A second: the queue must not end before the last restart.
THROUGHPUT = "50"
PATIENCE_SECONDS = 120.0


class _Network(HttpNetwork):
    """Says when a message comes; answers nothing back, for nobody waits for it."""

    def __init__(self, seen: Seen, draw: random.Random) -> None:
        super().__init__(seen, draw)
        self.came = asyncio.Event()

    def carriers(self) -> list[WiredCarrier]:
        return [
            replace(one, settings={**one.settings, "throughput": THROUGHPUT}) for one in super().carriers()
        ]

    def answers(self) -> bool:
        return False

    async def _take(self, request: web.Request) -> web.Response:
        answer = await super()._take(request)
        self.came.set()
        return answer


def _most_megabytes(server: Server) -> float:
    """The most memory that the server has had."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def _restarts(
    server: Server, network: _Network, count: int, draw: random.Random, say: Say
) -> tuple[float, float]:
    """The slowest first send in seconds, and the most megabytes."""
    slowest = most = 0.0
    for _ in range(count):
        network.came.clear()
        begun = time.monotonic()
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await network.came.wait()
        slowest = max(slowest, time.monotonic() - begun)
        await asyncio.sleep(draw.random())
        most = max(most, _most_megabytes(server))
        await asyncio.to_thread(server.end, signal.SIGKILL)
        say(1)
    return slowest, most


async def _run(on: Ground, database: Database, count: int, seed: int, say: Say, without: str) -> Found:
    seen, draw = Seen(), random.Random(seed)
    network = _Network(seen, draw)
    await network.start()
    server = Server(on.url, on.folder / "server.log", wrapper(without))
    async with aiohttp.ClientSession() as network.session:
        network.server = server
        try:
            await asyncio.to_thread(set_up, server, network.carriers())
            await asyncio.to_thread(server.start)
            idle = _most_megabytes(server)
            await asyncio.to_thread(server.end)
            await asyncio.to_thread(fill_queue, database, QUEUED)
            slowest, most = await _restarts(server, network, count, draw, say)
        finally:
            await asyncio.to_thread(server.end, signal.SIGKILL)
            await network.stop()
    counts = {
        "restarts": count,
        "slowest_first_send_s": round(slowest, 2),
        "most_over_idle_mb": round(most - idle, 1),
        **await asyncio.to_thread(_queue, database, seen),
    }
    quick = slowest <= SECONDS and most - idle <= MEGABYTES
    return Found(quick and not counts["lost"] and not counts["unmarked"], counts)


def _queue(database: Database, seen: Seen) -> dict[str, Any]:
    """What is neither queued nor at the network, and what came there twice without a mark."""
    query = "SELECT id FROM mt WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = mt.id)"
    left: Collection[str] = database.run(query).split()
    gone = QUEUED - int(database.run("SELECT count(*) FROM mt"))
    return {
        "sent": len(seen.arrivals),
        "lost": gone + sum(one not in seen.arrivals for one in left),
        "unmarked": sum(marks.count(False) > 1 for marks in seen.arrivals.values()),
    }


def run(engine: str, count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` restarts on one queue. Not `protected`: each claim reads all that is due."""
    without = NONE if protected else "claims_limit"
    with ground(engine) as on:
        database: Database = (
            SqliteDatabase(on.folder / "faults.db")
            if on.postgres is None
            else PostgresDatabase(on.postgres, on.url.partition("@/")[2].partition("?")[0])
        )
        return asyncio.run(_run(on, database, count, seed, say, without))


_ABOUT = "restart to first send with a million queued"
FIRST_SENDS = tuple(
    Scenario(f"first-send-{engine}", f"{_ABOUT}, {name}", 5, partial(run, engine))
    for engine, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
)
