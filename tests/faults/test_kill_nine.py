"""kill -9 of the real server under load: what was answered OK is there, once, paid once, shown to a poller once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

KILLS = 4
USER, PASSWORD = "anna@acme", "secret2"


class Server:
    """The real server as a process, on a port the system chose once."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def command(self, *words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "rejoinder", *words, "--database", self.database, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self) -> None:
        where = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rejoinder", "serve", "--database", self.database, "--listen", where],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, "the server did not start"
        self.port = int(line.rsplit(":", 1)[1])

    def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait(15)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def call(self, path: str, **form: str) -> dict[str, Any] | None:
        """The answer, or None when the server went away meanwhile."""
        data = urllib.parse.urlencode({"username": USER, "password": PASSWORD, **form}).encode()
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/services/rest/{path}", data, 10
            ) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, HTTPException, json.JSONDecodeError):
            return None


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'killed.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    made = Server(url)
    made.command("reseller", "add", "acme", "--password", "secret1", "--billing", "post_paid")
    made.command("customer", "add", "shop", "--reseller", "acme", "--credits", "100000")
    made.command("user", "add", USER, "--customer", "shop", "--password", PASSWORD)
    made.command("number", "add", "61500079987", "--pool")
    made.command("carrier", "add", "sim", "--kind", "simulator", "--set", "reply=yes")
    made.command("route", "add", "", "sim")
    yield made
    made.end(signal.SIGKILL)


async def load(server: Server, seed: int) -> tuple[set[str], Counter[str]]:
    """Senders, a poller and a killer at the same time; then the poller collects the rest."""
    draw = random.Random(seed)
    acknowledged: set[str] = set()
    shown: Counter[str] = Counter()
    since, over = 0, asyncio.Event()

    async def send() -> None:
        while not over.is_set():
            recipient = f"6125{draw.randrange(10**7):07d}"
            answer = await asyncio.to_thread(
                server.call, "message/sendSingle2", recipient=recipient, text="hi"
            )
            if answer is not None and answer["messageStatus"] == 10:
                acknowledged.add(answer["documentId"])
            elif answer is None:
                await asyncio.sleep(0.02)

    async def poll() -> int:
        nonlocal since
        answer = await asyncio.to_thread(server.call, "user/allMessages", since=str(since))
        if answer is None or answer["status"] != 0 or draw.random() < 0.1:
            await asyncio.sleep(0.02)
            return 0  # lost on its way: the same since again
        messages = answer["incomingMessages"] + answer["outgoingMessages"]
        shown.update(message["documentId"] for message in messages)
        since = answer["newestMessageTimestamp"]
        return len(messages)

    async def keep_polling() -> None:
        while not over.is_set():
            await poll()

    tasks = [asyncio.create_task(send()) for _ in range(6)] + [asyncio.create_task(keep_polling())]
    for _ in range(KILLS):
        await asyncio.sleep(0.3 + draw.random())
        await asyncio.to_thread(server.end, signal.SIGKILL)
        await asyncio.to_thread(server.start)
    await asyncio.sleep(0.5)
    over.set()
    await asyncio.gather(*tasks)
    # A second ahead of the clock may be held for two seconds (contract §3 rule 7).
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 3:
        if await poll():
            quiet_since = time.monotonic()
    return acknowledged, shown


@pytest.mark.timeout(110)
def test_what_was_answered_ok_survives_and_is_shown_and_paid_once(server: Server) -> None:
    server.start()
    acknowledged, shown = asyncio.run(load(server, seed=7))
    assert len(acknowledged) > 50
    assert acknowledged - set(shown) == set(), "acknowledged and lost"
    assert [message for message, times in shown.items() if times > 1] == [], "repeated"
    server.end(signal.SIGTERM)
    assert server.process is not None
    assert server.process.returncode == 0
    server.command("ledger", "check")
