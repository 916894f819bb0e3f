"""What a poll costs as the mailbox grows: a thousand messages, a million, ten million, each in a store of its own.

And `messages` of a mailbox with a million sent messages and none received, against an empty mailbox.
"""

from __future__ import annotations

import contextlib
from functools import partial

import msgspec

from bench.databases import Database
from bench.fill import Mailbox, fill
from bench.load import Faulty
from bench.process import Server
from bench.results import costs, rates
from bench.scenarios.polls import PAGE, check_answer
from bench.scenarios.run import Contender, Outcome, Run, Samples, Scenario, alternate, polling
from bench.server import ALL_MESSAGES, MESSAGES, accounts, get, poll_path, serving

SMALL = 1_000
TEN = 10
SPREAD = 50  # places of the mailbox that are asked for in turn
AT_MOST = 1.2
STORES = ("sqlite", "postgres")


def _paths(mailbox: Mailbox, kind: str) -> list[str]:
    if kind == "empty":
        return [poll_path(ALL_MESSAGES, 0, mailbox.last)]
    step = (mailbox.count - 2 * PAGE) // SPREAD // 2 * 2
    return [poll_path(ALL_MESSAGES, 0, mailbox.since(number * step)) for number in range(SPREAD)]


def _sizes(run: Run, store: str) -> Outcome:
    counts = [SMALL, run.million, *([run.million * TEN] if run.ten_million else [])]
    filled: list[tuple[int, Server, Database, Mailbox]] = []
    samples: Samples = {}
    with contextlib.ExitStack() as stack:
        for count in counts:
            run.tell(f"filling a mailbox of {count:,} messages on {store}")
            database = stack.enter_context(run.shelf.database(store))
            (mailbox,) = fill(database, accounts(database, 1), count, run.now())
            server = stack.enter_context(serving(database, run.new_folder() / "log"))
            filled.append((count, server, database, mailbox))
        for kind in ("empty", "100 messages"):
            contenders = [_contender(run, kind, *one) for one in filled]
            samples |= alternate(run, contenders, f"{kind} poll on {store}")
    figures = []
    for kind in ("empty", "100 messages"):
        small = samples[_name(kind, SMALL)]
        figures.append(rates(f"{kind} poll, mailbox of {SMALL:,}", small))
        figures += [
            costs(
                f"{kind} poll, mailbox of {count:,}: cost of that of {SMALL:,}",
                samples[_name(kind, count)],
                small,
                at_most=AT_MOST,
            )
            for count in counts[1:]
        ]
    return Outcome(figures, samples)


def _name(kind: str, count: int) -> str:
    return f"{kind}, mailbox of {count}"


def _contender(
    run: Run, kind: str, count: int, server: Server, database: Database, mailbox: Mailbox
) -> Contender:
    paths = _paths(mailbox, kind)
    for path in paths:
        check_answer(server, path, 0 if kind == "empty" else PAGE)
    return polling(run, _name(kind, count), server, paths, database)


def _received(run: Run, store: str) -> Outcome:
    with run.shelf.database(store) as database:
        empty, full = accounts(database, 2)
        run.tell(f"filling a mailbox of {run.million:,} sent messages on {store}")
        fill(database, [full], run.million, run.now(), only_mt=True)
        fill(database, [empty], 0, run.now())
        with serving(database, run.new_folder() / "log") as server:
            contenders = []
            for index, name in enumerate(("empty mailbox", "full mailbox")):
                path = poll_path(MESSAGES, index, 0)
                answer = msgspec.json.decode(get(server.url, path).body)
                if answer["status"] != 0 or answer["messages"]:
                    raise Faulty(
                        f"{name}: answered {len(answer['messages'])} messages, status {answer['status']}"
                    )
                contenders.append(polling(run, name, server, [path], database))
            samples = alternate(run, contenders, f"messages on {store}")
    name = f"messages, {run.million:,} sent and none received: cost of an empty mailbox"
    return Outcome(
        [
            rates("messages, empty mailbox", samples["empty mailbox"]),
            costs(name, samples["full mailbox"], samples["empty mailbox"], at_most=AT_MOST),
        ],
        samples,
    )


SCENARIOS = [
    Scenario(f"{kind}-{store}", f"{about} on {store}", partial(function, store=store))
    for kind, about, function in (
        ("sizes", "allMessages as the mailbox grows,", _sizes),
        (
            "received",
            "messages of a mailbox with a million sent and none received, against an empty one,",
            _received,
        ),
    )
    for store in STORES
]
