"""The interposer as a library, and the handle by which a harness makes trouble in the running server.

Refuses to work where there is no C compiler.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("interposer.c")
_SHARED = struct.Struct("<qii")
NANOSECONDS = 1_000_000_000


def build(folder: Path) -> Path:
    """The library, made in `folder`. Raises RuntimeError without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("this harness needs a C compiler (cc)")
    library = folder / "interposer.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True, capture_output=True)
    return library


class Trouble:
    """Switches that act in the server at once: its wall clock, and what its writes and syncs answer."""

    def __init__(self, folder: Path) -> None:
        file = folder / "trouble"
        file.write_bytes(bytes(_SHARED.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _SHARED.size)
        self._state = (0, 0, 0)
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(build(folder)),
            "RECORD_PREFIX": str(folder / "faults.db"),
            "TROUBLE": str(file),
        }

    def clock(self, seconds: float) -> None:
        """The server's wall clock is so far ahead of the machine's."""
        self._set(int(seconds * NANOSECONDS), *self._state[1:])

    def errors(self, write: int = 0, sync: int = 0) -> None:
        """The errno that its writes and syncs of the database answer; 0: they work."""
        self._set(self._state[0], write, sync)

    def _set(self, ahead: int, write: int, sync: int) -> None:
        self._state = (ahead, write, sync)
        _SHARED.pack_into(self._shared, 0, ahead, write, sync)
