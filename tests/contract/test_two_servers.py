"""Two servers on one database: a handset's long text whose parts come to different ones at the same moment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rejoinder.flow.ports import UserRow
from rejoinder.message.model import InboundPart
from rejoinder.message.objectid import ObjectIds
from rejoinder.store import open_store
from tests.centre import Centre, shown_in, together

NUMBER = "61500000002"
HANDSETS = [f"612555{number:05}" for number in range(20)]
DAY = 24 * 3600


@pytest.fixture
async def other(centre: Centre, database_url: str) -> AsyncIterator[Centre]:
    """The second server: its own connections, the same moment, ids of its own."""
    store = await open_store(database_url, centre.clock)
    yield Centre(store, centre.clock, ObjectIds(1 << 41))
    await store.close()


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
