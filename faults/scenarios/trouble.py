"""Trouble that passes without a restart: PostgreSQL away, disk full, I/O errors, a wall clock that is set."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import aiohttp
import apsw

from faults.disk.interposer import Trouble
from faults.network import HttpNetwork
from faults.points import NONE
from faults.run import Found, Say, Scenario, Site, ground, under_load
from faults.server import PASSWORD, USERS

BACK_SECONDS = 5.0
REFUSED_SECONDS = 1.0
YEAR = 365 * 86_400
STEPS: Sequence[float] = (YEAR, -1, 3600, -3600, 1)
# So many messages have no receipt yet when the clock is set: live ones, which must not expire.
LATE = 0.2
# Our sessions have to overrule this server, which lets commits be lost when it is killed, and then as many as possible.
CARELESS = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "32MB",
}


async def _probe(session: aiohttp.ClientSession, site: Site) -> tuple[int, float]:
    """The HTTP status of one call that reads, and how long it took; 0 without an answer."""
    begun = time.monotonic()
    form = {"username": USERS[0], "password": PASSWORD}
    path = f"{site.server.url}/services/rest/user/creditBalance"
    try:
        async with session.post(path, data=form) as answer:
            return answer.status, time.monotonic() - begun
    except (aiohttp.ClientError, OSError, TimeoutError):
        return 0, time.monotonic() - begun


async def until_back(site: Site) -> float:
    """Seconds until the server reads from its database and takes messages again."""
    begun, before = time.monotonic(), len(site.seen.accepted)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() - begun < 60:
            status, _ = await _probe(session, site)
            if status == 200 and len(site.seen.accepted) > before:
                return time.monotonic() - begun
            await asyncio.sleep(0.02)
    return 60.0


async def refused(site: Site) -> tuple[int, float]:
    """What a call is answered while the database is away, and how soon."""
    async with aiohttp.ClientSession() as session:
        return await _probe(session, site)


def prompt(found: Found) -> Found:
    """Whether the promises held, and the server said 503 and came back in time."""
    counts = found.counts
    quick = counts["slowest_refusal_s"] <= REFUSED_SECONDS and counts["slowest_return_s"] <= BACK_SECONDS
    return Found(found.held and quick and not counts["not_503"], counts)


class _Restarts:
    """Immediate stops of PostgreSQL: 503 within a second, back within five by itself."""

    def __init__(self, count: int, say: Say) -> None:
        self._count = count
        self._say = say

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        postgres = site.ground.postgres
        assert postgres is not None
        slowest_refusal = slowest_return = 0.0
        wrong: list[int] = []
        for _ in range(self._count):
            await site.traffic(20)
            await asyncio.sleep(site.draw.random())
            await asyncio.to_thread(postgres.kill)
            status, seconds = await refused(site)
            wrong += [status] if status != 503 else []
            slowest_refusal = max(slowest_refusal, seconds)
            await asyncio.to_thread(postgres.start)
            slowest_return = max(slowest_return, await until_back(site))
            self._say(1)
        return {
            "restarts": self._count,
            "slowest_refusal_s": round(slowest_refusal, 2),
            "slowest_return_s": round(slowest_return, 2),
            "not_503": wrong[:5],
        }


def restarts(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """PostgreSQL ends at once and comes back, under load. Not `protected`: commits need not be on its disk."""
    without = NONE if protected else "insisting_on_disk"
    with ground("postgres", CARELESS) as on:
        return prompt(asyncio.run(under_load(on, seed, _Restarts(count, say), without=without)))


class _BadDisk:
    """The disk is full, or fails, for a while; then it works again, and the server was never restarted."""

    def __init__(self, trouble: Trouble, count: int, say: Say) -> None:
        self._trouble = trouble
        self._count = count
        self._say = say

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        slowest = 0.0
        for turn in range(self._count):
            await site.traffic(10)
            await asyncio.sleep(site.draw.random() / 2)
            kind = (
                {"write": errno.ENOSPC},
                {"write": errno.EIO},
                {"sync": errno.EIO},
            )[turn % 3]
            self._trouble.errors(**kind)
            await asyncio.sleep(0.3 + site.draw.random())
            self._trouble.errors()
            before = len(site.seen.accepted)
            begun = time.monotonic()
            while len(site.seen.accepted) == before and time.monotonic() - begun < 30:  # noqa: ASYNC110  # senders set no event
                await asyncio.sleep(0.02)
            slowest = max(slowest, time.monotonic() - begun)
            self._say(1)
        return {
            "troubles": self._count,
            "slowest_return_s": round(slowest, 2),
            "still_runs": site.server.runs,
        }


def bad_disk(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """SQLite's disk full (ENOSPC) and failing (EIO at a write, EIO at a sync), in turns.

    Not `protected`: what it says of that at a commit is not heard.
    """
    without = NONE if protected else "commits_errors"
    with ground("sqlite") as on:
        trouble = Trouble(on.folder)
        disturb = _BadDisk(trouble, count, say)
        found = asyncio.run(under_load(on, seed, disturb, without=without, environment=trouble.environment))
    good = found.counts["slowest_return_s"] <= BACK_SECONDS and found.counts["still_runs"]
    return Found(found.held and good, found.counts)


class _Steps:
    """The wall clock is set, forth and back."""

    def __init__(self, trouble: Trouble, count: int, say: Say) -> None:
        self._trouble = trouble
        self._count = count
        self._say = say

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        for turn in range(self._count):
            await site.traffic(30)
            await asyncio.sleep(site.draw.random())
            self._trouble.clock(STEPS[turn % len(STEPS)])
            await asyncio.sleep(2 + site.draw.random())
            if turn % 2:
                self._trouble.clock(0)
            self._say(1)
        self._trouble.clock(0)
        # What the carrier took twice without a kill or a cut would be a storm.
        again = sum(len(times) > 1 for times in site.seen.arrivals.values())
        return {"steps": self._count, "sent_again": again}


def clock_steps(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """Steps of a second, an hour and a year: nothing lost, nothing sent again, nothing expired.

    Not `protected`: the server believes its clock.
    """
    without = NONE if protected else "doubting_the_clock"
    with ground("sqlite") as on:
        trouble = Trouble(on.folder)
        disturb = _Steps(trouble, count, say)
        found = asyncio.run(
            under_load(
                on,
                seed,
                disturb,
                without=without,
                behind=partial(HttpNetwork, late=LATE),
                environment=trouble.environment,
            )
        )
        connection = apsw.Connection(str(on.folder / "faults.db"))
        expired = connection.execute("SELECT count(*) FROM mt WHERE status = 3").get
        connection.close()
    counts = {**found.counts, "expired": expired}
    return Found(found.held and not expired and not counts["sent_again"], counts)


RESTARTS = Scenario("postgres-restarts", "PostgreSQL stopped at once and started, under load", 100, restarts)
BAD_DISK = Scenario("bad-disk-sqlite", "disk full and I/O errors for a moment, under load", 20, bad_disk)
CLOCK_STEPS = Scenario(
    "clock-steps", "the wall clock set by 1 s, 1 h and 1 year, under load", 20, clock_steps
)
