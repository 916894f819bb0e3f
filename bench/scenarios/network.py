"""The network at the other end of an SMPP link (bench/sink.py): started, set up as our carrier, listened to.

It refuses to wait for ever for what the sink has to say: `Faulty`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Database
from bench.load import Faulty, Load
from bench.measure import LOAD_CORE
from bench.process import running
from bench.scenarios.run import Run
from bench.server import add_carrier, numbers, rejoinder

WINDOW = "100"
SYSTEM_ID = PASSWORD = "bench"
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Network:
    """A running sink: its process, its port, and the file of what it says."""

    pid: int
    port: int
    log: Path

    def said(self, word: str, times: int = 1) -> list[str]:
        """The sink's line that begins with the word, once it is there so often: its other words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = [line.split() for line in self.log.read_text().splitlines() if line.startswith(word)]
            if len(found) >= times:
                return found[times - 1][1:]
            time.sleep(0.01)
        raise Faulty(f"the sink did not say {word}: {self.log.read_text()[-300:]}")

    def deliver(self, turn: int) -> Load:
        """Its MOs, for the turn-th time: how many, and the seconds until all were acknowledged."""
        os.kill(self.pid, signal.SIGUSR1)
        count, seconds = self.said("delivered", turn)
        return Load(int(count), 0, float(seconds), 0.0, 0.0, 0, int(count))


@contextmanager
def network(run: Run, *words: str) -> Iterator[Network]:
    """A sink with these options on the load's core."""
    log = run.new_folder() / "sink"
    command = [sys.executable, "-m", "bench.sink", *words]
    with running(command, log, core=LOAD_CORE) as server:
        yield Network(server.pid, int(server.url.rpartition(":")[2]), log)


def link_to(database: Database, sink: Network, **settings: str) -> None:
    """Reply numbers, and a carrier for every number that leads to the sink."""
    numbers(database)
    add_link(database, sink, "network", **settings)


def add_link(database: Database, sink: Network, name: str, prefix: str = "", **settings: str) -> None:
    """A carrier for the numbers with that prefix that leads to the sink."""
    where = {"host": "127.0.0.1", "port": str(sink.port), "system_id": SYSTEM_ID, "password": PASSWORD}
    add_carrier(database, name, "smpp", prefix, **where, window=WINDOW, **settings)


def until_bound(database: Database) -> None:
    """Raises `Faulty` when no carrier binds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while '"up' not in rejoinder(database, "carrier", "list", "--json"):
        if time.monotonic() > deadline:
            raise Faulty("the carrier did not bind")
        time.sleep(0.2)
