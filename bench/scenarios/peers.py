"""Rejoinder on SQLite and Kannel in turns: the same texts over the same kind of network, receipts and MOs durable.

Sent: from the HTTP request over submit_sm until the customer has the receipt: ours has stored the final status in the
status box, Kannel has called the dlr-url and been answered. Received: until the network has an MO's acknowledgement, for
which ours has the MO in the mailbox and Kannel in its spool, and for Kannel also until its customer's URL was called.
Refuses a round in which a message is missing, comes twice, or does not end as delivered: `Faulty`.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import msgspec

from bench import debian
from bench.databases import Database
from bench.load import Faulty, Load
from bench.measure import LOAD_CORE, measured
from bench.peers import kannel
from bench.peers.callbacks import Counts
from bench.process import Server, running
from bench.results import Figure, Sample, figure, rates
from bench.scenarios.journeys import LOOK_EVERY_SECONDS, journey_round
from bench.scenarios.network import PASSWORD, SYSTEM_ID, WINDOW, Network, link_to, network, until_bound
from bench.scenarios.run import Outcome, Run, Samples, Scenario, sample
from bench.scenarios.sending import TEXTS, Call, send, send_by
from bench.server import accounts, get, rejoinder, serving, username
from bench.texts import encoded

SENT_A_SECOND = 3_000
MOS_A_SECOND = 4_000
TIMES_KANNEL = 1.0
MO_NUMBER = "61480099999"
FEWEST_MOS = 2_000
# With a slow disk Kannel needs minutes for what it accepted in seconds.
PATIENCE_SECONDS = 900.0
DELIVERED_MOS = "SELECT count(*) FROM entry WHERE incoming"


@dataclass(frozen=True, slots=True)
class _Gateway:
    """A bound Kannel, the network that it is bound to, and its customer's server."""

    kannel: kannel.Kannel
    sink: Network
    customer: Server

    def counts(self) -> Counts:
        """What the customer's server was called with so far."""
        return msgspec.json.decode(get(self.customer.url, "/counts").body, type=Counts)

    def call(self) -> Call:
        """How it is sent to; receipts of every final state, to a URL that tells the recipient."""
        dlr_url = f"{self.customer.url}/dlr?kind=%d&id=%p"
        fields = {"username": kannel.USER, "password": kannel.PASSWORD, "from": MO_NUMBER, "dlr-mask": "3"}
        query = f"{urlencode(fields)}&dlr-url={quote_plus(dlr_url)}&charset=UTF-8&to="
        return Call("GET", kannel.SEND, query, "^0: Accepted")

    def wait_until_called(self, before: Counts, sends: int = 0, mos: int = 0) -> Counts:
        """Until so many more calls came, its store is empty and no further one comes; the counts then."""
        deadline, last = time.monotonic() + PATIENCE_SECONDS, before
        while True:
            counts = self.counts()
            came = counts.receipts - before.receipts >= sends and counts.mos - before.mos >= mos
            if came and counts.last == last.last and "store size 0" in self.kannel.status():
                return counts
            if time.monotonic() > deadline:
                raise Faulty(
                    f"Kannel: {sends} sends and {mos} MOs were due after {before}, and there is {counts}"
                )
            last = counts
            time.sleep(LOOK_EVERY_SECONDS)


def _kannel_sends(run: Run, gateway: _Gateway, file: Path) -> tuple[Sample, float]:
    """The journey of one round, and how many texts a second were accepted in it."""
    before = gateway.counts()

    def journey() -> Load:
        load = send_by(run, gateway.call(), gateway.kannel.url, file, run.seconds)
        gateway.wait_until_called(before, sends=load.accepted)
        return load

    done = measured(journey, gateway.kannel.processes)
    after, accepted = gateway.counts(), done.result.accepted
    called, different = after.receipts - before.receipts, after.different_receipts - before.different_receipts
    # As in journeys.py: wrk leaves with a request open on each connection.
    if not accepted <= called <= accepted + run.generator.connections:
        raise Faulty(f"Kannel: {accepted} accepted, {called} receipts")
    if not called == different == after.delivered - before.delivered:
        raise Faulty(f"Kannel: {called} receipts of {different} recipients, not all delivered: {after}")
    return sample(done, called), accepted / done.result.seconds


