"""Senders and pollers around a server, the network behind it; what each of them saw goes into `Seen`.

Senders repeat what was not answered under the same clientRef, pollers throw a tenth of their answers away.
Refuses to judge: that is faults/checker.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp

from faults.network import Network
from faults.points import lease_seconds
from faults.seen import Seen
from faults.server import PASSWORD, USERS, Server

REST = "/services/rest"
SENDERS, POLLERS = 8, 4
PATIENCE = aiohttp.ClientTimeout(total=10)
LOST = 0.1
# Samples send a share of what the runs send.
SHARE = 1.0
# A poller ends when so long nothing has come: a second ahead of the clock may be held for two.
QUIET_SECONDS = 2.5
# How long pollers ask a server that does not answer after the end.
PATIENCE_AFTER_END = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What senders send: how much, which share in two parts, and which share to a handset that is each sender's own."""

    per_second: float = 200
    long: float = 0.0
    own_handset: float = 0.0


# What goes there goes in order: each message after the answer to the one before it.
OWN_HANDSETS = "6129000000"
# Two parts, of which each names the message.
_TIMES = 15


class Crowd:
    """Senders and pollers at one server, with the network behind it."""

    def __init__(self, server: Server, network: Network, seen: Seen, seed: int, load: Load) -> None:
        self._server = server
        self._network = network
        self.seen = seen
        self._seed = seed
        self._load = load
        self._pause = SENDERS / (load.per_second * SHARE)
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
        """Returns when the network has every accepted message and all its answers are in.

        Or when nothing came for longer than leases are: then nothing more will come, and the checker says so.
        """
        network, seen = self._network, self.seen
        now = since = time.monotonic()
        there, deadline = (-1, 0, 0), now + network.patience
        while now < deadline and now - since < 2 * lease_seconds() + 4:
            await network.drained()
            await network.look(self._server.database)
            if seen.handed_over() and not seen.unfinished:
                return
            await asyncio.sleep(0.2)
            now, before = time.monotonic(), there
            there = (len(seen.arrivals), len(seen.gave_up), len(seen.unfinished))
            since = since if there == before else now

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
        recipient, text = f"6125{draw.randrange(10**7):07d}", f"message {reference}"
        if draw.random() < self._load.own_handset:
            recipient = OWN_HANDSETS + reference.partition("-")[0]
        elif draw.random() < self._load.long:
            text = " ".join([text] * _TIMES)
            self.seen.parts[reference] = 2
        form = {
            "username": user,
            "password": PASSWORD,
            "clientRef": reference,
            "recipient": recipient,
            "text": text,
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
        """Until after the end nothing has come for a while; an unanswered poll is no sign of that."""
        draw = random.Random(f"{self._seed} poller {place}")
        user, shown = USERS[place % len(USERS)], Counter[str]()
        self.seen.polled.append((user, shown))
        since, quiet_from, unheard_from = "-1", time.monotonic(), time.monotonic()
        while not self.over.is_set() or time.monotonic() - quiet_from < QUIET_SECONDS:
            answer = await self.call("user/allMessages", username=user, password=PASSWORD, since=since)
            if answer is None or answer["status"] != 0:
                quiet_from = time.monotonic()
                if self.over.is_set() and quiet_from - unheard_from > PATIENCE_AFTER_END:
                    return
                await asyncio.sleep(0.05)
                continue
            unheard_from = time.monotonic()
            if draw.random() < LOST:
                continue
            messages = answer["incomingMessages"] + answer["outgoingMessages"]
            shown.update(message["documentId"] for message in messages)
            for message in answer["incomingMessages"]:
                self.seen.texts[message["documentId"]] = (message["text"], message["originDocumentId"])
            since = str(answer["newestMessageTimestamp"])
            if messages or not self.over.is_set():
                quiet_from = time.monotonic()
            await asyncio.sleep(0.02 + draw.random() / 20)
