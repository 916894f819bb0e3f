"""A customer's long message in parts: an MT, a charge, a receipt each; one mailbox entry for all (both stores)."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.desk import Accepted
from rejoinder.flow.ports import UserRow
from rejoinder.flow.request import Draft, Limits
from rejoinder.message.parts import Concatenation
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet
from tests.centre import HANDSET, START, Centre, shown_in, together

OWN = "61400000001"
NOW = START * 1_000_000
TEXTS = ("Hello ", "mommy ", "dear")


def part(number: int, text: str = "", total: int = 3, reference: int = 7, **changed: object) -> Draft:
    octets = (text or TEXTS[number - 1]).encode()
    request = CodedRequest(
        HANDSET, OWN, octets, Alphabet.GSM, part=Concatenation(reference, total, number, wide=False)
    )
    return coded_draft(replace(request, **changed), Limits(), NOW)  # type: ignore[arg-type]  # fields of the request


async def opened(centre: Centre) -> tuple[UserRow, int]:
    user = await centre.account()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN, user.id)
    await centre.pool("61500079987", "61500079988")
    return user, await centre.carrier()


async def submit(centre: Centre, user: UserRow, *drafts: Draft) -> list[str]:
    outcomes = await centre.submissions.submit_drafts(user, drafts)
    assert all(isinstance(one, Accepted) for one in outcomes)
    return [one.id for one in outcomes if isinstance(one, Accepted)]


async def mailbox(centre: Centre, user: UserRow) -> list[dict[str, object]]:
    return shown_in(await centre.poll(user))


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
@pytest.mark.parametrize("at_once", [True, False])
async def test_parts_in_any_order_make_one_entry_under_the_first_parts_id(
    centre: Centre, order: tuple[int, ...], at_once: bool
) -> None:
    user, carrier = await opened(centre)
    drafts = [part(number) for number in order]
    if at_once:
        ids = await submit(centre, user, *drafts)
    else:
        ids = []
        for draft in drafts:
            assert await mailbox(centre, user) == []
            ids += await submit(centre, user, draft)
    first = ids[order.index(1)]
    assert await mailbox(centre, user) == [
        {"documentId": first, "text": "Hello mommy dear", "timestamp": START, "recipient": HANDSET}
    ]
    assert await centre.balance(user) == 997_000
    assert [out.udh for _, out in await centre.deliver(carrier)] == [
        f"0500030703{number:02}" for number in order
    ]
    for mt_id in ids:
        await centre.receipt(carrier, f"r-{mt_id}-1")
        assert await centre.status(mt_id) == Status.DELIVERED
    await centre.reply(carrier, HANDSET, OWN)
    assert (await mailbox(centre, user))[1]["originDocumentId"] == first
    assert await centre.sql("SELECT count(*) FROM mt_joining") == [(0,)]
    assert await centre.sql("SELECT DISTINCT entry_id, entry_at FROM mt") == [(first, START)]


async def test_after_five_minutes_what_came_is_shown_under_its_earliest_part(centre: Centre) -> None:
    user, carrier = await opened(centre)
    third, second = await submit(centre, user, part(3), part(2))
    centre.clock.pass_seconds(299)
    await centre.upkeep.end_messages()
    assert await mailbox(centre, user) == []
    centre.clock.pass_seconds(1)
    await centre.upkeep.end_messages()
    entry = {"documentId": third, "text": "mommy dear", "timestamp": START + 300, "recipient": HANDSET}
    assert await mailbox(centre, user) == [entry]
    await centre.reply(carrier, HANDSET, OWN)
    assert (await mailbox(centre, user))[1]["originDocumentId"] == third
    await centre.upkeep.end_messages()
    assert len(await mailbox(centre, user)) == 2
    assert second != third


async def test_a_reused_reference_begins_another_message_and_the_same_part_again_does_not(
    centre: Centre,
) -> None:
    user, _ = await opened(centre)
    ids = await submit(centre, user, part(1), part(1), part(2), part(1, "Other "))
    assert [(one["documentId"], one["text"]) for one in await mailbox(centre, user)] == [
        (ids[0], "Hello mommy ")
    ]
    ids += await submit(centre, user, part(2), part(3))
    assert [(one["documentId"], one["text"]) for one in await mailbox(centre, user)][1:] == [
        (ids[3], "Other mommy dear")
    ]
    assert await centre.balance(user) == 1_000_000 - 6 * 1000


async def test_messages_are_told_apart_by_sender_recipient_reference_and_number_of_parts(
    centre: Centre,
) -> None:
    user, _ = await opened(centre)
    others = [
        part(1, "a", 2), part(2, "b", 2, 8), part(2, "c", 2, recipient="61255588886"), part(2, "d", 2, sender=""),
        part(2, "e", 3), part(2, "f", 2, part=Concatenation(7, 2, 2, wide=True)),
    ]  # fmt: skip
    await submit(centre, user, *others)
    assert await mailbox(centre, user) == []
    await submit(centre, user, part(2, "z", 2))
    assert [one["text"] for one in await mailbox(centre, user)] == ["az"]


async def test_all_parts_go_out_from_the_one_pool_number_that_the_first_got(centre: Centre) -> None:
    user, carrier = await opened(centre)
    ids = await submit(centre, user, part(2, sender=""))
    ids += await submit(centre, user, part(1, sender=""), part(3, sender=""))
    senders = {await centre.sender_of(mt_id) for mt_id in ids}
    assert len(senders) == 1
    await centre.reply(carrier, HANDSET, senders.pop())
    assert (await mailbox(centre, user))[1]["originDocumentId"] == ids[1]


async def test_a_pair_that_the_customer_cut_is_whole_in_the_mailbox_and_its_octets_reach_the_carrier(
    centre: Centre,
) -> None:
    user, carrier = await opened(centre)
    data = "x😀y".encode("utf-16-be")
    await submit(
        centre,
        user,
        part(1, total=2, octets=data[:4], alphabet=Alphabet.UCS2),
        part(2, total=2, octets=data[4:], alphabet=Alphabet.UCS2),
    )
    assert [one["text"] for one in await mailbox(centre, user)] == ["x😀y"]
    sent = [out for _, out in await centre.deliver(carrier)]
    assert b"".join(bytes.fromhex(out.octets) for out in sent) == data
    assert {out.alphabet for out in sent} == {"utf-16"}


async def test_binary_flash_and_receipts_reach_the_carrier_as_they_came(centre: Centre) -> None:
    user, carrier = await opened(centre)
    request = CodedRequest(
        HANDSET,
        OWN,
        b"\x00\x01\xff",
        Alphabet.BINARY,
        bytes.fromhex("0605040b8423f0"),
        flash=True,
        receipts=1,
    )
    await submit(centre, user, coded_draft(request, Limits(), NOW))
    ((_, out),) = await centre.deliver(carrier)
    assert (out.text, out.alphabet, out.udh, out.flash) == ("0001ff", "binary", "0605040b8423f0", True)
    assert await centre.sql("SELECT receipts FROM mt") == [(1,)]
    assert [one["text"] for one in await mailbox(centre, user)] == ["0001ff"]


async def test_a_repeated_reference_with_the_same_content_is_the_same_message(centre: Centre) -> None:
    user, _ = await opened(centre)
    first = await submit(centre, user, coded("one", "17"))
    assert await submit(centre, user, coded("one", "17"), coded("one", "17")) == first * 2
    assert await submit(centre, user, coded("two", "17")) != first
    assert await centre.balance(user) == 998_000


def coded(text: str, reference: str) -> Draft:
    request = CodedRequest(HANDSET, OWN, text.encode(), Alphabet.GSM, reference=reference)
    return coded_draft(request, Limits(), NOW)


async def test_parts_that_come_at_the_same_time_make_one_entry(centre: Centre) -> None:
    user, _ = await opened(centre)
    await together(*(submit(centre, user, part(number)) for number in (3, 1, 2)))
    assert [one["text"] for one in await mailbox(centre, user)] == ["Hello mommy dear"]


async def test_a_group_is_judged_one_by_one_and_what_is_refused_is_not_charged(centre: Centre) -> None:
    user, _ = await opened(centre)
    foreign = replace(part(1), sender="NOTMINE", concat=None)
    good = replace(part(1), concat=None)
    outcomes = await centre.submissions.submit_drafts(user, [good, foreign, good])
    assert [getattr(one, "code", 10) for one in outcomes] == [10, 13, 10]
    assert await centre.balance(user) == 998_000
    assert await centre.submissions.submit_drafts(user, []) == []
