"""One command's call: which database it speaks to, how it answers, and how a refusal ends it.

Exit status 0 done, 1 refused (one sentence on stderr), 2 usage. Refuses to print a traceback for anything that
was foreseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from rejoinder.clock import SystemClock
from rejoinder.errors import RejoinderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rejoinder.flow.ports import Kind, Record, Store, Tables, Tx

T = TypeVar("T")

DEFAULT_DATABASE = "sqlite:///rejoinder.db"
_SQLITE = "sqlite:///"


class Refusal(click.ClickException):
    """A refusal as a person reads it: one line on stderr."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"rejoinder: {' '.join(self.message.split())}", err=True)


@contextmanager
def refusals() -> Iterator[None]:
    """Turns our own errors into a sentence and exit status 1."""
    try:
        yield
    except RejoinderError as error:
        raise Refusal(error.sentence) from error
    except BrokenPipeError:
        raise  # click knows what to do when `| head` has seen enough
    except OSError as error:
        raise Refusal(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from error


@dataclass(frozen=True, slots=True)
class Call:
    """Where one command reads and writes, in which form it answers, and the file of the server's settings."""

    database: str
    as_json: bool
    config: str | None

    def run(self, journey: Callable[[Store, SystemClock], Awaitable[T]]) -> T:
        """Opens the database (made or migrated where that is due), runs the journey, closes it."""
        self._say_if_new()
        with refusals():
            return asyncio.run(self._run(journey))

    def _say_if_new(self) -> None:
        """Where the name was mistyped, nothing else would tell."""
        file = Path(self.database.removeprefix(_SQLITE))
        if self.database.startswith(_SQLITE) and file.parent.is_dir() and not file.exists():
            click.echo(f"rejoinder: {file} is a new database", err=True)

    async def _run(self, journey: Callable[[Store, SystemClock], Awaitable[T]]) -> T:
        # Imported late: `--help` and usage errors need no database.
        from rejoinder.store import open_store

        clock = SystemClock()
        store = await open_store(self.database, clock)
        try:
            return await journey(store, clock)
        finally:
            await store.close()

    def read(self, work: Callable[[Tables], Awaitable[T]]) -> T:
        """Reads what is committed."""
        return self.run(lambda store, _: work(store.read))

    def change(self, work: Callable[[Tx, int], Awaitable[T]]) -> T:
        """Changes the directory; `work` gets the transaction and now, in microseconds."""
        from rejoinder.flow.operator.accounts import changing

        return self.run(lambda store, clock: changing(store, lambda tx: work(tx, clock.wall_us())))

    def answer(self, line: str, fields: dict[str, object]) -> None:
        """One line for a person, or one JSON object."""
        from rejoinder.cli.printing import json_text, one_line

        click.echo(json_text(fields) if self.as_json else one_line(line))

    def done(self, kind: Kind, record: Record, line: str) -> None:
        """The same about a record; `{}` in the line stands for its full name."""
        from rejoinder.cli.printing import public
        from rejoinder.flow.operator.lookup import full_name

        self.answer(line.format(f"{kind} {full_name(kind, record)!r}"), public(kind, record))


def on_database(command: Callable[..., T]) -> Callable[..., T]:
    """Gives a command --config, --database and --json, and hands it the `Call` they make."""

    @click.option(
        "--config",
        metavar="FILE",
        envvar="REJOINDER_CONFIG",
        show_envvar=True,
        help="The server's settings in TOML, for what a command needs of them.",
    )
    @click.option(
        "--database",
        metavar="URL",
        envvar="REJOINDER_DATABASE",
        show_envvar=True,
        help="sqlite:///file.db or postgresql://user@host/name; made and migrated where that is due. "
        f"Overrides the file's; without either {DEFAULT_DATABASE}.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(command)
    def called(*args: Any, config: str | None, database: str | None, as_json: bool, **kwargs: Any) -> T:
        with refusals():
            return command(Call(_database(config, database), as_json, config), *args, **kwargs)

    return called


def _database(config: str | None, given: str | None) -> str:
    if given is None and config is not None:
        from rejoinder.config import load

        return load(config).database
    # An empty one (a variable of a script's that is not set, say) is refused, not taken for none.
    return DEFAULT_DATABASE if given is None else given


def example(*lines: str) -> str:
    """A command's epilog: how it is called."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def pairs(given: Sequence[str]) -> list[tuple[str, str]]:
    """KEY=VALUE words. Raises UsageError for a word without `=`."""
    found = []
    for word in given:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise click.UsageError("settings are given as KEY=VALUE")
        found.append((key, value))
    return found
