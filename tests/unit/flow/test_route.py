"""Routes: the longest prefix, priorities, weights, and carriers that are down."""

from __future__ import annotations

from collections import Counter

import pytest

from rejoinder.flow.health import PATIENCE_SECONDS, PROBE_SECONDS, Health
from rejoinder.flow.ports import RouteRow
from rejoinder.flow.route import RoutingTable


def table(*routes: tuple[str, int, int, int]) -> RoutingTable:
    """Routes as (prefix, carrier, priority, weight)."""
    return RoutingTable(
        RouteRow(p, c, priority, "resend", f"c{c}", weight) for p, c, priority, weight in routes
    )


def chosen(routes: RoutingTable, chance: float, down: frozenset[int] = frozenset()) -> int | None:
    found = routes.first("61455555555", chance, down)
    return found.carrier_id if found else None


def test_no_route_is_none_and_one_is_taken_though_it_is_down() -> None:
    assert chosen(table(("49", 1, 0, 1)), 0.5) is None
    assert chosen(table(("61", 1, 0, 1)), 0.5, frozenset({1})) == 1


def test_only_the_longest_prefix_counts_even_when_its_carrier_is_down() -> None:
    routes = table(("61", 1, 0, 1), ("614", 2, 9, 1))
    assert chosen(routes, 0.5, frozenset({2})) == 2


def test_equals_share_by_weight_and_a_higher_priority_number_gets_nothing() -> None:
    routes = table(("61", 1, 0, 3), ("61", 2, 0, 1), ("61", 3, 1, 1000))
    found = Counter(chosen(routes, step / 1000) for step in range(1000))
    assert found == {1: 750, 2: 250}


@pytest.mark.parametrize(
    ("down", "expected"),
    [({1}, {2}), ({1, 2}, {3}), ({3}, {1, 2}), ({1, 2, 3}, {1, 2})],
)
def test_a_carrier_that_is_down_is_passed_over_while_another_is_there(
    down: set[int], expected: set[int]
) -> None:
    routes = table(("61", 1, 0, 3), ("61", 2, 0, 1), ("61", 3, 1, 1))
    assert {chosen(routes, step / 100, frozenset(down)) for step in range(100)} == expected


def test_after_a_refusal_the_next_one_is_among_those_that_have_not_refused() -> None:
    routes = table(("61", 1, 0, 1), ("61", 2, 0, 1), ("61", 3, 1, 1))
    assert {routes.next("614", "1", chance / 10).carrier_id for chance in range(10)} == {2}  # type: ignore[union-attr]
    assert routes.next("614", "1 2").carrier_id == 3  # type: ignore[union-attr]
    assert routes.next("614", "1 2 3") is None


def test_instead_of_a_carrier_that_is_down_goes_one_that_is_up_and_has_not_refused() -> None:
    routes = table(("61", 1, 0, 1), ("61", 2, 1, 1), ("61", 3, 2, 1))
    assert routes.instead("614", "", {1}, 0.0).carrier_id == 2  # type: ignore[union-attr]
    assert routes.instead("614", "2", {1}, 0.0).carrier_id == 3  # type: ignore[union-attr]
    assert routes.instead("614", "2", {1, 3}, 0.0) is None
    assert routes.has_others(1)
    assert not table(("61", 1, 0, 1), ("49", 2, 0, 1)).has_others(1)


def test_a_link_is_down_after_ten_seconds_and_up_at_once() -> None:
    health = Health()
    health.link(1, up=False, now=100.0)
    assert health.down(100.0 + PATIENCE_SECONDS - 0.1) == frozenset()
    health.link(1, up=False, now=105.0)
    assert health.down(100.0 + PATIENCE_SECONDS) == {1}
    health.link(1, up=True, now=111.0)
    assert health.down(111.0) == frozenset()


def test_a_carrier_that_only_says_later_is_down_until_it_takes_something_or_is_due_for_a_try() -> None:
    health = Health()
    health.answered(1, took=False, now=0.0)
    for now in (0.0, PATIENCE_SECONDS):
        health.link(1, up=True, now=now)
    assert health.down(PATIENCE_SECONDS) == {1}
    health.link(1, up=True, now=PROBE_SECONDS)
    assert health.down(PROBE_SECONDS) == frozenset()
    health.answered(1, took=False, now=61.0)
    health.link(1, up=True, now=61.0)
    health.answered(1, took=True, now=62.0)
    health.link(1, up=True, now=75.0)
    assert health.down(75.0) == frozenset()


def test_a_new_link_is_not_blamed_for_what_the_old_one_answered() -> None:
    health = Health()
    health.answered(1, took=False, now=0.0)
    health.link(1, up=False, now=0.0)
    health.link(1, up=True, now=11.0)
    assert health.down(30.0) == frozenset()


def test_a_carrier_that_is_gone_is_forgotten() -> None:
    health = Health()
    health.link(1, up=False, now=0.0)
    health.forget(1)
    assert health.down(100.0) == frozenset()
