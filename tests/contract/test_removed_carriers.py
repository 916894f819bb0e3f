"""What waits for a carrier that was removed: found once a second, without a look at what waits for the others."""

from __future__ import annotations

import re

import pytest

from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from rejoinder.store.dialect import queries
from tests.centre import Centre


async def test_messages_of_several_removed_carriers_are_found_one_carrier_after_the_other(
    centre: Centre,
) -> None:
    user = await centre.account()
    gone = [await centre.carrier(f"gone{prefix}", prefix) for prefix in ("61", "64")]
    await centre.pool("61500079987")
    lost = [await centre.send(user), await centre.send(user, recipient="64255588885")]
    # What the first is just being given stays with it until its lease is over, and hides nothing of the second.
    await centre.claim(gone[0])
    await centre.sql("DELETE FROM route")
    await centre.sql("UPDATE carrier SET removed = TRUE")
    await centre.changed()
    await centre.upkeep.end_messages()
    assert [await centre.status(one.id) for one in lost] == [Status.SUBMITTED, Status.NO_ROUTE]


async def remove(centre: Centre, carrier_id: int) -> None:
    await centre.sql("DELETE FROM route WHERE carrier_id = $1", carrier_id)
    await centre.sql("UPDATE carrier SET removed = TRUE WHERE id = $1", carrier_id)
    await centre.changed()
    await centre.upkeep.end_messages()


async def test_what_is_still_untouched_goes_to_the_next_carrier(centre: Centre) -> None:
    user = await centre.account()
    first, second = await centre.carrier("first", "", 0), await centre.carrier("second", "", 1)
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 200)
    ((claim, _),) = (await centre.claim(first)).outgoing
    await centre.answer(claim, [Outcome(1, Fate.UNSENT), Outcome(2, Fate.UNSENT)])
    await remove(centre, first)
    assert [(one.id, one.numbers) for _, one in (await centre.claim(second)).outgoing] == [(sent.id, (1, 2))]


@pytest.mark.parametrize("ref", ["id1", None])
async def test_a_message_of_which_a_carrier_took_a_part_never_goes_to_another(
    centre: Centre, ref: str | None
) -> None:
    user = await centre.account()
    first, second = await centre.carrier("first", "", 0), await centre.carrier("second", "", 1)
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 200)
    ((claim, _),) = (await centre.claim(first)).outgoing
    # Some carriers take a part and give it no id.
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, ref), Outcome(2, Fate.THROTTLED)])
    await remove(centre, first)
    assert (await centre.claim(second)).outgoing == []
    assert await centre.status(sent.id) == Status.UNDELIVERABLE


async def test_a_message_of_which_a_part_was_delivered_is_not_refunded_without_another_carrier(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    before = await centre.balance(user)
    sent = await centre.send(user, "x" * 200)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "id1"), Outcome(2, Fate.THROTTLED)])
    await centre.receipt(carrier, "id1", Status.DELIVERED)
    await remove(centre, carrier)
    assert (await centre.status(sent.id), before - await centre.balance(user)) == (Status.UNDELIVERABLE, 2000)


async def test_a_long_queue_is_not_searched_for_messages_of_removed_carriers(
    centre: Centre, database_url: str
) -> None:
    await centre.account()
    await centre.carrier("busy", "61")
    gone = await centre.carrier("gone", "64")
    sqlite = database_url.startswith("sqlite")
    numbers = (
        "WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 20000)"
        if sqlite
        else "WITH q AS (SELECT generate_series(1, 20000) AS n)"
    )
    await centre.sql(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        f"{numbers} SELECT CAST(n AS TEXT), 1, 1, '61400000000', '61500079987', 'hi', 'gsm', 1, n, n FROM q"
    )
    await centre.sql("UPDATE carrier SET removed = TRUE WHERE id = $1", gone)
    await centre.sql("ANALYZE")
    strays = queries("outbox")["strays"]
    if sqlite:
        rows = await centre.sql(f"EXPLAIN QUERY PLAN {strays.sqlite}", 0, 100)
    else:
        rows = await centre.sql(f"EXPLAIN {strays.postgres.replace('$1', '0').replace('$2', '100')}")
    plan = [str(row[-1]) for row in rows]
    text = "\n".join(plan)
    # One carrier's part of an index, twice: to see whether there is anything, and to read it.
    assert len(re.findall(r"carrier_id = |carrier_id=\?", text)) == 2, plan
    assert not re.search(r"SCAN (outbox|o)\b|Seq Scan on outbox", text), plan
