"""The figures of docs/guarantees.md, made from faults/results/ and bench/results/ by `python -m faults table`.

The document holds `<!-- figure: … -->` and `<!-- end -->`; all between is made. What stands in the mark:

    faults / HARNESS             how much of it has held
    faults / HARNESS / COUNT     what was counted, once the whole of it was run
    bench / SCENARIO / FIGURE / UNIT
    table of faults              every harness
    table of bounds              every figure of a bench that has to reach something

Refuses harnesses, counts and figures that there are not: a mark that means nothing raises LookupError. (Which benches
there are it can't tell: theirs are other dependencies.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import results as bench
from faults import results
from faults.results import Part
from faults.run import Scenario
from faults.scenarios import ALL

PAGE = Path(__file__).parents[1] / "docs" / "guarantees.md"
_MARK = re.compile(r"(<!-- figure: (.*?) -->)(.*?)(<!-- end -->)", re.DOTALL)
# Of these the greatest of all parts counts, of the others their sum.
_GREATEST = ("slowest", "most", "p95", "grown", "steepest")


def renewed(page: str) -> str:
    """The page with all its figures as the results have them now."""
    return _MARK.sub(lambda mark: f"{mark[1]}{_made(mark[2])}{mark[4]}", page)


def write() -> None:
    """Renews the document."""
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")


def _made(words: str) -> str:
    kind, *names = (word.strip() for word in words.split(" / "))
    makers: dict[tuple[str, int], Callable[..., str]] = {
        ("faults", 1): held,
        ("faults", 2): counted,
        ("bench", 3): measured,
        ("table of faults", 0): table_of_faults,
        ("table of bounds", 0): table_of_bounds,
    }
    maker = makers.get((kind, len(names)))
    if maker is None:
        raise LookupError(f"no such mark: {words}")
    return maker(*names)


def _scenario(name: str) -> Scenario:
    if name not in ALL:
        raise LookupError(f"no such harness: {name}")
    return ALL[name]


def held(name: str) -> str:
    """How much of a harness has held since it last broke."""
    scenario, parts = _scenario(name), results.counted(name)
    broken = results.broken(name)
    if broken is not None and not parts:
        return f"**broken** at {broken.commit} (seed {broken.seed}){_what_broke(broken)}"
    done = sum(part.count for part in parts)
    return f"{'held' if done >= scenario.whole else 'not yet run'}: {min(done, scenario.whole):,} of {scenario.whole:,}"


def _what_broke(broken: Part) -> str:
    """Which promises did not hold and which did, where the harness tells them apart."""
    missed = broken.found.get("missed", ())
    kept = [name for name in broken.found.get("asserted", ()) if name not in missed]
    if not missed:
        return ""
    told = f": {', '.join(map(_words, missed))}"
    return f"{told} (what held: {', '.join(map(_words, kept))})" if kept else told


def counted(name: str, key: str) -> str:
    """What the parts found, added up or their greatest; only of the whole."""
    scenario, parts = _scenario(name), results.counted(name)
    if sum(part.count for part in parts) < scenario.whole:
        return "not yet run"
    if any(key not in part.found for part in parts):
        raise LookupError(f"{name} does not count {key}")
    return _together(key, parts)


def _together(key: str, parts: Sequence[Part]) -> str:
    values = [part.found[key] for part in parts if isinstance(part.found.get(key), int | float)]
    value = max(values) if key.startswith(_GREATEST) else sum(values)
    unit = next((unit for unit in ("s", "ms", "mb") if key.endswith(f"_{unit}")), "")
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return f"{shown} {unit.replace('mb', 'MB')}".rstrip()


def measured(scenario: str, name: str, unit: str) -> str:
    """A bench's median, with what it had to reach where it did not."""
    file = bench.FOLDER / f"{scenario}.json"
    if not file.exists():
        return "not yet measured"
    found = [one for one in bench.read(file).figures if (one.name, one.unit) == (name, unit)]
    if not found:
        raise LookupError(f"{scenario} has no figure {name} in {unit}")
    one = found[0]
    missed = f" (**not reached**: {bench.bounds(one)})" if one.reached is False else ""
    return f"{bench.shown(one.median)} {unit}{missed}"


def table_of_faults() -> str:
    """A row for each harness: what it does, how much of it held, what was found."""
    lines = ["", "", "| harness | what it does | run | found |", "|---|---|---|---|"]
    for name, scenario in ALL.items():
        lines.append(f"| `{name}` | {scenario.about} | {held(name)} | {_found(results.counted(name))} |")
    return "\n".join([*lines, "", ""])


def _found(parts: Sequence[Part]) -> str:
    """The numbers that all parts have; what is 0 stands together."""
    keys = [
        key
        for key, value in (parts[0].found.items() if parts else ())
        if isinstance(value, int | float) and all(key in part.found for part in parts)
    ]
    told = {key: _together(key, parts) for key in keys}
    none = [_words(key) for key, value in told.items() if value == "0"]
    some = [f"{_words(key)} {value}" for key, value in told.items() if value != "0"]
    return "; ".join([*some, *([f"0 {', '.join(none)}"] if none else [])])


def _words(key: str) -> str:
    return re.sub(r"_(s|ms|mb)$", "", key).replace("_", " ")


def table_of_bounds() -> str:
    """A row for each figure that has to reach something."""
    lines = ["", "", "| bench | figure | median | to reach | |", "|---|---|--:|--:|---|"]
    for result in bench.load(bench.FOLDER):
        for one in result.figures:
            if one.reached is not None:
                mark = "reached" if one.reached else "**not reached**"
                median = f"{bench.shown(one.median)} {one.unit}"
                lines.append(
                    f"| `{result.scenario}` | {one.name} | {median} | {bench.bounds(one)} | {mark} |"
                )
    return "\n".join([*lines, "", ""])
