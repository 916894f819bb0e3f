"""Five times what the server can take, by a clock: what it can take still goes through, the rest is refused at once.

What it can take is measured first, in a closed loop. Then requests arrive at random moments, five times as many, and wait
for nobody. Before and after, a fifth of what it can take tells what is normal. The carrier takes 200 messages a second;
20 polls a second must be answered all the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

from bench.measure import cpu_seconds
from faults.load import arrivals
from faults.load.arrivals import LATE_MS, arrive, kept
from faults.load.http import HttpCustomers
from faults.load.site import (
    BINDS,
    NUMBER,
    SECRET,
    SYSTEM_ID,
    USER,
    Loaded,
    accounts,
    cores,
    database,
    loading,
    lost,
    may_bind,
    serving,
)
from faults.load.smpp import SmppCustomers
from faults.load.tally import Tally
from faults.load.watch import Memory, get
from faults.points import NONE, wrapper
from faults.run import Found, Say, Scenario
from faults.server import PASSWORD, Server

TIMES = 5
# What the issue promises.
SHARE_OF_PEAK = 0.9
ACCEPTED_MS, REFUSED_MS = 1000, 50
BACK_SECONDS = 10
# Growth over the server that has just shown its peak; and a minute, over the later half of a run of a minute or more.
MOST_MEGABYTES, MEGABYTES_A_MINUTE = 256.0, 10.0
# From so many seconds on times are asserted as promised; a shorter run only looks whether the mechanism works.
ASSERTED_FROM = 30
OFFERED_SHORT = 6000.0
NORMAL_SHARE = 0.2
# A second is normal when all of it was accepted within three times what 99 % took before, or this.
NORMAL_MS = 50
CONNECTIONS = 6000
CLOSED_LOOPS = (64, 256)
POLLS_A_SECOND = 20
WINDOW = 10_000
CARRIER = {"throughput": "200"}


class Customers(Protocol):
    """Who sends: faults/load/http.py or smpp.py."""

    saturated: Tally

    async def open(self, count: int) -> None: ...

    def most_open(self, short: bool) -> int: ...

    def send(self, due: float, tally: Tally) -> None: ...

    async def saturate(self, connections: int, seconds: float) -> float: ...

    async def settled(self, seconds: float = 30.0) -> None: ...

    def close(self) -> None: ...


@dataclass
class Course:
    """What a run saw, phase by phase."""

    peak: float
    # Accepted for each second that server and database had of a core: at the peak, and in the overload.
    peak_per_cpu: float
    per_cpu: float
    before: Tally
    during: Tally
    arrivals: int
    seconds: float
    back: int
    memory: Memory
    idle_megabytes: float
    polls: Tally
    ids: set[str]


async def _peak(
    customers: Customers, processes: list[int], short: bool, ids: set[str]
) -> tuple[float, float]:
    """The most that closed loops bring, a second and for each second of a core."""
    # The first call verifies the password, which takes longer than a short measurement.
    await customers.saturate(8, 0.1 if short else 1.0)
    ids |= customers.saturated.ids
    rates = []
    for at_once in CLOSED_LOOPS[:1] if short else CLOSED_LOOPS:
        cpu = cpu_seconds(processes)
        rate = await customers.saturate(at_once, 0.3 if short else 8.0)
        cpu = max(cpu_seconds(processes) - cpu, 0.01)
        rates.append((rate, customers.saturated.accepted.count / cpu))
        ids |= customers.saturated.ids
    return max(rates)


async def _polls(port: int, tally: Tally) -> None:
    """A customer who reads, until it is cancelled."""
    query = urlencode({"username": USER, "password": PASSWORD, "since": "4000000000"})
    while True:
        begun = asyncio.get_running_loop().time()
        status, _ = await get(port, f"/services/rest/user/allMessages?{query}")
        if status == 200:
            tally.accepted.add(asyncio.get_running_loop().time() - begun)
        else:
            tally.wrong[str(status)] += 1
        await asyncio.sleep(1 / POLLS_A_SECOND)


async def _course(loaded: Loaded, customers: Customers, count: int, seed: int, say: Say) -> Course:
    draw, ids = random.Random(seed), set[str]()
    short = count < ASSERTED_FROM
    processes = [loaded.pid, *([loaded.on.postgres.pid] if loaded.on.postgres else [])]
    peak, peak_per_cpu = await _peak(customers, processes, short, ids)
    # Opened as late as this: who brings nothing is closed after half a minute.
    await customers.open(customers.most_open(short))
    before, during, polls = Tally(), Tally(), Tally()
    calm = max(20.0, peak * NORMAL_SHARE)
    await arrive(arrivals.Course(calm, 0.4 if short else 5.0, draw), customers.send, before)
    memory = Memory(loaded.pid)
    watching = [asyncio.create_task(memory.watch()), asyncio.create_task(_polls(loaded.server.port, polls))]
    await asyncio.sleep(0)
    idle = memory.most()
    # What a third of a second shows of the peak on a busy machine may be little: too much has to be too much.
    offered = max(peak * TIMES, OFFERED_SHORT) if short else peak * TIMES
    cpu = cpu_seconds(processes)
    came = await arrive(arrivals.Course(offered, count, draw, say), customers.send, during)
    per_cpu = during.accepted.count / max(cpu_seconds(processes) - cpu, 0.01)
    calmly = arrivals.Course(calm, 0.3 if short else 1.0, draw)
    back = await _until_normal(customers, calmly, before, ids)
    await customers.settled()
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    ids |= before.ids | during.ids
    return Course(
        peak, peak_per_cpu, per_cpu, before, during, came, float(count), back, memory, idle, polls, ids
    )


async def _until_normal(customers: Customers, calmly: arrivals.Course, before: Tally, ids: set[str]) -> int:
    """How many seconds pass until one is as they were before; one more than allowed when none is."""
    bound = max(NORMAL_MS, 3 * before.accepted.quantile_ms(0.99))
    for second in range(BACK_SECONDS + 1):
        tally = Tally()
        await arrive(calmly, customers.send, tally)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while tally.answered < tally.late.count:  # noqa: ASYNC110  # answers set no event
                    await asyncio.sleep(0.01)
        ids |= tally.ids
        all_taken = tally.accepted.count == tally.late.count
        if all_taken and tally.accepted.quantile_ms(0.99) <= bound:
            return second
    return BACK_SECONDS + 1


def _judge(course: Course, missing: int) -> Found:
    during, asserted = course.during, course.seconds >= ASSERTED_FROM
    through = during.accepted.count / course.seconds
    growth = course.memory.most() - course.idle_megabytes
    promises = {
        "nothing_lost": missing == 0,
        "proper_answers": not during.wrong and not during.broken and not course.polls.wrong,
        "rest_refused": during.refused.count > 0,
    }
    if asserted:
        promises |= {
            "open_loop": kept(during),
            "share_of_peak": through >= SHARE_OF_PEAK * course.peak,
            "accepted_p99": during.accepted.quantile_ms(0.99) < ACCEPTED_MS,
            "refused_p99": during.refused.quantile_ms(0.99) <= REFUSED_MS,
            "memory": growth <= MOST_MEGABYTES,
            "back_to_normal": course.back <= BACK_SECONDS,
        }
        if course.seconds >= 60:
            promises["memory_slope"] = course.memory.a_minute() <= MEGABYTES_A_MINUTE
    counts: dict[str, Any] = {
        "peak_a_second": round(course.peak),
        "offered_a_second": round(course.arrivals / course.seconds),
        "through_a_second": round(through),
        "share_of_peak": round(through / course.peak, 3) if course.peak else 0.0,
        # What it would be were nobody else on the machine: refusing costs the server's core what accepting could have.
        "share_of_peak_per_cpu": round(course.per_cpu / course.peak_per_cpu, 3) if course.peak else 0.0,
        **during.shown(),
        "late_p99_ms": during.late.quantile_ms(0.99),
        "late_allowed_ms": LATE_MS,
        "unsent": during.unsent,
        "normal_p99_ms": course.before.accepted.quantile_ms(0.99),
        "back_to_normal_s": course.back,
        "polls_p99_ms": course.polls.accepted.quantile_ms(0.99),
        "megabytes_before": round(course.idle_megabytes),
        "megabytes_grown": round(growth, 1),
        "megabytes_a_minute": round(course.memory.a_minute(), 2),
        "lost": missing,
        "cores": cores(),
        "asserted": sorted(promises),
        "missed": sorted(name for name, holds in promises.items() if not holds),
    }
    return Found(not counts["missed"], counts)


async def _over_http(loaded: Loaded) -> HttpCustomers:
    return HttpCustomers(loaded.server.port, USER, PASSWORD, CONNECTIONS)


async def _over_smpp(loaded: Loaded) -> SmppCustomers:
    customers = SmppCustomers(loaded.smpp_port, (SYSTEM_ID, SECRET), NUMBER)
    await customers.open(BINDS)
    return customers


def run(door: str, engine: str, count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` seconds of overload at one door. Not `protected`: nobody is refused, so everybody waits."""
    smpp = door == "smpp"

    async def load(loaded: Loaded) -> Course:
        customers: Customers = await (_over_smpp if smpp else _over_http)(loaded)
        try:
            return await _course(loaded, customers, count, seed, say)
        finally:
            customers.close()

    with database(engine) as on:
        plain = Server(on.url, on.folder / "server.log")
        accounts(plain, CARRIER)
        may_bind(plain, WINDOW)
        with serving(on, wrapper(NONE if protected else "admission"), smpp=smpp) as loaded:
            course = loading(load(loaded))
        return _judge(course, lost(on, course.ids))


SCENARIOS = [
    Scenario(
        f"overload-{door}-{engine}",
        f"seconds of {TIMES} times what it can take, over {door.upper()}, on {engine}",
        600,
        partial(run, door, engine),
        alone=True,
    )
    for door in ("http", "smpp")
    for engine in ("sqlite", "postgres")
]
