"""Committed reads on PostgreSQL: a few connections kept for them, and polls' rows read for all who ask at once.

Refuses locks. Taking a connection from the pool and giving it back cost more than a read, so reads keep theirs; a
poll's first look is one row of one table, so those that come while one is under way are the next one's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from rejoinder.errors import StoreUnavailable
from rejoinder.flow.ports import Head
from rejoinder.store.dialect import Statement, queries
from rejoinder.store.postgres_session import AWAY, PostgresSession
from rejoinder.store.session import Row, Session
from rejoinder.store.tables.mailboxes import MailboxTables

# Connections kept for reads; the pool has these and as many for transactions.
READERS = 4
_HEADS = queries("mailbox")["read_heads"]
Run = Callable[[PostgresSession], Awaitable[Sequence[Row]]]


class CommittedReads:
    """Each statement on whichever kept connection is free: it sees what is committed when it begins."""

    def __init__(self, pool: Any, most: int = READERS) -> None:
        self._pool = pool
        self._most = most
        self._idle: list[Any] = []
        self._out = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._leaving: set[asyncio.Task[None]] = set()

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        connection = await self._take()
        try:
            found: Sequence[Row] = await connection.fetch(statement.postgres, *values)
        except BaseException as error:
            self._failed(connection, error)
            raise _named(error) from error
        self._give(connection)
        return found

    async def _on_connection(self, run: Run) -> Sequence[Row]:
        connection = await self._take()
        try:
            found = await run(PostgresSession(connection))
        except BaseException as error:
            self._failed(connection, error)
            raise _named(error) from error
        self._give(connection)
        return found

    async def bulk(
        self, statement: Statement, rows: Sequence[Sequence[object]], *values: object
    ) -> Sequence[Row]:
        return await self._on_connection(lambda session: session.bulk(statement, rows, *values))

    async def lock_names(self, names: Sequence[str]) -> None:
        raise RuntimeError("locks belong to transactions")

    async def raw(self, text: str, *values: object) -> Sequence[Row]:
        return await self._on_connection(lambda session: session.raw(text, *values))

    async def _take(self) -> Any:
        while True:
            while self._idle:
                connection = self._idle.pop()
                if not _is_gone(connection):
                    return connection
                self._leave(connection)
            if self._out < self._most:
                return await self._one_more()
            free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(free)
            try:
                await free
            except asyncio.CancelledError:
                self._wake()
                raise

    async def _one_more(self) -> Any:
        self._out += 1
        try:
            return await self._pool.acquire()
        except BaseException as error:
            self._out -= 1
            self._wake()
            raise _named(error) from error

    def _give(self, connection: Any) -> None:
        self._idle.append(connection)
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            free = self._waiting.popleft()
            if not free.done():
                free.set_result(None)
                return

    def _failed(self, connection: Any, error: BaseException) -> None:
        """A connection is kept after a fault of the statement alone; the pool judges all others."""
        if isinstance(error, asyncpg.PostgresError) and not isinstance(error, AWAY):
            self._give(connection)
        else:
            self._leave(connection)

    def _leave(self, connection: Any) -> None:
        self._out -= 1
        task = asyncio.ensure_future(self._pool.release(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        self._wake()

    async def close(self) -> None:
        """Gives all connections back to the pool, which is about to close."""
        while self._idle:
            self._leave(self._idle.pop())
        if self._leaving:
            await asyncio.wait(self._leaving)


def _is_gone(connection: Any) -> bool:
    """Whether its server ended it. The pool takes such a one back by itself, and then it answers nothing any more."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _named(error: BaseException) -> BaseException:
    if isinstance(error, AWAY):
        return StoreUnavailable(f"the database is away ({type(error).__name__})")
    return error


class GatheredBoxes(MailboxTables):
    """The reading side's boxes; rows asked for at the same time are read by one statement."""

    __slots__ = ("_asked", "_reading")

    def __init__(self, session: Session) -> None:
        super().__init__(session, set(), set())
        self._asked: list[tuple[int, asyncio.Future[Head]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def head(self, box_id: int) -> Head:
        """Raises LookupError for a box that is not there: both are made with the user."""
        future: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
        self._asked.append((box_id, future))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return await future

    async def _read(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                try:
                    boxes = {box_id for box_id, future in asked if not future.done()}
                    rows = await self._session.bulk(_HEADS, [(box_id,) for box_id in boxes])
                except Exception as error:  # noqa: BLE001  # this task's outermost line: the fault is theirs who asked
                    _tell(asked, {}, error)
                else:
                    _tell(asked, {row[0]: Head(*row[1:]) for row in rows}, LookupError("no such mailbox"))
        finally:
            self._reading = None


def _tell(
    asked: Sequence[tuple[int, asyncio.Future[Head]]], heads: dict[int, Head], otherwise: Exception
) -> None:
    for box_id, future in asked:
        if future.done():
            continue
        head = heads.get(box_id)
        if head is None:
            future.set_exception(otherwise)
        else:
            future.set_result(head)
