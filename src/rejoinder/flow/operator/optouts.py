"""Opt-outs as the operator sees, notes and lifts them: those of one customer, by handset.

Refuses (Refused) to note one that stands and to lift one that doesn't. Keeps no number in a sentence.
"""

from __future__ import annotations

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.operator import lookup
from rejoinder.flow.ports import OptOut, Tables, Tx

_PAGE = 1000


async def listed(tables: Tables, customer: str, history: bool) -> list[OptOut]:
    """A customer's opt-outs, the oldest first; those that were lifted too for `history`. Raises NotFound."""
    owner = await lookup.one(tables, "customer", customer)
    found: list[OptOut] = []
    after = 0
    while page := await tables.opt_outs.listed(owner["id"], after, _PAGE, history):
        found += [one for _, one in page]
        after = page[-1][0]
    return found


async def add(tx: Tx, customer: str, handset: str, now: int) -> None:
    """The handset gets nothing more from the customer; `now` in microseconds. Raises NotFound, Refused."""
    owner = await lookup.one(tx, "customer", customer)
    if not await tx.opt_outs.begin([OptOut(owner["id"], handset, now)]):
        raise Refused(f"this handset has opted out of customer {owner['name']!r} already", "handset")


async def remove(tx: Tx, customer: str, handset: str, now: int) -> None:
    """The handset gets the customer's messages again; the opt-out stays as history. Raises NotFound."""
    owner = await lookup.one(tx, "customer", customer)
    if not await tx.opt_outs.lift([OptOut(owner["id"], handset, now)]):
        raise NotFound(f"this handset has not opted out of customer {owner['name']!r}", "handset")
