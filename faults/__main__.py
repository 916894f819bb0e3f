"""`python -m faults`: runs a tenth of every harness, or what is asked for, and appends what it found to results/."""

from __future__ import annotations

import random
import sys
import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from faults import guarantees, results
from faults.scenarios import ALL
from faults.scenarios.run import Found, Scenario

EXAMPLES = """
\b
Examples:
  python -m faults                                     a tenth of each
  python -m faults --full                              all of each: hours
  python -m faults --only kill-sqlite --count 50 --seed 7
  python -m faults --only power-loss-sqlite --unprotected   the negative control: it must fail
  python -m faults list
  python -m faults table                               renew the figures of docs/guarantees.md
"""


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.option("--only", metavar="NAME", multiple=True, help="A harness, or a kind of them; may be repeated.")
@click.option("--count", type=click.IntRange(1), help="How much of it; default a tenth of the whole.")
@click.option("--seed", type=int, help="Repeats a run; default by chance. It is printed.")
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
    full: bool,
    unprotected: bool,
) -> None:
    """Disturb the server and count what was lost, repeated or paid twice. Exit status 1: a promise did not hold."""
    if context.invoked_subcommand:
        return
    chosen = [one for name, one in ALL.items() if not only or any(name.startswith(word) for word in only)]
    if not chosen:
        raise click.BadParameter(f"none of that name; there are {', '.join(ALL)}", param_hint="--only")
    broken = 0
    for scenario in chosen:
        much = count or (scenario.whole if full else max(1, scenario.whole // 10))
        broken += not _one(
            scenario, much, seed if seed is not None else random.randrange(10**6), not unprotected
        )
    if not unprotected:
        guarantees.write()
    sys.exit(1 if broken else 0)


def _one(scenario: Scenario, count: int, seed: int, protected: bool) -> bool:
    """Runs a part, says what it found, keeps it. Whether it came out as it must."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn()
    begun = time.monotonic()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"{scenario.name} seed {seed}", total=count)
        found: Found = scenario.run(count, seed, lambda steps: progress.advance(task, steps), protected)
    seconds = time.monotonic() - begun
    if protected:
        results.append(scenario.name, count, seed, seconds, found.held, found.counts)
    good = found.held == protected
    word = "held" if found.held else "BROKEN"
    console.print(
        f"{'' if good else '[red]'}{scenario.name} {word} --count {count} --seed {seed}: {found.counts}"
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
