"""Pacing as pure rules: when a message is tried again, and how fast a throttled carrier is fed."""

from __future__ import annotations

from rejoinder.clock import MICROSECONDS

# After the first, second, third temporary fault; then every five minutes until validity ends.
_RETRY_SECONDS = (5, 15, 60)
_RETRY_LATER_SECONDS = 300
_JITTER = 0.2


def retry_at(now: int, attempts: int, chance: float) -> int:
    """When to try again after `attempts` (from 1) temporary faults; `chance` in [0, 1) spreads by ±20 %."""
    steps = len(_RETRY_SECONDS)
    seconds = _RETRY_SECONDS[attempts - 1] if attempts <= steps else _RETRY_LATER_SECONDS
    return now + int(seconds * (1 + _JITTER * (2 * chance - 1)) * MICROSECONDS)


class Pace:
    """How many messages may be under way at a carrier: halved when it throttles, one more per window that went well.

    (AIMD, as TCP does it.) Throttling also pauses the lane for a moment that doubles up to a limit.
    """

    __slots__ = ("_pause", "_resume_at", "_room", "window")

    PAUSE_SECONDS = 0.25
    PAUSE_LIMIT = 8.0
    # Longer is only a pause that follows on several in vain; a carrier that takes a message in two seconds makes none.
    STALLED_SECONDS = 2.0

    def __init__(self, window: int) -> None:
        self.window = window
        self._room = float(window)
        self._pause = self.PAUSE_SECONDS
        self._resume_at = 0.0

    def room(self, now: float) -> int:
        """How many may be under way at this monotonic moment."""
        return 0 if now < self._resume_at else max(1, int(self._room))

    def went_well(self) -> None:
        self._room = min(float(self.window), self._room + 1 / self._room)
        self._pause = self.PAUSE_SECONDS

    def throttled(self, now: float, narrower: bool = True) -> None:
        """`narrower`: fewer may be under way after the pause."""
        if now < self._resume_at:
            return  # answers of the same burst count once
        if narrower:
            self._room = max(1.0, self._room / 2)
        self._resume_at = now + self._pause
        self._pause = min(self.PAUSE_LIMIT, self._pause * 2)

    def stalled(self) -> bool:
        """Whether nothing went well between the last pauses: the one to follow is a long one."""
        return self._pause > self.STALLED_SECONDS

    def wait(self, now: float) -> float:
        """Seconds until the lane may send again."""
        return max(0.0, self._resume_at - now)


class Throughput:
    """A token bucket of messages per second; 0 is no limit. It holds at most one second's worth."""

    __slots__ = ("_at", "_per_second", "_tokens")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._tokens = max(1.0, per_second)
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """How many of the wanted messages may go at this monotonic moment."""
        if self._per_second <= 0:
            return wanted
        self._tokens = min(max(1.0, self._per_second), self._tokens + (now - self._at) * self._per_second)
        self._at = now
        taken = min(wanted, int(self._tokens))
        self._tokens -= taken
        return taken

    def give_back(self, count: int) -> None:
        self._tokens += count
