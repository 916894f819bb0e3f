"""What a fuzzer found: the octets kept in a file below .cache/, and how the memory of a process stands."""

from __future__ import annotations

import gc
import os
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".cache" / "faults"
MOST_GROWTH = 20 * 1024 * 1024
_PAGE = os.sysconf("SC_PAGESIZE")


def keep(name: str, octets: bytes) -> str:
    """Writes what was sent to a file, as it was sent; gives back where it lies and how it begins."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / name
    file.write_bytes(octets)
    return f"{file.relative_to(FOLDER.parents[1])} ({octets[:60].hex()}{'…' if len(octets) > 60 else ''})"


def resident(pid: int | None = None) -> int:
    """Octets of a process's memory that are in RAM; of this one after a collection."""
    if pid is None:
        gc.collect()
    fields = Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()
    return int(fields[1]) * _PAGE
