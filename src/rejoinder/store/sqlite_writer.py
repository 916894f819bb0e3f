"""The thread that does all writes of a SQLite store: takes what waits, runs it, commits once, tells all.

Refuses nothing; a transaction that awaits anything but its own methods is an error. While a server runs it also
looks, 20 times a second and before each group, whether another process has written (PRAGMA data_version of
this connection: 3 µs), so that nobody who polls has to.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, TypeVar

import apsw

from rejoinder.store.news import Noting
from rejoinder.store.sqlite_session import SqliteSession, wrapped
from rejoinder.store.tables import AllTables

T = TypeVar("T")
Work = Noting[Any]
Job = tuple[Work, "asyncio.Future[Any]"]
Done = list[tuple["asyncio.Future[Any]", Any, BaseException | None]]

# Boxes whose rows changed, boxes that got entries; None: any may have.
News = tuple[Collection[int] | None, Collection[int] | None]
Changed = Callable[[Collection[int] | None, Collection[int] | None], None]

# How many waiting transactions share one commit. More would only lengthen the wait of the first.
GROUP = 64
LOOK_SECONDS = 0.05


class Writer(threading.Thread):
    """Owns the writing connection; `loop` is the one in which polls read.

    `changed` is called there after each commit, before anybody hears of it, with the boxes whose rows it changed and
    those that got entries; with None for both when another process wrote.
    """

    def __init__(
        self, connection: apsw.Connection, loop: asyncio.AbstractEventLoop, changed: Changed, watching: bool
    ) -> None:
        super().__init__(name="sqlite-writer", daemon=True)
        self._connection = connection
        self._tables = AllTables(SqliteSession(connection))
        self._loop = loop
        self._changed = changed
        self._watching = watching
        self._version = self._data_version()
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            try:
                first = self.jobs.get(timeout=LOOK_SECONDS if self._watching else None)
            except queue.Empty:
                self._look_outside()
                continue
            if first is None:
                self._connection.close()
                return
            self._commit(self._group(first))

    def _group(self, first: Job) -> list[Job]:
        group = [first]
        while len(group) < GROUP and not self.jobs.empty():
            job = self.jobs.get()
            if job is None:
                self.jobs.put(None)  # stop after this group
                break
            group.append(job)
        return group

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").get
        return version

    def _look_outside(self) -> None:
        """Whether another connection has written: then any box may have changed."""
        try:
            version = self._data_version()
        except apsw.Error:
            return  # the disk is in trouble: the next transaction will say so
        if version != self._version:
            self._version = version
            self._call(self._loop, [], (None, None))

    def _commit(self, group: list[Job]) -> None:
        """Runs a group in one transaction; a job that raises is undone alone, a failed commit fails all."""
        done: Done = []
        news: tuple[set[int], set[int]] = (set(), set())
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if self._watching:
                self._look_outside()
            for work, future in group:
                result, error = self._run_one(work)
                done.append((future, result, error))
                if error is None:
                    news[0].update(work.changed)
                    news[1].update(work.filled)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._abandon()
            unavailable = wrapped(error)
            done = [(future, None, unavailable) for _, future in group]
            news = (set(), set())
        self._tell(done, news)

    def _run_one(self, work: Work) -> tuple[Any, BaseException | None]:
        """One job inside its savepoint. An error that ended the transaction itself is passed on."""
        self._connection.execute("SAVEPOINT job")
        try:
            result = drive(work(self._tables))
        except Exception as error:  # a job's outermost line: whatever it raised belongs to its caller
            if not self._connection.in_transaction:
                raise error if isinstance(error, apsw.Error) else apsw.SQLError(str(error)) from error
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return None, wrapped(error) if isinstance(error, apsw.Error) else error
        self._connection.execute("RELEASE job")
        return result, None

    def _abandon(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error:
                # The disk is in trouble: the transaction is void all the same, the next BEGIN will say so.
                return

    def _tell(self, done: Done, news: News) -> None:
        """What changed, then the waiting tasks: one call into each loop for the whole group."""
        loops: dict[asyncio.AbstractEventLoop, Done] = {self._loop: []} if news[0] else {}
        for item in done:
            loops.setdefault(item[0].get_loop(), []).append(item)
        for loop, items in loops.items():
            self._call(loop, items, news if loop is self._loop and news[0] else None)

    def _call(self, loop: asyncio.AbstractEventLoop, items: Done, news: News | None) -> None:
        try:
            loop.call_soon_threadsafe(self._resolve, items, news)
        except RuntimeError:
            # The loop ended while its transaction was committed: nobody is left to be told.
            return

    def _resolve(self, items: Done, news: News | None) -> None:
        if news is not None:
            self._changed(*news)
        for future, result, error in items:
            if future.cancelled():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def drive(coroutine: Awaitable[T]) -> T:
    """Runs a transaction's coroutine to its end; it may await nothing but the transaction."""
    assert isinstance(coroutine, Coroutine)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration carries the coroutine's T untyped
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its own methods")
