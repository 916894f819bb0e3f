"""The scenarios by name: each a store, or more, measured in one alternated run.

A name is its kind and its store, `polls-sqlite`; the kind alone names both.
"""

from __future__ import annotations

from bench.scenarios import (
    accepts,
    backlog,
    baseline,
    journeys,
    links,
    peers,
    polls,
    sizes,
    smpp,
    users,
    waits,
)
from bench.scenarios.run import Scenario

ALL: dict[str, Scenario] = {
    scenario.name: scenario
    for module in (polls, sizes, accepts, journeys, links, backlog, peers, smpp, baseline, users, waits)
    for scenario in module.SCENARIOS
}


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios that these names mean; all without names. Raises LookupError for one that means none."""
    for name in names:
        if not any(name in {full, full.partition("-")[0]} for full in ALL):
            raise LookupError(f"there is no scenario {name}; there are {', '.join(ALL)}")
    return [
        scenario
        for full, scenario in ALL.items()
        if not names or full in names or full.partition("-")[0] in names
    ]
