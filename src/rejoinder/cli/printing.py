"""Records for a terminal or as JSON.

Refuses to let a name or a handset's text steer the terminal: what is not printable becomes a blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import click

from rejoinder.flow.operator.shown import shown
from rejoinder.flow.ports import Kind, Record

Fields = dict[str, object]


def json_text(value: object) -> str:
    """ASCII only, so that it can be printed whatever the locale."""
    return json.dumps(value)


def public(kind: Kind, record: Record) -> Fields:
    """The fields of `show`, secrets hidden."""
    if kind != "carrier":
        return shown(kind, record)
    from rejoinder.carriers.registry import SECRET_SETTINGS

    return shown(kind, record, SECRET_SETTINGS)


def one_line(text: str) -> str:
    """Without line breaks, escape sequences and the like."""
    return "".join(c if c.isprintable() else " " for c in text)


def word(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "-"
    return one_line(str(value))


def _lines(fields: Fields, prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{key}.")
        else:
            yield prefix + key, word(value)


def print_fields(fields: Fields) -> None:
    """One field a line."""
    lines = list(_lines(fields))
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        click.echo(f"{key:<{width}}  {value}")


def print_table(columns: Sequence[str], rows: Iterable[Fields]) -> None:
    """A line per row below the columns' names; nothing is cut off where the output is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # Text, not str: square brackets are no markup here.
        table.add_row(*(Text(word(row.get(column))) for column in columns))
    console = Console()
    if not console.is_terminal:
        # Of the table's own width: a pipe has none, and nothing may be cut.
        console = Console(width=max(console.measure(table).maximum, 1))
    console.print(table)
