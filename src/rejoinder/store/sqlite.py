"""The store on SQLite: one thread does all writes with group commit; reads run where they are asked for.

Refuses a library with the WAL-reset bug, and a second server on the same file. WAL and synchronous=FULL:
a commit is on disk before anybody hears of it (measured: 6k commits/s single, 48k rows/s in hundreds).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import apsw

from rejoinder.clock import Clock
from rejoinder.errors import StoreUnavailable, StoreUnsuitable
from rejoinder.flow.ports import Tx
from rejoinder.observe import SQLITE_MEMORY
from rejoinder.store import migrate
from rejoinder.store.heads import KnownBoxes
from rejoinder.store.news import News, Noting
from rejoinder.store.sqlite_session import CommittedReads
from rejoinder.store.sqlite_writer import Writer
from rejoinder.store.tables import AllTables

T = TypeVar("T")

# SQLite before this loses committed transactions when a WAL is reset while another connection reads.
MINIMUM_VERSION = (3, 51, 3)
BUSY_MS = 5000
# How many stay prepared: each that takes rows has a text for every power of two of them (sqlite_session.py).
STATEMENTS = 600


class SqliteStore:
    """See flow/ports `Store`."""

    reads_at_once = True

    def __init__(
        self, path: str, connection: apsw.Connection, reader: apsw.Connection, lease: int | None
    ) -> None:
        self.path = path
        reads = CommittedReads(reader)
        self.read = AllTables(reads)
        # Memory may stand for the file only while no other server writes to it.
        self._known = KnownBoxes(reads) if lease is not None else None
        if self._known is not None:
            self.read.mailboxes = self._known
        self.warnings: list[str] = []
        self._news = News()
        self.on_queued = self._news.on_queued
        self.on_stored = self._news.on_stored
        self._reader = reader
        self._lease = lease
        SQLITE_MEMORY.set_function(apsw.memory_used)
        self._writer = Writer(connection, asyncio.get_running_loop(), self._changed, lease is not None)
        self._writer.start()

    @classmethod
    def open(cls, path: str, clock: Clock, serving: bool = False) -> SqliteStore:
        """Opens or makes the file. Raises StoreUnsuitable, or StoreUnavailable when it can't be opened."""
        version = tuple(int(number) for number in apsw.sqlite_lib_version().split("."))
        if version < MINIMUM_VERSION:
            raise StoreUnsuitable(
                f"SQLite {apsw.sqlite_lib_version()} can lose committed messages; 3.51.3 or newer is needed"
            )
        _make_private(path)
        lease = _take_lease(path) if serving else None
        try:
            connection = _connect(path)
            _check_durable(connection)
            _migrate(connection)
            reader = _connect(path)
            reader.execute("PRAGMA query_only = ON")
        except apsw.Error as error:
            raise StoreUnavailable(f"the database file can't be opened ({error})") from error
        return cls(path, connection, reader, lease)

    def _changed(self, boxes: Collection[int] | None, filled: Collection[int] | None) -> None:
        """In the event loop, after a commit and before anybody hears of it."""
        if self._known is not None:
            self._known.forget_heads(boxes)
        self._news.tell_stored(filled)

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """See flow/ports `Store.write`. Cancelling the caller does not undo what is under way."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        noting = Noting(work)
        self._writer.jobs.put((noting, future))
        result = await future
        self._news.tell(noting.targets)
        return result

    async def check(self) -> None:
        try:
            await self.read.directory.version()
        except apsw.Error as error:
            raise StoreUnavailable("the database does not answer") from error

    async def close(self) -> None:
        """Finishes what waits, then closes the file."""
        self._writer.jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.close()
        if self._lease is not None:
            os.close(self._lease)


def _make_private(path: str) -> None:
    """A new file is its owner's alone, as SQLite's files beside it then are: carriers' passwords stand in it."""
    if path:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _connect(path: str) -> apsw.Connection:
    connection = apsw.Connection(path or ":memory:", statementcachesize=STATEMENTS)
    # Or SQLite plans a statement anew whenever another value is bound to its LIMIT: 60 µs for a page of 6.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(BUSY_MS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _check_durable(connection: apsw.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode").get
    synchronous = connection.execute("PRAGMA synchronous").get
    if mode != "wal":
        raise StoreUnsuitable(f"the file system does not carry SQLite's WAL (journal_mode is {mode})")
    if synchronous < 2:
        raise StoreUnsuitable("SQLite does not wait for the disk (synchronous is below FULL)")


def _migrate(connection: apsw.Connection) -> None:
    with connection:
        connection.execute(migrate.TABLE)
    for step in migrate.pending("sqlite", connection.execute(migrate.DONE).get):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have run it while we waited for the lock.
            if connection.execute(migrate.DONE).get < step.version:
                for statement in migrate.statements(step.sql):
                    connection.execute(statement)
                connection.execute("INSERT INTO migration VALUES (?1, ?2)", (step.version, step.name))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _take_lease(path: str) -> int:
    """Locks `FILE-server` for this process; the lock ends with the process, however it ends."""
    handle = os.open(f"{path}-server", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreUnsuitable("another server already runs on this database file") from None
    return handle
