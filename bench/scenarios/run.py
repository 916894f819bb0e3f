"""What all scenarios share: the run's settings, contenders alternated by rounds, and answers checked before them.

It refuses a comparison of unequal answers: `Faulty` when a contender's bytes are not those it was started for.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.databases import Database, Shelf
from bench.debian import Tool
from bench.load import Faulty, Generator, Load
from bench.measure import Measured, measured
from bench.process import Server
from bench.results import Figure, Sample
from bench.server import Answer, get

WARM_UP_SECONDS = 1.0
BUSY_CONNECTIONS = 64
SIZE_TOLERANCE = 0.02

Samples = dict[str, list[Sample]]


@dataclass(frozen=True, slots=True)
class Run:
    """The settings and means of a run. `nginx` is None where it can't be had: then what is measured against it is not.

    `cache`: where fetched programs lie. `tell` shows one line of progress.
    """

    rounds: int
    seconds: float
    ten_million: bool
    million: int
    generator: Generator
    nginx: Tool | None
    shelf: Shelf
    folder: Path
    cache: Path
    tell: Callable[[str], None]

    def new_folder(self) -> Path:
        """A folder of its own for somebody's files."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def busier(self) -> Run:
        """The same with more connections, for what is stored: 32 callers who wait for the disk leave the core idle."""
        connections = max(self.generator.connections, BUSY_CONNECTIONS)
        return replace(self, generator=replace(self.generator, connections=connections))

    def now(self) -> int:
        """The clock's second."""
        return int(time.time())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario gives back; `versions`: of other programs that it measured."""

    figures: list[Figure]
    samples: Samples
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, one sentence for the reader, and the function that does it."""

    name: str
    about: str
    run: Callable[[Run], Outcome]


@dataclass(frozen=True, slots=True)
class Contender:
    """Who takes turns: a name, the load (given seconds), and the roots of the process trees whose CPU counts.

    `answer_bytes`: what an answer has to weigh, head included; 0: not looked at.
    """

    name: str
    load: Callable[[float], Load]
    processes: list[int]
    answer_bytes: int = 0


def polling(
    run: Run, name: str, server: Server, paths: list[str], database: Database | None = None
) -> Contender:
    """A contender that is polled with these paths in turn; `database` is what works beside its server.

    Every path is asked for once before, which also verifies the passwords and seals what has to be sealed.
    """
    sizes = [len(answer.head) + len(answer.body) for answer in (get(server.url, path) for path in paths)]
    if max(sizes) - min(sizes) > SIZE_TOLERANCE * max(sizes):
        raise Faulty(f"{name}: answers of {min(sizes)} to {max(sizes)} bytes where all should weigh the same")
    file = run.new_folder() / "paths"
    file.write_text("\n".join(paths) + "\n")
    processes = [server.pid, *(database.processes if database else [])]

    def load(seconds: float) -> Load:
        return run.generator.poll(server.url, file, seconds)

    return Contender(name, load, processes, round(sum(sizes) / len(sizes)))


def alternate(run: Run, contenders: list[Contender], label: str) -> Samples:
    """Each contender warmed up, then one after the other in every round."""
    samples: Samples = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.load(WARM_UP_SECONDS)
    for number in range(1, run.rounds + 1):
        for contender in contenders:
            run.tell(f"{label}: round {number} of {run.rounds}, {contender.name}")
            done = measured(lambda c=contender: c.load(run.seconds), contender.processes)  # type: ignore[misc] # bound
            _check_size(contender, done.result)
            samples[contender.name].append(sample(done, done.result.requests))
    return samples


def sample(done: Measured[Load], requests: int) -> Sample:
    """A run's figures; `requests`: what was done in it."""
    load = done.result
    return Sample(
        requests=requests,
        seconds=round(done.seconds, 3),
        cpu_seconds=round(done.cpu_seconds, 3),
        per_cpu_second=round(requests / done.cpu_seconds, 1),
        core_share=round(done.core_share, 3),
        foreign_share=round(done.foreign_share, 3),
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
    )


def _check_size(contender: Contender, load: Load) -> None:
    weight = load.bytes / load.requests
    wanted = contender.answer_bytes
    if wanted and abs(weight - wanted) > SIZE_TOLERANCE * wanted:
        raise Faulty(f"{contender.name}: answers of {weight:.0f} bytes where {wanted} were agreed")


def same_answers(one: Answer, other: Answer) -> None:
    """Raise `Faulty` unless both have the same body."""
    if one.body != other.body:
        raise Faulty(f"different answers:\n{one.body[:300]!r}\n{other.body[:300]!r}")
