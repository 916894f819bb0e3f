"""The real server as a process that may be killed at any moment and comes back on the same port.

It refuses to reach inside: set up by commands, spoken to over HTTP. `wrapper` is put before the command's module, for
runs with a fault built in (faults/points.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from faults import points
from rejoinder.cli import main as rejoinder

USERS = ("one@faults", "two@faults")
PASSWORD = "correct-horse-7"
CARRIER, TOKEN = "wire", "token-of-the-wire"
CREDITS = 1_000_000
POOL = 20
ROOT = Path(__file__).parents[1]


@dataclass
class Server:
    """One server on one database; `log` takes its stderr."""

    database: str
    log: Path
    wrapper: Sequence[str] = field(default_factory=points.wrapper)
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    # Of the SMPP server, where the environment asks for one.
    smpp_port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str) -> Any:
        """One command of the operator's; its JSON. Raises RuntimeError with its sentence when it refuses."""
        # In this process: a new one for each of thirty commands would cost more than the run.
        done = CliRunner().invoke(rejoinder, [*words, "--database", self.database, "--json"])
        if done.exit_code:
            raise RuntimeError(f"rejoinder {' '.join(words[:2])}: {done.output.strip()[-500:]}")
        return json.loads(done.stdout)

    def start(self, wrapper: Sequence[str] | None = None) -> float:
        """Starts and waits until it listens; gives back the seconds that took."""
        begun = time.monotonic()
        where = f"127.0.0.1:{self.port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, *(wrapper or self.wrapper), "serve"),
                    *("--database", self.database, "--listen", where),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "REJOINDER_LOG_LEVEL": "warning", **self.environment},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"the server did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
        self.port = int(line.rsplit(":", 1)[1])
        if "REJOINDER_SMPP_LISTEN" in self.environment:
            self.smpp_port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        return time.monotonic() - begun

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signals it and waits; gives back its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


@dataclass(frozen=True, slots=True)
class WiredCarrier:
    """A carrier whose network is the harness, and the prefix of its route."""

    name: str
    kind: str
    settings: Mapping[str, str]
    prefix: str = ""


def set_up(server: Server, carriers: Sequence[WiredCarrier]) -> None:
    """Accounts, a pool, and the carriers."""
    server.command("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid")
    server.command("customer", "add", "shop", "--reseller", "acme", "--credits", str(CREDITS))
    for user in USERS:
        server.command("user", "add", user, "--customer", "shop", "--password", PASSWORD)
    for number in range(POOL):
        server.command("number", "add", f"6150007{number:04d}", "--pool")
    for carrier in carriers:
        words = [word for key, value in carrier.settings.items() for word in ("--set", f"{key}={value}")]
        server.command("carrier", "add", carrier.name, "--kind", carrier.kind, *words)
        server.command("route", "add", carrier.prefix, carrier.name)
