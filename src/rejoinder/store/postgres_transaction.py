"""A transaction's statements on PostgreSQL, of which those that give nothing back go together.

A write waits until a statement comes that may see what it did, or until the commit: one round trip for seven tables
where each had its own. Refuses to part what depends: a statement that names a table
which a waiting write changes sends all that wait before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from rejoinder.store.dialect import Statement
from rejoinder.store.postgres_session import PostgresSession, columns_of
from rejoinder.store.session import Row

_PARAMETER = re.compile(r"\$(\d+)")


class PostgresTransaction(PostgresSession):
    """Statements on one connection inside a transaction; `flush` comes before its commit."""

    __slots__ = ("_changed", "_values", "_waiting")

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._waiting: list[Statement] = []
        self._values: list[object] = []
        self._changed: set[str] = set()

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        if statement.writes:
            await self._later(statement, values)
            return ()
        await self._before(statement)
        return await super().rows(statement, *values)

    async def bulk(
        self, statement: Statement, rows: Sequence[Sequence[object]], *values: object
    ) -> Sequence[Row]:
        if not rows:
            return ()
        if statement.writes:
            await self._later(statement, (*columns_of(rows), *values))
            return ()
        await self._before(statement)
        return await super().bulk(statement, rows, *values)

    async def raw(self, text: str, *values: object) -> Sequence[Row]:
        await self.flush()
        return await super().raw(text, *values)

    async def flush(self) -> None:
        """Sends what waits."""
        if not self._waiting:
            return
        text, values = together(tuple(self._waiting)), self._values
        self._waiting, self._values = [], []
        self._changed.clear()
        await self._connection.fetch(text, *values)

    async def _before(self, statement: Statement) -> None:
        if not self._changed.isdisjoint(statement.words):
            await self.flush()

    async def _later(self, statement: Statement, values: Sequence[object]) -> None:
        await self._before(statement)
        self._waiting.append(statement)
        self._values += values
        self._changed.add(statement.writes)


@cache
def together(statements: tuple[Statement, ...]) -> str:
    """One text for writes of different tables; none of them sees what another one does.

    PostgreSQL carries each out exactly once, named or not (its manual, 7.8.4).
    """
    if len(statements) == 1:
        return statements[0].postgres
    parts, first = [], 0
    for place, one in enumerate(statements):
        shifted = _PARAMETER.sub(lambda found, by=first: f"${int(found[1]) + by}", one.postgres)  # type: ignore[misc]  # the default binds the loop's value
        parts.append(f"w{place} AS ({shifted})")
        first += one.columns + len(one.values)
    return f"WITH {', '.join(parts)} SELECT 1"  # of texts from our own query files
