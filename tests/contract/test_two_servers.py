"""Two servers on one database: parts of a long text that come to different ones, and clocks that part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from rejoinder.clock import ManualClock
from rejoinder.flow.ports import UserRow
from rejoinder.message.model import InboundPart
from rejoinder.message.objectid import ObjectIds
from rejoinder.message.status import Status
from rejoinder.store import open_store
from tests.centre import START, Centre, Network, shown_in, together

NUMBER = "61500000002"
HANDSETS = [f"612555{number:05}" for number in range(20)]
HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
async def other(centre: Centre, database_url: str) -> AsyncIterator[Centre]:
    """The second server: its own connections, the same moment, ids of its own."""
    store = await open_store(database_url, centre.clock)
    yield Centre(store, centre.clock, ObjectIds(1 << 41))
    await store.close()


@pytest.mark.parametrize("on_unknown", ["resend", "fail"])
async def test_a_server_whose_clock_is_set_by_minutes_leaves_the_others_leases_alone(
    centre: Centre, database_url: str, on_unknown: str
) -> None:
    user, carrier = await centre.account(), await centre.carrier(on_unknown=on_unknown)
    await centre.pool("61500079987")
    store = await open_store(database_url, centre.clock)
    other = Centre(store, ManualClock(START), ObjectIds(1 << 41))
    await other.setup.refresh()
    network = Network()
    lane = other.lane(carrier, network)
    sent = await centre.send(user)
    await centre.claim(carrier)
    other.clock.step_wall(120)
    await lane._turn()
    assert (network.got, await centre.status(sent.id)) == ([], Status.SUBMITTED)
    # The negative control: nobody holds it any more.
    other.clock.pass_seconds(81)
    await lane._turn()
    await asyncio.gather(*lane._under_way)
    assert (len(network.got), await centre.status(sent.id)) == (
        (1, Status.SENT) if on_unknown == "resend" else (0, Status.UNDELIVERABLE)
    )
    await store.close()


async def test_a_removed_carriers_messages_are_in_doubt_only_after_their_leases_whatever_the_clock_does(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.claim(carrier)
    await centre.sql("UPDATE carrier SET removed = TRUE")
    await centre.changed()
    centre.clock.step_wall(120)
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.SUBMITTED
    centre.clock.pass_seconds(61)
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.UNDELIVERABLE


async def owner(centre: Centre) -> tuple[UserRow, int]:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    return user, carrier


def part(centre: Centre, carrier: int, handset: str, number: int, total: int = 2) -> InboundPart:
    return InboundPart(
        carrier,
        handset,
        NUMBER,
        f"<{number}>",
        centre.clock.wall_us(),
        f"{handset}-{number}",
        7,
        number,
        total,
    )


async def texts(centre: Centre, user: UserRow) -> list[str]:
    return [one["text"] for one in shown_in(await centre.poll(user))]


async def test_expiry_waits_for_a_queue_row_before_it_locks_the_message(postgres_url: str) -> None:
    """Where answers are recorded the queue comes first: the other way round the two would wait for each other."""
    store = await open_store(postgres_url, ManualClock(START))
    centre = Centre(store)
    user, _ = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    centre.clock.pass_seconds(49 * HOUR)
    recording, looking = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    async with recording.transaction():
        await recording.execute("SELECT FROM outbox WHERE id = $1 FOR UPDATE", sent.id)
        ending = asyncio.create_task(centre.upkeep.end_messages())
        while not await looking.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ):
            assert not ending.done()
        await recording.execute("SELECT FROM mt WHERE id = $1 FOR UPDATE NOWAIT", sent.id)
    await ending
    assert await centre.status(sent.id) == Status.EXPIRED
    await recording.close()
    await looking.close()
    await store.close()


async def test_parts_that_come_to_two_servers_at_once_are_joined_at_once(
    centre: Centre, other: Centre
) -> None:
    user, carrier = await owner(centre)
    done = await together(
        *(
            server.inbound.take(part(centre, carrier, handset, number))
            for handset in HANDSETS
            for server, number in ((centre, 1), (other, 2))
        )
    )
    assert set(done) == {None}
    assert await texts(centre, user) == ["<1><2>"] * len(HANDSETS)
    assert await centre.sql("SELECT count(*) FROM mo_part") == [(0,)]


async def test_an_unfinished_text_is_released_by_one_of_two_servers(centre: Centre, other: Centre) -> None:
    user, carrier = await owner(centre)
    for handset in HANDSETS:
        await centre.inbound.take(part(centre, carrier, handset, 1))
    centre.clock.pass_seconds(DAY + 1)
    now = centre.clock.wall_us()
    done = await together(
        *(server.inbound.release_stale(now - DAY * 1_000_000, 100) for server in (centre, other))
    )
    assert all(isinstance(one, int) for one in done), done
    assert await texts(centre, user) == ["<1>"] * len(HANDSETS)


async def test_the_last_part_that_comes_while_the_others_are_released_makes_no_second_message(
    centre: Centre, other: Centre
) -> None:
    user, carrier = await owner(centre)
    for handset in HANDSETS:
        await centre.inbound.take(part(centre, carrier, handset, 1))
    centre.clock.pass_seconds(DAY + 1)
    now = centre.clock.wall_us()
    done = await together(
        other.inbound.release_stale(now - DAY * 1_000_000, 100),
        *(centre.inbound.take(part(centre, carrier, handset, 2)) for handset in HANDSETS),
    )
    assert not [one for one in done if isinstance(one, BaseException)]
    shown = await texts(centre, user)
    waiting = await centre.sql("SELECT text FROM mo_part")
    # Each first half is shown once: alone, where it was released, and else with the second.
    assert sum(text.count("<1>") for text in shown) == len(HANDSETS)
    assert sum(text.count("<2>") for text in shown) + len(waiting) == len(HANDSETS)
