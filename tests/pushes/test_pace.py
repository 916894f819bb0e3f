"""A fifth of all targets hangs: the others' pushes arrive as if it were not so. Real sockets, real time, one store."""

from __future__ import annotations

import asyncio
import time
from ipaddress import ip_network
from pathlib import Path

import pytest

from rejoinder.clock import ClockGuard, SystemClock
from rejoinder.endpoints.pushes.web import WebCourier
from rejoinder.flow import pushes
from rejoinder.flow.pushes import PushLanes
from rejoinder.message.model import InboundPart
from rejoinder.store import open_store
from tests.centre import Centre
from tests.pushes import servers
from tests.pushes.servers import Asked, CustomersServer, customers_server

TARGETS = 400
HANGING = TARGETS // 5
ROUNDS = 3


async def others_95th_percentile(folder: Path) -> float:
    """Seconds from an MO's arrival to its push at a server that answers, of 95 % of these at most."""
    clock = SystemClock()
    store = await open_store(f"sqlite:///{folder / 'pace.db'}", clock)
    centre = Centre(store, clock)  # type: ignore[arg-type]  # time passes here
    user, carrier = await centre.account(), await centre.carrier()
    arrived: dict[str, float] = {}
    sent: dict[str, float] = {}

    async def good(
        server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked: Asked = await server.read(reader)
        arrived.setdefault(asked.query["text"], time.monotonic())
        writer.write(server.answer)
        await writer.drain()

    async with customers_server(good) as answering, customers_server(servers.hanging) as stuck:
        for at in range(TARGETS):
            url = (stuck if at % 5 == 0 else answering).url()
            await centre.sql(
                "INSERT INTO number (number, user_id, mo_push) VALUES ($1, $2, $3)",
                f"614{at:05}",
                user.id,
                f'{{"type":"URL","data":{{"url":"{url}"}}}}',
            )
        lanes = PushLanes(
            store, clock, ClockGuard(clock), {"web": WebCourier(clock, [ip_network("127.0.0.0/8")])}
        )
        store.on_queued(lanes.wake)
        await lanes.start()

        async def one(at: int, number: int) -> None:
            text = f"{at} {number}"
            handset = f"612{at:05}{number}"
            await centre.inbound.take(InboundPart(carrier, handset, f"614{at:05}", text, clock.wall_us()))
            if at % 5:
                sent[text] = time.monotonic()

        for number in range(ROUNDS):
            await asyncio.gather(*(one(at, number) for at in range(TARGETS)))
            await asyncio.sleep(0.5)
        end = time.monotonic() + 4
        while len(arrived) < len(sent) and time.monotonic() < end:  # noqa: ASYNC110  # many are waited for
            await asyncio.sleep(0.05)
        await lanes.stop(0.1)
    await store.close()
    late = end + 60
    waits = sorted(arrived.get(text, late) - at for text, at in sent.items())
    assert len(waits) == (TARGETS - HANGING) * ROUNDS
    return waits[int(len(waits) * 0.95)]


async def test_with_a_fifth_of_the_targets_hanging_the_others_wait_less_than_two_seconds(
    tmp_path: Path,
) -> None:
    assert await others_95th_percentile(tmp_path) < 2.0


async def test_control_without_places_for_slow_ones_the_others_would_wait_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "AT_ONCE", HANGING)
    monkeypatch.setattr(pushes, "SLOW_AT_ONCE", 0)
    assert await others_95th_percentile(tmp_path) > 2.0
