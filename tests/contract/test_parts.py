"""A message's parts at its carrier: which go again, and which no more; on both stores."""

from __future__ import annotations

import pytest

from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from tests.centre import Centre

POOL = "61500079987"


@pytest.mark.parametrize("on_unknown", ["resend", "fail"])
@pytest.mark.parametrize("fate", [Fate.UNKNOWN, Fate.LATER])
async def test_what_a_receipt_tells_to_be_on_its_way_is_not_handed_over_again(
    centre: Centre, fate: Fate, on_unknown: str
) -> None:
    """Found as a message that an HTTP carrier without ids of its own had named in a receipt, and got a second time."""
    user, carrier = await centre.account(), await centre.carrier(on_unknown=on_unknown)
    await centre.pool(POOL)
    sent = await centre.send(user)
    ((claim, _),) = (await centre.claim(carrier, whole=True)).outgoing
    await centre.answer(claim, [Outcome(0, fate)])
    await centre.receipt(carrier, sent.id, Status.SENT)
    centre.clock.pass_seconds(90)
    assert (await centre.claim(carrier, whole=True)).outgoing == []
    assert await centre.sql("SELECT count(*) FROM outbox") == [(0,)]
    assert await centre.status(sent.id) == Status.SENT
    await centre.receipt(carrier, sent.id)
    assert await centre.status(sent.id) == Status.DELIVERED


@pytest.mark.parametrize("before", [False, True], ids=["parts, then whole", "whole, then parts"])
@pytest.mark.parametrize("fate", [Fate.UNSENT, Fate.UNKNOWN])
async def test_a_carrier_set_to_take_long_texts_otherwise_answers_for_all_of_a_message(
    centre: Centre, fate: Fate, before: bool
) -> None:
    """Found as messages that were delivered and stayed SUBMITTED: `long` was set while their carrier's link was down."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    sent = await centre.send(user, "x" * 200)
    ((claim, outgoing),) = (await centre.claim(carrier, whole=before)).outgoing
    await centre.answer(claim, [Outcome(number, fate) for number in outgoing.numbers])
    centre.clock.pass_seconds(60)
    ((claim, outgoing),) = (await centre.claim(carrier, whole=not before)).outgoing
    assert outgoing.numbers == ((1, 2) if before else (0,))
    await centre.answer(claim, [Outcome(number, Fate.ACCEPTED, f"r{number}") for number in outgoing.numbers])
    for number in outgoing.numbers:
        await centre.receipt(carrier, f"r{number}")
    assert await centre.status(sent.id) == Status.DELIVERED


async def test_a_message_of_which_a_part_was_taken_goes_on_in_parts(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    await centre.send(user, "x" * 200)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "r1"), Outcome(2, Fate.UNSENT)])
    ((_, outgoing),) = (await centre.claim(carrier, whole=True)).outgoing
    assert outgoing.numbers == (2,)


@pytest.mark.parametrize("passing", [Fate.THROTTLED, Fate.LATER, Fate.UNSENT])
async def test_a_message_refused_part_by_part_goes_to_the_next_carrier_and_is_refunded_after_the_last(
    centre: Centre, passing: Fate
) -> None:
    """Found as a message that no carrier had anything of and that was REJECTED, charged, and never tried elsewhere."""
    user = await centre.account()
    first, second = await centre.carrier("first", "", 0), await centre.carrier("second", "", 1)
    await centre.pool(POOL)
    sent = await centre.send(user, "x" * 200)
    for carrier in (first, second):
        ((claim, _),) = (await centre.claim(carrier)).outgoing
        await centre.answer(claim, [Outcome(1, passing), Outcome(2, Fate.REFUSED)])
        centre.clock.pass_seconds(10)
        ((claim, outgoing),) = (await centre.claim(carrier)).outgoing
        assert outgoing.numbers == (1, 2)
        await centre.answer(claim, [Outcome(number, Fate.REFUSED) for number in outgoing.numbers])
    assert await centre.status(sent.id) == Status.REJECTED
    assert await centre.balance(user) == 1_000_000
