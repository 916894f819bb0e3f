"""What a message costs while a million others are queued, against an empty queue, each in a store of its own.

The million is another customer's and waits for another carrier, which takes one message a second. Measured are journeys
past it, from the HTTP request over submit_sm until the receipt is stored, and sends accepted into that very carrier's
queue. Refuses a round in which a message is missing or does not end as delivered: `Faulty`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.crowd import USERS_A_CUSTOMER, crowd
from bench.databases import Database
from bench.fill import fill_queue
from bench.load import Faulty, Load
from bench.measure import measured
from bench.process import Server
from bench.results import Sample, costs, rates
from bench.scenarios.journeys import LOOK_EVERY_SECONDS, PATIENCE_SECONDS
from bench.scenarios.network import add_link, network, until_bound
from bench.scenarios.run import Contender, Outcome, Run, Samples, Scenario, alternate, sample
from bench.scenarios.sending import TEXTS, credentials, ours, send, send_by
from bench.server import add_carrier, numbers, serving
from bench.texts import encoded

STORES = ("sqlite", "postgres")
AT_MOST = 1.2
MESSAGES_A_SECOND = "1"
# Numbers that the slow carrier is for; all others go to the sink.
SLOW_PREFIX, SLOW_RECIPIENTS = "7", 71_400_000_000


@dataclass(frozen=True, slots=True)
class _Queue:
    """A running server with so many messages queued. `user`: who sends, a customer beside theirs."""

    name: str
    database: Database
    server: Server
    user: int

    @property
    def processes(self) -> list[int]:
        return [self.server.pid, *self.database.processes]

    def newest(self) -> int:
        """The newest second of the user's status box."""
        return int(self.database.run(f"SELECT last FROM mailbox WHERE box_id = {-self.user}"))

    def finished(self, since: int) -> int:
        """Final statuses of the user's messages from that second on: one range of its status box."""
        where = f"box_id = {-self.user} AND timestamp >= {since}"
        return int(self.database.run(f"SELECT count(*) FROM entry WHERE {where}"))

    def undelivered(self) -> int:
        """Messages of the user's that came to another end, or to none."""
        return int(self.database.run(f"SELECT count(*) FROM mt WHERE user_id = {self.user} AND status <> 2"))


def _started(run: Run, store: str, queued: int, stack: contextlib.ExitStack) -> _Queue:
    run.tell(f"{queued:,} queued on {store}")
    database = stack.enter_context(run.shelf.database(store))
    sink = stack.enter_context(network(run))
    user = crowd(database, 2 * USERS_A_CUSTOMER)
    numbers(database)
    add_link(database, sink, "network")
    add_carrier(database, "slow", "simulator", SLOW_PREFIX, throughput=MESSAGES_A_SECOND)
    if queued:
        slow = int(database.run("SELECT id FROM carrier WHERE name = 'slow'"))
        other = user + USERS_A_CUSTOMER
        customer = int(database.run(f"SELECT customer_id FROM user_account WHERE id = {other}"))
        fill_queue(database, queued, carrier=slow, customer=customer, user=other)
    server = stack.enter_context(serving(database, run.new_folder() / "log"))
    until_bound(database)
    return _Queue(f"{queued:,} queued", database, server, user)


def _journeys(run: Run, queue: _Queue, file: Path) -> Sample:
    """One round past the queue."""
    since = queue.newest()
    before = queue.finished(since)

    def journey() -> Load:
        load = send(run, queue.server, file, run.seconds)
        _wait(queue, since, before + load.accepted)
        return load

    done = measured(journey, queue.processes)
    accepted, finished = done.result.accepted, queue.finished(since) - before
    # As in journeys.py: wrk leaves with a request open on each connection.
    if not accepted <= finished <= accepted + run.generator.connections or queue.undelivered():
        raise Faulty(
            f"{queue.name}: {accepted} accepted, {finished} finished, {queue.undelivered()} undelivered"
        )
    return sample(done, finished)


def _wait(queue: _Queue, since: int, wanted: int) -> None:
    """Until so many are finished and no further one comes."""
    deadline, before = time.monotonic() + PATIENCE_SECONDS, -1
    while (now := queue.finished(since)) < wanted or now != before:
        if time.monotonic() > deadline:
            raise Faulty(f"{queue.name}: {now} of {wanted} are finished after {PATIENCE_SECONDS:.0f} s")
        before = now
        time.sleep(LOOK_EVERY_SECONDS)


def _accepts(run: Run, queue: _Queue, file: Path) -> Contender:
    """Sends that stay in the slow carrier's queue."""

    def load(seconds: float) -> Load:
        return send_by(run, ours(credentials(0)), queue.server.url, file, seconds, SLOW_RECIPIENTS)

    return Contender(f"accepted, {queue.name}", load, queue.processes)


def _run(run: Run, store: str) -> Outcome:
    file = run.new_folder() / "texts"
    file.write_text(encoded(TEXTS))
    with contextlib.ExitStack() as stack:
        queues = [_started(run, store, count, stack) for count in (0, run.million)]
        samples: Samples = {f"delivered, {queue.name}": [] for queue in queues}
        for number in range(run.rounds + 1):  # the first warms up
            for queue in queues:
                run.tell(f"journeys on {store}: round {number} of {run.rounds}, {queue.name}")
                samples[f"delivered, {queue.name}"].append(_journeys(run, queue, file))
        samples = {name: measured_ones[1:] for name, measured_ones in samples.items()}
        contenders = [_accepts(run, queue, file) for queue in queues]
        samples |= alternate(run, contenders, f"sends accepted on {store}")
    empty, full = (queue.name for queue in queues)
    figures = []
    for what, about in (
        ("delivered", "HTTP to submit_sm to stored receipt"),
        ("accepted", "sends accepted by the same carrier"),
    ):
        few, many = samples[f"{what}, {empty}"], samples[f"{what}, {full}"]
        figures += [
            rates(f"{about}, {empty}", few),
            costs(f"{about}, {full}: cost with none", many, few, at_most=AT_MOST),
        ]
    return Outcome(figures, samples)


SCENARIOS = [
    Scenario(
        f"backlog-{store}",
        f"what a message costs with a million queued of another customer, against none, on {store}",
        partial(_run, store=store),
    )
    for store in STORES
]
