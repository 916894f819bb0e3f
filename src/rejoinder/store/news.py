"""Who is told, after a commit, of what it brought: targets that have pushes waiting, boxes that got entries.

Refuses to tell of anything that is not on disk. Only this process hears it; others look for themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Generic, TypeVar

from rejoinder.flow.ports import Tx
from rejoinder.store.tables import AllTables

T = TypeVar("T")
# Hears of boxes that got entries; None: any may have.
OfBoxes = Callable[[Collection[int] | None], None]


class Noting(Generic[T]):
    """A transaction's work that remembers, of the run that counts, which targets got pushes and which boxes changed."""

    __slots__ = ("_work", "changed", "filled", "targets")

    def __init__(self, work: Callable[[Tx], Awaitable[T]]) -> None:
        self._work = work
        self.targets: tuple[str, ...] = ()
        self.changed: frozenset[int] = frozenset()
        self.filled: frozenset[int] = frozenset()

    async def __call__(self, tx: AllTables) -> T:
        # SQLite's one set of tables serves all transactions in turn.
        tx.queued.clear()
        tx.changed.clear()
        tx.filled.clear()
        result = await self._work(tx)
        self.targets = tuple(tx.queued)
        self.changed, self.filled = frozenset(tx.changed), frozenset(tx.filled)
        return result


class News:
    """The listeners of one store."""

    __slots__ = ("_listeners", "_of_boxes")

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []
        self._of_boxes: list[OfBoxes] = []

    def on_queued(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def on_stored(self, listener: OfBoxes) -> None:
        self._of_boxes.append(listener)

    def tell_stored(self, boxes: Collection[int] | None) -> None:
        if boxes is None or boxes:
            for listener in self._of_boxes:
                listener(boxes)

    def tell(self, targets: Iterable[str]) -> None:
        for target in targets:
            for listener in self._listeners:
                listener(target)
