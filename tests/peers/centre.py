"""A running Rejoinder for foreign programs to talk to, and foreign programs that report in JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from rejoinder.cli import main as rejoinder
from tests.peers.fetched import Program

PROGRAMS = Path(__file__).parent / "programs"
USER, PASSWORD = "peer@acme", "correct-horse-7"
SYSTEM_ID, SMPP_PASSWORD = "peer", "secret7"
SENDER = "61500079987"
_HTTP = re.compile(r"http://127\.0\.0\.1:(\d+)")
_SMPP = re.compile(r"SMPP on 127\.0\.0\.1:(\d+)")


class Reports:
    """A foreign program's JSON lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def until(self, key: str, times: int = 1, seconds: float = 30.0) -> list[dict[str, Any]]:
        """The reports with that key, once there are so many. Raises AssertionError with all that came instead."""
        deadline = time.monotonic() + seconds
        while len(found := [one for one in self.seen if key in one]) < times:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"{len(found)} of {times} {key}; what came: {self.seen}"
            self.seen.append(json.loads(line))
        return found


@contextlib.contextmanager
def program(started: Program, *arguments: str) -> Iterator[Reports]:
    """A foreign program, ended with the block."""
    process = subprocess.Popen(
        [*started.words, *arguments], stdout=subprocess.PIPE, text=True, env=dict(started.environment)
    )
    try:
        yield Reports(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class Centre:
    """`rejoinder serve` with both doors open."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.http = self.smpp = 0
        self._process: subprocess.Popen[str] | None = None

    def command(self, *words: str) -> Any:
        """One command of the operator's."""
        done = CliRunner().invoke(rejoinder, [*words, "--database", self.database, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def accounts(self) -> None:
        """A customer with a user who may bind, and who has the number that it sends from."""
        self.command("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid")
        self.command("customer", "add", "shop", "--reseller", "acme", "--credits", "1000")
        self.command("user", "add", USER, "--customer", "shop", "--password", PASSWORD)
        self.command("user", "smpp", USER, "--system-id", SYSTEM_ID, "--password", SMPP_PASSWORD)
        self.command("number", "add", SENDER, "--user", USER)

    def carrier(self, kind: str, **settings: str) -> None:
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self.command("carrier", "add", kind, "--kind", kind, *words)
        self.command("route", "add", "", kind)

    @contextlib.contextmanager
    def serving(self, smpp: bool = True) -> Iterator[Centre]:
        """`rejoinder serve`; `smpp`: the door for customers who bind."""
        command = [sys.executable, "-m", "rejoinder", "serve", "--database", self.database]
        command += ["--listen", "127.0.0.1:0", *(["--smpp-listen", "127.0.0.1:0"] if smpp else [])]
        environment = {**os.environ, "REJOINDER_LOG_LEVEL": "warning"}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout is not None
        try:
            said = ""
            while not (_HTTP.search(said) and (_SMPP.search(said) or not smpp)):
                line = self._process.stdout.readline()
                assert line, f"the server did not start: {said}"
                said += line
            self.http, self.smpp = (
                int(found[1]) if (found := door.search(said)) else 0 for door in (_HTTP, _SMPP)
            )
            yield self
        finally:
            self._process.terminate()
            status = self._process.wait(20)
            self._process.stdout.close()
        assert status == 0

    def call(self, path: str, **form: str) -> dict[str, Any]:
        data = urllib.parse.urlencode({"username": USER, "password": PASSWORD, **form}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/services/rest/{path}", data, 20) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def messages(
        self, incoming: int, outgoing: int, seconds: float = 30.0
    ) -> dict[str, list[dict[str, Any]]]:
        """The mailbox, once it holds so many of each; polled by passing newestMessageTimestamp back."""
        found: dict[str, list[dict[str, Any]]] = {"incomingMessages": [], "outgoingMessages": []}
        since, deadline = "-1", time.monotonic() + seconds
        while True:
            page = self.call("user/allMessages", since=since, wait="1")
            assert page["status"] == 0, page
            for key in found:
                found[key] += page[key]
            since = str(page["newestMessageTimestamp"])
            if len(found["incomingMessages"]) >= incoming and len(found["outgoingMessages"]) >= outgoing:
                return found
            assert time.monotonic() < deadline, f"{incoming} and {outgoing} wanted; there are {found}"


def told(centre: Centre, messages: Sequence[Mapping[str, str]], deliveries: int) -> str:
    """What a customer's program is told, as its first argument."""
    return json.dumps(
        {
            "host": "127.0.0.1",
            "port": centre.smpp,
            "system_id": SYSTEM_ID,
            "password": SMPP_PASSWORD,
            "sender": SENDER,
            "messages": list(messages),
            "deliveries": deliveries,
            "seconds": 25,
        }
    )
