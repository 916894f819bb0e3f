"""Polls that wait: what ten thousand of them cost while nothing comes, and how soon they hear of a message.

Each has a connection of its own. It refuses an answer that comes before there is anything to show.
"""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode, urlsplit

from bench.load import Faulty
from bench.measure import cpu_seconds, megabytes
from bench.process import Server
from bench.results import figure
from bench.scenarios.run import Outcome, Run, Scenario
from bench.server import (
    ALL_MESSAGES,
    PASSWORD,
    SEND,
    accounts,
    get,
    numbers_and_carrier,
    poll_path,
    serving,
    username,
)

USERS = 10
MOST_MEGABYTES = 500.0
# Of one core, while nothing comes.
MOST_IDLE = 0.05
REST_SECONDS = 5.0
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Round:
    megabytes: float
    idle_share: float
    heard_seconds: float


async def _open(server: Server, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET {path}&wait=60 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
    return reader, writer


async def _round(run: Run, server: Server, most: int) -> _Round:
    since = run.now() - 3600
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for begin in range(0, most, AT_ONCE):
        paths = [poll_path(ALL_MESSAGES, i % USERS, since) for i in range(begin, min(begin + AT_ONCE, most))]
        opened += await asyncio.gather(*(_open(server, path) for path in paths))
    await asyncio.sleep(2)
    before = cpu_seconds([server.pid])
    await asyncio.sleep(REST_SECONDS)
    idle = (cpu_seconds([server.pid]) - before) / REST_SECONDS
    memory = megabytes(server.pid)
    begun = time.monotonic()
    sent = {"username": username(0), "password": PASSWORD, "text": "hello", "recipient": "61255588885"}
    await asyncio.to_thread(get, server.url, f"{SEND}?{urlencode(sent)}")
    answers = await asyncio.gather(*(reader.readuntil(b'"status":0}') for reader, _ in opened[::USERS]))
    heard = time.monotonic() - begun
    if any(answer.count(b"documentId") != 1 for answer in answers):
        raise Faulty("a poll that waited was answered without the message, or with others")
    for _, writer in opened:
        writer.close()
    return _Round(memory, idle, heard)


def _run(run: Run, store: str) -> Outcome:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(run.million // 100, hard - 500)
    rounds = []
    for number in range(run.rounds):
        with run.shelf.database(store) as database:
            accounts(database, USERS)
            numbers_and_carrier(database)
            with serving(database, run.new_folder() / "log") as server:
                run.tell(f"{most:,} polls wait on {store}, round {number + 1}")
                rounds.append(asyncio.run(_round(run, server, most)))
    name = f"{most:,} polls that wait"
    return Outcome(
        [
            figure(f"{name}: memory", "MB", [one.megabytes for one in rounds], at_most=MOST_MEGABYTES),
            figure(
                f"{name}: of a core, while nothing comes",
                "×",
                [one.idle_share for one in rounds],
                at_most=MOST_IDLE,
            ),
            figure(
                "a tenth of them, one user's, answered after a send",
                "s",
                [one.heard_seconds for one in rounds],
                at_most=1.0,
            ),
        ],
        {},
    )


SCENARIOS = [
    Scenario(
        f"waits-{store}", f"polls that wait on {store}, ten thousand at once", partial(_run, store=store)
    )
    for store in ("sqlite", "postgres")
]
