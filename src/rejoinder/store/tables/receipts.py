"""Carriers' message ids, and receipts that wait for theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import KeptReceipt, KnownRef
from rejoinder.message.model import Receipt
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("receipts")


class ReceiptTables:
    """See flow/ports `Receipts`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock_carriers(self, carrier_ids: Collection[int]) -> None:
        await self._session.lock_names([f"receipts of carrier {i}" for i in sorted(set(carrier_ids))])

    async def by_ref(self, carrier_id: int, keys: Collection[str]) -> list[KnownRef]:
        rows = await self._session.bulk(_SQL["parts_by_ref"], [(key,) for key in keys], carrier_id)
        return [KnownRef(*row) for row in rows]

    async def keep(self, rows: Sequence[tuple[Receipt, str]]) -> None:
        await self._session.bulk(
            _SQL["keep_unmatched"],
            [(r.carrier_id, r.ref, key, r.status, r.recipient, r.sender, r.received_at) for r, key in rows],
        )

    async def kept(self, carrier_id: int, keys: Collection[str]) -> list[KeptReceipt]:
        rows = await self._session.bulk(_SQL["unmatched_by_ref"], [(key,) for key in keys], carrier_id)
        return [KeptReceipt(*row) for row in rows]

    async def kept_to(self, carrier_id: int, recipient: str, since: int) -> list[KeptReceipt]:
        rows = await self._session.rows(_SQL["unmatched_to"], carrier_id, recipient, since)
        return [KeptReceipt(*row) for row in rows]

    async def drop(self, ids: Collection[int]) -> None:
        await self._session.bulk(_SQL["delete_unmatched"], [(i,) for i in ids])

    async def forget(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_unmatched"], before, most))
