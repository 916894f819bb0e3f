"""Rates on both stores: what is charged, shown and refunded (contract §12)."""

from __future__ import annotations

import pytest

from rejoinder.errors import NotFound, Refused
from rejoinder.flow import ledger
from rejoinder.flow.operator import rates
from rejoinder.flow.operator.accounts import changing
from rejoinder.flow.operator.rates import Rate
from rejoinder.flow.ports import UserRow
from rejoinder.flow.request import MessageRefused
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from tests.centre import HANDSET, START, Centre

POOL = ("61500079987", "61500079988")
TABLE = [Rate("61", 75), Rate("6125", 80), Rate("", 2000), Rate("62", 0)]


async def opened(centre: Centre, funds: int = 1_000_000) -> tuple[UserRow, int]:
    user, carrier = await centre.account(funds=funds), await centre.carrier()
    await centre.pool(*POOL)
    await put(centre, TABLE)
    return user, carrier


async def put(centre: Centre, table: list[Rate], replace: bool = False) -> int:
    gone = await changing(centre.store, lambda tx: rates.replace_rates(tx, "acme", table, replace))
    await centre.setup.refresh()
    return gone


async def charge(centre: Centre, mt_id: str) -> object:
    ((found,),) = await centre.sql("SELECT charge FROM mt WHERE id = $1", mt_id)
    return found


@pytest.mark.parametrize(
    ("recipient", "text", "price"),
    [
        ("61255588885", "x", 80),
        ("61255588885", "x" * 400, 240),
        ("61455588885", "x", 75),
        ("49151234567", "x", 2000),
        ("62255588885", "x", 0),
    ],
)
async def test_a_part_costs_what_the_longest_prefix_says(
    centre: Centre, recipient: str, text: str, price: int
) -> None:
    user, _ = await opened(centre)
    sent = await centre.send(user, text, recipient)
    assert await charge(centre, sent.id) == price
    assert await centre.balance(user) == 1_000_000 - price
    assert (await ledger.check(centre.store.read)).right


async def test_another_resellers_rates_are_not_used(centre: Centre) -> None:
    user, _ = await opened(centre)
    account = await centre.store.write(lambda tx: tx.credits.open("reseller", "post_paid"))
    await centre.sql(
        "INSERT INTO reseller (name, password_hash, credit_account_id, default_customer_billing, created_at) "
        "VALUES ('other', '-', $1, 'pre_paid', 0)",
        account,
    )
    await changing(
        centre.store, lambda tx: rates.replace_rates(tx, "other", [Rate("6125558", 9)], replace=True)
    )
    await centre.setup.refresh()
    assert await charge(centre, (await centre.send(user)).id) == 80


async def test_messages_of_one_batch_have_their_own_prices_and_the_balance_never_falls_below_0(
    centre: Centre,
) -> None:
    user, _ = await opened(centre, funds=2_160)
    outcomes = []
    for recipient in ("49151234567", "61255588885", "61255588886", "61255588887", "62255588885"):
        try:
            await centre.send(user, recipient=recipient)
            outcomes.append(10)
        except MessageRefused as refused:
            outcomes.append(refused.code)
    assert outcomes == [10, 10, 10, -210, 10]
    assert await centre.balance(user) == 0


async def test_refused_by_every_carrier_the_price_paid_is_refunded_once_whatever_it_is_now(
    centre: Centre,
) -> None:
    user, carrier = await opened(centre)
    sent = await centre.send(user, "x" * 400)
    await put(centre, [Rate("61", 1)], replace=True)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.REFUSED))
    assert await centre.status(sent.id) == Status.REJECTED
    assert await centre.balance(user) == 1_000_000
    assert (await ledger.check(centre.store.read)).right


async def test_routes_gone_later_refund_the_price(centre: Centre) -> None:
    user, carrier = await opened(centre)
    sent = await centre.send(user)
    await centre.sql("DELETE FROM route")
    await centre.sql("UPDATE carrier SET removed = TRUE WHERE id = $1", carrier)
    await centre.changed()
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.NO_ROUTE
    assert await centre.balance(user) == 1_000_000


async def test_a_scheduled_message_costs_what_it_cost_when_it_was_accepted(centre: Centre) -> None:
    user, _ = await opened(centre)
    sent = await centre.send(user, schedule_at=str(START + 60))
    await put(centre, [], replace=True)
    centre.clock.pass_seconds(60)
    await centre.releases.step()
    assert await centre.balance(user) == 1_000_000 - 80
    await centre.cancellations.cancel(user, sent.id)
    assert await centre.balance(user) == 1_000_000


async def test_without_rates_nobody_reads_them(centre: Centre) -> None:
    await centre.account()
    assert not centre.setup.rated
    await put(centre, TABLE)
    assert centre.setup.rated
    assert await put(centre, [], replace=True) == 4
    assert not centre.setup.rated


async def test_rates_are_listed_removed_and_looked_up(centre: Centre) -> None:
    await opened(centre)
    found = [one async for one in rates.each_rate(centre.store.read, "acme")]
    assert found == sorted(TABLE, key=lambda one: one.prefix)
    assert [one.prefix async for one in rates.each_rate(centre.store.read, "acme", "61")] == ["61", "6125"]
    assert await rates.rate_of(centre.store.read, "acme", HANDSET) == ("6125", 80)
    assert await changing(centre.store, lambda tx: rates.remove_rates(tx, "acme", {"6125", ""})) == 2
    assert await rates.rate_of(centre.store.read, "acme", HANDSET) == ("61", 75)
    with pytest.raises(Refused):
        await changing(centre.store, lambda tx: rates.remove_rates(tx, "acme", {"61", "7"}))
    assert await rates.rate_of(centre.store.read, "acme", HANDSET) == ("61", 75)
    with pytest.raises(NotFound):
        await changing(centre.store, lambda tx: rates.remove_rates(tx, "nobody", None))


async def test_a_large_table_is_put_in_whole_and_read_in_pages(centre: Centre) -> None:
    await opened(centre)
    large = [Rate(str(10_000 + n), n) for n in range(12_000)]
    steps: list[int] = []
    await changing(
        centre.store, lambda tx: rates.replace_rates(tx, "acme", large, replace=True, progress=steps.append)
    )
    assert steps == [5000, 5000, 2000]
    assert [one async for one in rates.each_rate(centre.store.read, "acme")] == large
