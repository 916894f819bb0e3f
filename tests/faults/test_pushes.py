"""What the harness of pushes finds in the servers' notes: each breach by its name, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults.scenarios.pushes import Notes, judged

GOOD = ["1 0 0000", "1 0 0001", "2 0 0000", "2 1 0004"]
BAD = ["0 0 0000"]


def all_is_well() -> Notes:
    notes = Notes(ready=dict.fromkeys([*GOOD, *BAD], 10.0))
    for text in ("2 0 0000", "1 0 0000", "1 0 0000", "1 0 0001", "2 1 0004"):
        notes.order.append(text)
        notes.came.setdefault(text, 10.5)
    return notes


def lose(notes: Notes) -> None:
    notes.order.remove("2 1 0004")
    del notes.came["2 1 0004"]


def disorder(notes: Notes) -> None:
    notes.order.append("1 0 0000")


def delay(notes: Notes) -> None:
    notes.came["2 1 0004"] = 13.0


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = judged(all_is_well(), {False: set(GOOD), True: set(BAD)}, len(BAD), 0)
    assert found.held, found.counts
    assert found.counts["brought_again"] == 1


@pytest.mark.parametrize(
    ("breach", "name", "value"),
    [(lose, "lost", 1), (disorder, "out_of_order", 1), (delay, "p95_s", 3.0)],
)
def test_a_breach_is_found_by_its_name(breach: Callable[[Notes], None], name: str, value: float) -> None:
    notes = all_is_well()
    breach(notes)
    found = judged(notes, {False: set(GOOD), True: set(BAD)}, len(BAD), 0)
    assert not found.held
    assert found.counts[name] == value


def test_what_bad_targets_are_owed_may_not_be_forgotten() -> None:
    found = judged(all_is_well(), {False: set(GOOD), True: set(BAD)}, 0, 0)
    assert not found.held
    assert found.counts["forgotten_of_bad_targets"] == 1
