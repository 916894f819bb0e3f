"""What a harness is, and the run that most of them share: a crowd around one server while something disturbs it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from faults import books
from faults.checker import judge
from faults.crowd import Crowd, Load
from faults.network import HttpNetwork, Network
from faults.points import NONE, wrapper
from faults.seen import Seen
from faults.server import CREDITS, Server, set_up
from tests.postgres_server import PostgresServer, postgres_server

TRAFFIC_SECONDS = 30.0
MISSING_TOLD = 5
Say = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a part gave: whether the promise held, and the counts."""

    held: bool
    counts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`run(count, seed, say, protected)`: `say` is told of progress; not `protected` is the negative control.

    `alone`: it measures times, so that nothing else may run beside it.
    """

    name: str
    about: str
    whole: int
    run: Callable[[int, int, Say, bool], Found]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """A new database on real disk, a folder beside it, and the PostgreSQL behind it if there is one."""

    url: str
    folder: Path
    postgres: PostgresServer | None = None


@contextlib.contextmanager
def ground(engine: str, settings: Mapping[str, str] | None = None) -> Iterator[Ground]:
    """Everything is gone when the block ends. `settings` are PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="rejoinder-faults-", dir="/var/tmp") as folder:
        if engine == "sqlite":
            yield Ground(f"sqlite:///{folder}/faults.db", Path(folder))
            return
        with postgres_server(settings=settings) as server:
            yield Ground(server.url(server.create_database()), Path(folder), server)


@dataclass(frozen=True, slots=True)
class Site:
    """What a disturber has in its hands."""

    ground: Ground
    server: Server
    seen: Seen
    draw: random.Random
    network: Network

    async def traffic(self, count: int, seconds: float = TRAFFIC_SECONDS) -> None:
        """Returns when so many more messages were accepted, on a slow machine too; at the latest after a while."""
        wanted, deadline = len(self.seen.accepted) + count, time.monotonic() + seconds
        while len(self.seen.accepted) < wanted and time.monotonic() < deadline:  # noqa: ASYNC110  # senders set no event
            await asyncio.sleep(0.02)


Disturb = Callable[[Site], Awaitable[Mapping[str, Any]]]


async def under_load(
    on: Ground,
    seed: int,
    disturb: Disturb,
    *,
    without: str = NONE,
    environment: Mapping[str, str] | None = None,
    behind: Callable[[Seen, random.Random], Network] = HttpNetwork,
    load: Load = Load(),  # noqa: B008  # frozen
) -> Found:
    """200 messages a second both ways and four pollers while `disturb` does its work; then everything is judged.

    `without`: the protection that is taken out (faults/without.py).
    """
    seen, draw = Seen(), random.Random(seed)
    network = behind(seen, draw)
    await network.start()
    server = Server(on.url, on.folder / "server.log", wrapper(without), environment or {})
    await asyncio.to_thread(set_up, server, network.carriers())
    await asyncio.to_thread(server.start)
    told: dict[str, Any] = {}

    async def disturbing() -> None:
        told.update(await disturb(Site(on, server, seen, draw, network)))

    try:
        await Crowd(server, network, seen, seed, load).run(disturbing)
    finally:
        status = await asyncio.to_thread(server.end, signal.SIGTERM)
    verdict = judge(seen)
    accounts = await asyncio.to_thread(_accounts, server, seen)
    counts = {**asdict(verdict), **accounts, "accepted": len(seen.accepted), "replies": len(seen.replies)}
    counts["gave_up_in_doubt"] = len(seen.gave_up)
    if verdict.not_handed_over:
        counts["missing"] = await asyncio.to_thread(_missing, on.url, seen, network)
    held = verdict.held and not any(accounts.values()) and status == 0
    return Found(held, {**counts, **told})


def _missing(database: str, seen: Seen, network: Network) -> list[str]:
    """Of some messages that the network lacks: what the disk says of each, a row for each part, and what came of it."""
    lacking = [(ref, mt) for ref, (_, mt) in seen.accepted.items() if mt in seen.missing()][:MISSING_TOLD]
    words = ", ".join(f"'{mt}'" for _, mt in lacking)
    rows = books.rows(
        database,
        "SELECT m.id, m.status, m.resent, m.parts, p.number, p.status, o.attempts, o.submitting, o.duplicate"
        " FROM mt m LEFT JOIN part p ON p.mt_id = m.id LEFT JOIN outbox o ON o.id = m.id"
        f" WHERE m.id IN ({words}) ORDER BY m.id, p.number",
    )
    return [str(row) for row in rows] + [f"{mt}: {network.told_of(ref)}" for ref, mt in lacking]


def _accounts(server: Server, seen: Seen) -> dict[str, int]:
    """What the customer paid beyond one credit a message, and whether the ledger adds up."""
    try:
        server.command("ledger", "check")
        wrong = 0
    except RuntimeError:
        wrong = 1
    paid = CREDITS - float(server.command("customer", "show", "shop")["credits"])
    return {"charged_twice": round(paid) - seen.charge(), "ledger_wrong": wrong}