def _kannel_mos(gateway: _Gateway, count: int, turn: int) -> tuple[Sample, float, float]:
    """One round of MOs, acknowledged a second, and a second until the customer had all."""
    before = gateway.counts()
    begun = time.monotonic()

    def delivered() -> Load:
        load = gateway.sink.deliver(turn)
        gateway.wait_until_called(before, mos=count)
        return load

    done = measured(delivered, gateway.kannel.processes)
    after = gateway.counts()
    called = after.mos - before.mos
    if called != count:
        raise Faulty(f"Kannel: {count} MOs acknowledged, {called} calls of the customer's server")
    return sample(done, count), count / done.result.seconds, count / (after.last - begun)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both contenders, running."""

    run: Run
    database: Database
    server: Server
    sink: Network
    gateway: _Gateway


def _sent(pair: _Pair) -> tuple[list[Figure], Samples]:
    run = pair.run
    ours_file, theirs_file = (run.new_folder() / "texts" for _ in range(2))
    ours_file.write_text(encoded(TEXTS))
    # Kannel has to be told where the GSM alphabet does not do.
    theirs_file.write_text(encoded(TEXTS, beyond_gsm="&coding=2"))
    send(run, pair.server, ours_file, 1)
    before = pair.gateway.counts()
    warm = send_by(run, pair.gateway.call(), pair.gateway.kannel.url, theirs_file, 1)
    pair.gateway.wait_until_called(before, sends=warm.accepted)
    ours: list[tuple[Sample, float]] = []
    theirs: list[tuple[Sample, float]] = []
    for number in range(1, run.rounds + 1):
        run.tell(f"sends, Rejoinder: round {number} of {run.rounds}")
        ours.append(journey_round(run, pair.server, pair.database, ours_file))
        run.tell(f"sends, Kannel: round {number} of {run.rounds}")
        theirs.append(_kannel_sends(run, pair.gateway, theirs_file))
    samples = {"Rejoinder sends": [one for one, _ in ours], "Kannel sends": [one for one, _ in theirs]}
    name = "HTTP to submit_sm to receipt"
    mine, other = ([one.per_second for one in each] for each in samples.values())
    return [
        figure(name, "per second", mine, at_least=SENT_A_SECOND),
        _times(f"{name}: times Kannel", mine, other),
        figure(f"{name}, Kannel", "per second", other),
        rates(name, samples["Rejoinder sends"]),
        rates(f"{name}, Kannel", samples["Kannel sends"]),
        figure("accepted the while", "per second", [rate for _, rate in ours]),
        figure("accepted the while, Kannel", "per second", [rate for _, rate in theirs]),
    ], samples


def _received(pair: _Pair, mos: int) -> tuple[list[Figure], Samples]:
    run, ours, theirs = pair.run, [], []
    roots = [pair.server.pid, *pair.database.processes]
    for number in range(run.rounds + 1):  # the first warms up
        run.tell(f"MOs, Rejoinder: round {number} of {run.rounds}")
        done = measured(partial(pair.sink.deliver, number + 1), roots)
        ours.append((sample(done, mos), mos / done.result.seconds))
        run.tell(f"MOs, Kannel: round {number} of {run.rounds}")
        theirs.append(_kannel_mos(pair.gateway, mos, number + 1))
    shown = int(pair.database.run(DELIVERED_MOS))
    if shown != mos * (run.rounds + 1):
        raise Faulty(f"{mos * (run.rounds + 1)} MOs acknowledged, {shown} in the mailbox")
    ours, theirs = ours[1:], theirs[1:]
    samples = {"Rejoinder MOs": [one[0] for one in ours], "Kannel MOs": [one[0] for one in theirs]}
    mine = [rate for _, rate in ours]
    acknowledged, called = [one[1] for one in theirs], [one[2] for one in theirs]
    name = "deliver_sm to mailbox, acknowledged"
    return [
        figure(name, "per second", mine, at_least=MOS_A_SECOND),
        _times(f"{name}: times Kannel's acknowledging", mine, acknowledged),
        _times(f"{name}: times Kannel's calls of a URL", mine, called),
        figure("deliver_sm to spool, acknowledged, Kannel", "per second", acknowledged),
        figure("deliver_sm to the call of a URL, Kannel", "per second", called),
        rates("deliver_sm to mailbox", samples["Rejoinder MOs"]),
        rates("deliver_sm to the call of a URL, Kannel", samples["Kannel MOs"]),
    ], samples


def _times(name: str, ours: list[float], theirs: list[float]) -> Figure:
    values = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return figure(name, "×", values, at_least=TIMES_KANNEL)


def _run(run: Run) -> Outcome:
    try:
        boxes = (debian.kannel(run.cache, "bearerbox"), debian.kannel(run.cache, "smsbox"))
    except debian.Unavailable as reason:
        raise Faulty(f"Kannel can't be had: {reason}") from reason
    mos = max(FEWEST_MOS, round(MOS_A_SECOND * run.seconds))
    words = ("--mos", str(mos), "--number", MO_NUMBER)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(run.shelf.database("sqlite"))
        ours, theirs = (stack.enter_context(network(run, *words)) for _ in range(2))
        run.tell("accounts on sqlite")
        accounts(database, 1)
        rejoinder(database, "number", "add", MO_NUMBER, "--user", username(0))
        link_to(database, ours)
        server = stack.enter_context(serving(database, run.new_folder() / "log"))
        command = [sys.executable, "-m", "bench.peers.callbacks"]
        log = run.new_folder() / "customer"
        customer = stack.enter_context(running(command, log, core=LOAD_CORE))
        mo_url = f"{customer.url}/mo?id=%p"
        setup = kannel.Setup(boxes, theirs.port, SYSTEM_ID, PASSWORD, mo_url, window=int(WINDOW))
        gateway = _Gateway(stack.enter_context(kannel.serving(setup, run.new_folder())), theirs, customer)
        until_bound(database)
        pair = _Pair(run.busier(), database, server, ours, gateway)
        sent, received = _sent(pair), _received(pair, mos)
    versions = {"Kannel": boxes[0].version}
    return Outcome(sent[0] + received[0], sent[1] | received[1], versions)


SCENARIOS = [
    Scenario(
        "peer-kannel",
        "Kannel and Rejoinder on SQLite in turns: HTTP to receipt over SMPP, and MOs, receipts durable in both",
        _run,
    )
]
