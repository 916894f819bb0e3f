"""Searches every state that a world can reach, nearest first, for a broken promise.

    python -m tests.property.cursor.search [--depth MESSAGES] [--steps N] [--scope NAME] [--variant NAME]

Without --depth it searches what the tests do; each message more takes about ten times as long (and a
kilobyte a state). Refuses a name that it doesn't know.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

from tests.property.cursor.model import Rules, Scope
from tests.property.cursor.pollers import Label
from tests.property.cursor.promise import FAULTS, Patience
from tests.property.cursor.scopes import SCOPES
from tests.property.cursor.state import State, first_state
from tests.property.cursor.variants import VARIANTS
from tests.property.cursor.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """`steps`: the furthest state's distance from the start; `trace`: the shortest way to the fault."""

    states: int
    steps: int
    seconds: float  # of the processor
    fault: str | None = None
    trace: tuple[Label, ...] = ()

    def __str__(self) -> str:
        told = f"{self.states:9,} states  {self.steps:3} steps  {self.seconds:6.1f} s  {self.fault or 'kept'}"
        return "\n".join((told, *("    " + " ".join(map(str, label)) for label in self.trace)))


Origins = dict[State, tuple[Label, State] | None]


def search(rules: Rules, scope: Scope, faults: Collection[str] = FAULTS, most: int | None = None) -> Result:
    """Every state within `most` steps (None: all there are), or the shortest trace to one of `faults`."""
    began, origins = time.process_time(), Origins({first_state(scope): None})
    # Nothing here refers to itself, and the collector would walk over all states again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        steps, fault, trace = _search(World(rules, scope), origins, faults, most)
        return Result(len(origins), steps, time.process_time() - began, fault, trace)
    finally:
        if collecting:
            gc.enable()


def _search(
    world: World, origins: Origins, faults: Collection[str], most: int | None
) -> tuple[int, str | None, tuple[Label, ...]]:
    patience = Patience(world.rules, world.scope)
    layer, steps = list(origins), 0
    while layer:
        following: list[State] = []
        for state in layer:
            fault = patience.judge(state)
            if fault in faults:
                return steps, fault, _trace(origins, state)
            if most is not None and steps >= most:
                continue
            for label, after, broken in world.steps(state):
                if broken in faults:
                    return steps + 1, broken, (*_trace(origins, state), label)
                if after not in origins:
                    origins[after] = (label, state)
                    following.append(after)
        layer, steps = following, steps + 1
    return steps - 1, None, ()


def _trace(origins: Origins, state: State) -> tuple[Label, ...]:
    labels = []
    while (origin := origins[state]) is not None:
        label, state = origin
        labels.append(label)
    return tuple(reversed(labels))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.cursor.search", description=__doc__)
    parser.add_argument("--depth", type=int, metavar="MESSAGES", help="how many messages are stored in all")
    parser.add_argument("--steps", type=int, metavar="N", help="look no further than N steps")
    parser.add_argument("--scope", choices=sorted(SCOPES), help="this world only")
    parser.add_argument("--variant", choices=sorted(VARIANTS), help="these wrong rules, not the right ones")
    chosen = parser.parse_args(arguments)
    variant = VARIANTS.get(chosen.variant)
    name: str | None = chosen.scope or (variant.scope if variant else None)
    broken = False
    for scope in [SCOPES[name]] if name else list(SCOPES.values()):
        if chosen.depth is not None:
            scope = replace(scope, messages=chosen.depth)  # noqa: PLW2901  # the same world, larger
        result = search(variant() if variant else Rules(), scope, most=chosen.steps)
        broken = broken or result.fault is not None
        sys.stdout.write(f"{scope.name:34}{result}\n")
        sys.stdout.flush()
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
