"""Rate tables: what a part costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("rates")


class RateTables:
    """See flow/ports `Rates`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def any(self) -> bool:
        return bool(await self._session.rows(_SQL["any_rates"]))

    async def of(self, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
        rows = await self._session.bulk(_SQL["read_rates"], list(keys))
        return {(reseller, prefix): price for reseller, prefix, price in rows}

    async def page(self, reseller_id: int, start: str, most: int) -> list[tuple[str, int]]:
        rows = await self._session.rows(_SQL["page_rates"], reseller_id, start, most)
        return [(prefix, price) for prefix, price in rows]

    async def put(self, reseller_id: int, rows: Sequence[tuple[str, int]]) -> None:
        await self._session.bulk(_SQL["put_rates"], rows, reseller_id)

    async def drop(self, reseller_id: int, prefixes: Collection[str]) -> list[str]:
        rows = await self._session.bulk(_SQL["drop_rates"], [(one,) for one in prefixes], reseller_id)
        return sorted(row[0] for row in rows)

    async def clear(self, reseller_id: int) -> int:
        return len(await self._session.rows(_SQL["clear_rates"], reseller_id))
