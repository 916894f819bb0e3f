"""The guard against a stepped wall clock (design: wall and monotonic part by more than an hour)."""

import pytest

from rejoinder.clock import ClockGuard, ManualClock


@pytest.mark.parametrize("step", [-3600 * 24 * 365, -3601, 3601, 3600 * 24 * 365])
def test_a_step_of_more_than_an_hour_is_suspect_until_it_has_held_ten_minutes(step: int) -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    clock.step_wall(step)
    assert guard.suspect()
    clock.pass_seconds(599)
    assert guard.suspect()
    clock.pass_seconds(1)
    assert not guard.suspect()


@pytest.mark.parametrize("step", [-3600, -1, 1, 3600])
def test_a_smaller_step_is_no_reason_to_stop(step: int) -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    clock.step_wall(step)
    assert not guard.suspect()


@pytest.mark.parametrize("step", [-3, 3, 120, 90_000])
def test_a_clock_is_steady_when_it_was_not_set_for_a_minute(step: int) -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    assert guard.steady()
    clock.step_wall(step)
    assert not guard.steady()
    clock.pass_seconds(59)
    assert not guard.steady()
    clock.pass_seconds(1)
    assert guard.steady()


def test_a_clock_that_is_slewed_is_steady() -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    for _ in range(100):
        clock.pass_seconds(1)
        clock.step_wall(0.1)
        assert guard.steady()


def test_the_operator_may_accept_the_new_time_at_once() -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    clock.step_wall(90_000)
    assert guard.suspect()
    guard.accept()
    assert not guard.suspect()


def test_a_step_that_is_taken_back_is_forgotten() -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    clock.step_wall(90_000)
    assert guard.suspect()
    clock.step_wall(-90_000)
    assert not guard.suspect()


def test_a_second_step_starts_the_ten_minutes_anew() -> None:
    clock = ManualClock()
    guard = ClockGuard(clock)
    clock.step_wall(90_000)
    guard.suspect()
    clock.pass_seconds(500)
    clock.step_wall(90_000)
    assert guard.suspect()
    clock.pass_seconds(599)
    assert guard.suspect()
