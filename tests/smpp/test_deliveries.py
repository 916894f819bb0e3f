"""Receipts and MOs reach a customer's sessions: all of them, in order, until they are acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rejoinder.flow.ports import UserRow
from rejoinder.flow.push_queue import smpp_target
from rejoinder.flow.push_records import LEASE_US
from rejoinder.message import parts
from rejoinder.message.model import InboundPart
from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import EsmClass, MessageState, Tag
from rejoinder.smpp.content import read_content
from rejoinder.smpp.receipt_text import fields_of
from rejoinder.smpp.style import DefaultAlphabet, Style
from tests.centre import shown_in
from tests.smpp.site import HANDSET, NUMBER, SmppSite

GSM = Style()
LATIN = Style(DefaultAlphabet.LATIN1)
LONG = "Grüße und Küsse, 0123456789 " * 20
EMOJI = "Ωμέγα 👋 " * 30


def text_of(pdu: p.DeliverSm, style: Style = GSM) -> str:
    return read_content(pdu, style).text()


async def reply(site: SmppSite, text: str, handset: str = HANDSET) -> None:
    await site.centre.reply(site.carrier_id, handset, NUMBER, text)


async def own_shop(site: SmppSite, **account: object) -> UserRow:
    user = await site.shop(**account)
    await site.number(user)
    return user


async def kept(site: SmppSite) -> int:
    ((count,),) = await site.centre.sql("SELECT count(*) FROM push")
    assert isinstance(count, int)
    return count


async def nothing_kept(site: SmppSite) -> None:
    """Acknowledgements reach the disk a moment after they came."""
    async with asyncio.timeout(10):
        while await kept(site):  # noqa: ASYNC110  # the database has no event
            await asyncio.sleep(0.01)


async def due_of_first(site: SmppSite) -> int:
    ((due,),) = await site.centre.sql("SELECT due_at FROM push ORDER BY id LIMIT 1")
    assert isinstance(due, int)
    return due


async def eventually(reached: Callable[[], bool]) -> None:
    """For what more than one connection brings about."""
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110  # as said
            await asyncio.sleep(0.01)


async def finish(site: SmppSite, status: int = 2) -> None:
    """A network takes what is queued and reports this status for each."""
    for claim, _ in await site.centre.deliver(site.carrier_id):
        await site.centre.receipt(site.carrier_id, f"r-{claim.row.id}-1", status)


async def test_a_receipt_comes_as_text_and_as_parameters(site: SmppSite) -> None:
    await own_shop(site)
    async with site.esme() as esme:
        await esme.bind()
        sent = await esme.submit(
            "Coffee at ten?", registered_delivery=1, tlvs=((Tag.USER_MESSAGE_REFERENCE, 77),)
        )
        await finish(site)
        await esme.until(lambda: bool(esme.delivered))
        await nothing_kept(site)
    (pdu,) = esme.delivered
    message_id = sent.pdu.message_id  # type: ignore[attr-defined]
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class) == (HANDSET, NUMBER, EsmClass.RECEIPT)
    assert pdu.tlv(Tag.RECEIPTED_MESSAGE_ID) == message_id
    assert pdu.tlv(Tag.MESSAGE_STATE) == MessageState.DELIVERED
    assert pdu.tlv(Tag.USER_MESSAGE_REFERENCE) == 77
    assert fields_of(pdu.short_message.decode()) == {
        "id": message_id,
        "sub": "001",
        "dlvrd": "001",
        "submit": "2311142213",
        "done": "2311142213",
        "stat": "DELIVRD",
        "err": "000",
    }
    assert pdu.short_message.endswith(b" text:Coffee at ten?")


async def test_the_receipt_of_a_part_that_is_final_before_the_others_came_has_the_parts_own_text(
    quick_site: SmppSite,
) -> None:
    site = quick_site
    await own_shop(site)
    async with site.esme() as esme:
        await esme.bind()
        await esme.submit(
            short_message=b"\x05\0\x03\x07\x02\x01only half", esm_class=0x40, registered_delivery=1
        )
        await finish(site)
        await esme.until(lambda: bool(esme.delivered))
    assert esme.delivered[0].short_message.endswith(b" text:only half")


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        (0, 2, None),
        (0, 5, None),
        (1, 2, "DELIVRD"),
        (1, 3, "EXPIRED"),
        (1, 4, "DELETED"),
        (1, 5, "UNDELIV"),
        (1, 8, "REJECTD"),
        (2, 2, None),
        (2, 5, "UNDELIV"),
    ],
)
async def test_the_receipt_asked_for_comes_and_no_other(
    quick_site: SmppSite, asked: int, status: int, word: str | None
) -> None:
    site = quick_site
    await own_shop(site)
    async with site.esme() as esme:
        await esme.bind()
        await esme.submit(registered_delivery=asked)
        await finish(site, status)
        await reply(site, "the end")
        await esme.until(lambda: "the end" in map(text_of, esme.delivered))
    receipts = [pdu for pdu in esme.delivered if pdu.esm_class == EsmClass.RECEIPT]
    assert [fields_of(pdu.short_message.decode())["stat"] for pdu in receipts] == ([word] if word else [])


@pytest.mark.parametrize("tag", [0, 0x1400])
async def test_an_mo_comes_with_its_text_and_names_what_it_answers_where_that_is_asked_for(
    site: SmppSite, tag: int
) -> None:
    user = await own_shop(site, origin_tag=tag)
    async with site.esme() as esme:
        await esme.bind(kind="rx")
        sent = await site.centre.send(user, "Coffee?", sender=NUMBER)
        await reply(site, " ggghhh")
        await esme.until(lambda: bool(esme.delivered))
        await nothing_kept(site)
    (pdu,) = esme.delivered
    assert (pdu.source_addr, pdu.destination_addr, text_of(pdu)) == (HANDSET, NUMBER, " ggghhh")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.esm_class) == (1, 1, 0)
    assert pdu.tlvs == (((tag, sent.id.encode()),) if tag else ())
    # It is in the mailbox as well.
    assert len(shown_in(await site.centre.poll(user, received=True))) == 1


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Café", "Cafe"),
        ("Łódź & Söhne", "Lodz & Sohne"),
        ("Ωμέγα", "?ME?A"),
        ("a very long name of a shop", "a very long name of "),
        ("٦١٢٥٥", "61255"),
    ],
)
async def test_an_mo_of_a_name_that_an_address_cannot_hold_comes_under_the_nearest_one(
    quick_site: SmppSite, name: str, written: str
) -> None:
    await own_shop(quick_site)
    async with quick_site.esme() as esme:
        await esme.bind()
        await reply(quick_site, "hello", name)
        await reply(quick_site, "after")
        await esme.until(lambda: len(esme.delivered) == 2)
    found = {text_of(pdu): pdu for pdu in esme.delivered}
    assert found["hello"].source_addr == written
    assert found["hello"].source_addr_ton == (1 if written.isdigit() else 5)


@pytest.mark.parametrize(
    ("alphabet", "text", "data_coding"),
    [
        ("gsm", "café €", 0),
        ("gsm", "Ωμέγα 👋", 8),
        ("gsm", "", 0),
        ("iso-8859-1", "café", 0),
        ("iso-8859-1", "pâte", 3),
        ("iso-8859-1", "10 €", 8),
    ],
)
async def test_an_mo_is_written_in_the_customers_alphabet_and_loses_nothing(
    quick_site: SmppSite, alphabet: str, text: str, data_coding: int
) -> None:
    await own_shop(quick_site, default_alphabet=alphabet)
    async with quick_site.esme() as esme:
        await esme.bind()
        await reply(quick_site, text)
        await esme.until(lambda: bool(esme.delivered))
    (pdu,) = esme.delivered
    assert pdu.data_coding == data_coding
    assert text_of(pdu, Style(DefaultAlphabet(alphabet))) == text


@pytest.mark.parametrize("text", [LONG, EMOJI])
@pytest.mark.parametrize("how", ["parts", "payload"])
async def test_a_long_mo_comes_in_parts_or_whole_as_the_account_says(
    quick_site: SmppSite, text: str, how: str
) -> None:
    await own_shop(quick_site, long_mo=how)
    async with quick_site.esme() as esme:
        await esme.bind()
        await reply(quick_site, text)
        await reply(quick_site, "after")
        await esme.until(lambda: "after" in map(text_of, esme.delivered))
    *long, _ = esme.delivered
    contents = [read_content(pdu, GSM) for pdu in long]
    if how == "payload":
        assert [content.text() for content in contents] == [text]
        return
    found = {content.part.number: (content.octets, content.alphabet) for content in contents if content.part}
    assert list(found) == list(range(1, len(long) + 1))
    assert len({content.part.reference for content in contents if content.part}) == 1
    assert parts.join_octets(found) == text


async def test_a_customer_who_was_away_for_a_day_gets_everything_in_order(site: SmppSite) -> None:
    user = await own_shop(site)
    for number in range(300):
        await site.centre.inbound.take(
            InboundPart(
                site.carrier_id, f"6125558888{number % 7}", NUMBER, f"text {number}", site.clock.wall_us()
            )
        )
    site.clock.pass_seconds(86_400)
    async with site.esme() as esme:
        await esme.bind(kind="rx")
        await esme.until(lambda: len(esme.delivered) == 300, 30)
        await nothing_kept(site)
    for handset in {pdu.source_addr for pdu in esme.delivered}:
        numbers = [int(text_of(pdu).split()[1]) for pdu in esme.delivered if pdu.source_addr == handset]
        assert numbers == sorted(numbers)
    assert {text_of(pdu) for pdu in esme.delivered} == {f"text {number}" for number in range(300)}
    assert user.id


async def test_what_was_not_acknowledged_is_brought_again_to_the_next_bind(site: SmppSite) -> None:
    await own_shop(site)
    async with site.esme(lambda _: None) as silent:
        await silent.bind()
        await reply(site, "first")
        await reply(site, "second")
        await silent.until(lambda: bool(silent.delivered))
    # One of each handset at a time: the second waits for the first.
    assert [text_of(pdu) for pdu in silent.delivered] == ["first"]
    async with site.esme() as esme:
        await esme.bind()
        await esme.until(lambda: len(esme.delivered) == 2)
        await nothing_kept(site)
    assert [text_of(pdu) for pdu in esme.delivered] == ["first", "second"]


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(S.ESME_RX_T_APPN, (1, 1)), (S.ESME_RINVMSGID, (270, 330)), (S.ESME_RUNKNOWNERR, (270, 330))],
)
async def test_what_may_be_refused_for_ever_waits_longer_than_what_passes(
    quick_site: SmppSite, status: int, seconds: tuple[int, int]
) -> None:
    site = quick_site
    await own_shop(site)
    now = site.clock.wall_us()
    async with site.esme(lambda pdu: status if text_of(pdu) == "odd" else 0) as esme:
        await esme.bind()
        await reply(site, "odd")
        async with asyncio.timeout(10):
            while not (found := await site.centre.sql("SELECT due_at FROM push WHERE last_error <> ''")):  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
    ((due,),) = found
    assert isinstance(due, int)
    assert seconds[0] <= (due - now) / 1_000_000 <= seconds[1]


@pytest.mark.parametrize("status", [S.ESME_RX_T_APPN, S.ESME_RMSGQFUL, S.ESME_RSYSERR])
async def test_what_is_refused_for_now_comes_again_before_the_next_of_its_handset(
    quick_site: SmppSite, status: int
) -> None:
    site = quick_site
    user = await own_shop(site)
    refusals = [status, status]
    async with site.esme(lambda pdu: refusals.pop() if refusals and text_of(pdu) == "first" else 0) as esme:
        await esme.bind()
        await reply(site, "first")
        await reply(site, "second")
        await reply(site, "other", "61255588886")
        await esme.until(lambda: len(esme.delivered) == 2)

        def time_passes() -> bool:
            site.clock.pass_seconds(1)
            site.service.smpp.couriers.queued(smpp_target(user.id))
            return len(esme.delivered) == 5

        await eventually(time_passes)
        await nothing_kept(site)
    assert [text_of(pdu) for pdu in esme.delivered] == ["first", "other", "first", "first", "second"]


@pytest.mark.parametrize("status", [S.ESME_RX_P_APPN, S.ESME_RX_R_APPN])
async def test_what_is_refused_for_good_is_not_brought_again(quick_site: SmppSite, status: int) -> None:
    await own_shop(quick_site)
    async with quick_site.esme(lambda pdu: status if text_of(pdu) == "first" else 0) as esme:
        await esme.bind()
        await reply(quick_site, "first")
        await reply(quick_site, "second")
        await esme.until(lambda: len(esme.delivered) == 2)
        await nothing_kept(quick_site)
    assert [text_of(pdu) for pdu in esme.delivered] == ["first", "second"]


async def test_two_binds_share_the_load_and_nothing_comes_twice(site: SmppSite) -> None:
    await own_shop(site)
    async with site.esme() as one, site.esme() as two:
        await one.bind()
        await two.bind(kind="rx")
        for number in range(60):
            await reply(site, f"text {number}", f"612555888{number:02d}")
        await eventually(lambda: len(one.delivered) + len(two.delivered) >= 60)
        await nothing_kept(site)
    assert len(one.delivered) + len(two.delivered) == 60
    assert min(len(one.delivered), len(two.delivered)) >= 20


async def test_of_binds_to_two_servers_of_one_database_nothing_comes_twice_and_a_handsets_in_order(
    postgres_url: str,
) -> None:
    async with SmppSite(postgres_url) as here, SmppSite(postgres_url) as there:
        await own_shop(here)
        await there.centre.changed()
        for number in range(300):
            await reply(here, f"text {number}", f"61255588{number % 150:03d}")
        async with here.esme() as one, there.esme() as two:
            await asyncio.gather(one.bind(), two.bind())
            await eventually(lambda: len(one.delivered) + len(two.delivered) >= 300)
            await nothing_kept(here)
        delivered = [*one.delivered, *two.delivered]
    assert sorted(int(text_of(pdu).split()[1]) for pdu in delivered) == list(range(300))
    for bind in (one, two):
        for handset in {pdu.source_addr for pdu in bind.delivered}:
            mine = [int(text_of(pdu).split()[1]) for pdu in bind.delivered if pdu.source_addr == handset]
            assert mine == sorted(mine)


async def test_what_a_server_had_taken_that_died_comes_when_its_lease_ends(site: SmppSite) -> None:
    await own_shop(site)
    await reply(site, "first")
    await reply(site, "second")
    now = site.clock.wall_us()
    # It died before a byte left.
    ((taken,),) = [
        await site.centre.store.write(lambda tx: tx.pushes.pull(smpp_target(1), 9, now, now + LEASE_US))
    ]
    async with site.esme() as esme:
        await esme.bind()
        await reply(site, "other", "61255588886")
        await esme.until(lambda: bool(esme.delivered))
        site.clock.pass_seconds(60)
        site.service.smpp.couriers.queued(taken.queued.target)
        await esme.until(lambda: len(esme.delivered) == 3)
        await nothing_kept(site)
    assert [text_of(pdu) for pdu in esme.delivered] == ["other", "first", "second"]


async def test_what_is_slow_to_be_acknowledged_keeps_its_lease(site: SmppSite) -> None:
    user = await own_shop(site)
    async with site.esme(lambda _: None) as esme:
        await esme.bind()
        await reply(site, "first")
        await esme.until(lambda: bool(esme.delivered))
        for _ in range(2):
            site.clock.pass_seconds(40)
            before = await due_of_first(site)
            site.service.smpp.couriers.queued(smpp_target(user.id))
            async with asyncio.timeout(10):
                while await due_of_first(site) == before:  # noqa: ASYNC110  # the database has no event
                    await asyncio.sleep(0.01)
        assert await due_of_first(site) == site.clock.wall_us() + LEASE_US
    assert len(esme.delivered) == 1


async def test_a_bind_that_ends_gives_back_what_it_had_taken(site: SmppSite) -> None:
    await own_shop(site)
    async with site.esme(lambda _: None) as silent:
        await silent.bind()
        await reply(site, "first")
        await silent.until(lambda: bool(silent.delivered))
        assert await due_of_first(site) == site.clock.wall_us() + LEASE_US
    async with asyncio.timeout(10):
        while await due_of_first(site):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("handsets", [1, 450])
async def test_what_is_refused_of_some_handsets_holds_up_no_other(
    quick_site: SmppSite, handsets: int
) -> None:
    site = quick_site
    await own_shop(site)
    for number in range(450):
        await reply(site, f"text {number}", f"61255500{number % handsets:03d}")
    await reply(site, "mine")
    refuse = S.ESME_RX_T_APPN
    async with site.esme(lambda pdu: 0 if pdu.source_addr == HANDSET else refuse) as esme:
        await esme.bind()
        await esme.until(lambda: any(pdu.source_addr == HANDSET for pdu in esme.delivered))
    assert len(esme.delivered) == handsets + 1


async def test_a_transmitter_gets_nothing(quick_site: SmppSite) -> None:
    await own_shop(quick_site)
    async with quick_site.esme() as esme, quick_site.esme() as receiver:
        await esme.bind(kind="tx")
        await reply(quick_site, "for later")
        await receiver.bind(kind="rx")
        await receiver.until(lambda: bool(receiver.delivered))
    assert esme.delivered == []


async def test_a_peer_of_version_3_3_gets_no_parameters(quick_site: SmppSite) -> None:
    await own_shop(quick_site)
    async with quick_site.esme() as esme:
        await esme.bind(version=0x33)
        await esme.submit(registered_delivery=1)
        await finish(quick_site)
        await esme.until(lambda: bool(esme.delivered))
    (pdu,) = esme.delivered
    assert pdu.tlvs == ()
    assert fields_of(pdu.short_message.decode())["stat"] == "DELIVRD"


async def test_nothing_is_kept_for_users_who_do_not_bind(quick_site: SmppSite) -> None:
    await quick_site.shop()
    user = await quick_site.centre.account("bert@other", "other")
    await quick_site.number(user)
    await reply(quick_site, "for bert")
    assert await kept(quick_site) == 0
