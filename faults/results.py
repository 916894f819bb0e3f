"""What runs of the harnesses found, appended to results/NAME.jsonl; a figure counts when its parts add up to it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from platform import platform
from typing import Any

import msgspec

FOLDER = Path(__file__).parent / "results"


class Part(msgspec.Struct, frozen=True):
    """One run: how much of a scenario, under which seed, at which commit, and the counts it gave."""

    scenario: str
    count: int
    seed: int
    commit: str
    date: str
    machine: str
    seconds: float
    held: bool
    found: dict[str, Any]


def commit() -> str:
    """The commit's short id, with `*` where files have changed since."""
    here = Path(__file__).parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = "*" if git("status", "--porcelain", "--", "src") else ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + changed


def append(
    scenario: str, count: int, seed: int, seconds: float, held: bool, found: Mapping[str, Any]
) -> Part:
    """Adds a run's part to its file."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    part = Part(scenario, count, seed, commit(), now, platform(), round(seconds, 1), held, dict(found))
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{scenario}.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(part) + b"\n")
    return part


def parts(scenario: str) -> list[Part]:
    """All parts of a scenario, oldest first."""
    file = FOLDER / f"{scenario}.jsonl"
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [msgspec.json.decode(line, type=Part) for line in lines]


def _committed(scenario: str) -> list[Part]:
    return [part for part in parts(scenario) if not part.commit.endswith("*")]


def broken(scenario: str) -> Part | None:
    """The last part of committed code that did not hold."""
    return next((part for part in reversed(_committed(scenario)) if not part.held), None)


def counted(scenario: str) -> list[Part]:
    """The parts that count: of committed code, and after the last one that broke, since the code had to change then."""
    since: list[Part] = []
    for part in _committed(scenario):
        since = [*since, part] if part.held else []
    return since
