"""What a figure was measured on: the machine, the versions, the commit. It names no host and no user."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path

import apsw
import msgspec

PACKAGES = (
    "rejoinder",
    "uvicorn",
    "uvloop",
    "httptools",
    "msgspec",
    "asyncpg",
    "apsw",
    "fastapi",
    "sqlalchemy",
    "pydantic",
)
SYNCS = 200


class Machine(msgspec.Struct, frozen=True):
    """`fsync_ms`: the median of 200 appends of 4 KB, each followed by fsync, on the file system measured on."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    file_system: str
    fsync_ms: float
    python: str
    versions: dict[str, str]


def describe(folder: Path, tools: dict[str, str]) -> Machine:
    """This machine, with the versions of `tools` beside those of the packages; databases lie in `folder`."""
    versions = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 0,
        memory_gb=round(memory / 2**30, 1),
        kernel=f"{platform.system()} {platform.release()}",
        file_system=file_system(folder),
        fsync_ms=_fsync_milliseconds(folder),
        python=platform.python_version(),
        versions={**versions, "SQLite": apsw.sqlite_lib_version(), **tools},
    )


def commit() -> tuple[str, bool]:
    """The commit's hash, and whether the files of the server differ from it. Without git: ("unknown", True)."""
    try:
        name = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--", "src", "bench", ":!bench/results", ":!bench/README.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True
    return name, bool(changed)


def file_system(folder: Path) -> str:
    """Its type as /proc/mounts names it; on `tmpfs` an fsync costs and means nothing."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, name, *_ = line.split()
        if folder.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, name
    return kind


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip()


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()


def _fsync_milliseconds(folder: Path) -> float:
    costs = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(b"\0" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            costs.append((time.perf_counter() - begin) * 1000)
    return round(statistics.median(costs), 3)
