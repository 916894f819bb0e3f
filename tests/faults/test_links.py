"""A small sample of the harnesses that break a carrier's link; without the protection each must fail."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from faults import crowd
from faults.points import SHORT_LEASES
from faults.run import Found, Scenario
from faults.scenarios.links import CARRIER_SAMPLE, CARRIER_THROTTLING

SEED = 7
# As in test_harnesses.py.
KINDS = 2 if os.environ.get("REJOINDER_SAMPLES") == "all" else 1
Run = Callable[[Scenario, int, bool], Found]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Less load, and leases of seconds: what a lost link left in doubt comes back soon."""
    monkeypatch.setenv(SHORT_LEASES, "1")
    monkeypatch.setattr(crowd, "SHARE", 0.4)
    return lambda scenario, count, protected: scenario.run(count, SEED, lambda _: None, protected)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scenario", "count"), [(CARRIER_SAMPLE, 7), (CARRIER_THROTTLING, 2)][:KINDS])
def test_the_promises_hold(run: Run, scenario: Scenario, count: int) -> None:
    found = run(scenario, count, True)
    assert found.held, found.counts
    assert found.counts["accepted"] > 10
    assert found.counts["parts_taken"] > 10


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scenario", "count"), [(CARRIER_SAMPLE, 2), (CARRIER_THROTTLING, 3)][:KINDS])
def test_without_the_protection_the_harness_fails(run: Run, scenario: Scenario, count: int) -> None:
    found = run(scenario, count, False)
    assert not found.held, found.counts
