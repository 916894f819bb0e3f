"""Texts accepted: message, charge and mailbox entry on disk before the answer, fsync on.

The carrier takes one message a second, so that accepting is what is measured; journeys.py measures all of it.
Beside it nginx, which answers the same bytes to the same requests and stores nothing. PostgreSQL shares the server's
core; then once more the load's, as a database on a machine of its own leaves the server's alone.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial

from bench import nginx
from bench.measure import LOAD_CORE, moved
from bench.results import Sample, figure, rates, ratios
from bench.scenarios.run import Outcome, Run, Scenario, alternate
from bench.scenarios.sending import FIRST_RECIPIENT, sending
from bench.server import SEND, accounts, numbers_and_carrier, serving

TO_REACH = {"sqlite": 8_000.0, "postgres": 5_000.0}
MESSAGES_A_SECOND = "1"
APART = "sends accepted, the database on another core"
# As long as an answer of ours, for nginx to give.
ANSWER = f'{{"documentId":"{"5" * 24}","recipient":"{FIRST_RECIPIENT}","messageStatus":10}}'


def _run(run: Run, store: str) -> Outcome:
    run = run.busier()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(run.shelf.database(store))
        run.tell(f"accounts on {store}")
        accounts(database, 1)
        numbers_and_carrier(database, throughput=MESSAGES_A_SECOND)
        server = stack.enter_context(serving(database, run.new_folder() / "log"))
        contenders = [sending(run, "ours", server, database)]
        if run.nginx is not None:
            static = nginx.serving(run.nginx, run.new_folder(), SEND, ANSWER.encode(), posted=True)
            contenders.insert(0, sending(run, "nginx", stack.enter_context(static)))
        samples = alternate(run, contenders, f"sends accepted on {store}")
        apart: list[Sample] = []
        if database.processes:
            with moved(database.processes, LOAD_CORE):
                alone = [replace(contenders[-1], processes=[server.pid])]
                apart = alternate(run, alone, f"sends accepted, {store} on another core")["ours"]
        stored = int(database.run("SELECT count(*) FROM mt"))
    run.tell(f"{stored:,} messages stored on {store}")
    ours, theirs = samples["ours"], samples.get("nginx")
    figures = [
        figure(
            "sends accepted", "per second", [sample.per_second for sample in ours], at_least=TO_REACH[store]
        ),
        rates("sends accepted", ours),
        figure("99 % answered within", "ms", [sample.p99_ms for sample in ours]),
    ]
    if theirs is not None:
        figures.append(ratios("sends accepted, of nginx", ours, theirs))
    if apart:
        per_second = [sample.per_second for sample in apart]
        figures.append(figure(APART, "per second", per_second, at_least=TO_REACH[store]))
        samples |= {APART: apart}
    return Outcome(figures, samples)


SCENARIOS = [
    Scenario(
        f"accepts-{store}",
        f"sendSingle2 on {store}: texts accepted and on disk, 64 connections, every answer looked at",
        partial(_run, store=store),
    )
    for store in TO_REACH
]
