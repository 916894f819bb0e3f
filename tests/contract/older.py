"""Databases as an older version left them."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import asyncpg

from rejoinder.store.migrate import TABLE, migrations, statements

NOTED = "INSERT INTO migration VALUES ($1, $2)"


async def database_before(version: int, url: str, rows: Sequence[tuple[str, Sequence[object]]]) -> None:
    """A database without this version's migration, with these rows in it: statements (marks $1, $2) and their values."""
    if url.startswith("sqlite"):
        file = apsw.Connection(url.removeprefix("sqlite:///"))
        file.execute(TABLE)
        for step in [step for step in migrations("sqlite") if step.version < version]:
            for statement in statements(step.sql):
                file.execute(statement)
            file.execute(NOTED.replace("$", "?"), (step.version, step.name))
        for text, values in rows:
            file.execute(text.replace("$", "?"), values)  # type: ignore[arg-type]  # a test's values
        file.close()
        return
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    for step in [step for step in migrations("postgres") if step.version < version]:
        await connection.execute(step.sql)
        await connection.execute(NOTED, step.version, step.name)
    for text, values in rows:
        await connection.execute(text, *values)
    await connection.close()
