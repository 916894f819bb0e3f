"""A real server that is fuzzed while its other clients go on: set up, paced, measured in turns, and judged.

A phase of fuzz and one of as many honest requests take turns at one pace, so that what the difference shows is what the
strange octets do to others and not what any load does. Refuses to know what is sent: that is a Fuzzer.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import apsw
from argon2 import PasswordHasher

from faults.fuzz import findings
from faults.fuzz.others import ESME, KINDS, SAMPLE
from faults.fuzz.planted import PLANTS
from faults.load.watch import metric
from faults.run import Found, Ground, Say, ground
from faults.server import CARRIER, PASSWORD, ROOT, TOKEN, USERS, Server
from tests.smpp.esme import SECRET

FUZZ, STILL = "fuzz@faults", "still@faults"
# Requests or PDUs a second in both kinds of phases: a pace that leaves one core of the server time to spare.
PER_SECOND = 800
# Both kinds are as long, for a percentile of fewer calls is another; an honest one follows every second phase of fuzz.
PHASE = 4_000
CONNECTIONS = 48
# Bounded memories (callers, log-ins, heads) are full after this.
WARM = 50_000
# From this many phases on their medians say something.
PHASES_TO_JUDGE = 10
WORSE = 1.2
ENOUGH_WRONG = 5
# How many units a planted bug may take to be found.
CONTROL = 1_500
CONTROL_PATIENCE = 3.0
_SETTINGS = {
    "REJOINDER_SMPP_LISTEN": "127.0.0.1:0",
    # What is not expected is said at this level; at the others, what customers do.
    "REJOINDER_LOG_LEVEL": "error",
    # The fuzzer's own mistakes at its log-in shut nobody out; unknown names, each of which would cost a password's
    # hash, are soon answered 429 by their address.
    "REJOINDER_FAILED_LOGINS_PER_USER": "1000000",
    "REJOINDER_FAILED_LOGINS_PER_ADDRESS": "10",
    "REJOINDER_SMPP_CONNECTIONS_PER_ADDRESS": "1000",
}


class Wrong(Exception):
    """What must not be was seen; the sentence, and the octets that led to it."""

    def __init__(self, sentence: str, octets: bytes) -> None:
        super().__init__(sentence)
        self.octets = octets


class Fuzzer(Protocol):
    """What is sent. Each call makes one connection and gives back how many units it sent; raises Wrong."""

    name: str

    async def prepare(self, server: Server) -> None: ...

    async def fuzz(self) -> int: ...

    async def honest(self) -> int: ...


@dataclass
class _Tally:
    """What was seen so far."""

    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    warm: int = 0
    grown: int = 0
    # Seconds of the others' calls, by kind, in each phase of fuzz (True) or none.
    phases: dict[bool, list[Mapping[str, Sequence[float]]]] = field(default_factory=lambda: defaultdict(list))
    failed: int = 0


class Arena:
    """One server and one fuzzer."""

    def __init__(self, on: Ground, fuzzer: Fuzzer, seed: int, say: Say) -> None:
        self._on = on
        self._fuzzer = fuzzer
        self._seed = seed
        self._say = say
        self._samples = on.folder / "samples"
        self._read = 0
        self._tally = _Tally()

    async def run(self, count: int, plant: str = "") -> Found:
        wrapper = (
            ("-m", "faults.fuzz.planted", f"{self._fuzzer.name}:{plant}") if plant else ("-m", "rejoinder")
        )
        server = Server(self._on.url, self._on.folder / "server.log", wrapper, _SETTINGS)
        await asyncio.to_thread(_set_up, server, self._on)
        await asyncio.to_thread(server.start)
        try:
            await self._fuzzer.prepare(server)
            async with self._others(server):
                await self._phases(count, server)
        finally:
            # A connection that hangs would hold the end up.
            status = await asyncio.to_thread(server.end, signal.SIGTERM)
        said = server.log.read_text(errors="replace")
        return self._judge(count, said, status)

    @contextlib.asynccontextmanager
    async def _others(self, server: Server) -> AsyncIterator[None]:
        self._samples.touch()
        words = ("-m", "faults.fuzz.others", str(server.port), str(server.smpp_port), str(self._samples))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=asyncio.subprocess.PIPE, cwd=ROOT
        )
        try:
            while not self._samples.stat().st_size:  # another process sets no event
                if process.returncode is not None:
                    raise RuntimeError("the well-behaved clients did not start")
                await asyncio.sleep(0.05)
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def _phases(self, count: int, server: Server) -> None:
        tally = self._tally
        assert server.process is not None
        warm_at = min(WARM, count // 2)
        while tally.sent < count and len(tally.wrong) < ENOUGH_WRONG and server.runs:
            size = min(PHASE, count - tally.sent, warm_at - tally.sent if tally.sent < warm_at else count)
            await self._phase(size, fuzz=True)
            if tally.warm == 0 and tally.sent >= warm_at:
                tally.warm = await _settled(server)
            if len(tally.phases[True]) % 2:
                await self._phase(size, fuzz=False)
        if server.runs:
            tally.grown = await _settled(server) - tally.warm

    async def _phase(self, size: int, *, fuzz: bool) -> None:
        """So many units at the pace, on some connections at once. What fails in a way nobody expects ends the run."""
        tally, begun, sent = self._tally, time.monotonic(), 0
        places = asyncio.Semaphore(CONNECTIONS)

        async def one() -> None:
            nonlocal sent
            try:
                units = await (self._fuzzer.fuzz() if fuzz else self._fuzzer.honest())
                sent += units
                if fuzz:
                    tally.sent += units
                    self._say(units)
            except Wrong as wrong:
                sent += 1
                name = f"{self._fuzzer.name}-{self._seed}-{len(tally.wrong)}.octets"
                tally.wrong.append(f"{wrong} {findings.keep(name, wrong.octets)}")
            finally:
                places.release()

        async with asyncio.TaskGroup() as running:
            while sent < size and len(tally.wrong) < ENOUGH_WRONG:
                await places.acquire()
                await asyncio.sleep(max(0.0, begun + sent / PER_SECOND - time.monotonic()))
                running.create_task(one())
        tally.phases[fuzz].append(self._samples_until_now())

    def _samples_until_now(self) -> Mapping[str, Sequence[float]]:
        with self._samples.open("rb") as file:
            file.seek(self._read)
            octets = file.read()
        whole = len(octets) // SAMPLE.size * SAMPLE.size
        self._read += whole
        found = defaultdict(list)
        for _, kind, seconds, good in SAMPLE.iter_unpack(octets[:whole]):
            found[KINDS[kind]].append(seconds)
            self._tally.failed += not good
        return found

    def _judge(self, count: int, said: str, status: int) -> Found:
        tally = self._tally
        fuzz, honest = (_medians(tally.phases[which]) for which in (True, False))
        judged = min(map(len, tally.phases.values())) >= PHASES_TO_JUDGE
        slower = [kind for kind in fuzz if fuzz[kind] > WORSE * honest.get(kind, float("inf"))]
        held = not (tally.wrong or said or status or tally.failed or (judged and slower))
        counts = {
            "sent": tally.sent,
            "wrong": tally.wrong[:ENOUGH_WRONG],
            "log": said[:2_000],
            "ended_with": status,
            "grown_mb": round(tally.grown / 2**20, 1),
            "others_failed": tally.failed,
            "p99_ms": {kind: round(value * 1000, 2) for kind, value in fuzz.items()},
            "p99_ms_honest": {kind: round(value * 1000, 2) for kind, value in honest.items()},
            "p99_judged": judged,
        }
        return Found(held and tally.sent >= count and tally.grown <= findings.MOST_GROWTH, counts)


async def _settled(server: Server) -> int:
    """The memory of a server that has nothing in its hands: a password's hash alone takes 19 MB while it is made.

    Without SQLite's own, which grows with the file until its page caches are full, at 32 MB each.
    """
    assert server.process is not None
    seen = []
    for _ in range(5):
        seen.append(findings.resident(server.process.pid))
        await asyncio.sleep(0.1)
    return min(seen) - int(await metric(server.port, "rejoinder_sqlite_bytes"))


def _medians(phases: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, float]:
    """The median of the phases' 99th percentiles, by kind."""
    found: dict[str, list[float]] = defaultdict(list)
    for phase in phases:
        for kind, seconds in phase.items():
            found[kind].append(sorted(seconds)[int(len(seconds) * 0.99)])
    return {kind: statistics.median(values) for kind, values in found.items()}


