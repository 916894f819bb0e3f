"""How many submissions may be under way: as many as can be stored within a fifth of a second, at the measured pace.

So whoever is accepted is answered soon on a machine of any speed, and whoever comes on top of that is refused at once.
Refuses nothing itself: doors ask `full` before they read what they are brought, for an overloaded machine refuses more
often than it does anything else, and batches.py asks for the `limit`.
"""

from __future__ import annotations

from rejoinder.observe import OVERLOADED, log

# Accepted p99 under a second asks for no more in the queue, and thousands that wait fall out of the core's caches; less
# would refuse the bursts that customers with large windows send.
WAIT_SECONDS = 0.2
# Two batches: one in work, one being collected. Fewer would leave the disk idle between them.
LEAST = 256
# Bounds memory on a machine of any speed.
MOST = 20_000
# How much one batch counts: the limit follows a change of pace within some twenty batches.
WEIGHT = 0.05
SAY_EVERY_SECONDS = 1.0


class Admission:
    """What is under way, and how much may be. Seconds are monotonic and handed in."""

    def __init__(self, wait: float = WAIT_SECONDS) -> None:
        self._wait = wait
        self._per_second = 0.0
        self._said_at = float("-inf")
        self._refused = 0
        self.limit = LEAST
        self.under_way = 0

    def full(self) -> bool:
        """Whether one more would have to wait for too long."""
        return self.under_way >= self.limit

    def room(self) -> int:
        """How many more would not."""
        return max(0, self.limit - self.under_way)

    def enter(self) -> None:
        """A door lets a submission in; it `leave`s with its answer."""
        self.under_way += 1

    def leave(self) -> None:
        self.under_way -= 1

    def stored(self, count: int, seconds: float) -> None:
        """A full batch, one of a row of them, took so long."""
        pace = count / max(seconds, 0.000_1)
        self._per_second += (pace - self._per_second) * (WEIGHT if self._per_second else 1.0)
        self.limit = max(LEAST, min(MOST, int(self._per_second * self._wait)))

    def refused(self, now: float, count: int = 1) -> None:
        """A door has refused so many: counted, and said once a second."""
        OVERLOADED.inc(count)
        self._refused += count
        if now - self._said_at >= SAY_EVERY_SECONDS:
            log.warning("overloaded", count=self._refused)
            self._said_at, self._refused = now, 0
