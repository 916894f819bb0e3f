"""A message centre as its operator starts it: the command line, and a process that serves."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

COMMAND = Path(sys.executable).with_name("rejoinder")


def environment(folder: Path) -> dict[str, str]:
    """The caller's environment without proxies, with a database in this folder and a port that the system chooses."""
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    database = f"sqlite:///{folder / 'centre.db'}"
    return {**clean, "REJOINDER_DATABASE": database, "REJOINDER_LISTEN": "127.0.0.1:0"}


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """`rejoinder serve` in this folder; its address."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(COMMAND), "serve"],
            env=environment(folder),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "listens on " in said, (folder / "log").read_text()
        yield said.split("listens on ")[1].strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)
