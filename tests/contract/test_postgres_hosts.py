"""Several PostgreSQL servers in the database's URL: the one that takes writes is found, whatever the others do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from rejoinder.clock import ManualClock
from rejoinder.errors import StoreUnavailable
from rejoinder.store import open_store, postgres_hosts
from rejoinder.store.postgres_hosts import named


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("postgresql://me@one/db", [("one", 5432)]),
        ("postgresql://me:a%40b@one:5433,two/db", [("one", 5433), ("two", 5432)]),
        ("postgres://me@[::1]:5433,10.0.0.1/db", [("::1", 5433), ("10.0.0.1", 5432)]),
        ("postgresql://me@/db?host=/run/a,/run/b&port=5433,5434", [("/run/a", 5433), ("/run/b", 5434)]),
        ("postgresql://me@/db?host=/run/a,/run/b&port=5433", [("/run/a", 5433), ("/run/b", 5433)]),
        ("postgresql://me@%2Frun%2Fa/db", [("/run/a", 5432)]),
        ("postgresql:///db", []),
    ],
)
def test_hosts_and_ports_are_read_as_postgresql_writes_them(url: str, servers: list[tuple[str, int]]) -> None:
    assert named(url) == servers


@contextlib.asynccontextmanager
async def silent(folder: Path) -> AsyncIterator[Path]:
    """A server that takes connections and says nothing, as a machine does that is half gone."""
    taken: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_unix_server(take, folder / ".s.PGSQL.5432")
    try:
        yield folder
    finally:
        server.close()
        for writer in taken:
            writer.transport.abort()
        await asyncio.sleep(0)


def beside(url: str, folder: Path) -> str:
    """The URL with another server named before its own."""
    (own,) = parse_qs(urlsplit(url).query)["host"]
    return url.replace(f"host={own}", f"host={folder},{own}").replace("port=5432", "port=5432,5432")


async def works(url: str) -> None:
    store = await open_store(url, ManualClock())
    try:
        await store.check()
        await asyncio.gather(*(store.read.directory.version() for _ in range(8)))
    finally:
        await store.close()


async def test_a_server_that_is_not_there_is_passed_over(postgres_url: str, tmp_path: Path) -> None:
    await works(beside(postgres_url, tmp_path))


async def test_a_server_that_is_silent_is_passed_over_soon(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert postgres_hosts.HOST_SECONDS < 5
    monkeypatch.setattr(postgres_hosts, "HOST_SECONDS", 0.2)
    async with silent(tmp_path) as folder, asyncio.timeout(30):
        await works(beside(postgres_url, folder))


async def test_a_server_that_takes_no_writes_is_refused(postgres_url: str) -> None:
    url = f"{postgres_url}&default_transaction_read_only=on"
    with pytest.raises(StoreUnavailable, match="reached"):
        await open_store(url, ManualClock())
    # Who asks for it gets it, and is told by PostgreSQL.
    with pytest.raises(StoreUnavailable, match="read-only"):
        await open_store(f"{url}&target_session_attrs=any", ManualClock())


async def test_more_ports_than_hosts_are_a_sentence(postgres_url: str) -> None:
    with pytest.raises(StoreUnavailable, match="number of ports"):
        await open_store(postgres_url.replace("port=5432", "port=5432,5433"), ManualClock())
