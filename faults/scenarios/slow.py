"""A thousand connections that bring one byte in five seconds: a normal call doesn't notice, and they are closed in time.

Heads, bodies and polls over HTTP, and binds and submits over SMPP, each begun and never finished; whoever is closed comes
back. Bounds are `request_time`, ten seconds for a bind, and ninety of a bound session without a whole PDU. In runs
shorter than half a minute there are a hundred, a byte comes every 0.3 s, and `request_time` is a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from faults.load.arrivals import Course, arrive, kept
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
from faults.load.tally import Tally
from faults.points import NONE, wrapper
from faults.run import Found, Say, Scenario
from faults.server import PASSWORD, Server
from rejoinder.smpp.codec import encode
from rejoinder.smpp.pdu import BindTransceiver, SubmitSm

ASSERTED_FROM = 30
NORMAL_MS = 500
CALLS_A_SECOND = 100.0
# Beyond a kind's bound: a busy machine closes a little later.
GRACE_SECONDS = 5.0
BIND_SECONDS, SILENT_SECONDS = 10.0, 90.0
_HEAD = b"POST /services/rest/message/sendSingle2 HTTP/1.1\r\nHost: slow.example\r\n"
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
_LONG = b"x" * 4000


@dataclass(frozen=True, slots=True)
class Kind:
    """What is sent at once, what drips after it, and after how many seconds it must be closed."""

    begun: bytes
    drips: bytes
    bound: float
    answered: bool = False  # whether the server answers `begun` before the drip


@dataclass
class Fates:
    """How long connections of each kind lived; `shut`: the connections that were closed by the server."""

    longest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    shut: int = 0
    opened: int = 0


def kinds(request_time: float) -> dict[str, Kind]:
    bind = encode(BindTransceiver(SYSTEM_ID, SECRET), 1)
    submit = encode(SubmitSm(source_addr=NUMBER, destination_addr="61400000000", short_message=b"x" * 200), 2)
    return {
        "head": Kind(_HEAD, b"X-Slow: " + _LONG, request_time),
        "body": Kind(_HEAD + _FORM, _LONG, request_time),
        # A request's time begins with its first octet.
        "poll": Kind(b"G", b"ET /services/rest/user/allMessages?since=0&x=" + _LONG, request_time),
        "bind": Kind(b"", bind, BIND_SECONDS),
        "submit": Kind(bind, submit, SILENT_SECONDS, answered=True),
    }


def shares(count: int) -> Iterator[str]:
    """The kind of each connection: as many bound ones as may bind, a tenth that never bind, the rest over HTTP."""
    for place in range(count):
        if place < BINDS:
            yield "submit"
        elif place < count // 10:
            yield "bind"
        else:
            yield ("head", "body", "poll")[place % 3]


async def _one(name: str, kind: Kind, port: int, pause: Callable[[], float], fates: Fates) -> None:
    """One slow customer, who comes back whenever it is closed; until it is cancelled."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        fates.opened += 1
        opened = time.monotonic()
        try:
            writer.write(kind.begun)
            dripping = asyncio.create_task(_drip(writer, kind, pause))
            try:
                # A bound session's bind response and enquire_links come first; the end is the end.
                while await reader.read(65_536):
                    pass
                fates.shut += 1
            finally:
                dripping.cancel()
                await asyncio.gather(dripping, return_exceptions=True)
        except OSError:
            fates.shut += 1
        finally:
            fates.longest[name] = max(fates.longest[name], time.monotonic() - opened)
            writer.close()


async def _drip(writer: asyncio.StreamWriter, kind: Kind, pause: Callable[[], float]) -> None:
    for place in itertools.count():
        await asyncio.sleep(pause())
        octet = kind.drips[place : place + 1]
        # The last octet never comes.
        if place < len(kind.drips) - 1:
            writer.write(octet)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does, by its length."""

    slow: int
    drip: float
    request_time: int

    @classmethod
    def of(cls, seconds: int) -> Plan:
        return cls(1000, 5.0, 30) if seconds >= ASSERTED_FROM else cls(100, 0.3, 1)


async def _load(loaded: Loaded, plan: Plan, seconds: int, seed: int, say: Say) -> tuple[Tally, Tally, Fates]:
    draw, fates = random.Random(seed), Fates()
    customers = HttpCustomers(loaded.server.port, USER, PASSWORD, 1000)
    before, during = Tally(), Tally()
    await customers.open(20)
    await arrive(
        Course(CALLS_A_SECOND, 0.5 if seconds < ASSERTED_FROM else 10.0, draw), customers.send, before
    )
    known = kinds(float(plan.request_time))
    slow = [
        asyncio.create_task(
            _one(
                name,
                known[name],
                loaded.smpp_port if name in ("bind", "submit") else loaded.server.port,
                lambda: plan.drip * (0.5 + draw.random()),
                fates,
            )
        )
        for name in shares(plan.slow)
    ]
    try:
        await arrive(Course(CALLS_A_SECOND, seconds, draw, say), customers.send, during)
        await customers.settled()
    finally:
        for task in slow:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*slow, return_exceptions=True)
        customers.close()
    return before, during, fates


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` seconds beside slow connections. Not `protected`: they are never closed."""
    plan, short = Plan.of(count), count < ASSERTED_FROM
    environment = {
        "REJOINDER_REQUEST_TIME": str(plan.request_time),
        "REJOINDER_SMPP_CONNECTIONS_PER_ADDRESS": "1000",
    }
    with database("sqlite") as on:
        plain = Server(on.url, on.folder / "server.log")
        accounts(plain, {"throughput": "200"})
        may_bind(plain, 10)
        serve = wrapper(NONE if protected else "request_time")
        with serving(on, serve, environment, smpp=True) as loaded:
            before, during, fates = loading(_load(loaded, plan, count, seed, say))
        missing = lost(on, before.ids | during.ids)
    known = kinds(float(plan.request_time))
    late = {
        name: round(lived, 1)
        for name, lived in fates.longest.items()
        if lived > known[name].bound + GRACE_SECONDS * (1 if not short else 0.6)
    }
    promises = {
        "closed_in_time": not late and (fates.shut > 0 or count <= plan.request_time),
        "proper_answers": not (during.wrong or during.broken or during.refused.count),
        "nothing_lost": missing == 0,
    }
    if not short:
        promises |= {
            "normal_p99": during.accepted.quantile_ms(0.99) < NORMAL_MS,
            "open_loop": kept(during),
        }
    missed = sorted(name for name, holds in promises.items() if not holds)
    found: dict[str, Any] = {
        "slow_connections": plan.slow,
        "opened": fates.opened,
        "closed": fates.shut,
        "calls": during.accepted.count,
        "normal_p99_alone_ms": before.accepted.quantile_ms(0.99),
        "most_normal_p99_ms": during.accepted.quantile_ms(0.99),
        **{f"longest_{name}_s": round(lived, 1) for name, lived in sorted(fates.longest.items())},
        "late": late,
        "lost": missing,
        "cores": cores(),
        "asserted": sorted(promises),
        "missed": missed,
    }
    return Found(not missed, found)


SLOW = Scenario(
    "slow-connections",
    "seconds of normal calls beside a thousand connections that bring a byte in five seconds",
    60,
    run,
    alone=True,
)
