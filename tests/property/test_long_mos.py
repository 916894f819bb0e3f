"""Any UCS-2 text that a handset cuts anywhere, pairs too, reaches the mailbox whole, whatever order its parts come in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Coroutine, Iterator, Sequence
from itertools import count, pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.carriers.smpp_doubts import Doubts
from rejoinder.carriers.smpp_inbound import SmppDeliveries
from rejoinder.carriers.smpp_plan import Arrival
from rejoinder.carriers.smpp_settings import read_smpp
from rejoinder.clock import ManualClock
from rejoinder.flow.ports import CarrierRow
from rejoinder.message.model import InboundPart, Receipt
from rejoinder.message.parts import Concatenation, header
from rejoinder.smpp.constants import CommandStatus, DataCoding, EsmClass
from rejoinder.smpp.pdu import DeliverSm
from rejoinder.store import open_store
from tests.centre import START, Centre, shown_in

T = TypeVar("T")
NUMBER = "61500079987"

texts = st.text(
    st.one_of(
        st.sampled_from("😀🇦🇺👋𝔘aé€Ж\ufeff\ufffe"),
        st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
    ),
    min_size=1,
    max_size=120,
    # These would say in which order the octets stand.
).filter(lambda text: text[0] not in "\ufeff\ufffe")


class World:
    """One store for all examples; every example is another handset's."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        clock = ManualClock(START)
        self.centre = Centre(self.run(open_store(url, clock)), clock)
        self.user = self.run(self.centre.account())
        carrier = self.run(self.centre.carrier())
        self.run(
            self.centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, self.user.id)
        )
        self.examples = 0
        self._numbers = count(1)
        settings_ = {"host": "carrier.example", "port": "2775", "system_id": "us", "password": "secret"}
        row = CarrierRow(carrier, "far", "smpp", settings_)
        self.carrier = SmppDeliveries(row, read_smpp(settings_), self, clock)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def inbound(self, part: InboundPart) -> None:
        await self.centre.inbound.take(part)

    async def confirmed(self, carrier_id: int, link: int, upto: int) -> None:
        raise AssertionError("no link is here")

    async def lost(self, carrier_id: int, links: Collection[int] | None) -> None:
        await self.centre.inbound.lose(carrier_id, links)

    async def receipt(self, receipt: Receipt) -> None:
        raise AssertionError("no receipt was delivered")

    async def shown(self, pdus: Sequence[DeliverSm], handset: str) -> list[str]:
        """What the mailbox has of this handset after all of these."""
        for pdu in pdus:
            assert (
                await self.carrier.take(pdu, Arrival(1, next(self._numbers), Doubts()))
                == CommandStatus.ESME_ROK
            )
        answer = await self.centre.poll(self.user, since=self.centre.clock.wall_s() - 1)
        return [one["text"] for one in shown_in(answer) if one["from"] == handset]

    def close(self) -> None:
        self.run(self.centre.store.close())
        self.runner.close()


@pytest.fixture(scope="module")
def world(lasting_database_url: str) -> Iterator[World]:
    opened = World(lasting_database_url)
    yield opened
    opened.close()


def delivered(world: World, octets: bytes, cuts: Sequence[int], wide: bool) -> tuple[list[DeliverSm], str]:
    """The text cut after so many octet pairs, as a new handset's deliver_sm; and that handset."""
    world.examples += 1
    world.centre.clock.pass_seconds(1)
    handset = str(61_255_000_000 + world.examples)
    edges = [0, *(2 * cut for cut in cuts), len(octets)]
    total = len(edges) - 1
    pdus = []
    for number, (start, end) in enumerate(pairwise(edges), 1):
        udh = header(Concatenation(world.examples & 0xFF, total, number, wide))
        pdus.append(
            DeliverSm(
                source_addr=handset,
                destination_addr=NUMBER,
                esm_class=EsmClass.UDHI,
                data_coding=DataCoding.UCS2,
                short_message=udh + octets[start:end],
            )
        )
    return pdus, handset


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts, st.data(), st.booleans(), st.randoms(use_true_random=False))
def test_a_text_cut_at_any_octet_pair_arrives_whole_in_any_order(
    world: World, text: str, data: st.DataObject, wide: bool, order: random.Random
) -> None:
    octets = text.encode("utf-16-be")
    # Every 65 pairs at least: a part has room for 67, and a deliver_sm for no more than it is cut into.
    drawn = data.draw(st.sets(st.integers(1, len(octets) // 2 - 1), max_size=5)) if len(octets) > 2 else set()
    cuts = sorted(drawn | set(range(65, len(octets) // 2, 65)))
    pdus, handset = delivered(world, octets, cuts, wide)
    order.shuffle(pdus)
    assert world.run(world.shown(pdus, handset)) == [text]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_pair_cut_between_two_parts_is_one_character(world: World, order: tuple[int, int]) -> None:
    pdus, handset = delivered(world, "a😀b".encode("utf-16-be"), [2], False)
    assert world.run(world.shown([pdus[number] for number in order], handset)) == ["a😀b"]


def test_half_a_pair_whose_other_half_never_came_is_one_sign_and_spoils_nothing(world: World) -> None:
    pdus, handset = delivered(world, "a😀b".encode("utf-16-be"), [2], False)
    assert world.run(world.shown(pdus[1:], handset)) == []
    world.centre.clock.pass_seconds(24 * 3600 + 1)
    world.run(world.centre.upkeep.end_messages())
    assert world.run(world.shown([], handset)) == ["\ufffdb"]


def test_two_halves_that_look_alike_are_of_two_messages(world: World) -> None:
    """A reference that is used again: the older part's other half is not the newer one's."""
    first, handset = delivered(world, "😀b".encode("utf-16-be"), [1], False)
    second = DeliverSm(
        source_addr=handset,
        destination_addr=NUMBER,
        esm_class=EsmClass.UDHI,
        data_coding=DataCoding.UCS2,
        short_message=first[0].short_message[:6] + b"\xd8\x34",
    )
    assert world.run(world.shown([first[0], second], handset)) == ["\ufffd"]


@pytest.mark.parametrize("mark", ["\ufeff", "\ufffe"])
def test_what_would_be_a_byte_order_mark_is_a_character_of_a_later_part(world: World, mark: str) -> None:
    pdus, handset = delivered(world, f"ab{mark}cd".encode("utf-16-be"), [2], False)
    assert world.run(world.shown(pdus, handset)) == [f"ab{mark}cd"]
