"""A small sample of every harness that loads the server; without the protection each must fail.

Seconds of load on a machine that is busy with other tests show that the mechanism works and that nothing is lost; how
fast it is, the harness's own runs say.
"""

from __future__ import annotations

import random

import pytest

from faults import crowd
from faults.load.arrivals import Course, arrive, kept
from faults.load.tally import Histogram, Tally, slope
from faults.points import SHORT_LEASES
from faults.scenarios import ALL

SEED = 7
# How many seconds of each, and of its negative control; where there is none here, the control takes as long as the rest
# together, and `python -m faults --only NAME --count 4 --unprotected` runs it.
SAMPLES = {
    "overload-http-sqlite": (1, 1),
    "overload-smpp-sqlite": (1, None),
    "fairness-sqlite": (1, None),
    "slow-connections": (2, 2),
    "soak": (2, None),
}
# The same on the other store is the same code.
SAME = {"overload-http-postgres", "overload-smpp-postgres", "fairness-postgres"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less of the crowd that the soak has, and its leases are short."""
    monkeypatch.setenv(SHORT_LEASES, "1")
    monkeypatch.setattr(crowd, "SHARE", 0.4)


def silent(_steps: int) -> None:
    return


def test_every_harness_of_load_has_its_sample() -> None:
    loads = {name for name in ALL if name.startswith(("overload-", "fairness-", "slow-", "soak"))}
    assert loads == set(SAMPLES) | SAME


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_promised_under_load_holds(name: str) -> None:
    found = ALL[name].run(SAMPLES[name][0], SEED, silent, True)
    assert found.held, found.counts
    assert found.counts["lost"] == 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "seconds"), [(name, seconds) for name, (_, seconds) in SAMPLES.items() if seconds]
)
def test_without_the_protection_it_does_not(name: str, seconds: int) -> None:
    found = ALL[name].run(seconds, SEED, silent, False)
    assert not found.held, found.counts


async def test_arrivals_come_by_the_clock_and_wait_for_nobody() -> None:
    tally, sent = Tally(), list[float]()

    def send(due: float, _tally: Tally) -> None:
        sent.append(due)
        if len(sent) % 10 == 0:
            raise LookupError  # no connection left

    count = await arrive(Course(2000.0, 0.2, random.Random(1)), send, tally)
    assert count == len(sent) == tally.late.count
    assert 300 < count < 500
    assert sent == sorted(sent)
    assert tally.unsent == count // 10
    assert not kept(tally)


def test_a_schedule_that_was_not_kept_is_told() -> None:
    late, punctual = Tally(), Tally()
    for _ in range(100):
        late.late.add(0.5)
        punctual.late.add(0.001)
    assert kept(punctual)
    assert not kept(late)


def test_quantiles_are_the_milliseconds_that_were_enough() -> None:
    histogram = Histogram()
    assert histogram.quantile_ms(0.99) == 0
    for milliseconds in range(1, 101):
        histogram.add(milliseconds / 1000 - 0.0005)
    assert [histogram.quantile_ms(share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(x, 3 * x + 5) for x in range(10)]) == pytest.approx(3)
    assert slope([(1, 1)]) == 0
