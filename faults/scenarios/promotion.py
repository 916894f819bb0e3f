"""A standby of PostgreSQL that is promoted when its primary is killed, under load; the server's URL names both.

Each time the standby is behind when the primary dies, which sends nothing for a moment before. A synchronous one
makes commits wait for it meanwhile; an asynchronous one, the negative control, loses what was acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from faults.run import Found, Ground, Say, Scenario, Site, under_load
from faults.scenarios.trouble import prompt, refused, until_back
from tests.postgres_server import ROLE, PostgresServer, postgres_server

BEHIND_SECONDS = 1.0
BEHIND_MESSAGES = 10


class Pair:
    """Two servers of which one follows the other."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer, synchronous: bool) -> None:
        self.primary, self.standby = primary, standby
        self._synchronous = synchronous
        self.name = primary.create_database()
        self._follow()

    @property
    def url(self) -> str:
        """Both, whoever is the primary."""
        query = [parse_qs(urlsplit(one.url(self.name)).query) for one in (self.primary, self.standby)]
        return f"postgresql://{ROLE}@/{self.name}?" + "&".join(
            f"{key}={','.join(one[key][0] for one in query)}" for key in ("host", "port")
        )

    def _follow(self) -> None:
        self.standby.follow(self.primary)
        if self._synchronous:
            self._waits_for("*")
            # From here on a commit is on both disks before anybody hears of it.
            while self.primary.run("SELECT sync_state FROM pg_stat_replication") != "sync":
                time.sleep(0.02)

    def _waits_for(self, names: str) -> None:
        self.primary.run(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.primary.run("SELECT pg_reload_conf()")

    def hold_back(self) -> None:
        """The primary sends nothing more to its standby."""
        os.kill(int(self.primary.run("SELECT pid FROM pg_stat_replication")), signal.SIGSTOP)

    def promote(self) -> None:
        """The standby is the primary from here on, waits for nobody, and has no standby."""
        self.primary, self.standby = self.standby, self.primary
        self.primary.run("ALTER SYSTEM RESET synchronous_standby_names")
        self.primary.run("SELECT pg_reload_conf()")
        self.primary.run("SELECT pg_promote(wait => true)")

    def mend(self) -> None:
        """The one that was killed follows the other one."""
        self._follow()


@contextlib.contextmanager
def pair(synchronous: bool) -> Iterator[Pair]:
    """Both are gone when the block ends."""
    with postgres_server() as primary:
        standby = PostgresServer(primary.folder / "standby")
        try:
            yield Pair(primary, standby, synchronous)
        finally:
            standby.close()


class _Promotions:
    """Kills the primary, promotes the standby, and gives it a new one, `count` times."""

    def __init__(self, servers: Pair, count: int, say: Say) -> None:
        self._servers = servers
        self._count = count
        self._say = say

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        slowest_refusal = slowest_return = 0.0
        wrong: list[int] = []
        for turn in range(self._count):
            await site.traffic(20)
            await asyncio.sleep(site.draw.random())
            await asyncio.to_thread(self._servers.hold_back)
            await site.traffic(BEHIND_MESSAGES, BEHIND_SECONDS)
            await asyncio.to_thread(self._servers.primary.kill)
            status, seconds = await refused(site)
            wrong += [status] if status != 503 else []
            slowest_refusal = max(slowest_refusal, seconds)
            await asyncio.to_thread(self._servers.promote)
            slowest_return = max(slowest_return, await until_back(site))
            if turn + 1 < self._count:
                await asyncio.to_thread(self._servers.mend)
            self._say(1)
        return {
            "promotions": self._count,
            "slowest_refusal_s": round(slowest_refusal, 2),
            "slowest_return_s": round(slowest_return, 2),
            "not_503": wrong[:5],
        }


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` promotions. Not `protected`: commits wait for the primary's disk alone."""
    with pair(protected) as servers, tempfile.TemporaryDirectory(prefix="rejoinder-faults-") as folder:
        on = Ground(servers.url, Path(folder))
        found = asyncio.run(under_load(on, seed, _Promotions(servers, count, say)))
    return prompt(found)


PROMOTION = Scenario(
    "postgres-promotion", "PostgreSQL killed and its synchronous standby promoted, under load", 20, run
)
