"""A small sample of every harness of `make faults`; without the protection each must fail."""

from __future__ import annotations

import os
import shutil

import pytest

from faults import crowd, server
from faults.points import SHORT_LEASES
from faults.scenarios import ALL, first_send, pushes

SEED = 7
NEEDS_CC = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="the interposer needs a C compiler"
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less load, and leases of seconds: what a killed process had in its hands comes back soon."""
    monkeypatch.setenv(SHORT_LEASES, "1")
    monkeypatch.setattr(crowd, "SHARE", 0.4)
    monkeypatch.setattr(server, "POOL", 4)
    monkeypatch.setattr(first_send, "QUEUED", 100_000)
    monkeypatch.setattr(first_send, "MEGABYTES", 40.0)
    # Other tests run beside this one: only the harness's own run says how soon.
    monkeypatch.setattr(first_send, "SECONDS", 60.0)
    monkeypatch.setattr(pushes, "SECONDS", 6.0)


# The same of the fuzzers; there it is one bug of those that are planted, or of each a few.
FUZZ_SAMPLES = {"fuzz-pdus": (20_000, 6_000), "fuzz-http": (600, 600), "fuzz-smpp": (2_000, 1_000)}


def silent(_steps: int) -> None:
    return


# `make test` has a minute for these: the rest, which takes as long again, runs with REJOINDER_SAMPLES=all.
ALL_SAMPLES = os.environ.get("REJOINDER_SAMPLES") == "all"
LEFT_OUT = {
    False: {"postgres-promotion", "first-send-postgres"},
    True: {
        "postgres-promotion",
        "postgres-restarts",
        "bad-disk-sqlite",
        "clock-steps",
        "fuzz-http",
        "fuzz-smpp",
    },
}
# How much of each; and of its negative control, which must fail. Three controls are left to `--unprotected`: the same
# protection is taken out of another harness, or of pushes' lanes in tests/pushes.
SAMPLES: dict[str, tuple[int, int | None]] = {
    "kill-sqlite": (2, 1),
    "kill-postgres": (1, None),
    "postgres-restarts": (1, 1),
    "postgres-promotion": (1, 1),
    "power-loss-sqlite": (30, 30),
    "bad-disk-sqlite": (3, 2),
    "clock-steps": (3, 1),
    "first-send-sqlite": (1, 1),
    "first-send-postgres": (1, None),
    "pushes": (60, None),
}
# Links, bytes and load have samples of another shape.
OF_OTHER_KINDS = ("carrier-", "fuzz-", "overload-", "fairness-", "slow-", "soak")
NEED_CC = ("power-loss-sqlite", "bad-disk-sqlite", "clock-steps")


def taken(name: str, control: bool) -> bool:
    return ALL_SAMPLES or name not in LEFT_OUT[control]


def samples(control: bool) -> pytest.MarkDecorator:
    """Each harness with its count."""
    counts = {name: counts[control] for name, counts in SAMPLES.items() if taken(name, control)}
    return pytest.mark.parametrize(
        ("name", "count"),
        [
            pytest.param(name, count, id=name, marks=NEEDS_CC if name in NEED_CC else ())
            for name, count in counts.items()
            if count is not None
        ],
    )


def test_every_harness_has_its_sample() -> None:
    assert {name for name in ALL if not name.startswith(OF_OTHER_KINDS)} == set(SAMPLES)


@pytest.mark.timeout(240)
@samples(control=False)
def test_the_promises_hold(name: str, count: int) -> None:
    found = ALL[name].run(count, SEED, silent, True)
    assert found.held, found.counts
    assert any(found.counts.get(key) for key in ("accepted", "acknowledged", "sent", "pushes")), found.counts


@pytest.mark.timeout(240)
@samples(control=True)
def test_without_the_protection_the_harness_fails(name: str, count: int) -> None:
    found = ALL[name].run(count, SEED, silent, False)
    assert not found.held, found.counts


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", list(FUZZ_SAMPLES))
def test_no_bytes_harm_the_server_or_its_other_clients(name: str) -> None:
    found = ALL[name].run(FUZZ_SAMPLES[name][0], SEED, silent, True)
    assert found.held, found.counts


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [name for name in FUZZ_SAMPLES if taken(name, True)])
def test_a_fuzzer_finds_what_is_planted(name: str) -> None:
    found = ALL[name].run(FUZZ_SAMPLES[name][1], SEED, silent, False)
    assert not found.held, found.counts
