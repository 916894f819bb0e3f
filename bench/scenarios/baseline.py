"""allMessages against bench/baseline/, a first version with a framework and an ORM on PostgreSQL, same answers owed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.databases import Database
from bench.fill import Mailbox, fill
from bench.load import Faulty
from bench.process import Server, running
from bench.results import Figure, rates, ratios
from bench.scenarios.polls import COUNT, KINDS, USERS, page_paths
from bench.scenarios.run import Outcome, Run, Samples, Scenario, alternate, polling
from bench.server import accounts, get, serving

# How many times the baseline's polls per CPU-second have to be reached: (empty, 100 messages).
TO_REACH = {"sqlite": (50.0, 12.0), "postgres": (15.0, 9.0)}
STORES = tuple(TO_REACH)


@contextlib.contextmanager
def _baseline(database: Database, log: Path) -> Iterator[Server]:
    """The baseline by uvicorn with uvloop and httptools, one process, as ours."""
    from bench.baseline.fill import address  # the ORM is there for benches alone

    command = [sys.executable, "-m", "uvicorn", "bench.baseline.app:app", "--port", "0", "--no-access-log"]
    command += ["--loop", "uvloop", "--http", "httptools"]
    with running(command, log, environment={"BASELINE_DATABASE": address(database.url)}) as server:
        yield server


def _run(run: Run) -> Outcome:
    from bench.baseline.fill import copy_mailboxes

    samples: Samples = {}
    now = run.now()
    with contextlib.ExitStack() as stack:
        servers: dict[str, tuple[Server, Database]] = {}
        mailboxes: list[Mailbox] = []
        for store in STORES:
            run.tell(f"filling {USERS} mailboxes on {store}")
            database = stack.enter_context(run.shelf.database(store))
            mailboxes = fill(database, accounts(database, USERS), COUNT, now)
            if store == "postgres":
                copy_mailboxes(database)
                first = stack.enter_context(_baseline(database, run.new_folder() / "log"))
                servers["baseline"] = (first, database)
            ours = stack.enter_context(serving(database, run.new_folder() / "log"))
            servers[f"ours on {store}"] = (ours, database)
        for kind in KINDS:
            paths = page_paths(kind, dict(enumerate(mailboxes)))
            _check_same([server for server, _ in servers.values()], paths)
            contenders = [
                polling(run, f"{name}, {kind}", server, paths, database)
                for name, (server, database) in servers.items()
            ]
            samples |= alternate(run, contenders, f"{kind} poll beside the baseline")
    return Outcome([figure for kind in KINDS for figure in _figures(kind, samples)], samples)


def _figures(kind: str, samples: Samples) -> list[Figure]:
    theirs = samples[f"baseline, {kind}"]
    factors = [
        ratios(
            f"{kind} poll, ours on {store}, of the baseline",
            samples[f"ours on {store}, {kind}"],
            theirs,
            at_least=TO_REACH[store][KINDS.index(kind)],
        )
        for store in STORES
    ]
    return [*factors, rates(f"{kind} poll, baseline", theirs)]


def _check_same(servers: list[Server], paths: list[str]) -> None:
    """Raise `Faulty` unless all give the same answers to all paths, field by field."""
    for path in paths:
        one, *others = (msgspec.json.decode(get(server.url, path).body) for server in servers)
        if any(one != other for other in others):
            raise Faulty(f"the servers differ in their answers to {path.partition('?')[0]}")


SCENARIOS = [
    Scenario(
        "baseline",
        "allMessages against FastAPI, pydantic and SQLAlchemy's async ORM on PostgreSQL, same answers owed",
        _run,
    )
]
