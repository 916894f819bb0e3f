"""Who is told, after a commit, of what it brought: targets that have pushes waiting.

Refuses to tell of anything that is not on disk. Only this process hears it; others look for themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from rejoinder.flow.ports import Tx
from rejoinder.store.tables import AllTables

T = TypeVar("T")


class Noting(Generic[T]):
    """A transaction's work that remembers, of the run that counts, which targets got pushes."""

    __slots__ = ("_work", "targets")

    def __init__(self, work: Callable[[Tx], Awaitable[T]]) -> None:
        self._work = work
        self.targets: tuple[str, ...] = ()

    async def __call__(self, tx: AllTables) -> T:
        # SQLite's one set of tables serves all transactions in turn.
        tx.queued.clear()
        result = await self._work(tx)
        self.targets = tuple(tx.queued)
        return result


class News:
    """The listeners of one store."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def on_queued(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def tell(self, targets: Iterable[str]) -> None:
        for target in targets:
            for listener in self._listeners:
                listener(target)
