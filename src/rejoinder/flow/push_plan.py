"""When a push is tried again, and when its target is left alone: pure rules of contract §10.

A push never ends too early: it is parked after 24 hours, and not before it was tried seven times or its target
failed all that time.
"""

from __future__ import annotations

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.ports import TargetState

_MINUTES_US = 60 * MICROSECONDS
# Contract §10: after 5, 5, 5, 5, 5, 5 minutes, then hourly, for 24 hours.
SOON = 6
_SOON_US = 5 * _MINUTES_US
_HOURLY_US = 60 * _MINUTES_US
PARKED_AFTER_US = 24 * _HOURLY_US
_JITTER = 0.1
# No try is planned for later than this.
FARTHEST_TRY_US = int(_HOURLY_US * (1 + 2 * _JITTER))
# A server's failures, one after the other, that open its breaker, and how long it then is left alone.
OPEN_AFTER = 5
_PAUSE_US = 30 * MICROSECONDS
_LONGEST_PAUSE_US = 300 * MICROSECONDS


def next_try(now: int, attempts: int, queued_at: int, chance: float, sure: bool = True) -> int | None:
    """When to try again after `attempts` (from 1) failed ones; None: park it. `chance` in [0, 1) spreads by ±10 %.

    The last try comes at the end of the 24 hours, not before. While the clock is not believed (not `sure`), none is too
    old.
    """
    end = (queued_at if sure else now) + PARKED_AFTER_US
    if now >= end and attempts > SOON:
        return None
    pause = _SOON_US if attempts <= SOON else _HOURLY_US
    due = now + int(pause * (1 + _JITTER * (2 * chance - 1)))
    return min(due, end) if now < end else due


def within_reach(state: TargetState, now: int) -> TargetState:
    """How it goes with a target, noted while the clock stood ahead, as if it were noted now."""
    since, until = min(state.failing_since, now), min(state.open_until, now + _LONGEST_PAUSE_US)
    return TargetState(state.target, state.failures, since, until)


def after(state: TargetState, trouble: bool, now: int, chance: float) -> TargetState:
    """How it goes with a target after one more try; `trouble`: its server did not answer as servers do."""
    if not trouble:
        return TargetState(state.target, 0, 0, 0)
    failures = state.failures + 1
    open_until = 0
    if failures >= OPEN_AFTER:
        pause = min(_LONGEST_PAUSE_US, _PAUSE_US << min(failures - OPEN_AFTER, 10))
        open_until = now + int(pause * (1 - _JITTER * chance))
    return TargetState(state.target, failures, state.failing_since or now, open_until)
