"""Links to a carrier that break in every way: cut, stalled, half open, garbled, throttled; over real SMPP, under load.

One unit is one thing that happens to the link; it is over when the link is up again and the network takes messages.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from faults import books
from faults.crowd import Load
from faults.points import NONE, SHORT_LINKS, SMPP_POINTS, SUBMIT_WRITTEN
from faults.scenarios.kill import Killer
from faults.scenarios.run import Disturb, Found, Say, Scenario, Site, ground, under_load
from faults.seen import Seen
from faults.smpp_network import WINDOW, CentreLink, SmppNetwork, errors_in, frame
from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.pdu import BindTransceiver, DeliverSm, DeliverSmResp, GenericNack, SubmitSm, SubmitSmResp

PER_SECOND = 100.0
LONG = 0.1
# Within so many seconds a link that broke is up again and messages go: the time-outs are shortened (faults/points.py).
BACK_SECONDS = 15.0
ANSWER_TIMEOUT = 1.0
ENQUIRE = 1.0
_LINGER_NONE = struct.pack("ii", 1, 0)

Unit = Callable[[SmppNetwork, CentreLink], Awaitable[str]]
"""Does one thing to the link; gives back its name."""


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


# Cuts


def _cut(link: CentreLink, draw: random.Random) -> None:
    """With a FIN, or with a RST that throws away what is on its way."""
    assert link.transport is not None
    sock = link.transport.get_extra_info("socket")
    # The other side may have been quicker: then there is nothing left to cut.
    if draw.random() < 0.5 and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    link.abort()


async def _cut_anywhere(network: SmppNetwork, link: CentreLink) -> None:
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _cut_in_a_delivery(network: SmppNetwork, link: CentreLink) -> None:
    octets = frame(DeliverSm(source_addr="6125", destination_addr="6150", short_message=b"half"), 0x7000)
    link.raw(octets[: network.draw.randrange(1, len(octets))])
    await asyncio.sleep(network.draw.random() * 0.02)
    _cut(link, network.draw)


async def _cut_in_what_comes(network: SmppNetwork, link: CentreLink) -> None:
    link.cut_inside = True
    await _until(link.session.ended)


async def _cut_unread(network: SmppNetwork, link: CentreLink) -> None:
    link.unread = True
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _cut_before_answers(network: SmppNetwork, link: CentreLink) -> None:
    link.held = True
    await _until(lambda: bool(link.waiting))
    _cut(link, network.draw)


async def _cut_with_a_full_window(network: SmppNetwork, link: CentreLink) -> None:
    link.held = True
    await _until(lambda: len(link.waiting) >= WINDOW)
    _cut(link, network.draw)


async def _cut_before_acknowledgements(network: SmppNetwork, link: CentreLink) -> None:
    link.deaf = True
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _until(reached: Callable[[], bool], seconds: float = 2.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:  # noqa: ASYNC110  # the link sets no event
        await asyncio.sleep(0.005)


_CUTS = (
    _cut_anywhere,
    _cut_in_a_delivery,
    _cut_in_what_comes,
    _cut_unread,
    _cut_before_answers,
    _cut_with_a_full_window,
    _cut_before_acknowledgements,
)


async def cut(network: SmppNetwork, link: CentreLink) -> str:
    """The connection is cut, at one of the moments that matter."""
    way = network.draw.choice(_CUTS)
    await way(network, link)
    if not link.session.ended():
        _cut(link, network.draw)
    return way.__name__.removeprefix("_cut_")


# Stalls


async def stall(network: SmppNetwork, link: CentreLink) -> str:
    """The centre stops reading, or answering, or both: mostly longer than our time-outs, then it goes on."""
    short = network.draw.random() < 0.25
    seconds = network.draw.uniform(0.2, 0.6) * ANSWER_TIMEOUT if short else ANSWER_TIMEOUT * 2.2
    way = network.draw.choice(("reading", "answering", "both"))
    assert link.transport is not None
    link.held = way != "reading"
    if way != "answering":
        link.transport.pause_reading()
    await asyncio.sleep(seconds)
    if way != "answering" and not link.transport.is_closing():
        link.transport.resume_reading()
    # What was written meanwhile is read now; its answers may find nobody.
    await asyncio.sleep(0.05)
    link.release()
    return f"{way}{' for a moment' if short else ''}"


# Half-open links


async def vanish(network: SmppNetwork, link: CentreLink) -> str:
    """The centre is gone and nobody says so; a new link is taken as ever."""
    binds = network.binds
    link.vanish()
    await _until(lambda: network.binds > binds, min(BACK_SECONDS, network.patience / 2))
    link.abort()
    return "vanished" if network.binds > binds else "not noticed"


# Garbage


def _random_octets(draw: random.Random) -> bytes:
    return draw.randbytes(draw.randrange(1, 400))


def _absurd_length(draw: random.Random) -> bytes:
    length = draw.choice((0, 1, 15, 65_537, 0x7FFFFFFF, 0xFFFFFFFF))
    return struct.pack(">IIII", length, 0x5, 0, 1) + draw.randbytes(20)


def _broken_body(draw: random.Random) -> bytes:
    body = draw.randbytes(draw.randrange(0, 80))
    return struct.pack(">IIII", 16 + len(body), draw.choice((0x5, 0x103, 0x4)), 0, 77) + body


def _unknown_command(draw: random.Random) -> bytes:
    return struct.pack(">IIII", 16, draw.choice((0x0, 0x77, 0x111, 0x7FFFFFFF)), 0, 78)


def _out_of_turn(draw: random.Random) -> bytes:
    return frame(BindTransceiver("we", "no"), 79)


def _answer_to_nothing(draw: random.Random) -> bytes:
    kind = draw.choice((SubmitSmResp("ghost"), DeliverSmResp(), GenericNack()))
    return frame(kind, draw.randrange(1, 2**31), draw.choice((0, 8)))


def _truncated(draw: random.Random) -> bytes:
    octets = frame(DeliverSm(source_addr="6125", destination_addr="6150", short_message=b"half"), 80)
    return octets[: draw.randrange(1, len(octets))]


_GARBAGE = (
    _random_octets,
    _absurd_length,
    _broken_body,
    _unknown_command,
    _out_of_turn,
    _answer_to_nothing,
    _truncated,
)


def _wrong_sequence(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    return frame(SubmitSmResp(network.take(pdu)), sequence ^ 0x40000000)


def _wrong_kind(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    return frame(DeliverSmResp(), sequence)


def _twice(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    return frame(SubmitSmResp(network.take(pdu)), sequence) * 2


def _nack(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.refuse(pdu)
    return frame(GenericNack(), sequence, int(CommandStatus.ESME_RINVCMDLEN))


def _without_an_id(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    network.message(pdu).nameless = True
    return struct.pack(">IIII", 16, 0x80000004, 0, sequence)


def _body_of_garbage(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    network.message(pdu).nameless = True
    body = network.draw.randbytes(network.draw.randrange(1, 100))
    return struct.pack(">IIII", 16 + len(body), 0x80000004, 0, sequence) + body


_WRONG_ANSWERS = (_wrong_sequence, _wrong_kind, _twice, _nack, _without_an_id, _body_of_garbage)


async def garbage(network: SmppNetwork, link: CentreLink) -> str:
    """Octets that are no SMPP, PDUs that are none, or an answer that is wrong."""
    if network.draw.random() < 0.5:
        make = network.draw.choice(_GARBAGE)
        link.raw(make(network.draw))
        await asyncio.sleep(network.draw.random() * 0.2)
        if make is _truncated:
            # What follows would be read as the rest of it.
            _cut(link, network.draw)
        return make.__name__.removeprefix("_")
    wrong = network.draw.choice(_WRONG_ANSWERS)
    done = asyncio.Event()

    def answer(at: CentreLink, sequence: int, pdu: SubmitSm) -> bytes | None:
        if done.is_set() or at is not link:
            return None
        done.set()
        return wrong(network, sequence, pdu)

    network.wrong_answer = answer
    await _until(done.is_set)
    done.set()
    return wrong.__name__.removeprefix("_")


# A sample of all


async def anything(network: SmppNetwork, link: CentreLink) -> str:
    """For the tests: each way of breaking a link in turn."""
    ways = (
        _cut_before_acknowledgements,
        _cut_with_a_full_window,
        stall,
        vanish,
        garbage,
        _cut_unread,
        _cut_in_what_comes,
    )
    way = ways[network.binds % len(ways)]
    await way(network, link)
    if not link.session.ended():
        _cut(link, network.draw)
    return way.__name__.lstrip("_")


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
    """How many wait for a time of their own, as only what was tried in vain does; what was throttled is due."""
    now = time.time_ns() // 1_000
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
        "gave_up_in_doubt": len(told["site"].seen.gave_up),
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
    len(_CUTS),
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
