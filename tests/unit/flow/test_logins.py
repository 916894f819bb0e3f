"""The guard of log-ins as pure rules: who is throttled, for how long, and who never is."""

from __future__ import annotations

import contextlib

import pytest

from rejoinder.clock import ManualClock
from rejoinder.errors import Throttled
from rejoinder.flow import logins
from rejoinder.flow.logins import LoginGuard, LoginLimits, is_in, network_of

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"
LIMITS = LoginLimits(per_name=10, per_address=100)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def guard(clock: ManualClock) -> LoginGuard:
    return LoginGuard(clock, LIMITS)


def wrong(guard: LoginGuard, name: str, address: str, mark: bytes = b"wrong") -> None:
    with guard.attempt(name, address, mark) as attempt:
        attempt.ended(right=False)


def right(guard: LoginGuard, name: str, address: str) -> None:
    with guard.attempt(name, address, b"right") as attempt:
        attempt.ended(right=True)


def throttled(guard: LoginGuard, name: str, address: str) -> int:
    """The seconds that a refused log-in is told; it fails where the log-in is not refused."""
    with pytest.raises(Throttled) as refused:
        guard.attempt(name, address, b"another")
    return refused.value.seconds


def test_ten_wrong_passwords_of_a_name_from_an_address_are_heard_and_no_eleventh(guard: LoginGuard) -> None:
    for number in range(10):
        wrong(guard, "anna", HOME, str(number).encode())
    assert throttled(guard, "anna", HOME) == 30


def test_a_refused_one_is_heard_again_after_the_seconds_it_was_told(
    guard: LoginGuard, clock: ManualClock
) -> None:
    for _ in range(10):
        wrong(guard, "anna", HOME)
    clock.pass_seconds(throttled(guard, "anna", HOME) - 1)
    assert throttled(guard, "anna", HOME) == 1
    clock.pass_seconds(1)
    wrong(guard, "anna", HOME)
    assert throttled(guard, "anna", HOME) == 30
    clock.pass_seconds(300)
    for _ in range(10):
        wrong(guard, "anna", HOME)
    throttled(guard, "anna", HOME)


def test_being_refused_costs_nothing(guard: LoginGuard, clock: ManualClock) -> None:
    for _ in range(10):
        wrong(guard, "anna", HOME)
    for _ in range(1000):
        throttled(guard, "anna", HOME)
    clock.pass_seconds(30)
    right(guard, "anna", HOME)


def test_a_step_of_the_wall_clock_lets_nobody_in(guard: LoginGuard, clock: ManualClock) -> None:
    for _ in range(10):
        wrong(guard, "anna", HOME)
    clock.step_wall(86_400)
    throttled(guard, "anna", HOME)
    clock.step_wall(-200_000)
    assert throttled(guard, "anna", HOME) == 30


def test_a_name_attacked_from_elsewhere_works_at_home(guard: LoginGuard) -> None:
    for number in range(1000):
        address = f"198.51.{number // 250}.{number % 250}"
        for _ in range(10):
            wrong(guard, "anna", address)
        right(guard, "anna", HOME)
    throttled(guard, "anna", "198.51.0.0")


def test_wrong_passwords_of_others_behind_one_proxy_lock_out_nobody_who_logged_in_from_there(
    guard: LoginGuard, clock: ManualClock
) -> None:
    for number in range(500):
        right(guard, f"good-{number}", HOME)
    for number in range(100):
        wrong(guard, f"guess-{number}", HOME)
    assert throttled(guard, "guess-100", HOME) == 3
    throttled(guard, "newcomer", HOME)
    for number in range(500):
        right(guard, f"good-{number}", HOME)
    clock.pass_seconds(86_399)
    for number in range(100):
        wrong(guard, f"guess-{number}", HOME)
    right(guard, "good-7", HOME)


def test_one_client_with_an_old_password_does_not_use_up_its_proxys_address(
    guard: LoginGuard, clock: ManualClock
) -> None:
    for _ in range(3600):
        clock.pass_seconds(1)
        with contextlib.suppress(Throttled):
            wrong(guard, "old", HOME)
    right(guard, "newcomer", HOME)


