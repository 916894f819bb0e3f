"""The cursor's promise with several writer and poller processes on one database, by set arithmetic over their logs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from rejoinder.clock import ManualClock
from rejoinder.store import open_store
from tests.centre import Centre
from tests.property.crowd import USERS, WRITERS_DONE

ROOT = Path(__file__).parents[2]


async def prepare(url: str) -> None:
    store = await open_store(url, ManualClock())
    centre = Centre(store)
    for name in USERS:
        await centre.account(name, funds=10**12)
    await centre.carrier()
    await centre.pool(*(f"61500000{n:03d}" for n in range(8)))
    await store.close()


def run_crowd(
    url: str, folder: Path, roles: Sequence[str], seconds: float
) -> tuple[set[str], list[Counter[str]]]:
    """What writers stored (per user and id), and what each poller's accepted answers showed."""
    asyncio.run(prepare(url))
    logs = [folder / f"{place}-{role}.jsonl" for place, role in enumerate(roles)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.property.crowd", role, url, str(log), str(place), str(seconds)],
            cwd=ROOT,
        )
        for place, (role, log) in enumerate(zip(roles, logs, strict=True))
    ]
    try:
        ends = [process.wait(seconds + 60) for process in processes if "writer" in process.args]
        (folder / WRITERS_DONE).touch()
        ends += [process.wait(60) for process in processes if "writer" not in process.args]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert ends == [0] * len(roles)
    said = [[tuple(json.loads(line)) for line in log.read_text().splitlines()] for log in logs]
    stored = {event for role, events in zip(roles, said, strict=True) if role == "writer" for event in events}
    shown = [Counter(events) for role, events in zip(roles, said, strict=True) if role != "writer"]
    return stored, shown


def faults(stored: set[str], shown: list[Counter[str]]) -> tuple[int, int]:
    """Lost and repeated messages, over all pollers; each poller reads one user's mailbox."""
    lost = repeated = 0
    for seen in shown:
        user = next(iter(seen))[0]
        lost += len({event for event in stored if event[0] == user} - set(seen))
        repeated += sum(times - 1 for times in seen.values())
    return lost, repeated


@pytest.mark.timeout(150)
def test_no_process_loses_or_repeats_a_message_for_another(database_url: str, tmp_path: Path) -> None:
    roles = [
        "served_poller",
        "poller",
        "status_poller",
        "status_poller",
        "poller",
        "poller",
        "writer",
        "writer",
        "writer",
    ]
    stored, shown = run_crowd(database_url, tmp_path, roles, seconds=20)
    assert len(stored) > 1000
    assert faults(stored, shown) == (0, 0)


@pytest.mark.timeout(150)
def test_pollers_that_do_not_seal_lose_messages(database_url: str, tmp_path: Path) -> None:
    """The negative control: the same crowd with the protection taken out of the pollers must fail."""
    roles = ["blind_poller", "blind_poller", "blind_poller", "blind_poller", "writer", "writer", "writer"]
    lost, repeated = faults(*run_crowd(database_url, tmp_path, roles, seconds=3))
    assert lost + repeated > 0
