"""Statements on one SQLite connection: in the writer's transaction, or reading what is committed.

Refuses to wait: the coroutines run to their end at once, so that a thread can drive them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import apsw
import msgspec

from rejoinder.errors import StoreUnavailable
from rejoinder.store.dialect import Statement
from rejoinder.store.session import Row

# Up to so many rows, which is a batch, are bound cell by cell: 2 µs for each instead of 6 (of mt). More go as one text.
BOUND = 128
_MARK = re.compile(r"\$(\d+)")
_encode = msgspec.json.encode


class SqliteSession:
    """Statements on one connection. Its coroutines never wait, so that a thread can drive them."""

    __slots__ = ("_execute",)

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    async def rows(self, statement: Statement, *values: Any) -> Sequence[Row]:
        return self._execute(statement.sqlite, values).fetchall()

    async def bulk(
        self, statement: Statement, rows: Sequence[Sequence[object]], *values: Any
    ) -> Sequence[Row]:
        if not rows:
            return ()
        many = len(rows)
        if many > BOUND:
            return self._execute(statement.sqlite, (*values, _encode(rows).decode())).fetchall()
        # A text for each number of rows would have to be kept prepared: there is one for each power of two.
        room = 1 << (many - 1).bit_length()
        spare = (room - many) * statement.columns
        cells = (*values, many, *chain.from_iterable(rows), *[None] * spare)
        return self._execute(statement.for_rows(room), cells).fetchall()

    async def lock_names(self, names: Sequence[str]) -> None:
        """Nothing to do: the one writer holds the whole store."""

    async def raw(self, text: str, *values: Any) -> Sequence[Row]:
        return self._execute(_MARK.sub(r"?\1", text), values).fetchall()


class CommittedReads(SqliteSession):
    """The same on the reading connection: outside transactions each statement sees what is committed."""

    __slots__ = ()

    async def rows(self, statement: Statement, *values: Any) -> Sequence[Row]:
        try:
            return self._execute(statement.sqlite, values).fetchall()
        except apsw.Error as error:
            raise wrapped(error) from error


def wrapped(error: apsw.Error) -> Exception:
    """A fault of the database in our words; a broken constraint is its caller's to understand."""
    if isinstance(error, apsw.ConstraintError):
        return error
    return StoreUnavailable(f"the database could not write ({type(error).__name__})")
