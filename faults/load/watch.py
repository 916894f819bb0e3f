"""How the server fares while it is loaded: its memory, open files and tasks, from /proc and /metrics.

Refuses to guess: a process that is gone is a LookupError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from faults.load.tally import slope

_ESTABLISHED = "01"


def megabytes(pid: int) -> float:
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("the server is gone")


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def held_by_clients(pid: int, ports: Container[int]) -> int:
    """Connections to those ports that both ends keep open: how many there are is for the clients to say.

    One whose client has gone (CLOSE-WAIT and later, proc_net_tcp) is not among them: keeping that would be a leak.
    """
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    columns = [line.split() for line in lines]
    return sum(
        1 for column in columns if column[3] == _ESTABLISHED and int(column[1].split(":")[1], 16) in ports
    )


async def get(port: int, path: str) -> tuple[int, bytes]:
    """One GET on a connection of its own: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]


async def metric(port: int, name: str) -> float:
    """One number of /metrics; the sum where it has labels. Raises LookupError when there is none."""
    _, page = await get(port, "/metrics")
    lines = [line for line in page.decode().splitlines() if line.split("{")[0].split(" ")[0] == name]
    if not lines:
        raise LookupError(f"/metrics has no {name}")
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@dataclass
class Memory:
    """Looked at every second by `watch`."""

    pid: int
    points: list[tuple[float, float]] = field(default_factory=list)

    async def watch(self) -> None:
        """Until it is cancelled."""
        begun = time.monotonic()
        while True:
            self.points.append((time.monotonic() - begun, megabytes(self.pid)))
            await asyncio.sleep(1)

    def most(self) -> float:
        return max((value for _, value in self.points), default=0.0)

    def a_minute(self) -> float:
        """MB a minute, of the later half: caches fill first."""
        return slope(self.points[len(self.points) // 2 :]) * 60
