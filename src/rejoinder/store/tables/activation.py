"""Activation codes, hashed, with their tries (contract §9)."""

from __future__ import annotations

from rejoinder.flow.ports import ActivationCode
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("activation")


class ActivationTables:
    """See flow/ports `Activations`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def hold(self, user_id: int) -> None:
        await self._session.rows(_SQL["hold_user"], user_id)

    async def count(self, user_id: int, since: int) -> int:
        ((found,),) = await self._session.rows(_SQL["count_codes"], user_id, since)
        return int(found)

    async def add(self, user_id: int, code_hash: str, at: int, expires_at: int) -> int:
        ((code_id,),) = await self._session.rows(_SQL["insert_code"], user_id, code_hash, at, expires_at)
        return int(code_id)

    async def remove(self, code_id: int) -> None:
        await self._session.rows(_SQL["delete_code"], code_id)

    async def forget(self, user_id: int, before: int) -> None:
        await self._session.rows(_SQL["delete_codes"], user_id, before)

    async def newest(self, user_id: int) -> ActivationCode | None:
        rows = await self._session.rows(_SQL["newest_code"], user_id)
        return ActivationCode(*rows[0]) if rows else None

    async def count_try(self, code_id: int, most: int) -> bool:
        return bool(await self._session.rows(_SQL["count_try"], code_id, most))
