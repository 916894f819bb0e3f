"""Over SMPP: from the HTTP request to the receipt, MOs to the mailbox, and a queue of a million at the start."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.databases import Database
from bench.load import Faulty, Load
from bench.measure import LOAD_CORE, measured
from bench.process import Server, running
from bench.results import Sample, figure
from bench.scenarios.journeys import journey_round
from bench.scenarios.run import Outcome, Run, Scenario, sample
from bench.scenarios.sending import TEXTS, send
from bench.server import accounts, numbers_and_carrier, rejoinder, serving, username
from bench.texts import encoded

STORES = ("sqlite", "postgres")
SENT_TO_RECEIPT = {"sqlite": 1500, "postgres": 1000}
MOS_A_SECOND = 2000
MO_NUMBER = "61480099999"
WINDOW = "100"
MEGABYTES_QUEUED = 100
SECONDS_TO_FIRST = 5
PATIENCE_SECONDS = 120.0


@contextmanager
def _sink(run: Run, *words: str) -> Iterator[tuple[Server, Path]]:
    """The network at the other end, on the load's core; and what it says."""
    log = run.new_folder() / "sink"
    command = [sys.executable, "-m", "bench.sink", *words]
    with running(command, log, core=LOAD_CORE) as server:
        yield server, log


def _set_up(database: Database, sink: Server, **settings: str) -> None:
    host, _, port = sink.url.removeprefix("http://").partition(":")
    numbers_and_carrier(
        database,
        "smpp",
        host=host,
        port=port,
        system_id="bench",
        password="bench",
        window=WINDOW,
        **settings,
    )


def _sent(run: Run, store: str) -> Outcome:
    rounds = []
    file = run.new_folder() / "texts"
    file.write_text(encoded(TEXTS))
    with run.shelf.database(store) as database, _sink(run) as (sink, _):
        run.tell(f"accounts on {store}")
        accounts(database, 1)
        _set_up(database, sink)
        with serving(database, run.new_folder() / "log") as server:
            send(run, server, file, 1)
            for number in range(1, run.rounds + 1):
                run.tell(f"over SMPP on {store}: round {number} of {run.rounds}")
                rounds.append(journey_round(run, server, database, file))
    samples = [one for one, _ in rounds]
    per_second = [one.requests / one.seconds for one in samples]
    least = SENT_TO_RECEIPT[store]
    figures = [
        figure("HTTP to submit_sm to stored receipt", "per second", per_second, at_least=least),
        figure(
            "HTTP to submit_sm to stored receipt", "per CPU-second", [one.per_cpu_second for one in samples]
        ),
    ]
    return Outcome(figures, {"ours": samples})


def _said(log: Path, word: str, times: int = 1) -> list[str]:
    """The sink's line that begins with the word, once it is there so often: its other words."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = [line.split() for line in log.read_text().splitlines() if line.startswith(word)]
        if len(found) >= times:
            return found[times - 1][1:]
        time.sleep(0.01)
    raise Faulty(f"the sink did not say {word}: {log.read_text()[-300:]}")


def _received(run: Run, store: str) -> Outcome:
    mos = max(2000, round(MOS_A_SECOND * run.seconds))
    samples: list[Sample] = []
    rates: list[float] = []
    with (
        run.shelf.database(store) as database,
        _sink(run, "--mos", str(mos), "--number", MO_NUMBER) as (sink, log),
    ):
        accounts(database, 1)
        rejoinder(database, "number", "add", MO_NUMBER, "--user", username(0))
        _set_up(database, sink)
        with serving(database, run.new_folder() / "log") as server:
            for number in range(1, run.rounds + 2):
                run.tell(f"MOs on {store}: round {number - 1} of {run.rounds}")

                def delivered(turn: int = number) -> Load:
                    os.kill(sink.pid, signal.SIGUSR1)
                    count, seconds = _said(log, "delivered", turn)
                    return Load(int(count), 0, float(seconds), 0.0, 0.0, 0, int(count))

                if number == 1:
                    _until_bound(database)
                done = measured(delivered, [server.pid, *database.processes])
                if number > 1:  # the first warms up
                    samples.append(sample(done, done.result.requests))
                    rates.append(done.result.requests / done.result.seconds)
            shown = int(database.run("SELECT count(*) FROM entry WHERE incoming"))
    if shown != mos * (run.rounds + 1):
        raise Faulty(f"{mos * (run.rounds + 1)} MOs acknowledged, {shown} in the mailbox")
    figures = [
        figure("deliver_sm to mailbox, acknowledged", "per second", rates, at_least=MOS_A_SECOND),
        figure("deliver_sm to mailbox", "per CPU-second", [one.per_cpu_second for one in samples]),
    ]
    return Outcome(figures, {"ours": samples})


def _until_bound(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while '"up' not in rejoinder(database, "carrier", "list", "--json"):
        if time.monotonic() > deadline:
            raise Faulty("the carrier did not bind")
        time.sleep(0.2)


def _megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Faulty("the server is gone")


def _fill_queue(database: Database, count: int) -> None:
    """So many messages as flow would have stored them, waiting for the only carrier; one statement a table."""
    now = time.time_ns() // 1000
    later = now + 172_800_000_000
    number, hexed = ("n", "printf('%024x', n)")
    rows = f"WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < {count})"
    if database.kind == "postgres":
        rows = f"WITH q AS (SELECT generate_series(1, {count}) AS n)"
        hexed = "lpad(to_hex(n), 24, '0')"
    recipient = f"CAST(61400000000 + {number} AS text)"
    database.run(
        "INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, accepted_at, expires_at) "
        f"{rows} SELECT {hexed}, 1, 1, {recipient}, '61480000001', 10, 1, 0, {now}, {later} FROM q"
    )
    database.run(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        f"{rows} SELECT {hexed}, 1, 1, {recipient}, '61480000001', 'Hello mommy', 'gsm', 1, {now}, {later} FROM q"
    )
    database.settle()


def _queued(run: Run, store: str) -> Outcome:
    over_idle, to_first = [], []
    with run.shelf.database(store) as database, _sink(run) as (sink, log):
        accounts(database, 1)
        _set_up(database, sink, throughput="50")
        with serving(database, run.new_folder() / "log") as server:
            time.sleep(3)
            idle = _megabytes(server.pid)
        run.tell(f"{run.million:,} queued on {store}")
        _fill_queue(database, run.million)
        begun = time.time()

        def journey() -> Load:
            with serving(database, run.new_folder() / "log") as server:
                (first,) = _said(log, "first")
                to_first.append(float(first) - begun)
                time.sleep(max(10.0, run.seconds))
                over_idle.append(_megabytes(server.pid) - idle)
            return Load(1, 0, run.seconds, 0.0, 0.0, 0)

        samples = [sample(measured(journey, database.processes or [os.getpid()]), 1)]
    figures = [
        figure(f"memory over idle, {run.million:,} queued", "MB", over_idle, at_most=MEGABYTES_QUEUED),
        figure(f"start to first submit_sm, {run.million:,} queued", "s", to_first, at_most=SECONDS_TO_FIRST),
    ]
    return Outcome(figures, {"ours": samples})


SCENARIOS = [
    Scenario(f"{name}-{store}", f"{about}, on {store}", partial(run, store=store))
    for name, about, run in (
        ("links", "from the HTTP request over submit_sm until the receipt is stored", _sent),
        ("mos", "from deliver_sm until the MO is in the mailbox and acknowledged", _received),
        (
            "queued",
            "a server that starts on a million queued messages: its memory, and its first submit_sm",
            _queued,
        ),
    )
    for store in STORES
]
