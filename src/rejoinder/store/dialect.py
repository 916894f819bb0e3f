"""One SQL text for both databases: reads the named queries and writes each in the two dialects.

A query is `-- name: purpose` and the statement below it. Five marks differ between the engines:
`:value` is a parameter (numbered in order of first appearance); `@rows(a text, b bigint)` is a table
named r made from rows that are handed in (json_each on SQLite, unnest on PostgreSQL: one statement for
any number of rows; keys that a column is IN are `= ANY` there, which is a condition of an index where a
join is a matter of statistics); `@bytes[x]` is text as UTF-8 bytes, which need no decoding and encoding on their way;
`@in_order(keys)` orders what an aggregate joins, where SQLite's clustered range scan does so by itself
(19 µs for 100 entries, 42 behind a sorted subquery); FOR UPDATE is left out on SQLite, where the one writer
holds the whole store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_HEAD = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_ROWS = re.compile(r"@rows\(([^)]*)\)")
_BYTES = re.compile(r"@bytes\[([^\]]*)\]")
_ORDER = re.compile(r" @in_order\(([^)]*)\)")
_VALUE = re.compile(r"(?<!:):([a-z_]+)")
_ANY = re.compile(r"IN \(SELECT (\w+) FROM @rows\(\1 (\w+)\)\)")
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_WORD = re.compile(r"[a-z_]+")
_LOCK = re.compile(r"\s+FOR UPDATE(?: SKIP LOCKED)?\s*$")


@dataclass(frozen=True, slots=True)
class Statement:
    """A query in both dialects. `columns`: how many arrays `@rows` takes on PostgreSQL (0: none).

    `writes`: the table that it changes, where it gives no rows back; else empty. `words`: the names it may mean.
    """

    name: str
    purpose: str
    sqlite: str
    postgres: str
    columns: int
    values: tuple[str, ...]
    writes: str
    words: frozenset[str]


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
    picks = ", ".join(f"value->>{i} AS {column}" for i, (column, _) in enumerate(columns))
    arrays = ", ".join(f"${i + 1}::{kind}[]" for i, (_, kind) in enumerate(columns))
    names = ", ".join(column for column, _ in columns)
    # Nothing of a caller's gets into these texts: only names and types written in our own query files.
    on_sqlite = _ROWS.sub(f"(SELECT {picks} FROM json_each(?1)) AS r", _LOCK.sub("", text))  # noqa: S608
    on_sqlite = _BYTES.sub(r"CAST(\1 AS BLOB)", _ORDER.sub("", on_sqlite))
    on_postgres = _ANY.sub(r"= ANY($1::\2[])", text)
    # The replacement is handed in as a function: "\" or "\1" in it would be read as a group.
    on_postgres = _ROWS.sub(lambda _: f"unnest({arrays}) AS r({names})", on_postgres)
    on_postgres = _BYTES.sub(r"convert_to(\1, 'UTF8')", _ORDER.sub(r" ORDER BY \1", on_postgres))
    sqlite, values = _numbered(on_sqlite, 2 if columns else 1, "?")
    postgres, _ = _numbered(on_postgres, len(columns) + 1, "$")
    written = _WRITES.match(text)
    writes = written.group(1) if written and "RETURNING" not in text else ""
    words = frozenset(_WORD.findall(text))
    return Statement(name, purpose, sqlite, postgres, len(columns), values, writes, words)


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
