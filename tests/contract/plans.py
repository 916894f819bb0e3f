"""How an engine means to read for a query, asked of a database that tests have filled."""

from __future__ import annotations

import apsw
import asyncpg

from rejoinder.store.dialect import Statement
from rejoinder.store.postgres import SESSION

MANY = {
    "sqlite": "WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < {n})",
    "postgresql": "WITH q AS (SELECT generate_series(1, {n}) AS n)",
}


def many(database_url: str, n: int) -> str:
    """A table q of the numbers from 1 to n, to fill tables from."""
    return MANY[database_url.partition(":")[0]].format(n=n)


async def plan(database_url: str, query: Statement, lasting: bool = False) -> str:
    """The plan's lines: on PostgreSQL with the statistics that it gathers by itself, on SQLite with none.

    `lasting`: that which PostgreSQL keeps for all values, after it has planned a few times for those that came.
    """
    blanks = len(query.values)
    if database_url.startswith("sqlite"):
        text, cells = (query.for_rows(2), 1 + 2 * query.columns) if query.columns else (query.sqlite, 0)
        file = apsw.Connection(database_url.removeprefix("sqlite:///"))
        rows = file.execute(f"EXPLAIN QUERY PLAN {text}", [None] * (blanks + cells)).fetchall()
        file.close()
        return "\n".join(str(row[-1]) for row in rows)
    server = await asyncpg.connect(database_url, server_settings=SESSION)
    try:
        await server.execute("ANALYZE")
        if lasting:
            await server.execute("SET plan_cache_mode = force_generic_plan")
        await server.execute(f"PREPARE asked AS {query.postgres}")
        asked = ", ".join(["NULL"] * (query.columns + blanks))
        rows = await server.fetch(f"EXPLAIN EXECUTE asked{f'({asked})' if asked else ''}")
        return "\n".join(row[0] for row in rows)
    finally:
        await server.close()
