"""`python -m bench`: runs the scenarios asked for, writes their results, renews the table of bench/README.md."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import debian, machine, results
from bench.databases import Shelf
from bench.load import Faulty, Generator
from bench.measure import ALLOWED, LOAD_CORE, enough_cores
from bench.scenarios import ALL, chosen
from bench.scenarios.run import Outcome, Run, Scenario
from faults import guarantees

CACHE = Path(__file__).parents[1] / ".cache"
QUICK_MILLION = 50_000
CONNECTIONS = 32
MILLION = 1_000_000

EXAMPLES = """
\b
Examples:
  python -m bench                              everything, 5 rounds of 4 s
  python -m bench --ten-million                the same, and mailboxes of ten million messages
  python -m bench --only polls --only baseline
  python -m bench --quick --only accepts-sqlite  does it run at all? Results go to results/scratch/
  python -m bench table                        renew the table of bench/README.md
  python -m bench table --scratch              show that of results/scratch/
"""


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.option("--only", metavar="NAME", multiple=True, help="A scenario, or a kind of them; may be repeated.")
@click.option(
    "--rounds", default=results.ROUNDS, show_default=True, help="Rounds; all contenders run in each."
)
@click.option("--seconds", default=results.SECONDS, show_default=True, help="Seconds of load of each run.")
@click.option("--connections", default=CONNECTIONS, show_default=True, help="Connections of the load.")
@click.option("--quick", is_flag=True, help="One round of 1 s, mailboxes of 50,000 for a million.")
@click.option(
    "--ten-million", is_flag=True, help="Also mailboxes of ten million messages (5 GB, minutes to fill)."
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Where databases lie; default .cache/."
)
@click.pass_context
def main(
    context: click.Context, /, only: tuple[str, ...], data: Path | None, quick: bool, **options: float
) -> None:
    """Measure the server per CPU-second, and against nginx and the baseline, in alternated runs.

    Server, its PostgreSQL and nginx have core 0, the load has core 1. Results of at least 5 rounds of 4 s are written
    to bench/results/, others to bench/results/scratch/.
    """
    if context.invoked_subcommand:
        return
    if quick:
        options |= {"rounds": 1, "seconds": 1.0}
    try:
        scenarios = chosen(list(only))
    except LookupError as error:
        raise click.BadParameter(str(error), param_hint="--only") from error
    sys.exit(measure(scenarios, data or data_folder(), QUICK_MILLION if quick else MILLION, options))


@main.command()
@click.option("--scratch", is_flag=True, help="Show the table of results/scratch/ and write nothing.")
def table(scratch: bool) -> None:
    """Renew the table of bench/README.md, and the figures of docs/guarantees.md, from bench/results/."""
    if scratch:
        click.echo(results.table(results.load(results.FOLDER / "scratch")))
    else:
        write_tables()


def write_tables() -> None:
    """What is made of the results: the table of bench/README.md and the figures of docs/guarantees.md."""
    results.write_table(results.README, results.table(results.load(results.FOLDER)))
    guarantees.write()


@main.command(name="list")
def list_scenarios() -> None:
    """The scenarios and what they measure."""
    for name, scenario in ALL.items():
        click.echo(f"{name:18} {scenario.about}")


def data_folder() -> Path:
    """Where databases lie: .cache/, or /var/tmp where root's PostgreSQL, which runs as nobody, can't enter it."""
    folder = CACHE / "bench"
    closed = any(not above.stat().st_mode & 0o001 for above in folder.parents if above.exists())
    return Path("/var/tmp/rejoinder-bench") if os.geteuid() == 0 and closed else folder


def measure(scenarios: list[Scenario], folder: Path, million: int, options: dict[str, float]) -> int:
    """Run the scenarios; 0 when all gave results, 1 when one failed, 2 when nothing can be measured here."""
    console = Console(highlight=False, soft_wrap=True)
    if not enough_cores():
        console.print(f"[red]two cores are needed, to part server and load; here are {len(ALLOWED)}")
        return 2
    wrk, nginx = fetched("wrk", debian.wrk, console), fetched("nginx", debian.nginx, console)
    if wrk is None:
        return 2
    os.sched_setaffinity(0, {LOAD_CORE})
    # Ended by `timeout` or a supervisor, everything started is ended and removed as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = work_folder(folder, console)
    columns = BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    failed = 0
    try:
        with Shelf(work) as shelf, Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=len(scenarios))
            run = Run(
                rounds=int(options["rounds"]),
                seconds=options["seconds"],
                ten_million=bool(options["ten_million"]),
                million=million,
                generator=Generator(wrk, int(options["connections"])),
                nginx=nginx,
                shelf=shelf,
                folder=work,
                cache=CACHE,
                tell=lambda line: progress.update(task, description=line),
            )
            for scenario in scenarios:
                failed += not one(scenario, run, console)
                progress.advance(task)
            progress.update(task, description="done")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    write_tables()
    return 1 if failed else 0


def work_folder(folder: Path, console: Console) -> Path:
    """A new folder for this run. What runs left that were killed is taken away, gigabytes maybe; others stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("run-*"):
        if not Path(f"/proc/{left.name.split('-')[1]}").exists():
            shutil.rmtree(left, ignore_errors=True)
    if machine.file_system(folder) == "tmpfs":
        console.print(f"[yellow]{folder} lies in memory: fsync means nothing there; see --data")
    work = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=folder))
    work.chmod(0o755)
    return work


def fetched(name: str, fetch: Callable[[Path], debian.Tool], console: Console) -> debian.Tool | None:
    """A tool, or None after saying why there is none and what is left out."""
    try:
        return fetch(CACHE)
    except debian.Unavailable as reason:
        left_out = "nothing can be measured" if name == "wrk" else "nothing is measured against nginx"
        console.print(f"[yellow]{left_out}: {reason}")
        return None


def one(scenario: Scenario, run: Run, console: Console) -> bool:
    """Run a scenario, write its result, show its figures; whether it gave any."""
    console.print(f"[bold]{scenario.name}[/] {scenario.about}")
    try:
        outcome = scenario.run(run)
    except (Faulty, RuntimeError) as error:
        console.print(f"  [red]failed:[/] {error}", markup=True)
        return False
    result = result_of(scenario, run, outcome)
    file = results.save(result)
    for figure in outcome.figures:
        mark = {None: "", True: " [green]reached[/]", False: " [red]not reached[/]"}[figure.reached]
        spread = f"{results.shown(figure.lowest)} – {results.shown(figure.highest)}"
        console.print(
            f"  {figure.name}: [bold]{results.shown(figure.median)}[/] {figure.unit} ({spread}){mark}"
        )
    if result.disturbed > results.DISTURBED:
        console.print(f"  [yellow]disturbed: others had up to {result.disturbed:.0%} of the server's core")
    console.print(f"  [dim]{file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")
    return True


def result_of(scenario: Scenario, run: Run, outcome: Outcome) -> results.Result:
    """The outcome with what it was measured on."""
    tools = {"wrk": run.generator.wrk.version, **outcome.versions}
    if run.nginx is not None:
        tools["nginx"] = run.nginx.version
    postgres = run.shelf.postgres_version()
    if postgres:
        tools["PostgreSQL"] = postgres
    commit, changed = machine.commit()
    return results.Result(
        scenario=scenario.name,
        about=scenario.about,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
        changed=changed,
        rounds=run.rounds,
        seconds=run.seconds,
        connections=run.generator.connections,
        machine=machine.describe(run.folder, tools),
        figures=outcome.figures,
        samples=outcome.samples,
    )


if __name__ == "__main__":
    main(prog_name="python -m bench")
