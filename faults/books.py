"""What the server has on disk, read beside it once its own calls can't tell. Refuses to write."""

from __future__ import annotations

import asyncio
from typing import Any

import apsw
import asyncpg


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query that both engines understand."""
    if database.startswith("sqlite:"):
        connection = apsw.Connection(database.removeprefix("sqlite://"), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5_000)
        try:
            return [tuple(row) for row in connection.execute(query)]
        finally:
            connection.close()
    return asyncio.run(_fetched(database, query))


async def _fetched(database: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
