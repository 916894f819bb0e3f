"""What makes a repetition of a delivery known: when the centre has read our answers, and which links were lost."""

from __future__ import annotations

import asyncio

import pytest

from rejoinder.carriers import smpp_client
from rejoinder.carriers.smpp_doubts import LAPSE_SECONDS, Doubts
from rejoinder.clock import ManualClock
from rejoinder.errors import StoreUnavailable, UnknownCommit
from rejoinder.message.model import Fate, InboundPart
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.pdu import DeliverSm, EnquireLinkResp
from tests.carrier_events import Collected, outgoing
from tests.smpp_carriers import Build, fates, until, up
from tests.smsc import Smsc

MO = DeliverSm(source_addr="61455555555", destination_addr="61400000000", short_message=b"yes")


async def test_the_centres_next_answer_says_that_it_has_read_ours(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        assert await smsc.deliver(MO) == 0
        assert await smsc.deliver(MO) == 0
        assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]
        link = carrier._places[0].link
        assert link is not None
        link.tick()
        await events.until(lambda it: bool(it.confirmations))
        assert events.confirmations == [(link.name, 2)]
        brought = [part.brought for part in events.inbounds]
        assert [(it.link, it.number) for it in brought if it is not None] == [(link.name, 1), (link.name, 2)]
        assert len({it.digest for it in brought if it is not None}) == 1


async def test_where_nothing_is_sent_the_centre_is_asked_after_five_seconds(carriers: Build) -> None:
    events, clock = Collected(), ManualClock()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events, clock))
        assert await smsc.deliver(MO) == 0
        link = carrier._places[0].link
        assert link is not None
        link.tick()
        assert link.in_flight() == 0
        clock.pass_seconds(5)
        link.tick()
        assert link.in_flight() == 1
        await until(lambda: link.in_flight() == 0)
        link.tick()
        await events.until(lambda it: it.confirmations == [(link.name, 1)])


async def test_a_centre_that_does_not_answer_that_question_keeps_its_link(carriers: Build) -> None:
    events, clock = Collected(), ManualClock()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events, clock, enquire_link="600", answer_timeout="10"))
        assert await smsc.deliver(MO) == 0
        link = carrier._places[0].link
        assert link is not None
        smsc.mute = True
        for _ in range(4):
            clock.pass_seconds(5)
            link.tick()
        assert not link.ended.done()
        assert events.confirmations == []


async def test_that_question_keeps_no_message_back_where_the_window_is_one(carriers: Build) -> None:
    clock = ManualClock()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, Collected(), clock, window="1"))
        link, theirs = carrier._places[0].link, smsc.links[0]
        assert link is not None
        assert await smsc.deliver(MO) == 0
        # It takes submits and answers no enquire_link.
        right = theirs.session._write
        theirs.session._write = lambda pdu, *more: (  # type: ignore[method-assign]
            None if isinstance(pdu, EnquireLinkResp) else right(pdu, *more)
        )
        clock.pass_seconds(5)
        link.tick()
        assert link.in_flight() == 1
        async with asyncio.timeout(10):
            assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]


async def test_a_link_that_was_cut_confirms_nothing_and_its_deliveries_are_doubtful_to_the_next(
    carriers: Build,
) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        assert await smsc.deliver(MO) == 0
        lost = carrier._places[0].link
        assert lost is not None
        smsc.cut()
        await until(lambda: carrier._places[0].link is not lost and carrier.ready())
        await smsc.until(lambda it: any(link.receives for link in it.links))
        assert await smsc.deliver(MO) == 0
        first, again = (part.brought for part in events.inbounds)
        assert first is not None
        assert again is not None
        assert (first.digest, again.doubtful) == (again.digest, True)
        assert events.losses == [None, {first.link}]
        assert events.confirmations == []


async def test_answers_that_the_centre_has_not_read_are_not_confirmed_however_many_they_are(
    carriers: Build,
) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        link, theirs = carrier._places[0].link, smsc.links[0]
        assert link is not None
        assert theirs.transport is not None
        theirs.transport.pause_reading()
        theirs.raw(b"".join(encode(MO, number) for number in range(1, 2_501)))
        await events.until(lambda it: len(it.inbounds) == 2_500)
        link.tick()
        theirs.abort()
        await until(link.ended.done)
        await link.confirmed()
        assert events.confirmations == []


