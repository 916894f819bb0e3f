"""Power loss on SQLite: images of the disk at random moments, opened and compared with what was acknowledged."""

from __future__ import annotations

import asyncio
import bisect
import random
import signal
import tempfile
from pathlib import Path

import apsw

from faults.crowd import Crowd, Load
from faults.disk.images import Disk, records
from faults.disk.interposer import build
from faults.network import HttpNetwork
from faults.points import NONE, wrapper
from faults.run import Found, Say, Scenario, ground
from faults.seen import Seen
from faults.server import Server, set_up

# Of load for so many images at least; a sample is content with less.
SECONDS, IMAGES = 12.0, 100


class _Acknowledged(dict[str, int]):
    """documentId → how long the recording was when its answer had come."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def append(self, event: tuple[str, float]) -> None:
        self[event[0]] = self._log.stat().st_size


async def _record(
    folder: Path, url: str, seed: int, seconds: float, without: str
) -> tuple[Path, dict[str, int]]:
    log = folder / "recording"
    seen = Seen()
    acknowledged = _Acknowledged(log)
    seen.acknowledged_at = acknowledged  # type: ignore[assignment]  # it is only appended to
    network = HttpNetwork(seen, random.Random(seed))
    await network.start()
    environment = {
        "LD_PRELOAD": str(build(folder)),
        "RECORD_PREFIX": str(folder / "faults.db"),
        "RECORD_LOG": str(log),
    }
    server = Server(url, folder / "server.log", wrapper(without), environment)
    plain = Server(url, folder / "server.log")
    await asyncio.to_thread(set_up, plain, network.carriers())
    _start_from(folder, log)
    await asyncio.to_thread(server.start)

    async def load() -> None:
        await asyncio.sleep(seconds)

    try:
        await Crowd(server, network, seen, seed, Load()).run(load)
    finally:
        await asyncio.to_thread(server.end, signal.SIGKILL)
    return log, dict(acknowledged)


def _start_from(folder: Path, log: Path) -> None:
    """What is on disk before the recording: as one write and one sync of the database file."""
    content = (folder / "faults.db").read_bytes()
    name = str(folder / "faults.db").encode()
    head = len(name).to_bytes(4, "little") + name
    with log.open("wb") as file:
        file.write(b"w" + head + (0).to_bytes(8, "little") + len(content).to_bytes(8, "little") + content)
        file.write(b"s" + head + bytes(16))


def _faulty(image: dict[str, bytes], expected: list[str], work: Path) -> str:
    """What is wrong with one image: nothing, a word, or how many acknowledged messages it lacks."""
    for old in work.iterdir():
        old.unlink()
    for name, content in image.items():
        (work / Path(name).name).write_bytes(content)
    try:
        connection = apsw.Connection(str(work / "faults.db"))
        if connection.execute("PRAGMA integrity_check").get != "ok":
            return "corrupt"
        there = {row[0] for row in connection.execute("SELECT id FROM mt")}
        connection.close()
    except apsw.Error:
        return "unreadable"
    lost = len(set(expected) - there)
    return f"lost {lost}" if lost else ""


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """Rebuilds and checks `count` images of one recording. Not `protected`: synchronous=NORMAL, which must fail."""
    draw = random.Random(seed)
    seconds = max(SECONDS / 4, min(SECONDS, SECONDS * count / IMAGES))
    with ground("sqlite") as on, tempfile.TemporaryDirectory(dir="/dev/shm") as work:
        log, acknowledged = asyncio.run(
            _record(on.folder, on.url, seed, seconds, NONE if protected else "durability")
        )
        every = list(records(log))
        order = sorted(acknowledged, key=acknowledged.__getitem__)
        ends = [acknowledged[one] for one in order]
        # Cuts anywhere after the start; each is a number of records that have happened.
        cuts = sorted(draw.randrange(2, len(every) + 1) for _ in range(count))
        disk, done, faulty = Disk(), 0, []
        for cut in cuts:
            for record in every[done:cut]:
                disk.take(record)
            done = cut
            expected = order[: bisect.bisect_right(ends, every[cut - 1].ends_at)]
            wrong = _faulty(disk.image(draw), expected, Path(work))
            faulty += [wrong] if wrong else []
            say(1)
    kinds = {kind: sum(record.kind == kind for record in every) for kind in "wst"}
    counts = {"images": count, "faulty": len(faulty), "first_faults": faulty[:5], "acknowledged": len(order)}
    return Found(not faulty, {**counts, "writes": kinds["w"], "syncs": kinds["s"], "truncations": kinds["t"]})


POWER_LOSS = Scenario(
    "power-loss-sqlite",
    "the disk as a power cut may leave it: unsynced writes dropped, kept or torn",
    1000,
    run,
)
