"""One customer has a million messages queued; another one's must not wait behind them.

Measured twice, from the send until it is at the carrier: with an empty queue, and with the million. The carrier takes 200
messages a second, so that the million would take an hour and a half. In shorter runs than half a minute it is 20,000.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from bench.databases import Database, PostgresDatabase, SqliteDatabase
from bench.fill import fill_queue
from faults.load.arrivals import Course, arrive, kept
from faults.load.http import HttpCustomers
from faults.load.site import OTHER_USER, Loaded, accounts, cores, database, loading, lost, serving
from faults.load.tally import Histogram, Tally
from faults.points import NONE, wrapper
from faults.run import Found, Ground, Say, Scenario
from faults.server import PASSWORD, Server

QUEUED, QUEUED_SHORT = 1_000_000, 20_000
ASSERTED_FROM = 30
THROUGHPUT = 200
SENDS_A_SECOND = 20.0
ADDED_MS = 1000
# What has not come to the carrier so long after the last send counts as that late.
PATIENCE_SECONDS, PATIENCE_SHORT = 15.0, 6.0
CONNECTIONS = 200


@dataclass
class _Sent(Tally):
    """When each message was sent, by its id."""

    sent: dict[str, float] = field(default_factory=dict)

    def accept(self, seconds: float, message_id: str) -> None:
        super().accept(seconds, message_id)
        self.sent[message_id] = time.monotonic() - seconds


class _Carrier:
    """The network behind the HTTP carrier: takes everything, notes when each message came."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> int:
        application = web.Application()
        application.router.add_post("/send", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        found: int = self._runner.addresses[0][1]
        return found

    async def _take(self, request: web.Request) -> web.Response:
        message = await request.json()
        self.arrived.setdefault(message["id"], time.monotonic())
        return web.json_response({"id": f"n-{message['id']}"})

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


async def _measured(
    loaded: Loaded, port: int, seconds: float, draw: random.Random, say: Say
) -> tuple[_Sent, Histogram, int]:
    """Sends of the customer who has nothing queued; how long each took to the carrier, and how much came there."""
    carrier, tally = _Carrier(), _Sent()
    await carrier.start(port)
    customers = HttpCustomers(loaded.server.port, OTHER_USER, PASSWORD, CONNECTIONS)
    try:
        await customers.open(20)
        await arrive(Course(SENDS_A_SECOND, seconds, draw, say), customers.send, tally)
        await customers.settled()
        deadline = time.monotonic() + (PATIENCE_SECONDS if seconds >= 15 else PATIENCE_SHORT)
        while not tally.ids <= carrier.arrived.keys() and time.monotonic() < deadline:  # noqa: ASYNC110  # a carrier sets no event
            await asyncio.sleep(0.05)
    finally:
        customers.close()
        await carrier.stop()
    waits, end = Histogram(), time.monotonic()
    for message_id, sent in tally.sent.items():
        waits.add(carrier.arrived.get(message_id, end) - sent)
    return tally, waits, len(carrier.arrived)


async def _free_port() -> int:
    carrier = _Carrier()
    port = await carrier.start()
    await carrier.stop()
    return port


def _stored(on: Ground) -> Database:
    if on.postgres is None:
        return SqliteDatabase(on.folder / "faults.db")
    return PostgresDatabase(on.postgres, on.url.partition("@/")[2].partition("?")[0])


def run(engine: str, count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` seconds beside the queue. Not `protected`: the carrier's queue is served oldest first."""
    draw, short = random.Random(seed), count < ASSERTED_FROM
    serve = wrapper(NONE if protected else "turns")
    queued = QUEUED_SHORT if short else QUEUED
    with database(engine) as on:
        port = loading(_free_port())
        body = '{"id": "{{id}}", "to": "{{recipient}}"}'
        settings = {"url": f"http://127.0.0.1:{port}/send", "body": body, "id_path": "id"}
        accounts(
            Server(on.url, on.folder / "server.log"), {**settings, "throughput": str(THROUGHPUT)}, "http"
        )
        with serving(on, serve) as loaded:
            alone, before, _ = loading(_measured(loaded, port, 1.0 if short else 15.0, draw, lambda _: None))
        fill_queue(_stored(on), queued)
        with serving(on, serve) as loaded:
            beside, after, through = loading(_measured(loaded, port, float(count), draw, say))
        missing = lost(on, alone.ids | beside.ids)
    added = after.quantile_ms(0.99) - before.quantile_ms(0.99)
    promises = {
        "all_accepted": not any((t.wrong or t.broken or t.refused.count) for t in (alone, beside)),
        "nothing_lost": missing == 0,
        "added_p99": added < (ADDED_MS if not short else 5 * ADDED_MS),
    }
    if not short:
        promises["open_loop"] = kept(beside)
    missed = sorted(name for name, holds in promises.items() if not holds)
    return Found(
        not missed,
        {
            "queued": queued,
            "sent": beside.accepted.count,
            "through": through,
            "p99_alone_ms": before.quantile_ms(0.99),
            "p99_beside_ms": after.quantile_ms(0.99),
            "p95_added_ms": after.quantile_ms(0.95) - before.quantile_ms(0.95),
            "most_added_p99_ms": added,
            "lost": missing,
            "cores": cores(),
            "asserted": sorted(promises),
            "missed": missed,
        },
    )


SCENARIOS = [
    Scenario(
        f"fairness-{engine}",
        f"seconds of one customer's messages beside another's million, on {engine}",
        60,
        partial(run, engine),
        alone=True,
    )
    for engine in ("sqlite", "postgres")
]
