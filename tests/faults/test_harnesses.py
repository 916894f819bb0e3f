"""A small sample of every harness of `make faults`; without the protection each must fail."""

from __future__ import annotations

import shutil

import pytest

from faults.points import SHORT_LEASES
from faults.scenarios import ALL

SEED = 7
NEEDS_CC = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="the interposer needs a C compiler"
)


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that a killed process had in its hands is tried again after seconds, not after a minute."""
    monkeypatch.setenv(SHORT_LEASES, "1")


# How much of each fuzzer takes about three seconds.
PDUS = 20_000


def silent(_steps: int) -> None:
    return


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("kill-sqlite", 3),
        ("kill-postgres", 2),
        ("postgres-restarts", 1),
        pytest.param("power-loss-sqlite", 30, marks=NEEDS_CC),
        pytest.param("bad-disk-sqlite", 3, marks=NEEDS_CC),
        pytest.param("clock-steps", 3, marks=NEEDS_CC),
    ],
)
def test_the_promises_hold(name: str, count: int) -> None:
    found = ALL[name].run(count, SEED, silent, True)
    assert found.held, found.counts
    assert found.counts.get("accepted", found.counts.get("acknowledged", 0)) > 10


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "count"), [("kill-sqlite", 2), pytest.param("power-loss-sqlite", 30, marks=NEEDS_CC)]
)
def test_without_the_protection_the_harness_fails(name: str, count: int) -> None:
    assert not ALL[name].run(count, SEED, silent, False).held


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "count"), [("fuzz-pdus", PDUS)])
def test_no_bytes_harm_the_server_or_its_other_clients(name: str, count: int) -> None:
    found = ALL[name].run(count, SEED, silent, True)
    assert found.held, found.counts


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "count"), [("fuzz-pdus", 6_000)])
def test_a_fuzzer_finds_a_bug_of_every_kind_that_is_planted(name: str, count: int) -> None:
    found = ALL[name].run(count, SEED, silent, False)
    assert not found.held, found.counts
