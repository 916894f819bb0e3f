"""Statements on one PostgreSQL connection inside a transaction, and which errors mean that the database is away.

Refuses nothing: what goes wrong is asyncpg's to say and the store's to name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from rejoinder.store.dialect import Statement
from rejoinder.store.session import Row

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # still a standby
    asyncpg.TargetServerAttributeNotMatched,  # none of them takes writes
    OSError,
    TimeoutError,
)


class PostgresSession:
    """Statements on one connection inside a transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        return await self._connection.fetch(statement.postgres, *values)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def bulk(
        self, statement: Statement, rows: Sequence[Sequence[object]], *values: object
    ) -> Sequence[Row]:
        if not rows:
            return ()
        return await self._connection.fetch(statement.postgres, *columns_of(rows), *values)  # type: ignore[no-any-return]  # as above

    async def lock_names(self, names: Sequence[str]) -> None:
        if names:
            # hashtextextended: two names with one hash only wait for each other needlessly.
            await self._connection.fetch(
                "SELECT pg_advisory_xact_lock(h) FROM "
                "(SELECT DISTINCT hashtextextended(n, 0) AS h FROM unnest($1::text[]) AS n ORDER BY 1) AS s",
                list(names),
            )

    async def raw(self, text: str, *values: object) -> Sequence[Row]:
        return await self._connection.fetch(text, *values)  # type: ignore[no-any-return]  # as above


def columns_of(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Rows as the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)]
