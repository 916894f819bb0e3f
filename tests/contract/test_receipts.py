"""Which message a receipt means, and which it must leave alone; on both stores."""

from __future__ import annotations

import pytest

from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from tests.centre import HANDSET, Centre

POOL = "61500079987"


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
    ("recipient", "sender", "ends"),
    [
        ("61299999999", POOL, False),
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
