"""`python -m faults`: runs a tenth of every harness, or what is asked for, and appends what it found to results/."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from faults import guarantees, results
from faults.run import Found, Scenario
from faults.scenarios import ALL

EXAMPLES = """
\b
Examples:
  python -m faults                                     a tenth of each
  python -m faults --full --jobs 2                     all of each, two at a time: hours
  python -m faults --only kill-sqlite --count 50 --seed 7
  python -m faults --only power-loss-sqlite --unprotected   the negative control: it must fail
  python -m faults list
  python -m faults table                               renew the figures of docs/guarantees.md
"""


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.option("--only", metavar="NAME", multiple=True, help="A harness, or a kind of them; may be repeated.")
@click.option("--count", type=click.IntRange(1), help="How much of it; default a tenth of the whole.")
@click.option("--seed", type=int, help="Repeats a run; default by chance. It is printed.")
@click.option(
    "--jobs",
    default=3,
    show_default=True,
    type=click.IntRange(1),
    help="Harnesses at a time; those that measure times run alone all the same.",
)
@click.option("--full", is_flag=True, help="The whole of each.")
@click.option(
    "--unprotected", is_flag=True, help="Take the protection out: succeeds when the promise breaks."
)
@click.pass_context
def main(
    context: click.Context,
    /,
    only: tuple[str, ...],
    count: int | None,
    seed: int | None,
    jobs: int,
    full: bool,
    unprotected: bool,
) -> None:
    """Disturb the server and count what was lost, repeated or paid twice. Exit status 1: a promise did not hold."""
    if context.invoked_subcommand:
        return
    wanted = [
        Part(
            one,
            count or (one.whole if full else max(1, one.whole // 10)),
            random.randrange(10**6) if seed is None else seed,
            not unprotected,
        )
        for one in _chosen(only)
    ]
    beside = [part for part in wanted if not part.scenario.alone] if jobs > 1 < len(wanted) else []
    good = asyncio.run(_side_by_side(beside, jobs)) if beside else True
    for part in wanted:
        if part not in beside:
            good &= _one(part)
    if not unprotected:
        guarantees.write()
    sys.exit(0 if good else 1)


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a harness, under a seed."""

    scenario: Scenario
    count: int
    seed: int
    protected: bool


def _chosen(only: tuple[str, ...]) -> list[Scenario]:
    """The harnesses of those names; a word that is no name stands for all that begin so."""
    names = {name for word in only for name in ([word] if word in ALL else ALL) if name.startswith(word)}
    if only and not names:
        raise click.BadParameter(f"none of that name; there are {', '.join(ALL)}", param_hint="--only")
    return [one for name, one in ALL.items() if not only or name in names]


async def _side_by_side(parts: list[Part], jobs: int) -> bool:
    """Runs parts in processes of their own, so many at a time. Whether all came out as they must."""
    room = asyncio.Semaphore(jobs)
    console = Console(stderr=True)

    async def one(part: Part) -> bool:
        words = ["--only", part.scenario.name, "--count", str(part.count), "--seed", str(part.seed)]
        words += [] if part.protected else ["--unprotected"]
        async with room:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "faults", *words), stderr=asyncio.subprocess.PIPE
            )
            try:
                _, said = await process.communicate()
            finally:
                if process.returncode is None:
                    process.terminate()
        console.print(said.decode().strip(), markup=False, highlight=False, soft_wrap=True)
        progress.advance(task)
        return process.returncode == 0

    with _progress(console) as progress:
        task = progress.add_task(f"harnesses, {jobs} at a time", total=len(parts))
        return all(await asyncio.gather(*(one(part) for part in parts)))


def _progress(console: Console) -> Progress:
    """A bar where somebody looks on; what is read by another program has results alone."""
    columns = TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _one(part: Part) -> bool:
    """Runs a part, says what it found, keeps it. Whether it came out as it must."""
    scenario, count, seed, protected = part.scenario, part.count, part.seed, part.protected
    console = Console(stderr=True)
    begun = time.monotonic()
    with _progress(console) as progress:
        task = progress.add_task(f"{scenario.name} seed {seed}", total=count)
        found: Found = scenario.run(count, seed, lambda steps: progress.advance(task, steps), protected)
    seconds = time.monotonic() - begun
    if protected:
        results.append(scenario.name, count, seed, seconds, found.held, found.counts)
    good = found.held == protected
    word = "held" if found.held else "BROKEN"
    console.print(
        f"{'' if good else '[red]'}{scenario.name} {word} --count {count} --seed {seed}: {found.counts}",
        soft_wrap=True,
    )
    return good


@main.command(name="list")
def list_scenarios() -> None:
    """The harnesses, what they do, and how much of each has been run."""
    for name, scenario in ALL.items():
        held = sum(part.count for part in results.counted(name))
        click.echo(f"{name:24} {held:>9,} of {scenario.whole:<11,} {scenario.about}")


@main.command()
def table() -> None:
    """Renew the figures of docs/guarantees.md from faults/results/ and bench/results/."""
    guarantees.write()


if __name__ == "__main__":
    main(prog_name="python -m faults")
