"""From the HTTP request to the final status: accepted, handed to the simulated carrier, receipt stored as delivered.

Texts come in for the seconds of a round as fast as they are taken; the round ends when none is on its way any more.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from bench.databases import Database
from bench.load import Faulty, Load
from bench.measure import measured
from bench.process import Server
from bench.results import Sample, figure
from bench.scenarios.run import Outcome, Run, Scenario, sample
from bench.scenarios.sending import TEXTS, send
from bench.server import accounts, numbers_and_carrier, serving
from bench.texts import encoded

STORES = ("sqlite", "postgres")
LOOK_EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 180.0
COUNT_DELIVERED = "SELECT count(*) FROM mt WHERE status = 2"
IS_OPEN = "SELECT 1 FROM mt WHERE finished_at IS NULL LIMIT 1"


def _wait_until_none_is_open(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while database.run(IS_OPEN):
        if time.monotonic() > deadline:
            raise Faulty(f"messages are still on their way after {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_EVERY_SECONDS)


def journey_round(run: Run, server: Server, database: Database, file: Path) -> tuple[Sample, float]:
    """One round, and how many texts a second were accepted in it.

    Raises `Faulty` when a message stays on its way or doesn't end as delivered.
    """
    _wait_until_none_is_open(database)
    before = int(database.run(COUNT_DELIVERED))

    def journey() -> Load:
        load = send(run, server, file, run.seconds)
        _wait_until_none_is_open(database)
        return load

    done = measured(journey, [server.pid, *database.processes])
    accepted, delivered = done.result.accepted, int(database.run(COUNT_DELIVERED)) - before
    # wrk leaves at the end with a request open on each connection: accepted, and nobody counted it.
    if not accepted <= delivered <= accepted + run.generator.connections:
        raise Faulty(f"{accepted} accepted, {delivered} delivered")
    return sample(done, delivered), accepted / done.result.seconds


def _run(run: Run, store: str) -> Outcome:
    rounds = []
    file = run.new_folder() / "texts"
    file.write_text(encoded(TEXTS))
    with run.shelf.database(store) as database:
        run.tell(f"accounts on {store}")
        accounts(database, 1)
        numbers_and_carrier(database)
        with serving(database, run.new_folder() / "log") as server:
            send(run, server, file, 1)
            for number in range(1, run.rounds + 1):
                run.tell(f"journeys on {store}: round {number} of {run.rounds}")
                rounds.append(journey_round(run, server, database, file))
    samples = [one for one, _ in rounds]
    per_second = [one.per_second for one in samples]
    figures = [
        figure("accepted, sent and delivered", "per second", per_second),
        figure("accepted while they come and go", "per second", [accepted for _, accepted in rounds]),
        figure("accepted, sent and delivered", "per CPU-second", [one.per_cpu_second for one in samples]),
    ]
    return Outcome(figures, {"ours": samples})


SCENARIOS = [
    Scenario(
        f"journeys-{store}",
        f"from the HTTP request until the receipt is stored, through the simulated carrier, on {store}",
        partial(_run, store=store),
    )
    for store in STORES
]
