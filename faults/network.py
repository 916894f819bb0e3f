"""The network behind a carrier: takes messages, sends receipts, lets handsets answer; the HTTP one is here.

What it has to deliver it brings until the server takes it, as networks do. Refuses to judge: that is faults/checker.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Coroutine
from typing import Any

import aiohttp
from aiohttp import web

from faults import books
from faults.seen import Seen
from faults.server import CARRIER, TOKEN, Server, WiredCarrier
from rejoinder.message.status import Status

# What is still to be delivered after so long is not taken at all.
PATIENCE_SECONDS = 150.0
ANSWERING = 0.5
LATE_SECONDS = 4.0


class Network:
    """What every kind of network has: what it saw, and deliveries under way."""

    def __init__(self, seen: Seen, draw: random.Random) -> None:
        self.seen = seen
        self.draw = draw
        self.patience = PATIENCE_SECONDS
        self._replies = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.server: Server | None = None
        self.session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Begins to listen."""
        raise NotImplementedError

    def carriers(self) -> list[WiredCarrier]:
        """The carriers that lead to it, for the operator to add."""
        raise NotImplementedError

    async def look(self, database: str) -> None:
        """Brings `seen` up to date, where what was seen here has to be put beside what the server has on disk."""

    def told_of(self, reference: str) -> str:
        """What came of a message, by its clientRef, for a person to read."""
        return f"arrivals {self.seen.arrivals.get(self.seen.accepted[reference][1], [])}"

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """A delivery begins."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def answers(self) -> bool:
        """Whether this handset answers."""
        return self.draw.random() < ANSWERING

    def reply_text(self, origin: str) -> str:
        """Each text is its own, and names what it answers."""
        return f"reply {next(self._replies)} to {origin}"

    async def drained(self) -> None:
        """Returns when all is delivered, or when patience is at its end."""
        deadline = time.monotonic() + self.patience
        while self._tasks and time.monotonic() < deadline:
            await asyncio.wait(list(self._tasks), timeout=1)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class HttpNetwork(Network):
    """The carrier behind HTTP. `late`: the share of its receipts that come only after some seconds."""

    def __init__(self, seen: Seen, draw: random.Random, late: float = 0.0) -> None:
        super().__init__(seen, draw)
        self._late = late
        self._runner: web.AppRunner | None = None
        self._url = ""

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/send", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"

    def carriers(self) -> list[WiredCarrier]:
        body = '{"id": "{{id}}", "to": "{{recipient}}", "from": "{{sender}}", "again": {{duplicate}}}'
        settings = {"url": f"{self._url}/send", "body": body, "id_path": "id", "token": TOKEN, "timeout": "5"}
        return [WiredCarrier(CARRIER, "http", settings)]

    async def _take(self, request: web.Request) -> web.Response:
        message = await request.json()
        first = message["id"] not in self.seen.arrivals
        self.seen.arrivals[message["id"]].append(bool(message["again"]))
        if first:
            self.later(self._receipt({"id": f"n-{message['id']}", "status": "DELIVRD"}))
            if self.answers():
                text = self.reply_text(message["id"])
                form = {"from": message["to"], "to": message["from"], "text": text, "id": text}
                self.later(self._reply(form, message["id"]))
        return web.json_response({"id": f"n-{message['id']}"})

    async def look(self, database: str) -> None:
        """Messages in doubt twice: killed in hand before their first octet, and once more when their lease was over."""
        query = f"SELECT id FROM mt WHERE resent AND status = {int(Status.UNDELIVERABLE)}"
        in_doubt_twice = {mt for (mt,) in await asyncio.to_thread(books.rows, database, query)}
        self.seen.gave_up = in_doubt_twice - set(self.seen.arrivals)

    async def _receipt(self, form: dict[str, str]) -> None:
        if self.draw.random() < self._late:
            await asyncio.sleep(LATE_SECONDS * self.draw.random())
        await self._hand_in("receipt", form)

    async def _reply(self, form: dict[str, str], origin: str) -> None:
        await self._hand_in("inbound", form)
        self.seen.replies[form["text"]] = origin

    async def _hand_in(self, kind: str, form: dict[str, str]) -> None:
        """Until it is taken, as networks do."""
        assert self.session is not None
        assert self.server is not None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        while True:
            try:
                path = f"{self.server.url}/carriers/{CARRIER}/{kind}"
                async with self.session.post(path, data=form, headers=headers) as answer:
                    if answer.status == 200:
                        return
            except (OSError, aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await super().stop()
        if self._runner is not None:
            await self._runner.cleanup()
