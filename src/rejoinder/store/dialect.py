"""One SQL text for both databases: reads the named queries and writes each in the two dialects.

A query is `-- name: purpose` and the statement below it. Six marks differ between the engines:
`:value` is a parameter (numbered in order of first appearance); `@rows(a text, b bigint)` is a table
named r made from rows that are handed in (one statement for any number of rows: unnest on PostgreSQL; on
SQLite json_each, or for few of them VALUES whose cells are bound, which takes a third of the time; keys that
a column is IN are `= ANY` on PostgreSQL, which is a condition of an index where a join is a matter of
statistics); `@bytes[x]` is text as UTF-8 bytes, which need no decoding and encoding on their way;
`@in_order(keys)` orders what an aggregate joins, where SQLite's clustered range scan does so by itself
(19 µs for 100 entries, 42 behind a sorted subquery); `@by_index(name)` behind a table is the index that SQLite
reads it by, where it would take the table itself (no ANALYZE tells it how few rows a partial index holds; PostgreSQL
gathers its statistics by itself, and has no such words); FOR UPDATE is left out on SQLite, where the one writer holds
the whole store.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_HEAD = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_ROWS = re.compile(r"@rows\(([^)]*)\)")
_BYTES = re.compile(r"@bytes\[([^\]]*)\]")
_ORDER = re.compile(r" @in_order\(([^)]*)\)")
_INDEX = re.compile(r" @by_index\((\w+)\)")
_VALUE = re.compile(r"(?<!:):([a-z_]+)")
_ANY = re.compile(r"IN \(SELECT (\w+) FROM @rows\(\1 (\w+)\)\)")
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_WORD = re.compile(r"[a-z_]+")
_ROOM = "@room"
_LOCK = re.compile(r"\s+FOR UPDATE(?: SKIP LOCKED)?\s*$")


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A query in both dialects. `columns`: how many `@rows` has (0: it takes none).

    On PostgreSQL an array of each column is bound before the values. On SQLite rows are bound after them: `sqlite` takes
    one JSON text, `for_rows` their cells. `writes`: the table that it changes, where it gives no rows back; else
    empty. `words`: the names it may mean.
    """

    name: str
    purpose: str
    sqlite: str
    postgres: str
    columns: int
    values: tuple[str, ...]
    writes: str
    words: frozenset[str]
    _bound: str

    @cache  # noqa: B019  # statements live as long as the process
    def for_rows(self, room: int) -> str:
        """SQLite's text with room for so many rows. Bound are the values, the number of rows, room * columns cells."""
        # A "?" without a number has the one after the highest so far.
        row = ", ".join("?" * self.columns)
        first = f"?{len(self.values) + 2}{row[1:]}"
        return self._bound.replace(_ROOM, ", ".join(f"({cells})" for cells in [first] + [row] * (room - 1)))


def _numbered(text: str, first: int, mark: str) -> tuple[str, tuple[str, ...]]:
    order: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in order:
            order.append(name)
        return f"{mark}{first + order.index(name)}"

    return _VALUE.sub(number, text), tuple(order)


def _columns(spec: str) -> list[tuple[str, str]]:
    pairs = [column.split() for column in spec.split(",")]
    return [(name, kind) for name, kind in pairs]


def statement(name: str, purpose: str, text: str) -> Statement:
    """Writes one query in both dialects. Raises ValueError when it asks for rows twice."""
    specs = _ROWS.findall(text)
    if len(specs) > 1:
        raise ValueError(f"query {name} asks for rows twice")
    columns = _columns(specs[0]) if specs else []
    names = [column for column, _ in columns]
    arrays = ", ".join(f"${i}::{kind}[]" for i, (_, kind) in enumerate(columns, 1))
    on_postgres = _ANY.sub(r"= ANY($1::\2[])", _INDEX.sub("", text))
    # The replacement is handed in as a function: "\" or "\1" in it would be read as a group.
    on_postgres = _ROWS.sub(lambda _: f"unnest({arrays}) AS r({', '.join(names)})", on_postgres)
    on_postgres = _BYTES.sub(r"convert_to(\1, 'UTF8')", _ORDER.sub(r" ORDER BY \1", on_postgres))
    postgres, values = _numbered(on_postgres, len(columns) + 1, "$")
    on_sqlite = _INDEX.sub(r" INDEXED BY \1", _ORDER.sub("", _LOCK.sub("", text)))
    on_sqlite = _BYTES.sub(r"CAST(\1 AS BLOB)", on_sqlite)
    on_sqlite, _ = _numbered(on_sqlite, 1, "?")
    written = _WRITES.match(text)
    return Statement(
        name=name,
        purpose=purpose,
        sqlite=_ROWS.sub(_of_json(names, f"?{len(values) + 1}"), on_sqlite),
        postgres=postgres,
        columns=len(columns),
        values=values,
        writes=written.group(1) if written and "RETURNING" not in text else "",
        words=frozenset(_WORD.findall(text)),
        _bound=_ROWS.sub(_of_cells(names, f"?{len(values) + 1}"), on_sqlite),
    )


# Nothing of a caller's gets into these texts: only names written in our own query files.
def _of_json(names: Sequence[str], rows: str) -> str:
    picks = ", ".join(f"value->>{i} AS {name}" for i, name in enumerate(names))
    return f"(SELECT {picks} FROM json_each({rows})) AS r"  # noqa: S608


def _of_cells(names: Sequence[str], many: str) -> str:
    picks = ", ".join(f"column{i} AS {name}" for i, name in enumerate(names, 1))
    return f"(SELECT {picks} FROM (VALUES {_ROOM}) LIMIT {many}) AS r"  # noqa: S608


def parse(text: str) -> dict[str, Statement]:
    """All queries of one file by name. Raises ValueError for a name that stands twice."""
    heads = list(_HEAD.finditer(text))
    found: dict[str, Statement] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)].strip()
        if head.group(1) in found:
            raise ValueError(f"query {head.group(1)} stands twice")
        found[head.group(1)] = statement(head.group(1), head.group(2), body)
    return found


@cache
def queries(topic: str) -> dict[str, Statement]:
    """The queries of one topic: a file below store/sql/queries."""
    return parse((files("rejoinder.store") / "sql" / "queries" / f"{topic}.sql").read_text("utf-8"))
