"""Over SMPP: from the HTTP request to the receipt, MOs to the mailbox, and a queue of a million at the start."""

from __future__ import annotations

import os
import time
from functools import partial

from bench.fill import fill_queue
from bench.load import Faulty, Load
from bench.measure import measured, megabytes
from bench.results import Sample, figure
from bench.scenarios.journeys import journey_round
from bench.scenarios.network import link_to, network, until_bound
from bench.scenarios.run import Outcome, Run, Scenario, sample
from bench.scenarios.sending import TEXTS, send
from bench.server import accounts, rejoinder, serving, username
from bench.texts import encoded

STORES = ("sqlite", "postgres")
SENT_TO_RECEIPT = {"sqlite": 3000, "postgres": 1000}
MOS_A_SECOND = 4000
MO_NUMBER = "61480099999"
MEGABYTES_QUEUED = 100
SECONDS_TO_FIRST = 5


def _sent(run: Run, store: str) -> Outcome:
    run, rounds = run.busier(), []
    file = run.new_folder() / "texts"
    file.write_text(encoded(TEXTS))
    with run.shelf.database(store) as database, network(run) as sink:
        run.tell(f"accounts on {store}")
        accounts(database, 1)
        link_to(database, sink)
        with serving(database, run.new_folder() / "log") as server:
            send(run, server, file, 1)
            for number in range(1, run.rounds + 1):
                run.tell(f"over SMPP on {store}: round {number} of {run.rounds}")
                rounds.append(journey_round(run, server, database, file))
    samples = [one for one, _ in rounds]
    per_second = [one.per_second for one in samples]
    least = SENT_TO_RECEIPT[store]
    figures = [
        figure("HTTP to submit_sm to stored receipt", "per second", per_second, at_least=least),
        figure(
            "HTTP to submit_sm to stored receipt", "per CPU-second", [one.per_cpu_second for one in samples]
        ),
    ]
    return Outcome(figures, {"ours": samples})


def _received(run: Run, store: str) -> Outcome:
    mos = max(2000, round(MOS_A_SECOND * run.seconds))
    samples: list[Sample] = []
    rates: list[float] = []
    words = ("--mos", str(mos), "--number", MO_NUMBER)
    with run.shelf.database(store) as database, network(run, *words) as sink:
        accounts(database, 1)
        rejoinder(database, "number", "add", MO_NUMBER, "--user", username(0))
        link_to(database, sink)
        with serving(database, run.new_folder() / "log") as server:
            for number in range(1, run.rounds + 2):
                run.tell(f"MOs on {store}: round {number - 1} of {run.rounds}")
                if number == 1:
                    until_bound(database)
                done = measured(partial(sink.deliver, number), [server.pid, *database.processes])
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


def _queued(run: Run, store: str) -> Outcome:
    over_idle, to_first = [], []
    with run.shelf.database(store) as database, network(run) as sink:
        accounts(database, 1)
        link_to(database, sink, throughput="50")
        with serving(database, run.new_folder() / "log") as server:
            time.sleep(3)
            idle = megabytes(server.pid)
        run.tell(f"{run.million:,} queued on {store}")
        fill_queue(database, run.million)
        begun = time.time()

        def journey() -> Load:
            with serving(database, run.new_folder() / "log") as server:
                (first,) = sink.said("first")
                to_first.append(float(first) - begun)
                time.sleep(max(10.0, run.seconds))
                over_idle.append(megabytes(server.pid) - idle)
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
