"""Pushes while a fifth of all targets is bad and the server is killed twice: who is well is served as if all were.

A target is a number whose MOs are pushed, or a user whose final statuses are. Bad ones hang, drip, reset, answer 500 or
refuse. Every push has its number in its text, so that the servers' own notes tell what came, in which order and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from faults import books
from faults.network import HttpNetwork
from faults.points import NONE, lease_seconds, wrapper
from faults.run import Found, Ground, Say, Scenario, ground
from faults.seen import Seen
from faults.server import CARRIER, PASSWORD, TOKEN, USERS, Server, set_up
from tests.pushes import servers
from tests.pushes.servers import Behaviour, CustomersServer, customers_server

MOST_TARGETS, PUSHES_A_TARGET = 100, 20
LEAST_TARGETS = 20
# Every fifth target is bad, every fourth pushes final statuses.
BAD_OF, STATUS_OF = 5, 4
# So many pushes of a target, one after the other, are of one handset.
OF_A_HANDSET = 4
PAUSE_SECONDS = 1.5
KILLS = 2
SECONDS = 2.0
FINAL = "2"
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


async def failing(
    server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answers 500."""
    await server.read(reader)
    writer.write(ERROR)
    await writer.drain()


BAD: Sequence[Behaviour] = (servers.hanging, servers.dripping_headers, servers.resetting, failing)


