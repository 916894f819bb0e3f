"""An account's statement: what it had, every movement with the balance after it, what it has.

Read page by page, so that a million movements cost no memory. Refuses nothing: a period without movements has none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from rejoinder.flow.ports import Movement, Tables

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """Microseconds UTC: from `begin`, up to but without `end`."""

    begin: int
    end: int


async def lines(
    tables: Tables, account_id: int, period: Period, opening: int
) -> AsyncIterator[tuple[Movement, int]]:
    """Each movement of the period in order of time, and the balance after it. `opening`: that at its begin."""
    balance, after = opening, (period.begin, 0)
    while page := await tables.credits.movements(account_id, after, period.end, PAGE):
        for movement in page:
            balance += movement.amount
            yield movement, balance
        after = (page[-1].at, page[-1].id)
