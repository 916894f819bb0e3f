"""`rejoinder demo`: the main job on this machine in under a minute, checked."""

from __future__ import annotations

import asyncio
import json
import random
import shlex
import signal
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rejoinder.cli.demo_run import POOL, REST, USERS, Demo
from rejoinder.errors import RejoinderError

DEFAULT_TEXTS = 300
WITHOUT_FILE = 2_000
_WORDS = """
    train table friday maybe bring umbrella seven call lunch tickets garden early soon please answer tomorrow doctor
    station coffee parcel dentist reminder meeting moved confirm yes or no café über 10€ {code} ok?
""".split()  # noqa: SIM905  # reads as what it is: words


def generated_texts(count: int, seed: int = 7) -> list[str]:
    """Texts of many lengths, some accented, some with emoji, the same ones every time."""
    draw = random.Random(seed)  # noqa: S311  # demo texts, not secrets
    texts = []
    for number in range(count):
        words = [draw.choice(_WORDS) for _ in range(draw.choice((3, 6, 9, 14, 40)))]
        ending = draw.choice(("", "", "", " 😀", " 👨‍👩‍👧 ¿qué tal?", " Ωμέγα"))
        texts.append(f"#{number} {' '.join(words)}{ending}")
    return texts


def texts_from(path: str) -> list[str]:
    """A text a line; where a line has a tab, the part after it. Empty ones are left out."""
    lines = Path(path).read_text("utf-8").split("\n")
    texts = [line.rstrip("\r").split("\t", 1)[-1] for line in lines]
    found = [text for text in texts if text]
    if not found:
        raise RejoinderError(f"{path} has no text")
    return found


@click.command()
@click.option("--texts", "file", metavar="FILE", help="Texts to send: a line each, or the part after a tab.")
@click.option("--count", type=click.IntRange(1, 100_000), help="How many generated texts to send (300).")
# Not from REJOINDER_DATABASE, which may name one in use: numbers, accounts and carriers of the demo would be in it.
@click.option(
    "--database",
    metavar="URL",
    help="One to try things in. Default: a SQLite file in a temporary folder, whatever REJOINDER_DATABASE says.",
)
@click.option("--keep", is_flag=True, help="Leave the server running afterwards, and say how to use it.")
def demo(file: str | None, count: int | None, database: str | None, keep: bool) -> None:
    """Run the main job end to end: texts go out over HTTP, handsets answer, a poller collects everything.

    A real server is started with simulated carriers. Ends with status 1 when anything is missed, repeated
    or linked wrongly.

    \b
    Examples:
      rejoinder demo
      rejoinder demo --texts messages.tsv
      rejoinder demo --database postgresql://me@localhost/try --keep
    """
    console = Console()
    try:
        texts = _texts(file, count, console)
        with tempfile.TemporaryDirectory(prefix="rejoinder-demo-") as folder:
            url = database or f"sqlite:///{folder}/demo.db"
            right = asyncio.run(_run(Demo(url), texts, keep, console))
    except RejoinderError as error:
        raise click.ClickException(error.sentence) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None
    raise SystemExit(0 if right else 1)


def _texts(file: str | None, count: int | None, console: Console) -> list[str]:
    if file is None:
        return generated_texts(count or DEFAULT_TEXTS)
    if not Path(file).is_file():
        console.print(f"{file} is not there: {count or WITHOUT_FILE} generated texts are sent instead")
        return generated_texts(count or WITHOUT_FILE)
    texts = texts_from(file)
    return texts[:count] if count else texts


async def _run(run: Demo, texts: list[str], keep: bool, console: Console) -> bool:
    _end_at_sigterm()
    await _set_up(run, len(texts), console)
    try:
        await run.start()
        console.print(f"Rejoinder listens on {run.url}")
        await _traffic(run, texts, console)
        _report(run, console)
        if keep:
            await _keep(run, console)
    finally:
        await run.stop()
    return run.findings.right()


def _end_at_sigterm() -> None:
    """As Ctrl-C does: the server that was started must not outlive the demo."""
    task = asyncio.current_task()
    assert task is not None  # asyncio.run made one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _set_up(run: Demo, texts: int, console: Console) -> None:
    commands = run.commands(texts)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
    ) as progress:
        task = progress.add_task("Setting up", total=len(commands))
        for words in commands:
            await run.command(*words)
            progress.advance(task)
    console.print(f"1 reseller, 1 customer, {USERS} users, {POOL} reply numbers, simulated carriers")


async def _traffic(run: Demo, texts: list[str], console: Console) -> None:
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        sent = progress.add_task("Sending over HTTP", total=len(texts))
        polled = progress.add_task("Polling allMessages", total=None)
        deadline = time.monotonic() + 40 + len(texts) / 100

        def shown(messages: int) -> None:
            progress.update(polled, advance=messages, total=run.findings.expected())

        await run.collect(deadline, shown, run.send(texts, lambda n: progress.advance(sent, n)))


def _report(run: Demo, console: Console) -> None:
    found = run.findings
    table = Table(show_header=False, title="What the poller saw")
    wrongly = len(found.answers) - found.linked()
    for name, value in (
        ("texts sent", len(found.sent)),
        ("answers received", len(found.answers)),
        ("answers linked to their text", found.linked()),
        ("linked wrongly", wrongly),
        ("missed", found.missed()),
        ("repeated", found.repeated()),
    ):
        table.add_row(name, str(value))
    console.print(table)
    if found.answers:
        answer = max(found.answers.values(), key=lambda one: len(one["text"]))
        console.print("One answer in full:")
        console.print_json(json.dumps(answer, ensure_ascii=False))
        console.print("It answers this text:")
        console.print(repr(found.sent[answer["originDocumentId"]].text), markup=False, highlight=False)
    console.print("Try next (with --keep the server stays for it):")
    console.print(_curl(run), markup=False, highlight=False, soft_wrap=True)


def _curl(run: Demo) -> str:
    form = f"username={run.users[0]}&password={run.password}&since=0"
    return f"curl -s {run.url}{REST}/user/allMessages -d {shlex.quote(form)}"


async def _keep(run: Demo, console: Console) -> None:
    console.print(f"The server keeps running on {run.url}; its database is {run.database}", soft_wrap=True)
    console.print(f"Users {', '.join(run.users)}, password {run.password}", markup=False, soft_wrap=True)
    console.print("Send a text:")
    form = f"username={run.users[0]}&password={run.password}&recipient={run.prefix}100001&text=Hello"
    console.print(
        f"curl -s {run.url}{REST}/message/sendSingle2 -d {shlex.quote(form)}", markup=False, soft_wrap=True
    )
    console.print("Ctrl-C ends it.")
    await run.ended()
