"""The store on PostgreSQL: prepared statements over a few connections, each transaction on one of them.

Refuses a server that does not wait for its disk. READ COMMITTED throughout: locks and what is read under
them are separate statements (contract §3 rule 8).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from rejoinder.clock import Clock
from rejoinder.errors import StoreUnavailable, StoreUnsuitable, UnknownCommit
from rejoinder.flow.ports import Tx
from rejoinder.store import migrate
from rejoinder.store.news import News, Noting
from rejoinder.store.postgres_hosts import connect
from rejoinder.store.postgres_notices import Notices
from rejoinder.store.postgres_reads import READERS, CommittedReads, GatheredBoxes
from rejoinder.store.postgres_session import AWAY, PostgresSession
from rejoinder.store.postgres_transaction import PostgresTransaction
from rejoinder.store.tables import AllTables

T = TypeVar("T")

MINIMUM_VERSION = 140000
CONNECTIONS = 8 + READERS
# Statements of ours are good for any values: they are planned once, not at every call. All look up by key; planned
# while a table is small, or has no statistics yet, they would read it whole until its first ANALYZE.
SESSION = {
    "application_name": "rejoinder",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
# A transaction that met another one's lock order is run again; five in a row is a fault of ours.
TRIES = 5
# One migrating process at a time; the number is arbitrary but must never change.
_MIGRATION_LOCK = 7_304_116_508
# The control file names the new timeline only after the next checkpoint; the WAL file's name at once.
_TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"


class PostgresStore:
    """See flow/ports `Store`."""

    reads_at_once = False

    def __init__(self, pool: Any, url: str, warnings: list[str], serving: bool) -> None:
        self._pool = pool
        self._news = News()
        self._notices = Notices(url, self._news.tell_stored)
        if serving:
            self._notices.start()
        self.on_queued = self._news.on_queued
        self.on_stored = self._news.on_stored
        self.warnings = warnings
        self._reads = CommittedReads(pool)
        self.read = AllTables(self._reads)
        self.read.mailboxes = GatheredBoxes(self._reads)

    @classmethod
    async def open(cls, url: str, clock: Clock, serving: bool = False) -> PostgresStore:
        """Connects, migrates and checks. Raises StoreUnavailable or StoreUnsuitable with a sentence."""
        opening = _Opening(clock)
        try:
            pool = await asyncpg.create_pool(
                url,
                connect=connect,
                min_size=1,
                max_size=CONNECTIONS,
                init=opening.init,
                reset=_keep,
                statement_cache_size=500,
                max_inactive_connection_lifetime=0,
                server_settings=SESSION,
                command_timeout=30,
            )
        except (*AWAY, asyncpg.PostgresError, ValueError) as error:
            raise StoreUnavailable(
                f"the database can't be reached ({type(error).__name__}: {error})"
            ) from error
        return cls(pool, url, opening.warnings, serving)

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """See flow/ports `Store.write`."""
        noting = Noting(work)
        for tried in range(1, TRIES + 1):
            try:
                result = await self._write_once(noting)
                self._news.tell(noting.targets)
                self._news.tell_stored(noting.filled)
                return result
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                if tried == TRIES:
                    raise StoreUnavailable("the database could not order this transaction") from error
            except AWAY as error:
                raise StoreUnavailable(f"the database is away ({type(error).__name__})") from error
        raise AssertionError("unreachable")

    async def _write_once(self, work: Noting[T]) -> T:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                session = PostgresTransaction(connection)
                result = await work(AllTables(session))
                await session.flush()
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except AWAY as error:
                raise UnknownCommit("the database went away during a commit") from error
            if work.filled:
                await self._notices.tell(work.filled, connection)
            return result

    async def check(self) -> None:
        await self.read.directory.version()

    async def close(self) -> None:
        """Lets running transactions end, then disconnects."""
        await self._notices.close()
        await self._reads.close()
        await self._pool.close()


async def _keep(_connection: Any) -> None:
    """In place of the pool's reset: we set nothing per connection, so nothing has to be reset."""


class _Opening:
    """What is done once (migrations) and at every new connection (durability, timeline)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._migrated = False
        self.warnings: list[str] = []

    async def init(self, connection: Any) -> None:
        if not self._migrated:
            await self._check(connection)
            await _migrate(connection)
            self._migrated = True
        await self._insist_on_disk(connection)
        await self._watch_timeline(connection)

    async def _check(self, connection: Any) -> None:
        version = int(await connection.fetchval("SHOW server_version_num"))
        if version < MINIMUM_VERSION:
            raise StoreUnsuitable("PostgreSQL 14 or newer is needed")
        if await connection.fetchval("SHOW fsync") != "on":
            raise StoreUnsuitable("PostgreSQL runs with fsync = off: accepted messages would not be on disk")
        if await connection.fetchval("SHOW full_page_writes") != "on":
            self.warnings.append("PostgreSQL runs with full_page_writes = off: a power loss may tear pages")

    async def _insist_on_disk(self, connection: Any) -> None:
        """A server that answers commits before they are on disk is overruled for our sessions."""
        if await connection.fetchval("SHOW synchronous_commit") == "off":
            await connection.execute("SET synchronous_commit = on")
            warning = "PostgreSQL's synchronous_commit is off; Rejoinder turns it on for its own sessions"
            if warning not in self.warnings:
                self.warnings.append(warning)

    async def _watch_timeline(self, connection: Any) -> None:
        """A promotion starts a new timeline: mailboxes move on before the first request (contract §3 rule 8)."""
        timeline = await connection.fetchval(_TIMELINE)
        async with connection.transaction():
            known = await connection.fetchval("SELECT timeline FROM store_state FOR UPDATE")
            if known == timeline:
                return
            if known:
                await AllTables(PostgresSession(connection)).mailboxes.restored(self._clock.wall_s())
            await connection.execute("UPDATE store_state SET timeline = $1", timeline)


async def _migrate(connection: Any) -> None:
    await connection.execute("SELECT pg_advisory_lock($1)".replace("$1", str(_MIGRATION_LOCK)))
    try:
        await connection.execute(migrate.TABLE)
        for step in migrate.pending("postgres", await connection.fetchval(migrate.DONE)):
            async with connection.transaction():
                await connection.execute(step.sql)
                await connection.execute("INSERT INTO migration VALUES ($1, $2)", step.version, step.name)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)".replace("$1", str(_MIGRATION_LOCK)))
