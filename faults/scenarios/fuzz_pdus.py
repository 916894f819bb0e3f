"""Ten million PDUs, generated and spoiled, through codec and session in this process.

A part is cut into shards, each with its own random source made of the seed and its number: one that failed can be run
alone. Time is counted in CPU seconds of one PDU, memory from the end of a process's first shard.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from faults.fuzz import findings
from faults.fuzz.pdus import Frame, PduSource
from faults.fuzz.plants import PLANTS, mend, planted
from faults.fuzz.reading import converse, examine
from faults.run import Found, Say, Scenario

SHARD = 25_000
BATCH = 50
# CPU seconds that reading one PDU may take. The longest, with 16,000 parameters, takes 0.04.
MOST_SECONDS = 0.25
# More than this many PDUs are not needed to find a planted bug.
CONTROL = 2_000
# Fewer shards are not worth other processes.
ALONE = 4
WORKERS = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard's end: in which process, its memory then, and what was found ("" when nothing)."""

    number: int
    count: int
    pid: int
    resident: int
    wrong: str


def shard(seed: int, number: int, count: int, plant: str) -> Shard:
    """Reads and converses with `count` PDUs; stops at the first finding."""
    wrong = ""
    # What was there before the shard is not looked through at each of its collections.
    gc.freeze()
    with planted(plant):
        for batch in _batches(random.Random(f"{seed} pdus {number}"), count):
            draw = random.Random(f"{seed} session {number}")
            wrong = _found(batch, draw, f"fuzz-pdus-{seed}-{number}")
            if wrong:
                break
        gc.unfreeze()
        memory = findings.resident()
    return Shard(number, count, os.getpid(), memory, f"shard {number}: {wrong}" if wrong else "")


def _batches(draw: random.Random, count: int) -> Iterator[list[Frame]]:
    source = PduSource(draw)
    for begun in range(0, count, BATCH):
        yield [source.next() for _ in range(min(BATCH, count - begun))]


def _found(batch: Sequence[Frame], draw: random.Random, name: str) -> str:
    """What is wrong with a batch, and where its octets lie."""
    begun, frame = time.process_time(), batch[0]
    try:
        for frame in batch:
            examine(frame)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
        return f"{error!r} {findings.keep(f'{name}.pdu', frame.octets)}"
    if time.process_time() - begun > MOST_SECONDS:
        for frame in batch:
            seconds = min(_seconds(frame) for _ in range(2))
            if seconds > MOST_SECONDS:
                return f"took {seconds:.2f} s of CPU {findings.keep(f'{name}.pdu', frame.octets)}"
    begun = time.process_time()
    try:
        converse(batch, draw)
    except Exception as error:  # noqa: BLE001  # as above
        return f"{error!r} {findings.keep(f'{name}.stream', b''.join(one.octets for one in batch))}"
    seconds = time.process_time() - begun
    return f"a stream took {seconds:.2f} s of CPU" if seconds > BATCH * MOST_SECONDS else ""


def _seconds(frame: Frame) -> float:
    begun = time.process_time()
    examine(frame)
    return time.process_time() - begun


def _shards(count: int, seed: int, plant: str) -> Iterator[Shard]:
    """All shards of a part as they end, on as many cores as there are where it is long."""
    sizes = [min(SHARD, count - begun) for begun in range(0, count, SHARD)]
    if len(sizes) <= ALONE:
        # The memory of a short part counts from its first half.
        sizes = sizes if len(sizes) > 1 else [count // 2, count - count // 2]
        yield from (shard(seed, number, size, plant) for number, size in enumerate(sizes))
        return
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        futures = [pool.submit(shard, seed, number, size, plant) for number, size in enumerate(sizes)]
        for done in as_completed(futures):
            yield done.result()


def _search(count: int, seed: int, say: Say, plant: str) -> Found:
    first: dict[int, int] = {}
    grown, wrong = 0, []
    for ended in _shards(count, seed, plant):
        grown = max(grown, ended.resident - first.setdefault(ended.pid, ended.resident))
        wrong += [ended.wrong] if ended.wrong else []
        say(ended.count)
        if wrong and plant:
            break
    held = not wrong and grown <= findings.MOST_GROWTH
    return Found(held, {"pdus": count, "wrong": wrong[:5], "grown_mb": round(grown / 2**20, 1)})


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` PDUs. Not `protected`: a bug of each kind is planted, one after the other, and each must be found."""
    if protected:
        return _search(count, seed, say, "")
    found = {}
    for plant in PLANTS:
        found[plant] = not _search(min(count // len(PLANTS), CONTROL), seed, say, plant).held
        mend()
    return Found(not all(found.values()), {"pdus": count, "found": found})


FUZZ_PDUS = Scenario(
    "fuzz-pdus",
    "generated and spoiled PDUs through codec and session, in process",
    10_000_000,
    run,
)
