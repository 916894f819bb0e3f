"""The one source of time: wall time for what is stored, monotonic time for timers.

Refuses nothing. Every journey gets its clock handed in, so that tests own time and a step of the
machine's clock is visible as a step (docs/flow.md).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(at: int) -> str:
    """A moment (microseconds) as people read it: in UTC, to the second (ISO 8601)."""
    return (_EPOCH + timedelta(seconds=at // MICROSECONDS)).isoformat().replace("+00:00", "Z")


class Clock(Protocol):
    """Wall time in microseconds since 1970-01-01 UTC, and monotonic seconds."""

    def wall_us(self) -> int: ...

    def wall_s(self) -> int: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def wall_s(self) -> int:
        return int(time.time())

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move; wall and monotonic move together unless stepped."""

    __slots__ = ("_monotonic", "_us")

    def __init__(self, seconds: int = 1_700_000_000) -> None:
        self._us = seconds * MICROSECONDS
        self._monotonic = 0.0

    def wall_us(self) -> int:
        return self._us

    def wall_s(self) -> int:
        return self._us // MICROSECONDS

    def monotonic(self) -> float:
        return self._monotonic

    def pass_seconds(self, seconds: float) -> None:
        """Both clocks advance, as when time passes."""
        self._us += int(seconds * MICROSECONDS)
        self._monotonic += seconds

    def step_wall(self, seconds: float) -> None:
        """Only the wall clock moves, as when an operator or NTP sets it."""
        self._us += int(seconds * MICROSECONDS)


class ClockGuard:
    """Notices a stepped wall clock (design: wall and monotonic part by more than an hour).

    While it says `suspect`, expiry, retention, reply window and leases stand still; it trusts the new
    time once the step has held for ten minutes. Smaller steps are believed at once, but not for leases,
    which are shorter: those ask `steady`.
    """

    PARTED_SECONDS = 3600.0
    HOLD_SECONDS = 600.0
    # What slewing and slow looks may come to is less than a step; a lease's holder renews it several times in a minute.
    STEP_SECONDS = 2.0
    STEADY_SECONDS = 60.0

    __slots__ = ("_clock", "_offset", "_parted_at", "_parted_offset", "_seen", "_stepped_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._seen = self._current_offset()
        self._stepped_at = float("-inf")
        self._parted_at: float | None = None
        self._parted_offset = 0.0

    def _current_offset(self) -> float:
        return self._clock.wall_us() / MICROSECONDS - self._clock.monotonic()

    def suspect(self) -> bool:
        """True while the wall clock is not to be believed for anything that ends or deletes."""
        offset, now = self._current_offset(), self._clock.monotonic()
        if abs(offset - self._offset) <= self.PARTED_SECONDS:
            self._offset, self._parted_at = offset, None
            return False
        if self._parted_at is None or abs(offset - self._parted_offset) > self.PARTED_SECONDS:
            self._parted_at, self._parted_offset = now, offset
        if now - self._parted_at >= self.HOLD_SECONDS:
            self.accept()
            return False
        return True

    def steady(self) -> bool:
        """True while the wall clock has not been set for a minute, however little, as far as it was looked at."""
        offset, now = self._current_offset(), self._clock.monotonic()
        if abs(offset - self._seen) > self.STEP_SECONDS:
            self._stepped_at = now
        self._seen = offset
        return now - self._stepped_at >= self.STEADY_SECONDS

    def accept(self) -> None:
        """Believe the wall clock as it is now (`rejoinder clock accept`)."""
        self._offset, self._parted_at = self._current_offset(), None
