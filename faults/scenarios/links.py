"""Links to a carrier that break in every way: cut, stalled, half open, garbled, throttled; over real SMPP, under load.

One unit is one thing that happens to the link; it is over when the link is up again and the network takes messages.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from faults import books
from faults.crowd import Load
from faults.points import NONE, SHORT_LINKS, SMPP_POINTS, SUBMIT_WRITTEN
from faults.run import Disturb, Found, Say, Scenario, Site, ground, under_load
from faults.scenarios.breaking import (
    ANSWER_TIMEOUT,
    BACK_SECONDS,
    CUTS,
    Unit,
    anything,
    cut,
    garbage,
    stall,
    vanish,
)
from faults.scenarios.kill import Killer
from faults.seen import Seen
from faults.smpp_network import CentreLink, SmppNetwork, errors_in
from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.pdu import SubmitSm

PER_SECOND = 100.0
LONG = 0.1
ENQUIRE = 1.0


class _Breaker:
    """Does `unit` so many times, each when the link is up and messages go."""

    def __init__(self, unit: Unit, count: int, say: Say, patience: float) -> None:
        self._unit = unit
        self._count = count
        self._say = say
        self._patience = patience
        self._not_back = 0

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        network = site.network
        assert isinstance(network, SmppNetwork)
        done, slowest = Counter[str](), 0.0
        for _ in range(self._count):
            link = await self._up(network)
            if link is None:
                break
            await asyncio.sleep(0.1 + site.draw.random() * 0.4)
            done[await self._unit(network, link)] += 1
            begun = time.monotonic()
            await self._up(network)
            slowest = max(slowest, time.monotonic() - begun)
            self._say(1)
        await self._up(network)
        return {"done": dict(done), "binds": network.binds, "slowest_return_s": round(slowest, 2),
                "not_back": self._not_back}  # fmt: skip

    async def _up(self, network: SmppNetwork) -> CentreLink | None:
        """The link that takes messages now; None when there is none in time, which is counted."""
        before = network.taken
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    link = await network.link()
                    if network.taken > before and not (link.held or link.unread or link.gone or link.deaf):
                        return link
                    await asyncio.sleep(0.01)
        except TimeoutError:
            self._not_back += 1
            return None


# Throttling


class _Allowance:
    """How many submits a second each carrier takes now; above that one of the two refusals that pass."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.per_second = 1_000.0
        self._tokens: dict[str, tuple[float, float]] = {}
        self.refused = 0

    def judge(self, link: CentreLink, pdu: SubmitSm) -> int:
        now = time.monotonic()
        tokens, at = self._tokens.get(link.name, (1.0, now))
        tokens = min(max(1.0, self.per_second / 10), tokens + (now - at) * self.per_second)
        enough = tokens >= 1
        self._tokens[link.name] = (tokens - enough, now)
        if enough:
            return 0
        self.refused += 1
        return int(self._draw.choice((CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL)))


class _Throttler:
    """Changes the allowance so many times."""

    def __init__(self, count: int, say: Say) -> None:
        self._count = count
        self._say = say
        self._order: Mapping[str, list[str]] = {}

    def overtaken(self) -> int:
        """Messages to a sender's own handset that came after a later one."""
        turns = [[int(one.partition("-")[2]) for one in came] for came in self._order.values()]
        return sum(later < earlier for came in turns for earlier, later in pairwise(came))

    async def __call__(self, site: Site) -> Mapping[str, Any]:
        network = site.network
        assert isinstance(network, SmppNetwork)
        self._order = network.order
        allowance = _Allowance(site.draw)
        network.judge = allowance.judge
        waits = 0
        for _ in range(self._count):
            allowance.per_second = site.draw.choice((2.0, 5.0, 20.0, 50.0, 100.0, 200.0, 1_000.0))
            await asyncio.sleep(0.3 + site.draw.random())
            waits = max(waits, await asyncio.to_thread(_waiting_for_later, site.ground.url))
            self._say(1)
        allowance.per_second = 1_000.0
        return {"throttled": allowance.refused, "counted_as_tries": waits}


def _waiting_for_later(database: str) -> int:
    """How many wait for a time of their own, as only what was tried in vain does; what was throttled is due.

    What is accepted while this looks is due, too: a second is left for that, and no try waits for less than four.
    """
    now = time.time_ns() // 1_000 + 1_000_000
    ((count,),) = books.rows(database, f"SELECT count(*) FROM outbox WHERE NOT submitting AND due_at > {now}")
    return int(count)


# Runs


def _network(protected: bool, settings: Mapping[str, str], ordered: bool = False) -> Any:
    def behind(seen: Seen, draw: random.Random) -> SmppNetwork:
        network = SmppNetwork(seen, draw, settings, ordered)
        # What the control breaks does not come right by waiting.
        network.patience = network.patience if protected else 5.0
        return network

    return behind


