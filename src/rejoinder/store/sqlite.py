"""The store on SQLite: one thread does all writes with group commit; reads run where they are asked for.

Refuses a library with the WAL-reset bug, and a second server on the same file. WAL and synchronous=FULL:
a commit is on disk before anybody hears of it (measured: 6k commits/s single, 48k rows/s in hundreds).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import apsw
import msgspec

from rejoinder.clock import Clock
from rejoinder.errors import StoreUnavailable, StoreUnsuitable
from rejoinder.flow.ports import Tx
from rejoinder.store import migrate
from rejoinder.store.dialect import Statement
from rejoinder.store.news import News, Noting
from rejoinder.store.session import Row
from rejoinder.store.tables import AllTables

T = TypeVar("T")
Work = Noting[Any]
Job = tuple[Work, "asyncio.Future[Any]"]

# SQLite before this loses committed transactions when a WAL is reset while another connection reads.
MINIMUM_VERSION = (3, 51, 3)
BUSY_MS = 5000
# How many waiting transactions share one commit. More would only lengthen the wait of the first.
GROUP = 64
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
        return self._execute(statement.sqlite, (_encode(rows).decode(), *values)).fetchall()

    async def lock_names(self, names: Sequence[str]) -> None:
        """Nothing to do: the one writer holds the whole store."""

    async def raw(self, text: str, *values: Any) -> Sequence[Row]:
        return self._execute(_MARK.sub(r"?\1", text), values).fetchall()


class _CommittedReads(SqliteSession):
    """The same on the reading connection: outside transactions each statement sees what is committed."""

    __slots__ = ()

    async def rows(self, statement: Statement, *values: Any) -> Sequence[Row]:
        try:
            return self._execute(statement.sqlite, values).fetchall()
        except apsw.Error as error:
            raise _wrapped(error) from error


class _Writer(threading.Thread):
    """The thread that owns the writing connection: takes what waits, runs it, commits once, tells all."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(name="sqlite-writer", daemon=True)
        self._connection = connection
        self._tables = AllTables(SqliteSession(connection))
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            group = self._next_group()
            if group is None:
                self._connection.close()
                return
            self._commit(group)

    def _next_group(self) -> list[Job] | None:
        first = self.jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP and not self.jobs.empty():
            job = self.jobs.get()
            if job is None:
                self.jobs.put(None)  # stop after this group
                break
            group.append(job)
        return group

    def _commit(self, group: list[Job]) -> None:
        """Runs a group in one transaction; a job that raises is undone alone, a failed commit fails all."""
        done: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for work, future in group:
                result, error = self._run_one(work)
                done.append((future, result, error))
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._abandon()
            unavailable = _wrapped(error)
            done = [(future, None, unavailable) for _, future in group]
        _tell(done)

    def _run_one(self, work: Work) -> tuple[Any, BaseException | None]:
        """One job inside its savepoint. An error that ended the transaction itself is passed on."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = _drive(work(self._tables))
        except Exception as error:  # a job's outermost line: whatever it raised belongs to its caller
            if not self._connection.in_transaction:
                raise error if isinstance(error, apsw.Error) else apsw.SQLError(str(error)) from error
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return None, _wrapped(error) if isinstance(error, apsw.Error) else error
        self._connection.execute("RELEASE job")
        return result, None

    def _abandon(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error:
                # The disk is in trouble: the transaction is void all the same, the next BEGIN will say so.
                return


def _drive(coroutine: Awaitable[T]) -> T:
    """Runs a transaction's coroutine to its end; it may await nothing but the transaction."""
    assert isinstance(coroutine, Coroutine)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration carries the coroutine's T untyped
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its own methods")


def _wrapped(error: apsw.Error) -> Exception:
    if isinstance(error, apsw.ConstraintError):
        return error
    return StoreUnavailable(f"the database could not write ({type(error).__name__})")


def _tell(done: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    """Wakes the waiting tasks, one call into each loop for the whole group."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, BaseException | None]]] = {}
    for item in done:
        loops.setdefault(item[0].get_loop(), []).append(item)
    for loop, items in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, items)
        except RuntimeError:
            # The loop ended while its transaction was committed: nobody is left to be told.
            continue


def _resolve(items: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in items:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


class SqliteStore:
    """See flow/ports `Store`."""

    reads_at_once = True

    def __init__(self, path: str, writer: _Writer, reader: apsw.Connection, lease: int | None) -> None:
        self.path = path
        self.read = AllTables(_CommittedReads(reader))
        self.warnings: list[str] = []
        self._news = News()
        self.on_queued = self._news.on_queued
        self._writer = writer
        self._reader = reader
        self._lease = lease
        writer.start()

    @classmethod
    def open(cls, path: str, clock: Clock, serving: bool = False) -> SqliteStore:
        """Opens or makes the file. Raises StoreUnsuitable, or StoreUnavailable when it can't be opened."""
        version = tuple(int(number) for number in apsw.sqlite_lib_version().split("."))
        if version < MINIMUM_VERSION:
            raise StoreUnsuitable(
                f"SQLite {apsw.sqlite_lib_version()} can lose committed messages; 3.51.3 or newer is needed"
            )
        lease = _take_lease(path) if serving else None
        try:
            connection = _connect(path)
            _check_durable(connection)
            _migrate(connection)
            reader = _connect(path)
            reader.execute("PRAGMA query_only = ON")
        except apsw.Error as error:
            raise StoreUnavailable(f"the database file can't be opened ({error})") from error
        return cls(path, _Writer(connection), reader, lease)

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


def _connect(path: str) -> apsw.Connection:
    connection = apsw.Connection(path or ":memory:", statementcachesize=200)
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
