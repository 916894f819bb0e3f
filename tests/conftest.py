"""What all tests share: Hypothesis' settings and a PostgreSQL. What is narrower stands beside its tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rejoinder.clock import SystemClock
from rejoinder.store import open_store
from tests.postgres_server import PostgresServer, postgres_server

# Two shared cores make single examples slow at random; pytest's own time limit stands for a hang.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
# For four workers, each with a server that writes up to a gigabyte ahead.
ENOUGH = 8 << 30
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "local"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run; don't stop it: a test of faults makes its own (`postgres_server()`)."""
    with quick_folder() as folder, postgres_server(folder) as server:
        yield server


@contextlib.contextmanager
def quick_folder() -> Iterator[Path | None]:
    """A folder in memory where there is enough, else None: a thousand databases made and dropped wait for no disk there.

    What has to be on a disk is proved elsewhere (tests/faults), on servers of their own.
    """
    memory = Path("/dev/shm")
    if (
        not memory.is_dir()
        or os.statvfs(memory).f_flag & os.ST_NOEXEC
        or shutil.disk_usage(memory).free < ENOUGH
    ):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="rejoinder-postgres-", dir=memory))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database with all our tables and no rows, so that not every test migrates anew."""
    name = postgres.create_database()

    async def migrate() -> None:
        store = await open_store(postgres.url(name), SystemClock())
        await store.close()

    # With a factory of its own the runner leaves the current thread's event loop alone.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(migrate())
    return name


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a new database with our tables, removed after the test with all connections to it."""
    name = postgres.create_database(template=postgres_template)
    try:
        yield postgres.url(name)
    finally:
        postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database on each engine; the first to open it migrates it, if need be."""
    return _on(request, tmp_path, "postgres_url")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same without a table, for tests of migrations."""
    return _on(request, tmp_path, "empty_postgres_url")


def _on(request: pytest.FixtureRequest, folder: Path, postgres_url: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'centre.db'}"
    url: str = request.getfixturevalue(postgres_url)
    return url


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The same without a table, for tests of migrations."""
    name = postgres.create_database()
    try:
        yield postgres.url(name)
    finally:
        postgres.drop_database(name)