def test_guesses_that_come_all_at_once_count_like_guesses_one_by_one(guard: LoginGuard) -> None:
    under_way = [guard.attempt("anna", HOME, str(number).encode()) for number in range(10)]
    throttled(guard, "anna", HOME)
    for attempt in under_way:
        with attempt:
            attempt.ended(right=False)
    throttled(guard, "anna", HOME)


def test_fifty_connections_that_begin_with_the_right_password_are_all_heard(guard: LoginGuard) -> None:
    under_way = [guard.attempt("anna", HOME, b"right") for _ in range(50)]
    for attempt in under_way:
        with attempt:
            attempt.ended(right=True)
    assert guard.is_quiet("anna", HOME)


def test_thousand_users_behind_one_proxy_may_begin_at_the_same_moment(guard: LoginGuard) -> None:
    under_way = [guard.attempt(f"user-{number}", HOME, b"right") for number in range(1000)]
    for attempt in under_way:
        with attempt:
            attempt.ended(right=True)


def test_what_was_not_judged_counts_for_nothing(guard: LoginGuard) -> None:
    for _ in range(100):
        with pytest.raises(OSError, match="away"), guard.attempt("anna", HOME, b"x"):
            raise OSError("away")
    assert guard.is_quiet("anna", HOME)


def test_a_right_password_does_not_give_back_what_wrong_ones_took(guard: LoginGuard) -> None:
    """Else a stranger behind a user's address could guess for ever, between the user's own calls."""
    for _ in range(10):
        wrong(guard, "anna", HOME)
        if _ < 9:
            right(guard, "anna", HOME)
    throttled(guard, "anna", HOME)


def test_memory_is_bounded_whatever_is_tried(
    guard: LoginGuard, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "KEPT", 100)
    for number in range(1000):
        address = f"10.0.{number // 250}.{number % 250}"
        wrong(guard, "n" * 60_000 + str(number), address)
        right(guard, f"good-{number}", address)
    assert max(len(guard._pairs), len(guard._addresses), len(guard._known)) <= 100
    assert max(len(name) for name, _ in guard._pairs) <= 256


def test_names_that_a_throttled_address_only_tries_cost_no_memory(guard: LoginGuard) -> None:
    """Found by fuzzing at length: each was kept, 30 MB of them, though its log-in was not heard."""
    for number in range(LIMITS.per_address):
        wrong(guard, f"name {number}", HOME)
    there = len(guard._pairs)
    for number in range(1_000):
        assert throttled(guard, f"another {number}", HOME) > 0
    assert len(guard._pairs) == there


def test_the_addresses_of_one_ipv6_network_count_as_one(guard: LoginGuard) -> None:
    for number in range(10):
        wrong(guard, "anna", f"2001:db8:1:2::{number:x}")
    throttled(guard, "anna", "2001:db8:1:2:ffff::1")
    right(guard, "anna", "2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "listed", "inside"),
    [
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.3.7", "192.0.2.0/24", False),
        ("::ffff:192.0.2.7", "192.0.2.0/24", True),
        ("192.0.2.7", "2001:db8::/32,192.0.2.7/32", True),
        ("2001:db8::5", "2001:db8::/32", True),
        ("2001:db9::5", "2001:db8::/32", False),
        ("", "0.0.0.0/0,::/0", False),
    ],
)
def test_who_is_in_a_list_of_networks(address: str, listed: str, inside: bool) -> None:
    assert is_in(address, listed) == inside


def test_without_the_guard_the_eleventh_would_be_heard(clock: ManualClock) -> None:
    """The negative control: the same guesses under a limit that is out of reach."""
    guard = LoginGuard(clock, LoginLimits(10_000, 10_000))
    for _ in range(1000):
        wrong(guard, "anna", HOME)
    right(guard, "anna", HOME)
    right(guard, "anna", ELSEWHERE)
