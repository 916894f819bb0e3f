"""The demo's journey: real server, real HTTP, simulated handsets; what was sent is checked against what was polled.

Knows the server only as any user does: by its commands and its HTTP API.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from rejoinder.errors import RejoinderError

REST = "/services/rest"
LONG_ANSWER = (
    "Answer to {{id}}: thanks for asking! 🎉 We are seven people now, two of them vegetarians, and we come by train "
    "at ten past six. Is there a place for two bicycles and a rather large dog? 🚲🚲🐕 See you on Saturday, Zoë"
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one kind of handset (and its network) behaves: the simulator's settings, and answers per text."""

    name: str
    answers: int
    settings: Mapping[str, str]


BEHAVIOURS = (
    Behaviour("quiet", 0, {}),
    Behaviour("prompt", 1, {"reply": "Answer to {{id}}", "receipts": "before"}),
    Behaviour("late", 1, {"reply": "Answer to {{id}}", "delay": "1", "reply_delay": "3"}),
    Behaviour("twice", 2, {"reply": "Answer to {{id}}", "replies": "2", "receipts": "twice"}),
    Behaviour("long", 1, {"reply": LONG_ANSWER, "reply_order": "reversed", "delay": "0.5"}),
    Behaviour(
        "repeated", 1, {"reply": "Answer to {{id}}", "repeat_replies": "true", "throttle_percent": "5"}
    ),
)
USERS = 3
POOL = 12
TEXTS_PER_HANDSET = 6
SENDERS = 32


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted text: who sent it, to which handset, and how many answers will come."""

    user: str
    handset: str
    text: str
    answers: int


@dataclass(slots=True)
class Findings:
    """What the poller collected, against what was sent."""

    sent: dict[str, Sent] = field(default_factory=dict)
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    received_by: dict[str, str] = field(default_factory=dict)

    def take(self, user: str, page: Mapping[str, Any]) -> None:
        """One answer of allMessages."""
        for message in page["outgoingMessages"]:
            self.shown[user, message["documentId"]] += 1
        for message in page["incomingMessages"]:
            self.shown[user, message["documentId"]] += 1
            self.answers[message["documentId"]] = message
            self.received_by[message["documentId"]] = user

    def expected(self) -> int:
        return sum(1 + one.answers for one in self.sent.values())

    def complete(self) -> bool:
        return len(self.shown) >= self.expected()

    def linked(self) -> int:
        return sum(self._is_linked(mo_id) for mo_id in self.answers)

    def _is_linked(self, mo_id: str) -> bool:
        answer = self.answers[mo_id]
        origin = self.sent.get(answer["originDocumentId"])
        return (
            origin is not None
            and answer["originDocumentId"] in answer["text"]
            and origin.handset == answer["from"]
            and origin.user == self.received_by[mo_id]
        )

    def missed(self) -> int:
        """Texts and answers that no poll showed."""
        texts = sum((one.user, mt_id) not in self.shown for mt_id, one in self.sent.items())
        told = Counter(answer["originDocumentId"] for answer in self.answers.values())
        return texts + sum(max(0, one.answers - told[mt_id]) for mt_id, one in self.sent.items())

    def repeated(self) -> int:
        """Messages that were shown again, and answers beyond those that handsets gave."""
        told = Counter(answer["originDocumentId"] for answer in self.answers.values())
        surplus = sum(max(0, told[mt_id] - one.answers) for mt_id, one in self.sent.items())
        return sum(times - 1 for times in self.shown.values()) + surplus

    def right(self) -> bool:
        return not self.missed() and not self.repeated() and self.linked() == len(self.answers)


class Demo:
    """One run against one database."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.url = ""
        run = f"{secrets.randbelow(9000) + 1000}"
        self.name = f"demo{run}"
        # Recipients and pool numbers of this run only: the database may have seen other runs.
        self.prefix = f"99{run}"
        self.users = [f"user{n}@{self.name}" for n in range(1, USERS + 1)]
        self.password = secrets.token_urlsafe(9)
        self.findings = Findings()
        self._server: asyncio.subprocess.Process | None = None

    async def command(self, *words: str) -> dict[str, Any]:
        """Runs `rejoinder WORDS` on the demo's database, as an operator would."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rejoinder",
            *words,
            "--database",
            self.database,
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if process.returncode:
            raise RejoinderError(f"rejoinder {words[0]} {words[1]}: {error.decode().strip()}")
        shown: dict[str, Any] = json.loads(out)
        return shown

    def commands(self, texts: int) -> list[tuple[str, ...]]:
        """The commands that set everything up, in order."""
        customer, reseller = f"shop-{self.name}", f"reseller-{self.name}"
        lines: list[tuple[str, ...]] = [
            ("reseller", "add", reseller, "--password", self.password, "--billing", "post_paid"),
            ("customer", "add", customer, "--reseller", reseller, "--credits", str(texts * 10)),
        ]
        lines += [("user", "add", u, "--customer", customer, "--password", self.password) for u in self.users]
        lines += [("number", "add", f"{self.prefix}9{n:04d}", "--pool") for n in range(POOL)]
        for digit, kind in enumerate(BEHAVIOURS):
            settings = [word for key, value in kind.settings.items() for word in ("--set", f"{key}={value}")]
            carrier = f"{self.name}-{kind.name}"
            lines.append(("carrier", "add", carrier, "--kind", "simulator", *settings))
            lines.append(("route", "add", f"{self.prefix}{digit}", carrier))
        return lines

    async def start(self) -> None:
        """Starts the real server on a free port and waits until it says where it listens."""
        self._server = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "rejoinder", "serve", "--database", self.database, "--listen", "127.0.0.1:0"),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"REJOINDER_LOG_LEVEL": "warning"},
        )
        assert self._server.stdout is not None
        line = (await self._server.stdout.readline()).decode()
        if "http://" not in line:
            raise RejoinderError("the server did not start; see its message above")
        self.url = line[line.index("http://") :].strip()

    async def ended(self) -> None:
        """Returns when the server ends by itself; an interrupt comes first."""
        assert self._server is not None
        await self._server.wait()

    async def stop(self) -> None:
        """Ends the server as an operator would: SIGTERM."""
        if self._server is not None and self._server.returncode is None:
            self._server.terminate()
            await self._server.wait()

    async def send(self, texts: Sequence[str], sent: Callable[[int], None]) -> None:
        """Sends all texts over HTTP, SENDERS at a time."""
        handsets = max(10, len(texts) // TEXTS_PER_HANDSET)
        waiting = iter(enumerate(texts))
        connector = aiohttp.TCPConnector(limit=SENDERS)
        async with aiohttp.ClientSession(self.url, connector=connector) as session:

            async def sender() -> None:
                for place, text in waiting:
                    await self._send_one(session, place % handsets, self.users[place % USERS], text)
                    sent(1)

            await asyncio.gather(*(sender() for _ in range(SENDERS)))

    async def _send_one(self, session: aiohttp.ClientSession, handset: int, user: str, text: str) -> None:
        digit = handset % len(BEHAVIOURS)
        number = f"{self.prefix}{digit}{handset:05d}"
        form = {"username": user, "password": self.password, "recipient": number, "text": text}
        async with session.post(f"{REST}/message/sendSingle2", data=form) as response:
            answer = await response.json()
        if answer.get("messageStatus") != 10:
            raise RejoinderError(
                f"a text was refused with {answer.get('messageStatus')}: {answer.get('error')}"
            )
        self.findings.sent[answer["documentId"]] = Sent(user, number, text, BEHAVIOURS[digit].answers)

    async def collect(self, deadline: float, shown: Callable[[int], None], sending: Awaitable[None]) -> None:
        """Polls every user's mailbox, passing newestMessageTimestamp back, until all is there or time is over."""
        done = asyncio.ensure_future(sending)
        async with aiohttp.ClientSession(self.url) as session:
            await asyncio.gather(
                *(self._poll(session, user, deadline, shown, done) for user in self.users), done
            )

    async def _poll(
        self,
        session: aiohttp.ClientSession,
        user: str,
        deadline: float,
        shown: Callable[[int], None],
        sending: asyncio.Future[None],
    ) -> None:
        since = 0
        quiet_until = 0.0
        while time.monotonic() < deadline:
            form = {"username": user, "password": self.password, "since": str(since)}
            async with session.post(f"{REST}/user/allMessages", data=form) as response:
                page = await response.json()
            if page["status"] != 0:
                raise RejoinderError(f"a poll was answered {page['status']}: {page.get('error')}")
            since = page["newestMessageTimestamp"]
            self.findings.take(user, page)
            shown(len(page["incomingMessages"]) + len(page["outgoingMessages"]))
            if page["hasMoreMessages"]:
                continue
            if sending.done() and self.findings.complete():
                # A repetition would come now: two more seconds of polling, as a running program would.
                quiet_until = quiet_until or time.monotonic() + 2
                if time.monotonic() > quiet_until:
                    return
            await asyncio.sleep(0.15)
