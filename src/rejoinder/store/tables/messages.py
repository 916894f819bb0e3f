"""MTs' statuses and what carriers have of them, part by part."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import MessageRecord, MtState, PartRecord, Progress, SubmittedPair
from rejoinder.message.model import PartRow
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("outbox")


class MessageTables:
    """See flow/ports `Messages`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock(self, ids: Collection[str]) -> list[MtState]:
        rows = await self._session.bulk(_SQL["lock_mts"], [(i,) for i in ids])
        return [MtState(*row) for row in rows]

    async def parts(self, ids: Collection[str]) -> list[PartRow]:
        return [PartRow(*row) for row in await self._session.bulk(_SQL["read_parts"], [(i,) for i in ids])]

    async def set_parts(self, rows: Sequence[PartRow]) -> None:
        await self._session.bulk(
            _SQL["set_parts"], [(p.mt_id, p.number, p.status, p.ref, p.ref_key) for p in rows]
        )

    async def drop_parts(self, ids: Collection[str]) -> None:
        await self._session.bulk(_SQL["delete_parts"], [(i,) for i in ids])

    async def set_statuses(self, rows: Sequence[tuple[str, int, int | None]]) -> None:
        await self._session.bulk(_SQL["set_statuses"], rows)

    async def set_senders(self, rows: Sequence[tuple[str, str]]) -> None:
        await self._session.bulk(_SQL["set_senders"], rows)

    async def reply_addresses(self, ids: Collection[str]) -> dict[str, str]:
        rows = await self._session.bulk(_SQL["reply_addresses"], [(i,) for i in ids])
        return {row[0]: row[1] for row in rows}

    async def mark_resent(self, ids: Collection[str]) -> None:
        await self._session.bulk(_SQL["mark_resent"], [(i,) for i in ids])

    async def status(self, mt_id: str) -> tuple[int, str, int] | None:
        rows = await self._session.rows(_SQL["read_status"], mt_id)
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    async def progress(self, mt_id: str) -> Progress | None:
        rows = await self._session.rows(_SQL["read_progress"], mt_id)
        return Progress(*rows[0]) if rows else None

    async def record(self, mt_id: str) -> tuple[MessageRecord, list[PartRecord]] | None:
        rows = await self._session.rows(_SQL["read_record"], mt_id)
        parts = await self._session.rows(_SQL["read_part_records"], mt_id)
        return (MessageRecord(*rows[0]), [PartRecord(*part) for part in parts]) if rows else None

    async def pending(self, user_id: int, pair: SubmittedPair, after: str, most: int) -> list[str]:
        values = (user_id, pair.recipient, pair.sender, pair.service_type, after, most)
        return [row[0] for row in await self._session.rows(_SQL["pending_of_pair"], *values)]

    async def payers(self, ids: Collection[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._session.bulk(_SQL["read_payers"], [(i,) for i in ids])}

    async def expired(self, now: int, most: int) -> list[str]:
        return [row[0] for row in await self._session.rows(_SQL["expired_mts"], now, most)]

    async def bring_forward(self, farthest: int, never: int, ends: int, most: int) -> int:
        return len(await self._session.rows(_SQL["bring_ends_forward"], ends, farthest, never, most))

    async def forget_finished(self, before: int, most: int) -> int:
        """Forgets messages, with their parts, whose final status came before a moment; says how many."""
        ids = list(await self._session.rows(_SQL["finished_mts"], before, most))
        await self._session.bulk(_SQL["delete_parts"], ids)
        await self._session.bulk(_SQL["delete_mts"], ids)
        return len(ids)
