"""Load by wrk from its own core, and what it counted.

It refuses a run with faults: connections that broke, answers that were no success, answers of another size.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.debian import Tool
from bench.measure import LOAD_CORE, on_core

FOLDER = Path(__file__).parent
MARK = "RESULT "


class Faulty(Exception):
    """A run whose figure would be a lie; the message says what went wrong."""


class Load(msgspec.Struct, frozen=True):
    """What wrk counted: answers, their bytes with heads, seconds, latencies in ms, and answers judged one by one."""

    requests: int
    bytes: int
    seconds: float
    p50_ms: float
    p99_ms: float
    faults: int
    accepted: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Generator:
    """wrk with what stays the same for all runs. One thread: there is one core for it."""

    wrk: Tool
    connections: int

    def poll(self, url: str, paths: Path, seconds: float) -> Load:
        """GET the paths of a file in turn for so long. Raises `Faulty`."""
        return self._run(url, "poll.lua", [str(paths)], seconds)

    def send(self, url: str, arguments: list[str], seconds: float) -> Load:
        """POST texts for so long, see send.lua for the arguments. Raises `Faulty`."""
        return self._run(url, "send.lua", arguments, seconds)

    def _run(self, url: str, script: str, arguments: list[str], seconds: float) -> Load:
        command = [str(self.wrk.path), "--threads", "1", "--connections", str(self.connections)]
        command += [
            "--duration",
            f"{max(1, round(seconds))}s",
            "--timeout",
            "10s",
            "--script",
            str(FOLDER / script),
        ]
        with on_core(LOAD_CORE):
            done = subprocess.run(
                [*command, url, "--", *arguments],
                env=self.wrk.environment,
                capture_output=True,
                text=True,
                timeout=seconds + 60,
                check=False,
            )
        lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
        if done.returncode or not lines:
            raise Faulty(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
        load = msgspec.json.decode(lines[-1][len(MARK) :], type=Load)
        if load.faults or not load.requests:
            raise Faulty(f"{load.faults} of {load.requests} answers failed at {url}")
        return load
