"""Parts of customers' long messages that are in no mailbox yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import JoiningPart, LongMessage, QueuedPush
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("joining")


class JoiningTables:
    """See flow/ports `Joining`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def kept(self, messages: Collection[LongMessage]) -> list[JoiningPart]:
        rows = await self._session.bulk(_SQL["read_joining"], sorted(set(messages)))
        return [JoiningPart(LongMessage(*row[:5]), *row[5:]) for row in rows]

    async def waiting(self, pushes: Sequence[QueuedPush]) -> dict[str, tuple[str, str]]:
        keys = {(push.user_id, push.handset, push.message_id) for push in pushes}
        return {
            row[0]: (row[1], row[2]) for row in await self._session.bulk(_SQL["read_waiting"], sorted(keys))
        }

    async def keep(self, parts: Sequence[JoiningPart]) -> None:
        await self._session.bulk(
            _SQL["keep_joining"],
            [
                (*p.message, p.number, p.mt_id, p.sender, p.alphabet, p.octets, p.arrived_at)
                for p in sorted(parts, key=lambda p: (p.message, p.number))
            ],
        )

    async def drop(self, messages: Collection[LongMessage]) -> None:
        await self._session.bulk(_SQL["drop_joining"], sorted(set(messages)))

    async def stale(self, before: int, most: int) -> list[LongMessage]:
        return [LongMessage(*row) for row in await self._session.rows(_SQL["stale_joining"], before, most)]

    async def bring_forward(self, ahead: int, now: int, most: int) -> int:
        return len(await self._session.rows(_SQL["bring_joining_forward"], now, ahead, most))

    async def place(self, rows: Sequence[tuple[str, str, int]]) -> None:
        await self._session.bulk(_SQL["place_mts"], rows)
