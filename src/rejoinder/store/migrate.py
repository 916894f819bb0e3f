"""Brings a database to this version's tables; refuses one that is newer than the code.

Migrations are numbered files per engine below store/sql; each runs once, in a transaction of its own
with the note that it ran.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from rejoinder.errors import StoreUnsuitable

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
TABLE = "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL)"
DONE = "SELECT coalesce(max(version), 0) FROM migration"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, its name and its SQL."""

    version: int
    name: str
    sql: str


def migrations(engine: str) -> list[Migration]:
    """The steps of an engine (sqlite, postgres) in order."""
    folder = (files("rejoinder.store") / "sql" / engine).iterdir()
    found = [
        Migration(int(match.group(1)), match.group(2), file.read_text("utf-8"))
        for file in folder
        if (match := _NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda step: step.version)


def pending(engine: str, done: int) -> list[Migration]:
    """The steps still to run. Raises StoreUnsuitable for a database that newer code has written."""
    steps = migrations(engine)
    newest = steps[-1].version
    if done > newest:
        raise StoreUnsuitable(
            f"the database is at version {done} but this Rejoinder knows versions up to {newest}: "
            "use the Rejoinder that wrote it, or a newer one"
        )
    return [step for step in steps if step.version > done]


def statements(sql: str) -> list[str]:
    """The single statements of a migration file; they hold no ';' inside strings."""
    bare = re.sub(r"--[^\n]*", "", sql)
    return [text.strip() for text in bare.split(";") if text.strip()]