def _under_load(
    disturb: Disturb,
    seed: int,
    behind: Any,
    load: Load,
    *,
    engine: str = "sqlite",
    point: str = NONE,
) -> Found:
    """As `under_load`, with what only links show: what the server did not foresee, and stray parts."""
    told: dict[str, Any] = {}

    async def disturbing(site: Site) -> Mapping[str, Any]:
        told["site"] = site
        return await disturb(site)

    with ground(engine) as on:
        environment = {SHORT_LINKS: "1"}
        found = asyncio.run(
            under_load(on, seed, disturbing, without=point, environment=environment, behind=behind, load=load)
        )
        errors = errors_in(on.folder / "server.log")
    network = told["site"].network
    counts = {
        **found.counts,
        "parts_taken": network.taken,
        "arrived_twice_marked": network.twice(),
        "stray_parts": network.parts_left,
        "errors_logged": errors,
    }
    return Found(found.held and not errors and not network.parts_left, counts)


def _broken(
    unit: Unit, settings: Mapping[str, str], control: str, engine: str = "sqlite"
) -> Callable[[int, int, Say, bool], Found]:
    """The run of a scenario that breaks a link; not `protected`: without what `control` takes out."""

    def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
        breaker = _Breaker(unit, count, say, BACK_SECONDS if protected else 6.0)
        behind, load = _network(protected, settings), Load(PER_SECOND, LONG)
        found = _under_load(breaker, seed, behind, load, engine=engine, point=NONE if protected else control)
        back = not found.counts["not_back"] and "not noticed" not in found.counts["done"]
        return Found(found.held and back, found.counts)

    return run


def _kills(engine: str, count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """The server is killed, also between what it says to a carrier and what it has on disk, and what it hears.

    Not `protected`: MOs are acknowledged before they are on disk.
    """
    points = (*SMPP_POINTS, SUBMIT_WRITTEN) if protected else ()
    behind, load = _network(protected, _QUICK), Load(PER_SECOND, LONG)
    point = NONE if protected else "storing_before_acknowledging"
    return _under_load(Killer(count, say, points), seed, behind, load, engine=engine, point=point)


def throttling(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """The allowance changes all the time. Not `protected`: what is throttled counts as tried, and waits."""
    throttler = _Throttler(count, say)
    behind = _network(protected, {}, ordered=True)
    found = _under_load(
        throttler,
        seed,
        behind,
        Load(PER_SECOND, LONG, own_handset=0.3),
        point=NONE if protected else "patience_with_throttles",
    )
    counts = {**found.counts, "overtaken": throttler.overtaken()}
    return Found(found.held and not counts["overtaken"] and not counts["counted_as_tries"], counts)


_QUICK = {"answer_timeout": str(ANSWER_TIMEOUT), "enquire_link": str(ENQUIRE)}
# So long that only enquire_link finds out.
_PATIENT = {"answer_timeout": "300", "enquire_link": str(ENQUIRE)}
_CUT_ABOUT = "the TCP link to an SMPP carrier cut, also in a PDU, in a full window, before answers"

CARRIER_CUTS = Scenario(
    "carrier-cuts",
    _CUT_ABOUT,
    1000,
    _broken(cut, _QUICK, "doubt"),
)
CARRIER_CUTS_POSTGRES = Scenario(
    "carrier-cuts-postgres",
    f"{_CUT_ABOUT}, PostgreSQL",
    200,
    _broken(cut, _QUICK, "doubt", "postgres"),
)
CARRIER_STALLS = Scenario(
    "carrier-stalls",
    "the carrier stops reading or answering for longer than the time-outs, then goes on",
    200,
    _broken(stall, _QUICK, "doubt"),
)
CARRIER_HALF_OPEN = Scenario(
    "carrier-half-open",
    "the carrier is gone without FIN or RST: enquire_link finds out",
    200,
    _broken(vanish, _PATIENT, "doubting_silence"),
)
CARRIER_GARBAGE = Scenario(
    "carrier-garbage",
    "garbage, truncated PDUs, absurd lengths and wrong answers from the carrier",
    200,
    _broken(garbage, _QUICK, "doubt"),
)
CARRIER_THROTTLING = Scenario(
    "carrier-throttling",
    "the carrier's allowance changes all the time",
    200,
    throttling,
)
CARRIER_KILLS_SQLITE = Scenario(
    "carrier-kills-sqlite",
    "kill -9 with an SMPP carrier, half of them at named points, SQLite",
    200,
    partial(_kills, "sqlite"),
)
CARRIER_KILLS_POSTGRES = Scenario(
    "carrier-kills-postgres",
    "kill -9 with an SMPP carrier, half of them at named points, PostgreSQL",
    200,
    partial(_kills, "postgres"),
)
# Not listed: the tests run it.
CARRIER_SAMPLE = Scenario(
    "carrier-sample",
    "each way in which a link breaks, in turn",
    len(CUTS),
    _broken(anything, _QUICK, "doubt"),
)
LINKS = (
    CARRIER_KILLS_SQLITE,
    CARRIER_KILLS_POSTGRES,
    CARRIER_CUTS,
    CARRIER_CUTS_POSTGRES,
    CARRIER_STALLS,
    CARRIER_HALF_OPEN,
    CARRIER_GARBAGE,
    CARRIER_THROTTLING,
)
