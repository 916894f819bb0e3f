"""The plan of contract §10 as pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.flow.ports import TargetState
from rejoinder.flow.push_plan import OPEN_AFTER, after, next_try

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
WORKS = TargetState("t", 0, 0, 0)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(n, 5) for n in range(1, 7)] + [(n, 60) for n in (7, 8, 20)]
)
def test_tries_come_after_six_times_five_minutes_and_then_hourly(attempts: int, minutes: int) -> None:
    assert next_try(0, attempts, 0, 0.5) == minutes * MINUTE
    for chance in (0.0, 0.999999):
        due = next_try(0, attempts, 0, chance)
        assert due is not None
        assert abs(due - minutes * MINUTE) <= minutes * MINUTE * 0.1


@given(st.integers(0, 100), st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_no_push_is_given_up_before_24_hours_and_seven_tries(
    hours: int, attempts: int, chance: float
) -> None:
    due = next_try(hours * HOUR, attempts, 0, chance)
    assert (due is None) == (hours >= 24 and attempts >= 7)
    assert due is None or due > hours * HOUR
    if due is not None and hours < 24:
        assert due <= 24 * HOUR, "the last try comes at the end of the 24 hours"


def test_a_breaker_opens_with_the_fifth_failure_and_its_pause_doubles_up_to_five_minutes() -> None:
    state, pauses = WORKS, []
    for number in range(1, 12):
        state = after(state, True, number * HOUR, 0.0)
        pauses.append((state.open_until - number * HOUR) // 1_000_000 if state.open_until else 0)
    assert pauses == [0] * (OPEN_AFTER - 1) + [30, 60, 120, 240, 300, 300, 300]
    assert state.failing_since == HOUR


def test_one_answer_closes_it() -> None:
    broken = TargetState("t", 9, HOUR, 2 * HOUR)
    assert after(broken, False, 3 * HOUR, 0.0) == WORKS
