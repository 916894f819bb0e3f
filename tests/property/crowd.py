"""One process of the crowd in test_cursor_under_concurrency.py: a writer or a poller on a shared database.

`python -m tests.property.crowd ROLE DATABASE LOG SEED SECONDS` writes one JSON line per commit or per accepted
answer. Pollers throw every tenth answer away; status pollers read the box of final statuses, a
served poller stands on a server's store. ROLE
`blind_poller` is the negative control: it polls without sealing what it shows.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from rejoinder.clock import SystemClock
from rejoinder.flow import mailbox
from rejoinder.flow.mailbox import Answer, MailboxPolls, Poll
from rejoinder.flow.ports import EMPTY, Tx, UserRow
from rejoinder.flow.receipts import Moves, move
from rejoinder.message.objectid import ObjectIds
from rejoinder.message.status import Status
from rejoinder.store import open_store
from tests.centre import Centre, shown_in

Say = Callable[[object], None]
# This file beside the logs says that all writers have ended.
WRITERS_DONE = "writers-done"
USERS = ("one@crowd", "two@crowd")
# What stands behind a user's name where its final statuses are meant.
FINALS = "/finals"


async def write(centre: Centre, users: list[UserRow], draw: random.Random, until: float, say: Say) -> None:
    """Groups of MTs for both mailboxes at once, as fast as commits go."""
    await centre.setup.refresh()
    while time.monotonic() < until:
        wanted = [draw.choice(users) for _ in range(draw.randint(1, 5))]
        sent = await asyncio.gather(*(centre.send(user, "crowd") for user in wanted))
        for user, accepted in zip(wanted, sent, strict=True):
            say([user.username, accepted.id])
        ended = await centre.store.write(
            partial(end, ids=[one.id for one in sent], now=centre.clock.wall_us())
        )
        for user, accepted in zip(wanted, sent, strict=True):
            if accepted.id in ended:
                say([user.username + FINALS, accepted.id])
        await asyncio.sleep(draw.random() / 50)


async def end(tx: Tx, ids: list[str], now: int) -> dict[str, int]:
    return await move(tx, Moves(ended=dict.fromkeys(ids, Status.EXPIRED)), now)


async def poll(centre: Centre, box: tuple[int, str], draw: random.Random, done: Path, say: Say) -> None:
    """Passes newestMessageTimestamp back, until the writers are done and nothing has come for a while."""
    polls = MailboxPolls(centre.store, centre.clock)
    since, quiet_from = -1, None
    # A second ahead of the clock may be held for two seconds (rule 7): silence must last longer to mean the end.
    while quiet_from is None or time.monotonic() - quiet_from < 4:
        writing = not done.exists()  # noqa: ASYNC240  # a test process of its own
        answer = await polls.poll(Poll(box[0], since, False))
        if draw.random() < 0.1:
            await asyncio.sleep(0)
            continue  # the answer is lost on its way
        for shown in shown_in(answer):
            say([box[1], shown["documentId"]])
        since = answer.newest
        if writing or answer.page is not EMPTY:
            quiet_from = None
        elif quiet_from is None:
            quiet_from = time.monotonic()
        await asyncio.sleep(draw.random() / 100)


def unsealed(right: Callable[..., Answer]) -> Callable[..., Answer]:
    def decide(*args: object) -> Answer:
        answer = right(*args)
        return Answer(answer.newest, answer.page, None)

    return decide


async def take_part(role: str, database: str, log: TextIO, seed: int, seconds: float) -> None:
    clock, draw = SystemClock(), random.Random(seed)

    def say(event: object) -> None:
        log.write(json.dumps(event) + "\n")
        log.flush()

    # A server keeps rows in memory while others write to its file (store/heads.py).
    store = await open_store(database, clock, serving=role == "served_poller")
    centre = Centre(store, clock, ObjectIds())  # type: ignore[arg-type]  # the system's clock in place of the tests'
    users = [user for name in USERS if (user := await centre.accounts.user(name)) is not None]
    until = time.monotonic() + seconds
    try:
        if role == "writer":
            await write(centre, users, draw, until, say)
        else:
            if role == "blind_poller":
                mailbox.decide = unsealed(mailbox.decide)  # type: ignore[assignment]  # the protection taken out
            user = users[seed % len(users)]
            statuses = role == "status_poller"
            box = (-user.id, user.username + FINALS) if statuses else (user.id, user.username)
            await poll(centre, box, draw, Path(log.name).parent / WRITERS_DONE, say)
    finally:
        await store.close()


def main() -> None:
    role, database, log, seed, seconds = sys.argv[1:]
    with open(log, "w", encoding="utf-8") as file:
        asyncio.run(take_part(role, database, file, int(seed), float(seconds)))


if __name__ == "__main__":
    main()