@dataclass
class Notes:
    """When each push (its text) could first be brought, and when and in which order the good servers got it."""

    ready: dict[str, float] = field(default_factory=dict)
    came: dict[str, float] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    async def take(
        self, server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """A good server's behaviour."""
        text = (await server.read(reader)).query["text"]
        self.came.setdefault(text, time.monotonic())
        self.order.append(text)
        writer.write(server.answer)
        await writer.drain()


@dataclass(frozen=True, slots=True)
class Target:
    """The `place`th; where its pushes go."""

    place: int
    url: str
    bad: bool

    @property
    def of_status(self) -> bool:
        return self.place % STATUS_OF == 1

    @property
    def user(self) -> str:
        return f"user{self.place}@faults"

    @property
    def number(self) -> str:
        return f"6140000{self.place:04}"

    def handset(self, turn: int) -> str:
        return f"6129{self.place:04}{turn // OF_A_HANDSET:03}"

    def text(self, turn: int) -> str:
        """Its order within the handset's stands at the end."""
        return f"{self.place} {turn // OF_A_HANDSET} {turn:04}"

    def set_up(self, server: Server) -> None:
        if self.of_status:
            server.command("user", "add", self.user, "--customer", "shop", "--password", PASSWORD)
            server.command("user", "set", self.user, f"status_push={self.url}")
        else:
            server.command("number", "add", self.number, "--user", USERS[0])
            server.command("number", "set", self.number, f"push={self.url}")


@contextlib.asynccontextmanager
async def targets(count: int, notes: Notes) -> AsyncIterator[list[Target]]:
    """So many targets; their servers listen until the end of the block."""
    async with contextlib.AsyncExitStack() as stack:
        well = await stack.enter_async_context(customers_server(notes.take))
        bad = [await stack.enter_async_context(customers_server(one)) for one in BAD]
        async with customers_server() as gone:  # nobody listens there any more
            pass
        where = [one.url() for one in (*bad, gone)]
        found = []
        for place in range(count):
            is_bad = place % BAD_OF == 0
            url = where[place // BAD_OF % len(where)] if is_bad else well.url()
            found.append(Target(place, f"{url}?text={{{{text}}}}", is_bad))
        yield found


class _Senders:
    """One for each target: brings about its pushes, one after the other."""

    def __init__(
        self, server: Server, session: aiohttp.ClientSession, notes: Notes, draw: random.Random
    ) -> None:
        self._server = server
        self._session = session
        self._notes = notes
        self._draw = draw

    async def run(self, target: Target, turns: int, say: Say) -> None:
        await asyncio.sleep(PAUSE_SECONDS * self._draw.random())
        for turn in range(turns):
            await (self._status(target, turn) if target.of_status else self._mo(target, turn))
            self._notes.ready[target.text(turn)] = time.monotonic()
            say(1)
            await asyncio.sleep(PAUSE_SECONDS * self._draw.random() * 2)

    async def _mo(self, target: Target, turn: int) -> None:
        text = target.text(turn)
        form = {"from": target.handset(turn), "to": target.number, "text": text, "id": text}
        await self._until_taken(f"/carriers/{CARRIER}/inbound", form)

    async def _status(self, target: Target, turn: int) -> None:
        """Until it is final: what becomes final later is also pushed later."""
        own = {"username": target.user, "password": PASSWORD}
        text = target.text(turn)
        form = {**own, "recipient": target.handset(turn), "text": text, "clientRef": text}
        sent = await self._until_taken("/services/rest/message/sendSingle2", form)
        if "documentId" not in sent:
            raise RuntimeError(f"not accepted: {sent}")
        asked = {**own, "documentId": sent["documentId"]}
        told = {"messageStatus": ""}
        while told["messageStatus"] != FINAL:
            told = await self._until_taken("/services/rest/message/status", asked)
            await asyncio.sleep(0.05)

    async def _until_taken(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"} if CARRIER in path else {}
        while True:
            with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
                async with self._session.post(self._server.url + path, data=form, headers=headers) as answer:
                    if answer.status == 200:
                        found: dict[str, Any] = await answer.json()
                        return found
            await asyncio.sleep(0.05)


async def _killed(server: Server, notes: Notes, count: int) -> None:
    """Ends the server twice, each time after another third of all pushes."""
    for turn in range(1, KILLS + 1):
        while len(notes.ready) < count * turn // (KILLS + 1):  # noqa: ASYNC110  # senders set no event
            await asyncio.sleep(0.02)
        await asyncio.to_thread(server.end, signal.SIGKILL)
        await asyncio.to_thread(server.start)


async def _brought(notes: Notes, expected: set[str]) -> None:
    """Returns when all have come, or none has for longer than a lease."""
    there, since = -1, time.monotonic()
    while not expected <= notes.came.keys() and time.monotonic() - since < 2 * lease_seconds() + 4:
        if len(notes.came) > there:
            there, since = len(notes.came), time.monotonic()
        await asyncio.sleep(0.1)


async def _run(on: Ground, count: int, seed: int, say: Say, without: str) -> Found:
    draw, notes = random.Random(seed), Notes()
    network = HttpNetwork(Seen(), draw)
    await network.start()
    environment = {"REJOINDER_PUSH_ALLOW": "127.0.0.0/8"}
    server = network.server = Server(on.url, on.folder / "server.log", wrapper(without), environment)
    turns = -(-count // max(LEAST_TARGETS, min(MOST_TARGETS, count // PUSHES_A_TARGET)))
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        targets(-(-count // turns), notes) as every,
        aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as network.session,
    ):
        await asyncio.to_thread(set_up, server, network.carriers())
        await asyncio.to_thread(lambda: [one.set_up(server) for one in every])
        await asyncio.to_thread(server.start)
        senders = _Senders(server, network.session, notes, draw)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_killed(server, notes, turns * len(every)))
                for one in every:
                    group.create_task(senders.run(one, turns, say))
            texts = {bad: _texts([one for one in every if one.bad is bad], turns) for bad in (False, True)}
            await _brought(notes, texts[False])
        finally:
            await network.stop()
            status = await asyncio.to_thread(server.end)
    kept = books.rows(on.url, "SELECT count(*) FROM push")[0][0]
    return judged(notes, texts, int(kept), status)


def _texts(of: Sequence[Target], turns: int) -> set[str]:
    return {one.text(turn) for one in of for turn in range(turns)}


def judged(notes: Notes, texts: dict[bool, set[str]], kept: int, status: int) -> Found:
    """What did not come, came in the wrong order, came late; and what bad targets are still owed."""
    good = texts[False]
    waits = sorted(max(0.0, at - notes.ready[text]) for text, at in notes.came.items())
    p95 = waits[int(len(waits) * 0.95)] if waits else float("inf")
    last: dict[str, str] = {}
    disordered = 0
    for text in notes.order:
        handset, _, turn = text.rpartition(" ")
        disordered += turn < last.get(handset, "")
        last[handset] = max(turn, last.get(handset, ""))
    counts = {
        "pushes": len(good) + len(texts[True]),
        "at_good_targets": len(good),
        "lost": len(good - notes.came.keys()),
        "out_of_order": disordered,
        "forgotten_of_bad_targets": len(texts[True]) - kept,
        "brought_again": len(notes.order) - len(notes.came),
        "p95_s": round(p95, 3),
    }
    broken = counts["lost"] or disordered or counts["forgotten_of_bad_targets"] or status
    return Found(not broken and p95 <= SECONDS, counts)


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """At least `count` pushes. Not `protected`: one place for all tries, also for those that hang."""
    without = NONE if protected else "places_for_slow_pushes"
    with ground("sqlite") as on:
        return asyncio.run(_run(on, count, seed, say, without))


PUSHES = Scenario("pushes", "web pushes with a fifth of the targets bad, the server killed twice", 2000, run)
