"""Messages that are accepted and wait for their time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import Held, Repriced
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("scheduled")


class ScheduledTables:
    """See flow/ports `Scheduled`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def hold(self, rows: Sequence[Held]) -> None:
        await self._session.bulk(_SQL["hold"], [(h.mt_id, h.user_id, h.release_at, h.draft) for h in rows])

    async def due(self, now: int, most: int) -> list[Held]:
        return [Held(*row) for row in await self._session.rows(_SQL["due"], now, most)]

    async def next(self) -> int | None:
        ((release_at,),) = await self._session.rows(_SQL["next_release"])
        return None if release_at is None else int(release_at)

    async def of(self, mt_ids: Collection[str]) -> dict[str, Held]:
        rows = await self._session.bulk(_SQL["read_held"], [(i,) for i in mt_ids])
        return {row[0]: Held(*row) for row in rows}

    async def change(self, rows: Sequence[Held]) -> None:
        await self._session.bulk(_SQL["change_held"], [(h.mt_id, h.release_at, h.draft) for h in rows])

    async def reprice(self, mt_id: str, draft: Repriced) -> None:
        await self._session.rows(
            _SQL["reprice_mt"], draft.parts, draft.charge, draft.receipts, draft.release_at, mt_id
        )

    async def drop(self, mt_ids: Collection[str]) -> None:
        await self._session.bulk(_SQL["drop_held"], [(i,) for i in mt_ids])

    async def released(self, rows: Sequence[tuple[str, str, int]]) -> None:
        await self._session.bulk(_SQL["release_mts"], rows)
