"""What must hold of the money in a store, looked at from outside: the faults found, in words."""

from __future__ import annotations

from collections.abc import Collection

from rejoinder.flow import ledger
from rejoinder.message.status import Status
from tests.centre import Centre


async def faults(centre: Centre, answered: Collection[str] = ()) -> list[str]:
    """All of it. `answered`: ids of messages that were answered 10."""
    return [
        *await balances(centre),
        *await _sums(centre),
        *await _charges(centre),
        *await _answered(centre, answered),
    ]


async def balances(centre: Centre) -> list[str]:
    """Every balance is what the ledger sums to, and none that must not be is below 0; while others write, too."""
    report = await ledger.check(centre.store.read)
    below = await centre.sql("SELECT id FROM credit_account WHERE billing = 'pre_paid' AND balance < 0")
    return [
        *(
            f"account {account}: kept {kept}, ledger {summed}"
            for account, _, kept, summed in report.differences
        ),
        *(f"message {mt_id}: wrongly charged" for mt_id in report.overcharged),
        *(f"account {account}: below 0" for (account,) in below),
    ]


async def _sums(centre: Centre) -> list[str]:
    """What resellers and customers have, what was used, and what the operator gave come to nothing."""
    ((kept, used, given),) = await centre.sql(
        "SELECT CAST((SELECT coalesce(sum(balance), 0) FROM credit_account WHERE id > 2) AS bigint),"
        " CAST((SELECT coalesce(sum(CASE WHEN payee_id = 2 THEN amount ELSE -amount END), 0) FROM ledger_entry"
        " WHERE payee_id = 2 OR payer_id = 2) AS bigint),"
        " CAST((SELECT coalesce(sum(CASE WHEN payer_id = 1 THEN amount ELSE -amount END), 0) FROM ledger_entry"
        " WHERE payee_id = 1 OR payer_id = 1) AS bigint)"
    )
    assert isinstance(kept, int)
    assert isinstance(used, int)
    assert isinstance(given, int)
    return [] if kept + used - given == 0 else [f"kept {kept}, used {used}, given {given}"]


async def _charges(centre: Centre) -> list[str]:
    """Each message was charged once, its whole price; refunded once where all refused it, else never."""
    rows = await centre.sql(
        "SELECT coalesce(m.id, e.message_id), m.id IS NULL, m.status, m.charge, "
        "sum(CASE WHEN e.reason = 'charge' THEN 1 ELSE 0 END), "
        "sum(CASE WHEN e.reason = 'charge' THEN e.amount ELSE 0 END), "
        "sum(CASE WHEN e.reason = 'refund' THEN 1 ELSE 0 END), "
        "sum(CASE WHEN e.reason = 'refund' THEN e.amount ELSE 0 END) "
        "FROM mt m FULL JOIN (SELECT * FROM ledger_entry WHERE message_id IS NOT NULL) e ON e.message_id = m.id "
        "GROUP BY coalesce(m.id, e.message_id), m.id, m.status, m.charge"
    )
    found = []
    for mt_id, astray, status, charge, charges, charged, refunds, refunded in rows:
        right = (1, 1, charge) if status == Status.REJECTED else (1, 0, 0)
        if astray or charged != charge or (charges, refunds, refunded) != right:
            found.append(f"message {mt_id} ({status}): charged {charges} times, refunded {refunds} times")
    return found


async def _answered(centre: Centre, answered: Collection[str]) -> list[str]:
    there = {mt_id for (mt_id,) in await centre.sql("SELECT id FROM mt")}
    return [f"message {mt_id}: answered 10 and gone" for mt_id in answered if mt_id not in there]
