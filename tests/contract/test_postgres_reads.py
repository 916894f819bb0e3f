"""Reads on PostgreSQL keep their connections; those that its server ended are replaced."""

from __future__ import annotations

import asyncio

from rejoinder.clock import ManualClock
from rejoinder.store import open_store
from tests.postgres_server import PostgresServer


async def test_reads_go_on_after_the_server_ended_every_connection(
    postgres: PostgresServer, postgres_url: str
) -> None:
    store = await open_store(postgres_url, ManualClock())
    try:
        for _ in range(3):
            # Several at once, so that several connections are kept.
            await asyncio.gather(*(store.read.directory.version() for _ in range(8)))
            kept = list(store._reads._idle)  # type: ignore[attr-defined]  # tests look inside
            assert kept
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()",
                database=postgres_url.partition("@/")[2].partition("?")[0],
            )
            async with asyncio.timeout(10):
                # The pool has seen the end of each and taken it back.
                while any(connection._con is not None for connection in kept):  # noqa: ASYNC110  # the pool's own
                    await asyncio.sleep(0.01)
            await asyncio.gather(*(store.read.directory.version() for _ in range(8)))
    finally:
        await store.close()