async def test_nothing_of_the_next_link_is_stored_before_what_the_lost_one_brought(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        events.hold = asyncio.Event()
        lost = carrier._places[0].link
        assert lost is not None
        unanswered = asyncio.create_task(smsc.deliver(MO))
        await until(lambda: events.at_once == 1)
        smsc.cut()
        await until(lambda: carrier._places[0].link is not lost and carrier.ready())
        await smsc.until(lambda it: any(link.receives for link in it.links))
        again = asyncio.create_task(smsc.deliver(MO))
        await asyncio.sleep(0.01)
        assert events.most_at_once == 1
        events.hold.set()
        assert await again == 0
        assert events.losses == [None, {lost.name}]
        assert [part.brought.link == lost.name for part in events.inbounds if part.brought] == [True, False]
        unanswered.cancel()


async def test_a_good_bye_confirms_what_was_answered_before_the_carrier_is_stopped(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        assert await smsc.deliver(MO) == 0
        link = carrier._places[0].link
        assert link is not None
        await carrier.stop()
        assert events.confirmations == [(link.name, 1)]


async def test_receipts_are_not_kept_for_repetition(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events))
        assert await smsc.receipt("m1") == 0
        await carrier.stop()
        assert events.confirmations == []


class BrokenCommits(Collected):
    """A store whose word is lost: what is handed in is noted, and then these errors are raised."""

    def __init__(self, *broken: Exception) -> None:
        super().__init__()
        self.broken = list(broken)

    async def inbound(self, part: InboundPart) -> None:
        await super().inbound(part)
        if self.broken:
            raise self.broken.pop(0)


async def numbers(smsc: Smsc, events: BrokenCommits, times: int) -> list[int]:
    """Under which numbers the store is handed the same delivery, brought so often over one link."""
    statuses = [await smsc.deliver(MO) for _ in range(times)]
    assert statuses[-1] == CommandStatus.ESME_ROK
    assert set(statuses[:-1]) <= {CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_ROK}
    return [part.brought.number for part in events.inbounds if part.brought]


async def test_what_was_put_off_in_a_broken_commit_keeps_its_number_when_the_same_link_brings_it_again(
    carriers: Build,
) -> None:
    away = StoreUnavailable("the database is away")
    events = BrokenCommits(UnknownCommit("the connection broke"), away, UnknownCommit("and again"))
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        assert await numbers(smsc, events, 5) == [1, 1, 1, 1, 5]


async def test_what_was_certainly_not_stored_comes_again_as_a_new_one(carriers: Build) -> None:
    events = BrokenCommits(StoreUnavailable("the database is away"))
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        assert await numbers(smsc, events, 2) == [1, 2]


async def test_a_delivery_in_doubt_is_not_confirmed_before_it_was_brought_again(carriers: Build) -> None:
    events, clock = BrokenCommits(UnknownCommit("the connection broke")), ManualClock()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events, clock))
        link = carrier._places[0].link
        assert link is not None
        assert await smsc.deliver(MO) == CommandStatus.ESME_RX_T_APPN
        assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]
        link.tick()
        assert await smsc.deliver(MO) == CommandStatus.ESME_ROK
        assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]
        link.tick()
        await events.until(lambda it: bool(it.confirmations))
        assert events.confirmations == [(link.name, 2)]


def test_a_doubt_lapses_when_the_centre_does_not_bring_it_again_within_an_hour() -> None:
    doubts = Doubts()
    doubts.arose(7, 1, 0.0)
    doubts.arose(7, 2, 1.0)
    assert doubts.lapsed(LAPSE_SECONDS - 1) == []
    assert doubts.lapsed(LAPSE_SECONDS) == [1]
    assert doubts.settles(7) == 2
    assert doubts.settles(7) is None


@pytest.mark.parametrize("receipts", [0, 3])
async def test_a_carrier_whose_links_break_again_and_again_keeps_nothing_of_those_without_mos(
    carriers: Build, receipts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found as memory that grew with every try, day and night, at a carrier that refused our binds."""
    monkeypatch.setattr(smpp_client, "LONGEST_SECONDS", 0.001)
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc))
        for _ in range(20):
            for _ in range(receipts):
                assert await smsc.receipt("m1") == 0
            before = carrier._places[0].link
            smsc.cut()
            await until(lambda before=before: carrier._places[0].link is not before and carrier.ready())  # type: ignore[misc]  # the default binds the loop's value
            await smsc.until(lambda it: any(link.receives for link in it.links))
        assert carrier._deliveries.losses._lost == {}
