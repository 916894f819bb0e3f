"""An MO without an id that a carrier brings again, since a lost link took our answer, is stored once; a handset's second
text of the same words is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rejoinder.flow.ports import UserRow
from rejoinder.flow.upkeep import UNCONFIRMED_KEPT_US
from rejoinder.message.model import Brought, InboundPart
from tests.centre import HANDSET, Centre, shown_in, together

NUMBER = "61500079987"


@dataclass
class World:
    """One user whose number handsets write to, over a carrier of many links."""

    centre: Centre
    user: UserRow
    carrier: int

    async def bring(
        self,
        link: int,
        number: int = 1,
        *,
        digest: int = 77,
        doubtful: bool = True,
        handset: str = HANDSET,
        part: tuple[int, int] = (1, 1),
    ) -> None:
        """`part`: which of how many."""
        brought = Brought(link, number, digest, doubtful)
        now = self.centre.clock.wall_us()
        await self.centre.inbound.take(
            InboundPart(self.carrier, handset, NUMBER, "yes", now, None, 9, *part, brought=brought)
        )

    async def lose(self, *links: int) -> None:
        await self.centre.inbound.lose(self.carrier, links)

    async def shown(self) -> list[str]:
        return [one["text"] for one in shown_in(await self.centre.poll(self.user))]

    async def kept(self) -> list[tuple[object, ...]]:
        return await self.centre.sql(
            "SELECT link, number FROM mo_unconfirmed UNION SELECT link, number FROM mo_lost ORDER BY link, number"
        )


@pytest.fixture
async def world(centre: Centre) -> World:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    await centre.changed()
    return World(centre, user, carrier)


async def test_what_a_lost_link_brought_is_stored_once_when_the_next_one_brings_it_again(
    world: World,
) -> None:
    await world.bring(1)
    await world.lose(1)
    await world.bring(2)
    assert await world.shown() == ["yes"]


async def test_it_is_so_however_often_links_are_lost(world: World) -> None:
    for link in range(1, 6):
        await world.bring(link)
        await world.lose(link)
    assert await world.shown() == ["yes"]
    assert await world.kept() == [(5, 1)]


async def test_each_text_brought_stands_for_one_repetition(world: World) -> None:
    await world.bring(1, 1)
    await world.bring(1, 2)
    await world.lose(1)
    # All at once: one batch.
    await together(*(world.bring(2, number) for number in (1, 2, 3)))
    assert await world.shown() == ["yes"] * 3


async def test_the_same_text_again_over_the_same_link_is_another_text(world: World) -> None:
    await world.bring(1, 1)
    await world.bring(1, 2)
    assert await world.shown() == ["yes"] * 2


async def test_what_a_broken_commit_left_stored_is_known_by_its_number_over_the_same_link(
    world: World,
) -> None:
    await world.bring(1, 1)
    # The link was told nothing of that, and brings it under the number that it had then; the next text is another one.
    await together(world.bring(1, 1), world.bring(1, 2))
    assert await world.shown() == ["yes"] * 2
    await world.lose(1)
    await world.bring(2, 1)
    assert await world.shown() == ["yes"] * 2


async def test_the_same_text_over_two_links_that_live_is_two_texts(world: World) -> None:
    await world.lose(3)
    await world.bring(1)
    await world.bring(2)
    assert await world.shown() == ["yes"] * 2


async def test_after_a_start_every_link_that_was_is_lost(world: World) -> None:
    await world.bring(1)
    await world.centre.inbound.lose(world.carrier, None)
    await world.bring(2)
    assert await world.shown() == ["yes"]


async def test_what_the_carrier_has_our_answer_to_is_no_repetition(world: World) -> None:
    await world.bring(1, 1)
    await world.bring(1, 2, digest=78)
    await world.centre.inbound.confirm(world.carrier, 1, 1)
    await world.lose(1)
    await world.bring(2, 1)
    await world.bring(2, 2, digest=78)
    assert await world.shown() == ["yes"] * 3


async def test_long_after_any_link_ended_nothing_is_a_repetition(world: World) -> None:
    await world.bring(1)
    await world.lose(1)
    await world.bring(2, doubtful=False)
    assert await world.shown() == ["yes"] * 2


async def test_another_carriers_link_repeats_nothing_of_this_ones(world: World) -> None:
    await world.bring(1)
    await world.lose(1)
    other = World(world.centre, world.user, await world.centre.carrier("other"))
    await other.bring(2)
    assert await world.shown() == ["yes"] * 2


async def test_another_content_is_no_repetition(world: World) -> None:
    await world.bring(1)
    await world.lose(1)
    await world.bring(2, digest=78)
    assert await world.shown() == ["yes"] * 2


async def test_the_last_part_of_a_long_text_brought_again_leaves_nothing_behind(world: World) -> None:
    await world.bring(1, 1, part=(1, 2), digest=1)
    await world.bring(1, 2, part=(2, 2), digest=2)
    await world.lose(1)
    await world.bring(2, 1, part=(2, 2), digest=2)
    assert await world.shown() == ["yesyes"]
    assert await world.centre.sql("SELECT * FROM mo_part") == []


async def test_what_no_carrier_brings_again_is_forgotten(world: World) -> None:
    await world.bring(1)
    world.centre.clock.pass_seconds(UNCONFIRMED_KEPT_US / 1_000_000 - 1)
    await world.bring(2, digest=78)
    world.centre.clock.pass_seconds(2)
    await world.centre.upkeep.forget()
    assert await world.kept() == [(2, 1)]
