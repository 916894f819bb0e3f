"""One link's deliveries of which the store could not say whether they stand: known when they come again. PURE.

Each keeps its number, under which the store knows it. Refuses to wait for ever for a centre that brings one no more.
"""

from __future__ import annotations

from collections import deque

# So long a centre may take to bring again what it was asked for.
LAPSE_SECONDS = 3_600.0


class Doubts:
    """Numbers of deliveries by a digest of what was delivered, the oldest first."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[int, deque[tuple[int, float]]] = {}

    def arose(self, digest: int, number: int, now: float) -> None:
        """That delivery is put off at this monotonic moment; it may be stored nevertheless."""
        self._numbers.setdefault(digest, deque()).append((number, now))

    def settles(self, digest: int) -> int | None:
        """The number of the delivery that one of this content repeats; the doubt is its own from here on."""
        waiting = self._numbers.get(digest)
        if waiting is None:
            return None
        number, _ = waiting.popleft()
        if not waiting:
            del self._numbers[digest]
        return number

    def lapsed(self, now: float) -> list[int]:
        """Those that were not brought again in time; they are forgotten."""
        over: list[int] = []
        for digest, waiting in list(self._numbers.items()):
            while waiting and now - waiting[0][1] >= LAPSE_SECONDS:
                over.append(waiting.popleft()[0])
            if not waiting:
                del self._numbers[digest]
        return over
