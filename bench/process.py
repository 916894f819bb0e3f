"""A server process on the server's core: started, waited for, ended.

It refuses to leave one behind: the processes die with the block that started them, and with us if we are killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.measure import SERVER_CORE, on_core

START_SECONDS = 60.0
STOP_SECONDS = 15.0
ADDRESS = re.compile(r"(?:https?://)?(127\.0\.0\.1):(\d+)")


class Server:
    """A running server: `pid` is the root of its process tree, `url` is `http://127.0.0.1:PORT`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.pid = process.pid
        self.url = url


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    url: str | None = None,
    core: int | None = SERVER_CORE,
) -> Iterator[Server]:
    """Start `command` on that core, or where it likes; it listens at `url` or at the address that it prints.

    Raises RuntimeError with the end of its output when it ends early or says nothing for 60 s.
    """
    # What an earlier start wrote would be read as this one's address.
    log.unlink(missing_ok=True)
    # setpriv belongs to Debian's essential set; it is replaced by the server, whose pid is therefore the child's.
    guarded = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    place = contextlib.nullcontext() if core is None else on_core(core)
    with log.open("wb") as output, place:
        process = subprocess.Popen(
            [*guarded, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        yield Server(process, url or _printed_address(process, log))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_ports(count: int) -> list[int]:
    """Ports for programs that can't be told to choose one themselves."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


def wait_until_it_listens(port: int, log: Path) -> None:
    """Raises RuntimeError with the end of its output when nobody listens there after 60 s."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{log.stem} does not listen: {log.read_text(errors='replace')[-500:]}")


def _printed_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = ADDRESS.search(log.read_text(errors="replace"))
        if found:
            return f"http://{found[1]}:{found[2]}"
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"{command_line(process)} did not come up:\n{log.read_text(errors='replace')[-2000:]}")


def command_line(process: subprocess.Popen[bytes]) -> str:
    """The command that a process was started with."""
    arguments = process.args
    return " ".join(arguments) if isinstance(arguments, list) else str(arguments)
