"""A day's traffic ten times as fast, everything judged: memory does not grow, files and tasks stay, the WAL is short.

A day is a million messages both ways; ten times as fast that is 77 a second from customers and an answer to every
second of them, each message with its receipt, four pollers (a tenth of their answers lost), and a customer over SMPP
besides: five more a second, with receipts and answers brought to its bind. From the tenth minute on memory must grow
by less than 1 MB an hour (least squares), and open files and tasks be as many at the end as they were then; shorter
runs tell the slope and assert the rest. Connections that a client keeps open are its own affair and told apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.crowd import Load
from faults.load.arrivals import Course, arrive
from faults.load.smpp import SmppCustomers
from faults.load.tally import Tally, slope
from faults.load.watch import held_by_clients, megabytes, metric, open_files
from faults.points import NONE
from faults.run import Found, Say, Scenario, Site, ground, under_load
from faults.server import PASSWORD

# A day: a million messages, two thirds of them sent, one third answers.
A_DAY, TIMES_AS_FAST = 1_000_000, 10
WHOLE_SECONDS = 86_400 // TIMES_AS_FAST
SENT_A_SECOND = A_DAY / WHOLE_SECONDS / 1.5
OVER_SMPP_A_SECOND = 5.0
SETTLED_SECONDS = 600.0
MEGABYTES_AN_HOUR = 1.0
# In seconds no WAL grows to that, checkpoints or not: a short run must keep to a few of their 4 MB.
WAL_MEGABYTES, WAL_SHORT = 64.0, 12.0
ASSERTED_FROM = 30
# Of files and tasks, between the first and the last minute looked at: a connection may come or go.
SPARE = 5
LOOK_SECONDS = 1.0
NUMBER, SYSTEM_ID, SECRET = "61480000009", "bank", "secret-1"


@dataclass
class _Looks:
    """What was seen each second."""

    memory: list[tuple[float, float]] = field(default_factory=list)
    files: list[tuple[float, float]] = field(default_factory=list)
    connections: list[tuple[float, float]] = field(default_factory=list)
    tasks: list[tuple[float, float]] = field(default_factory=list)
    wal: float = 0.0

    def settled(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [point for point in points if point[0] >= SETTLED_SECONDS]

    def drift(self, points: list[tuple[float, float]]) -> float:
        """The last minute's median over the first one's, once it has settled."""
        kept = self.settled(points)
        if not kept:
            return 0.0
        first = [value for at, value in kept if at < SETTLED_SECONDS + 60]
        last = [value for at, value in kept if at > kept[-1][0] - 60]
        return statistics.median(last) - statistics.median(first)


class _Soak:
    """Looks on for `seconds` while the crowd does its work, and lets a customer over SMPP do his."""

    def __init__(self, seconds: int, say: Say) -> None:
        self._seconds = seconds
        self._say = say
        self.looks = _Looks()
        self.over_smpp = Tally()

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        customers = await _bound(site)
        course = Course(OVER_SMPP_A_SECOND, self._seconds, random.Random(site.draw.random()))
        sending = asyncio.create_task(arrive(course, customers.send, self.over_smpp))
        try:
            await self._look_on(site)
            await sending
            await customers.settled()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            customers.close()
        over_smpp = self.over_smpp
        return {
            "over_smpp": over_smpp.accepted.count,
            "brought_over_smpp": customers.delivered,
            "wrong_over_smpp": over_smpp.wrong.total() + over_smpp.broken + over_smpp.refused.count,
            "most_p99_over_smpp_ms": over_smpp.accepted.quantile_ms(0.99),
        }

    async def _look_on(self, site: Site) -> None:
        assert site.server.process is not None
        pid, begun, looks = site.server.process.pid, time.monotonic(), self.looks
        ports = (site.server.port, site.server.smpp_port)
        for second in range(self._seconds):
            at = time.monotonic() - begun
            looks.memory.append((at, megabytes(pid)))
            connections = held_by_clients(pid, ports)
            looks.connections.append((at, connections))
            looks.files.append((at, open_files(pid) - connections))
            if second % 10 == 0:
                looks.tasks.append((at, await metric(site.server.port, "rejoinder_tasks")))
            looks.wal = max(looks.wal, _megabytes_of(site.ground.folder / "faults.db-wal"))
            self._say(1)
            await asyncio.sleep(max(0.0, begun + (second + 1) * LOOK_SECONDS - time.monotonic()))


def _megabytes_of(file: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_size / 2**20
    return 0.0


async def _bound(site: Site) -> SmppCustomers:
    """A customer of the same reseller who binds; the running server knows him within a second."""
    server = site.server

    def account() -> None:
        server.command("customer", "add", "bank", "--reseller", "acme", "--billing", "post_paid")
        server.command("user", "add", "one@bank", "--customer", "bank", "--password", PASSWORD)
        server.command("number", "add", NUMBER, "--user", "one@bank")
        server.command("user", "smpp", "one@bank", "--system-id", SYSTEM_ID, "--password", SECRET)

    await asyncio.to_thread(account)
    customers = SmppCustomers(server.smpp_port, (SYSTEM_ID, SECRET), NUMBER, receipts=True)
    await asyncio.sleep(1)
    await customers.open(2)
    return customers


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` seconds of it on SQLite. Not `protected`: what is in the WAL is never brought home."""
    soak = _Soak(count, say)
    with ground("sqlite") as on:
        found = asyncio.run(
            under_load(
                on,
                seed,
                soak,
                without=NONE if protected else "checkpoints",
                environment={"REJOINDER_SMPP_LISTEN": "127.0.0.1:0"},
                load=Load(SENT_A_SECOND),
            )
        )
    looks = soak.looks
    an_hour = slope(looks.settled(looks.memory) or looks.memory) * 3600
    promises = {
        "all_judged_well": found.held,
        "over_smpp": found.counts["over_smpp"] > 0 and found.counts["wrong_over_smpp"] == 0,
        "wal": looks.wal < (WAL_SHORT if count < ASSERTED_FROM else WAL_MEGABYTES),
    }
    if count >= 2 * SETTLED_SECONDS:
        promises |= {
            "memory": an_hour < MEGABYTES_AN_HOUR,
            "files": abs(looks.drift(looks.files)) <= SPARE,
            "tasks": abs(looks.drift(looks.tasks)) <= SPARE,
        }
    missed = sorted(name for name, holds in promises.items() if not holds)
    return Found(
        not missed,
        {
            **found.counts,
            "steepest_mb_an_hour": round(an_hour, 2),
            "most_memory_mb": round(max((value for _, value in looks.memory), default=0.0), 1),
            "most_wal_mb": round(looks.wal, 1),
            "most_files": max((int(value) for _, value in looks.files), default=0),
            "grown_files": round(looks.drift(looks.files)),
            "most_connections": max((int(value) for _, value in looks.connections), default=0),
            "grown_connections": round(looks.drift(looks.connections)),
            "most_tasks": max((int(value) for _, value in looks.tasks), default=0),
            "grown_tasks": round(looks.drift(looks.tasks)),
            "asserted": sorted(promises),
            "missed": missed,
        },
    )


SOAK = Scenario(
    "soak",
    "seconds of a day's traffic ten times as fast, judged; memory, files, tasks, WAL",
    WHOLE_SECONDS,
    run,
)
