"""Which handsets want nothing more from which customers, and how that came."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import OptOut
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("opt_outs")


class OptOutTables:
    """See flow/ports `OptOuts`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def any_standing(self) -> bool:
        return bool(await self._session.rows(_SQL["any_standing"]))

    async def standing(self, keys: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        rows = await self._session.bulk(_SQL["read_standing"], list(set(keys)))
        return {(customer_id, handset) for customer_id, handset in rows}

    async def begin(self, rows: Sequence[OptOut]) -> int:
        values = [(one.customer_id, one.handset, one.since, one.number, one.mo_id, one.word) for one in rows]
        return len(await self._session.bulk(_SQL["begin"], values))

    async def lift(self, rows: Sequence[OptOut]) -> int:
        values = [(one.customer_id, one.handset, one.since, one.mo_id, one.word) for one in rows]
        return len(await self._session.bulk(_SQL["lift"], values))

    async def listed(
        self, customer_id: int, after: int, most: int, history: bool
    ) -> list[tuple[int, OptOut]]:
        rows = await self._session.rows(_SQL["list_opt_outs"], customer_id, after, int(history), most)
        return [(row[0], OptOut(*row[1:])) for row in rows]
