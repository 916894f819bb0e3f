"""kill -9 of the server under load both ways, at random moments and at named points of its code."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from faults.points import NONE, POINTS, wrapper
from faults.run import Found, Say, Scenario, Site, ground, under_load

# A named point that nothing passes in this time: the kill comes anyway.
PATIENCE = 4.0


class Killer:
    """Ends the server `count` times and starts it again each time, half of them at one of the `points`, if any."""

    def __init__(self, count: int, say: Say, points: Sequence[str]) -> None:
        self._count = count
        self._say = say
        self._points = points
        self._by_point: dict[str, int] = {}
        self._slowest_start = 0.0

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        for turn in range(self._count):
            point = site.draw.choice(("", *self._points)) if turn % 2 and self._points else ""
            if point:
                await self._restart(site, point)
                await _until_it_fell(site)
            else:
                await site.traffic(20)
                await asyncio.sleep(site.draw.random())
            name = point or "random"
            self._by_point[name] = self._by_point.get(name, 0) + 1
            await self._restart(site, "")
            self._say(1)
        twice = sum(len(times) == 2 for times in site.seen.arrivals.values())
        return {
            "kills": self._by_point,
            "arrived_twice_marked": twice,
            "slowest_start_s": round(self._slowest_start, 2),
        }

    async def _restart(self, site: Site, point: str) -> None:
        await asyncio.to_thread(site.server.end, signal.SIGKILL)
        before = wrapper(point, site.draw.randint(1, 20)) if point else None
        seconds = await asyncio.to_thread(site.server.start, before)
        self._slowest_start = max(self._slowest_start, seconds)


async def _until_it_fell(site: Site) -> None:
    deadline = time.monotonic() + PATIENCE
    while site.server.runs and time.monotonic() < deadline:  # noqa: ASYNC110  # a process sets no event
        await asyncio.sleep(0.01)


def run(engine: str, count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` kills on one store. Not `protected`: MOs are acknowledged before they are on disk."""
    without = NONE if protected else "storing_before_acknowledging"
    with ground(engine) as on:
        points = tuple(POINTS) if protected else ()
        return asyncio.run(under_load(on, seed, Killer(count, say, points), without=without))


_ABOUT = "kill -9 under 200 messages a second both ways, half of them at named points"
KILL_SQLITE = Scenario("kill-sqlite", f"{_ABOUT}, SQLite", 1000, partial(run, "sqlite"))
KILL_POSTGRES = Scenario("kill-postgres", f"{_ABOUT}, PostgreSQL", 1000, partial(run, "postgres"))
