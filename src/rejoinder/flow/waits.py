"""Who waits for something to show (contract §13 `wait`), woken when a box gets an entry.

Knows nothing of what is in the boxes: whoever is woken polls anew, by the cursor's rules. Refuses to hold anybody
once the server ends, and costs nothing while nothing arrives: no query, no task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol


class Timer(Protocol):
    """What a timer gives back."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


def _later(seconds: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, call)


class Waiter:
    """One poll that waits. `resting`: it has looked, found nothing, and hears of what comes."""

    __slots__ = ("_box_id", "_over", "_timer", "_waits", "_woken", "resting")

    def __init__(self, waits: Waits, box_id: int, seconds: float) -> None:
        self._waits = waits
        self._box_id = box_id
        self._woken: asyncio.Future[None] | None = None
        self.resting = False
        self._over = waits.ended
        self._timer = None if self._over else waits.later(seconds, self.expire)

    def arm(self) -> None:
        """From here on nothing is missed: call it before the look."""
        self._woken = asyncio.get_running_loop().create_future()

    async def woken(self, at_most: float | None) -> None:
        """Returns when the box got something since `arm`, or so many seconds went by, or all is over."""
        assert self._woken is not None
        timer = None if at_most is None else self._waits.later(at_most, self.wake)
        self.resting = True
        try:
            await self._woken
        finally:
            self.resting = False
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def is_over(self) -> bool:
        """Whether its time is up, or the server ends."""
        return self._over

    def expire(self) -> None:
        self._over = True
        self.wake()

    def __enter__(self) -> Waiter:
        self._waits.waiting.setdefault(self._box_id, set()).add(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        others = self._waits.waiting.get(self._box_id)
        if others is not None:
            others.discard(self)
            if not others:
                del self._waits.waiting[self._box_id]


class Waits:
    """All that wait, by box. `later`: how a timer is set; the event loop's own unless a test hands in another."""

    def __init__(self, later: Later = _later) -> None:
        self.later = later
        self.ended = False
        self.waiting: dict[int, set[Waiter]] = {}

    def __len__(self) -> int:
        """How many rest."""
        return sum(waiter.resting for waiters in self.waiting.values() for waiter in waiters)

    def enter(self, box_id: int, seconds: float) -> Waiter:
        """A context: what is stored in the box inside of it wakes the waiter."""
        return Waiter(self, box_id, seconds)

    def wake(self, boxes: Collection[int] | None) -> None:
        """These boxes got entries; None: any of them may have."""
        if self.waiting:
            for box_id in list(self.waiting) if boxes is None else boxes:
                for waiter in self.waiting.get(box_id, ()):
                    waiter.wake()

    def end(self) -> None:
        """The server ends: whoever waits answers at once, and nobody waits any more."""
        self.ended = True
        for waiters in self.waiting.values():
            for waiter in waiters:
                waiter.expire()
