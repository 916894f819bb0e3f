"""Durable storage on SQLite or PostgreSQL: SQL and nothing else. One behaviour, two engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rejoinder.errors import ConfigInvalid

if TYPE_CHECKING:
    from rejoinder.clock import Clock
    from rejoinder.store.postgres import PostgresStore
    from rejoinder.store.sqlite import SqliteStore


async def open_store(url: str, clock: Clock, serving: bool = False) -> SqliteStore | PostgresStore:
    """Opens the database a URL names, made or migrated where that is due, and checks what it stands on.

    `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`. `serving` takes
    the file for this process alone as its server, or hears what other nodes store. Raises ConfigInvalid for another URL,
    StoreUnsuitable for a database that cannot keep the promises, StoreUnavailable when it is away.
    """
    if url.startswith("sqlite:///"):
        # Imported late: a command on one engine does not pay for the other.
        from rejoinder.store.sqlite import SqliteStore

        return SqliteStore.open(url.removeprefix("sqlite:///"), clock, serving)
    if url.startswith(("postgresql://", "postgres://")):
        from rejoinder.store.postgres import PostgresStore

        return await PostgresStore.open(url, clock, serving)
    raise ConfigInvalid(
        "the database must be sqlite:///path/file.db or postgresql://user@host/name", "database"
    )