def _set_up(server: Server, on: Ground) -> None:
    """Accounts whose passwords are checked in no time, a network in the server's process, who may bind."""
    server.command("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid")
    server.command("customer", "add", "shop", "--reseller", "acme", "--credits", str(10**9))
    for user in (*USERS, FUZZ, STILL):
        server.command("user", "add", user, "--customer", "shop", "--password", PASSWORD)
    for number in range(4):
        server.command("number", "add", f"6150007{number:04d}", "--pool")
    server.command("carrier", "add", "sim", "--kind", "simulator")
    settings = {
        "url": "http://127.0.0.1:9/",
        "body": '{"to": "{{recipient}}"}',
        "id_path": "id",
        "token": TOKEN,
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    # Only what it delivers counts: no message is routed to it.
    server.command("carrier", "add", CARRIER, "--kind", "http", *words)
    server.command("route", "add", "", "sim")
    for user, system_id in ((USERS[1], ESME), (FUZZ, "fuzz")):
        account = ("--system-id", system_id, "--password", SECRET, "--max-binds", "100", "--window", "1000")
        server.command("user", "smpp", user, *account)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    connection = apsw.Connection(str(on.folder / "faults.db"))
    for table, password in (("user_account", PASSWORD), ("reseller", PASSWORD), ("smpp_account", SECRET)):
        connection.execute(f"UPDATE {table} SET password_hash = ?", (cheap.hash(password),))
    connection.close()


def search(name: str, made: Any, count: int, seed: int, say: Say, plant: str = "") -> Found:
    """One run of a fuzzer, on a database of its own."""
    import uvloop

    with ground("sqlite") as on, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        # A bug that lets somebody wait is planted: that is seen sooner.
        fuzzer: Fuzzer = made(seed, CONTROL_PATIENCE) if plant else made(seed)
        assert fuzzer.name == name
        return runner.run(Arena(on, fuzzer, seed, say).run(count, plant))


def control(name: str, made: Any, count: int, seed: int, say: Say) -> Found:
    """As many planted bugs as the count has room for, beginning with the one that the seed names: each must be found."""
    plants = list(PLANTS[name])
    some = [plants[(seed + turn) % len(plants)] for turn in range(min(len(plants), max(1, count // CONTROL)))]
    found = {plant: not search(name, made, min(count, CONTROL), seed, say, plant).held for plant in some}
    return Found(not all(found.values()), {"found": found})
