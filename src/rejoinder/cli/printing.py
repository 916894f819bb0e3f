"""Records for a terminal or as JSON.

Refuses to let a name or a handset's text steer the terminal: what is not printable becomes a blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import click

from rejoinder.clock import SystemClock
from rejoinder.flow.operator.shown import shown, standing
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

    return shown(kind, standing(record, SystemClock().wall_us()), SECRET_SETTINGS)


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
    """A line per row below the columns' names. Plain: rich would cost every `list` 100 ms, and cuts in a pipe."""
    lines = [[word(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    click.secho(_aligned(columns, widths), bold=True)
    for line in lines:
        click.echo(_aligned(line, widths))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
