"""Results as JSON files and as the table of bench/README.md, which is made from them and never typed."""

from __future__ import annotations

import statistics
from pathlib import Path

import msgspec

from bench.machine import Machine

FOLDER = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- table: begin (made by `python -m bench table`) -->", "<!-- table: end -->"

# A result counts, and is kept in bench/results/ itself, when it was measured at least so.
ROUNDS, SECONDS = 5, 4.0
DISTURBED = 0.15  # of the server's core had by others: figures are marked


class Sample(msgspec.Struct, frozen=True):
    """One run of one contender. Shares are of the server's core: of the contender, and of others who ran on it."""

    requests: int
    seconds: float
    cpu_seconds: float
    per_cpu_second: float
    core_share: float
    foreign_share: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class Figure(msgspec.Struct, frozen=True):
    """A figure by rounds, and what it has to reach, if it has to."""

    name: str
    unit: str
    per_round: list[float]
    median: float
    lowest: float
    highest: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the median keeps to the bounds; None without bounds."""
        if self.at_least is None and self.at_most is None:
            return None
        low = self.at_least if self.at_least is not None else self.median
        high = self.at_most if self.at_most is not None else self.median
        return low <= self.median <= high


class Result(msgspec.Struct, frozen=True):
    """What one scenario gave: every sample by contender, and the figures made from them."""

    scenario: str
    about: str
    date: str
    commit: str
    changed: bool
    rounds: int
    seconds: float
    connections: int
    machine: Machine
    figures: list[Figure]
    samples: dict[str, list[Sample]]

    @property
    def disturbed(self) -> float:
        """How much of the server's core others had, 0 to 1, in the run in which they had most."""
        shares = (sample.foreign_share for samples in self.samples.values() for sample in samples)
        return max(shares, default=0.0)


def figure(
    name: str,
    unit: str,
    per_round: list[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """A figure from its values by round."""
    return Figure(
        name,
        unit,
        [_rounded(value) for value in per_round],
        _rounded(statistics.median(per_round)),
        _rounded(min(per_round)),
        _rounded(max(per_round)),
        at_least,
        at_most,
    )


def ratios(name: str, ours: list[Sample], theirs: list[Sample], *, at_least: float | None = None) -> Figure:
    """Ours against theirs of the same round, in requests per CPU-second."""
    pairs = zip(ours, theirs, strict=True)
    return figure(
        name, "×", [mine.per_cpu_second / other.per_cpu_second for mine, other in pairs], at_least=at_least
    )


def costs(name: str, one: list[Sample], other: list[Sample], *, at_most: float) -> Figure:
    """The CPU time of one's request, of that of the other's, by rounds."""
    pairs = zip(one, other, strict=True)
    values = [smaller.per_cpu_second / mine.per_cpu_second for mine, smaller in pairs]
    return figure(name, "×", values, at_most=at_most)


def rates(name: str, samples: list[Sample]) -> Figure:
    """Requests per CPU-second."""
    return figure(name, "per CPU-second", [sample.per_cpu_second for sample in samples])


def save(result: Result) -> Path:
    """Write a result that counts into bench/results/, another into its scratch folder, which git ignores."""
    counts = result.rounds >= ROUNDS and result.seconds >= SECONDS
    folder = FOLDER if counts else FOLDER / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.scenario}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return file


def read(file: Path) -> Result:
    """One file's result."""
    return msgspec.json.decode(file.read_bytes(), type=Result)


def load(folder: Path) -> list[Result]:
    """All results of a folder, by the scenario's name."""
    return [read(file) for file in sorted(folder.glob("*.json"))]


def table(results: list[Result]) -> str:
    """The results in Markdown: a line for each machine, a row for each figure with the commit it was measured at."""
    if not results:
        return "No results yet: `make bench` makes them."
    lines = []
    for machine in dict.fromkeys(_machine_key(result) for result in results):
        lines += [_machine_line([result for result in results if _machine_key(result) == machine]), ""]
    lines += ["| scenario | commit | figure | median | lowest – highest | to reach | |"]
    lines += ["|---|---|---|--:|--:|--:|---|"]
    for result in results:
        scenario = f"`{result.scenario}`{'†' if result.disturbed > DISTURBED else ''}"
        commit = f"`{result.commit[:10]}`{'*' if result.changed else ''}"
        for one in result.figures:
            cells = (
                scenario,
                commit,
                one.name,
                f"{shown(one.median)} {one.unit}",
                _spread(one),
                bounds(one),
            )
            mark = {None: "", True: "reached", False: "**not reached**"}[one.reached]
            lines.append(f"| {' | '.join(cells)} | {mark} |")
            scenario = commit = ""
    if any(result.changed for result in results):
        lines += ["", "\\* With changes that were not committed."]
    if any(result.disturbed > DISTURBED for result in results):
        lines += ["", f"† Other processes had more than {DISTURBED:.0%} of the server's core during a run."]
    return "\n".join(lines)


def write_table(readme: Path, text: str) -> None:
    """Put the table between the markers. Raises LookupError when there are none."""
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise LookupError(f"{readme} lacks the markers of the table")
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def shown(value: float) -> str:
    """Three digits that count, thousands parted: 0.418, 3.05, 12,345."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def bounds(one: Figure) -> str:
    """What a figure has to reach, in words."""
    if one.at_least is not None and one.at_most is not None:
        return f"{shown(one.at_least)} – {shown(one.at_most)}"
    if one.at_least is not None:
        return f"≥ {shown(one.at_least)}"
    return f"≤ {shown(one.at_most)}" if one.at_most is not None else ""


def _spread(one: Figure) -> str:
    return f"{shown(one.lowest)} – {shown(one.highest)}"


def _machine_key(result: Result) -> tuple[str, ...]:
    machine = result.machine
    return (
        machine.cpu,
        f"{machine.cores} {machine.memory_gb:.0f}",
        machine.kernel,
        machine.file_system,
        machine.python,
    )


def _machine_line(results: list[Result]) -> str:
    """A machine's line from all that was measured on it."""
    machine = results[0].machine
    syncs = [result.machine.fsync_ms for result in results]
    versions = {
        f"{name} {result.machine.versions[name]}": None
        for name in ("SQLite", "PostgreSQL", "nginx", "wrk", "Kannel")
        for result in results
        if name in result.machine.versions
    }
    dates = sorted(result.date[:10] for result in results)
    runs = {f"{result.rounds} rounds of {result.seconds:g} s": None for result in results}
    return (
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}: {machine.cpu}, {machine.cores} cores, "
        f"{machine.memory_gb:.0f} GB, {machine.kernel}, {machine.file_system} (an append with fsync: "
        f"{shown(min(syncs))} – {shown(max(syncs))} ms), Python {machine.python}, {', '.join(versions)}; "
        f"{', '.join(runs)}."
    )
