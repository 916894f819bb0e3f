"""The two stores as a bench sees them: a URL for the server, SQL from the side, and processes whose CPU counts.

It refuses to measure on memory: where the files lie is told by `file_system`, for the results to name.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import apsw

from bench.measure import SERVER_CORE, cpu_seconds, on_core
from tests.postgres_server import PostgresServer, postgres_server

# PostgreSQL's own default where the tests make do with less; the tests' other settings, fsync among them, stay.
SETTINGS = {"shared_buffers": "128MB"}
QUIET_SECONDS = 120.0
IDLE_CPU = 0.02  # of a second: what an idle server uses


class Database(Protocol):
    """One database of one store. `processes`: roots of the trees that work for it beside our server."""

    kind: str
    url: str
    processes: list[int]

    def run(self, sql: str) -> str:
        """One statement from the side; the rows as text, fields parted by `|`."""
        ...

    def settle(self) -> None:
        """Do now what the store would do some time after a bulk load: statistics, visibility, checkpoint."""
        ...


class SqliteDatabase:
    """A file."""

    kind = "sqlite"

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self.processes: list[int] = []
        self._file = file

    def run(self, sql: str) -> str:
        connection = apsw.Connection(str(self._file))
        try:
            connection.set_busy_timeout(10_000)
            rows = list(connection.execute(sql))
        finally:
            connection.close()
        return "\n".join("|".join(str(value) for value in row) for row in rows)

    def settle(self) -> None:
        self.run("ANALYZE")
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgresDatabase:
    """A database of a running server; the whole server's CPU time counts, its writers and checkpoints too."""

    kind = "postgres"

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.url = server.url(name)
        self.processes = [server.pid]
        self._server, self._name = server, name

    def run(self, sql: str) -> str:
        return self._server.run(sql, database=self._name)

    def settle(self) -> None:
        self.run("VACUUM ANALYZE")
        self.run("CHECKPOINT")
        # What the load left to do in the background would be counted as the cost of somebody's polls.
        deadline = time.monotonic() + QUIET_SECONDS
        before = cpu_seconds(self.processes)
        while time.monotonic() < deadline:
            time.sleep(1.0)
            after = cpu_seconds(self.processes)
            if after - before < IDLE_CPU:
                return
            before = after


class Shelf:
    """Where new databases come from; each is gone at the end of its block."""

    def __init__(self, folder: Path) -> None:
        """`folder` is on the disk to measure; root's PostgreSQL runs as nobody, who has to be able to enter it."""
        self._folder = folder
        self._server: PostgresServer | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def database(self, kind: str) -> Iterator[Database]:
        """A new empty database of that kind."""
        if kind == "sqlite":
            folder = Path(tempfile.mkdtemp(prefix="sqlite-", dir=self._folder))
            try:
                yield SqliteDatabase(folder / "rejoinder.db")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return
        server = self._postgres()
        name = server.create_database()
        try:
            yield PostgresDatabase(server, name)
        finally:
            server.drop_database(name)

    def postgres_version(self) -> str | None:
        """As the running server states it; None when none was asked for."""
        return self._server.run("SHOW server_version") if self._server else None

    def _postgres(self) -> PostgresServer:
        if self._server is None:
            folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=self._folder))
            folder.chmod(0o755)
            self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
            with on_core(SERVER_CORE):
                self._server = self._stack.enter_context(postgres_server(folder, SETTINGS))
        return self._server
