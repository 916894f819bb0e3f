"""What was looked up lately, in memory until it may have changed.

Refuses to keep more than a bounded number of entries, and what was read before a change and comes after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Bounds memory whatever the number of accounts.
KEPT = 50_000


class Remembered(dict[K, V]):
    """Rows by what they are looked up by."""

    __slots__ = ("_forgotten",)

    def __init__(self) -> None:
        super().__init__()
        self._forgotten = 0

    async def looked_up(self, key: K, look: Callable[[], Awaitable[V | None]]) -> V | None:
        """From memory, or as `look` finds it; what is not there is not remembered."""
        found = self.get(key)
        if found is None:
            before = self._forgotten
            found = await look()
            if found is not None and self._forgotten == before:
                remember(self, key, found)
        return found

    def forget(self) -> None:
        """Any of it may have changed."""
        self._forgotten += 1
        self.clear()


def remember(kept: dict[K, V], key: K, value: V, most: int = KEPT) -> None:
    """Keeps an entry; the oldest leaves a full memory."""
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = value
