"""Everybody around a server: senders, a network with its handsets, pollers; and what each of them saw.

Senders repeat what was not answered under the same clientRef, the network what was not taken under the same id, pollers
throw a tenth of their answers away. Refuses to judge: that is faults/checker.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from faults.server import CARRIER, PASSWORD, TOKEN, USERS, Server

REST = "/services/rest"
SENDERS, POLLERS = 8, 4
PATIENCE = aiohttp.ClientTimeout(total=10)
LOST = 0.1


@dataclass
class Seen:
    """What everybody saw. Ids are documentIds; `arrivals`: whether each arrival at the network was marked."""

    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)  # clientRef -> (user, id)
    ids_of_reference: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    arrivals: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    replies: dict[str, str] = field(default_factory=dict)  # text -> id of the MT that it answers
    polled: list[tuple[str, Counter[str]]] = field(default_factory=list)  # user, how often each id was shown
    texts: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # shown MO: id -> (text, origin)
    acknowledged_at: list[tuple[str, float]] = field(default_factory=list)


class Network:
    """The carrier behind HTTP: takes every message, sends a receipt, and lets every second handset answer."""

    def __init__(self, seen: Seen, draw: random.Random) -> None:
        self._seen = seen
        self._draw = draw
        self._replies = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.server: Server | None = None
        self.session: aiohttp.ClientSession | None = None
        self.url = ""

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/send", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = site.name if not site.name.endswith(":0") else ""
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _take(self, request: web.Request) -> web.Response:
        message = await request.json()
        first = message["id"] not in self._seen.arrivals
        self._seen.arrivals[message["id"]].append(bool(message["again"]))
        if first:
            self._later(self._hand_in("receipt", {"id": f"n-{message['id']}", "status": "DELIVRD"}))
            if self._draw.random() < 0.5:
                text = f"reply {next(self._replies)} to {message['id']}"
                form = {"from": message["to"], "to": message["from"], "text": text, "id": text}
                self._later(self._reply(form, message["id"]))
        return web.json_response({"id": f"n-{message['id']}"})

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, form: dict[str, str], origin: str) -> None:
        await self._hand_in("inbound", form)
        self._seen.replies[form["text"]] = origin

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

    async def drained(self) -> None:
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()


class Crowd:
    """Senders and pollers at one server, with the network behind it."""

    def __init__(self, server: Server, network: Network, seen: Seen, seed: int, per_second: float) -> None:
        self._server = server
        self._network = network
        self.seen = seen
        self._seed = seed
        self._pause = SENDERS / per_second
        self.sending_over = asyncio.Event()
        self.over = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None

    async def run(self, disturb: Any) -> None:
        """Sends, answers and polls while `disturb()` runs; then until all that was begun has come to its end."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=PATIENCE, connector=connector) as session:
            self._session = self._network.session = session
            self._network.server = self._server
            senders = [asyncio.create_task(self._send(place)) for place in range(SENDERS)]
            pollers = [asyncio.create_task(self._poll(place)) for place in range(POLLERS)]
            try:
                await disturb()
                self.sending_over.set()
                await asyncio.gather(*senders)
                await self._settled()
                self.over.set()
                await asyncio.gather(*pollers)
            finally:
                for task in [*senders, *pollers]:
                    task.cancel()
                await asyncio.gather(*senders, *pollers, return_exceptions=True)
                await self._network.stop()

    async def _settled(self) -> None:
        """Returns when the network has every accepted message and all its answers are in: a lease is 60 s."""
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            await self._network.drained()
            if all(mt_id in self.seen.arrivals for _, mt_id in self.seen.accepted.values()):
                return
            await asyncio.sleep(0.2)

    async def call(self, path: str, **form: str) -> dict[str, Any] | None:
        """The answer, or None when there was none worth the name."""
        assert self._session is not None
        try:
            async with self._session.post(f"{self._server.url}{REST}/{path}", data=form) as answer:
                return await answer.json() if answer.status == 200 else None
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def _send(self, place: int) -> None:
        draw = random.Random(f"{self._seed} sender {place}")
        for turn in itertools.count():
            if self.sending_over.is_set():
                return
            await self._send_one(f"{place}-{turn}", draw)
            await asyncio.sleep(self._pause * draw.random() * 2)

    async def _send_one(self, reference: str, draw: random.Random) -> None:
        user = draw.choice(USERS)
        form = {
            "username": user,
            "password": PASSWORD,
            "clientRef": reference,
            "recipient": f"6125{draw.randrange(10**7):07d}",
            "text": f"message {reference}",
        }
        while True:
            answer = await self.call("message/sendSingle2", **form)
            if answer is not None and "documentId" in answer:
                self.seen.ids_of_reference[reference].add(answer["documentId"])
                self.seen.accepted[reference] = (user, answer["documentId"])
                self.seen.acknowledged_at.append((answer["documentId"], time.monotonic()))
                return
            await asyncio.sleep(0.05)

    async def _poll(self, place: int) -> None:
        """Until nothing has come for four seconds after the end: a second ahead may be held for two."""
        draw = random.Random(f"{self._seed} poller {place}")
        user, shown = USERS[place % len(USERS)], Counter[str]()
        self.seen.polled.append((user, shown))
        since, quiet_from = "-1", time.monotonic()
        while not self.over.is_set() or time.monotonic() - quiet_from < 4:
            answer = await self.call("user/allMessages", username=user, password=PASSWORD, since=since)
            if answer is None or answer["status"] != 0 or draw.random() < LOST:
                await asyncio.sleep(0.05)
                continue
            messages = answer["incomingMessages"] + answer["outgoingMessages"]
            shown.update(message["documentId"] for message in messages)
            for message in answer["incomingMessages"]:
                self.seen.texts[message["documentId"]] = (message["text"], message["originDocumentId"])
            since = str(answer["newestMessageTimestamp"])
            if messages or not self.over.is_set():
                quiet_from = time.monotonic()
            await asyncio.sleep(0.02 + draw.random() / 20)
