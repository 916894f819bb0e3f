"""What the tables need from an engine: run a statement, with or without rows handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from rejoinder.store.dialect import Statement

# Columns differ per statement; each table method gives its rows their types.
Row = Sequence[Any]


class Session(Protocol):
    """One connection's transaction, or committed reads."""

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]: ...

    async def bulk(
        self, statement: Statement, rows: Sequence[Sequence[object]], *values: object
    ) -> Sequence[Row]:
        """The same with `@rows`; without rows the statement is not run at all."""

    async def lock_names(self, names: Sequence[str]) -> None:
        """Holds these names (sorted by the caller) until the end of the transaction."""

    async def raw(self, text: str, *values: object) -> Sequence[Row]:
        """A statement that was built from a table of columns; values stand as $1, $2."""
