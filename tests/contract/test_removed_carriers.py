"""What waits for a carrier that was removed: found once a second, without a look at what waits for the others."""

from __future__ import annotations

import re

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
