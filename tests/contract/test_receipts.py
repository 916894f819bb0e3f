"""Which message a receipt means, and which it must leave alone; on both stores."""

from __future__ import annotations

import pytest

from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from rejoinder.store.dialect import queries
from tests.centre import HANDSET, Centre
from tests.contract.plans import many, plan

POOL = "61500079987"
OTHER = "61500079988"
ELSEWHERE = "61299999999"


async def test_an_id_that_the_carrier_gives_again_means_the_newest_message(centre: Centre) -> None:
    """Found on PostgreSQL, where the older row may lie behind the newer one: the older message got the receipt."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    sent = []
    for text in ("older", "newer"):
        sent.append((await centre.send(user, text)).id)
        await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.ACCEPTED, "42"))
    # What is written anew lies last in its table and, under equal keys, in its index.
    for key in ("elsewhere", "42"):
        await centre.sql("UPDATE part SET ref_key = $1 WHERE mt_id = $2", key, sent[0])
    await centre.receipt(carrier, "42")
    assert [await centre.status(mt_id) for mt_id in sent] == [Status.SENT, Status.DELIVERED]


async def test_of_several_messages_under_one_id_the_one_to_the_receipts_handset_is_meant(
    centre: Centre,
) -> None:
    """Found as a message that ended UNDELIVERABLE by the late receipt of another one, whose id the carrier gave again."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    older = await centre.send(user, recipient=ELSEWHERE)
    newer = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.ACCEPTED, "42"))
    await centre.receipt(carrier, "42", Status.UNDELIVERABLE, recipient=ELSEWHERE, sender=POOL)
    assert await centre.status(older.id) == Status.UNDELIVERABLE
    assert await centre.status(newer.id) == Status.SENT


async def test_a_receipt_is_not_spent_on_a_final_message_to_another_handset(centre: Centre) -> None:
    """Found as a delivered message that stayed SENT: its receipt came before its id, which another one had had."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    await centre.send(user, recipient=ELSEWHERE)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.ACCEPTED, "42"))
    await centre.receipt(carrier, "42", recipient=ELSEWHERE, sender=POOL)
    centre.clock.pass_seconds(24 * 3600)
    sent = await centre.send(user)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.receipt(carrier, "42", recipient=HANDSET, sender=POOL)
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "42")])
    assert await centre.status(sent.id) == Status.DELIVERED


async def test_a_carrier_that_disguises_handsets_in_receipts_is_believed_by_its_ids(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.ACCEPTED, "42"))
    await centre.receipt(carrier, "42", recipient="6125558XXXX", sender=POOL)
    assert await centre.status(sent.id) == Status.DELIVERED


@pytest.mark.parametrize("order", [(Status.DELIVERED, Status.SENT), (Status.SENT, Status.DELIVERED)])
async def test_receipts_in_any_order_tell_an_unknown_outcome(
    centre: Centre, order: tuple[Status, Status]
) -> None:
    """Found as a delivered message that stayed SENT: of the receipts under one id the last one counted alone."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.UNKNOWN))
    for status in order:
        await centre.receipt(carrier, "net-1", status, recipient=HANDSET, sender=POOL)
    centre.clock.pass_seconds(60)
    assert (await centre.claim(carrier)).outgoing == []
    assert await centre.status(sent.id) == Status.DELIVERED
    assert await centre.sql("SELECT count(*) FROM receipt_unmatched") == [(0,)]


@pytest.mark.parametrize(
    ("receipts", "other", "again", "statuses"),
    [
        # The network has one of two and says so: it may be either, so both are tried again, marked.
        ([("a", POOL)], POOL, 2, [Status.SUBMITTED, Status.SUBMITTED]),
        ([("a", POOL), ("a", POOL)], POOL, 2, [Status.SUBMITTED, Status.SUBMITTED]),
        ([("a", POOL), ("b", POOL)], POOL, 0, [Status.DELIVERED, Status.DELIVERED]),
        # What the receipt says of our side tells which of two numbers' messages it was.
        ([("a", POOL)], OTHER, 1, [Status.DELIVERED, Status.SUBMITTED]),
        ([("a", None)], OTHER, 2, [Status.SUBMITTED, Status.SUBMITTED]),
    ],
)
async def test_receipts_that_may_be_of_any_of_several_messages_settle_none(
    centre: Centre, receipts: list[tuple[str, str]], other: str, again: int, statuses: list[Status]
) -> None:
    """Found as a message that never reached its network and was DELIVERED, while the one that had was sent twice."""
    user, carrier = await centre.account(), await centre.carrier()
    for number in (POOL, OTHER):
        await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", number, user.id)
    await centre.changed()
    sent = [(await centre.send(user, sender=number)).id for number in (POOL, other)]
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.UNKNOWN))
    for ref, sender in receipts:
        await centre.receipt(carrier, ref, recipient=HANDSET, sender=sender)
    centre.clock.pass_seconds(60)
    # One after the other, as where others' messages stand between them.
    outgoing = [one for _ in sent for _, one in (await centre.claim(carrier, most=1)).outgoing]
    assert [one.possible_duplicate for one in outgoing] == [True] * again
    assert [await centre.status(mt_id) for mt_id in sent] == statuses


async def test_the_messages_that_a_receipt_may_mean_are_looked_up_by_their_handset(
    centre: Centre, database_url: str
) -> None:
    await centre.sql(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        f"{many(database_url, 5000)} "
        "SELECT CAST(n AS TEXT), 1, 1, CAST(61200000000 + n AS TEXT), '61500079987', 'hi', 'gsm', 1, n, n FROM q"
    )
    assert "outbox_unanswered" in await plan(database_url, queries("outbox")["unanswered_to"])


@pytest.mark.parametrize(
    ("recipient", "sender", "ends"),
    [
        (ELSEWHERE, POOL, False),
        (HANDSET, POOL, True),
        ("0" + HANDSET[2:], POOL, True),
        (POOL, HANDSET, True),
        (None, None, True),
    ],
    ids=["another handset", "this one", "in national form", "addresses the other way round", "no addresses"],
)
async def test_a_kept_receipt_ends_a_message_under_its_id_unless_it_names_another_handset(
    centre: Centre, recipient: str, sender: str, ends: bool
) -> None:
    """Found as a message that ended UNDELIVERABLE by a receipt of two days before, when the carrier's id came again."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    await centre.receipt(carrier, "42", Status.UNDELIVERABLE, recipient=recipient, sender=sender)
    centre.clock.pass_seconds(48 * 3600)
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.ACCEPTED, "42"))
    assert await centre.status(sent.id) == (Status.UNDELIVERABLE if ends else Status.SENT)
