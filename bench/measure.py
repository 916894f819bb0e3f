"""CPU time of process trees and the pinning of processes to cores, from Linux's /proc.

It refuses to guess: a process that is not there costs nothing, and what else ran on the core is told beside the figure.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE = 0
LOAD_CORE = 1
ALLOWED = os.sched_getaffinity(0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """What a piece of work gave and cost: seconds by the clock, CPU-seconds of the trees watched.

    `core_share`: how much of the server's core the trees had, 0 to 1. `foreign_share`: what others took of it.
    """

    result: T
    seconds: float
    cpu_seconds: float
    core_share: float
    foreign_share: float


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Processes started inside run on that core, with all their children; the caller moves back at the end."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & ALLOWED or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def moved(roots: Iterable[int], core: int) -> Iterator[None]:
    """These process trees, and what they start, run on that core while the block runs."""
    watched = list(roots)
    _move(watched, core)
    try:
        yield
    finally:
        _move(watched, SERVER_CORE)


def _move(roots: Iterable[int], core: int) -> None:
    for root in roots:
        for pid in tree(root):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), {core})


def enough_cores() -> bool:
    """Whether server and load can be kept apart."""
    return {SERVER_CORE, LOAD_CORE} <= ALLOWED


def tree(pid: int) -> list[int]:
    """A process and all that descend from it, as far as they live."""
    found, ahead = [], [pid]
    while ahead:
        process = ahead.pop()
        found.append(process)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                ahead += [int(child) for child in (thread / "children").read_text().split()]
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of these processes and their descendants, those included that have ended.

    A child's time moves to its parent when it is waited for, so the sum loses nothing as backends come and go.
    """
    ticks = 0
    for root in roots:
        for pid in tree(root):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # Fields 14 to 17 of proc(5): utime, stime, cutime, cstime; the name before them may hold anything.
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def megabytes(pid: int) -> float:
    """Resident memory of a process. Raises LookupError when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} is gone")


def core_busy_seconds(core: int) -> float:
    """Seconds that a core has not idled since the machine started, stolen time included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, interrupt, soft, steal = (int(value) for value in values[:8])
            return (user + nice + system + interrupt + soft + steal) / TICKS
    raise LookupError(f"/proc/stat knows no core {core}")


def measured(work: Callable[[], T], roots: Iterable[int]) -> Measured[T]:
    """Do the work and tell what the process trees below `roots` spent on it."""
    watched = list(roots)
    cpu, busy, clock = cpu_seconds(watched), core_busy_seconds(SERVER_CORE), time.monotonic()
    result = work()
    seconds = time.monotonic() - clock
    spent = cpu_seconds(watched) - cpu
    others = max(core_busy_seconds(SERVER_CORE) - busy - spent, 0.0)
    return Measured(result, seconds, spent, spent / seconds, others / seconds)
