"""The tests' own PostgreSQL: what tests of the store and of faults rely on."""

from __future__ import annotations

import os

import asyncpg
import pytest

from tests.postgres_server import PostgresServer, postgres_server, running_postgres


async def test_a_test_gets_an_empty_database_by_its_url_alone(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    connection = await asyncpg.connect(empty_postgres_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


def test_a_commit_is_on_disk_as_in_production(postgres: PostgresServer) -> None:
    assert postgres.run("SHOW fsync") == "on"
    assert postgres.run("SHOW synchronous_commit") == "on"
    assert postgres.run("SHOW full_page_writes") == "on"


def test_a_database_from_a_template_starts_with_its_rows(postgres: PostgresServer) -> None:
    template = postgres.create_database()
    postgres.run("CREATE TABLE t AS SELECT 7 AS x", database=template)
    copy = postgres.create_database(template=template)
    assert postgres.run("SELECT x FROM t", database=copy) == "7"
    postgres.drop_database(copy)
    postgres.drop_database(template)


def test_a_killed_server_starts_again_with_what_was_committed() -> None:
    with postgres_server() as server:
        url = server.url()
        server.run("CREATE TABLE t AS SELECT 7 AS x")
        server.kill()
        with pytest.raises(RuntimeError, match="connection to server"):
            server.run("SELECT x FROM t")
        server.start()
        assert server.url() == url
        assert server.run("SELECT x FROM t") == "7"


def test_the_server_is_stopped_and_its_folder_removed_when_the_block_fails() -> None:
    class Failure(Exception):
        pass

    with pytest.raises(Failure), postgres_server() as server:
        pid = server.pid
        raise Failure
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not server.folder.exists()


def test_a_setting_that_postgresql_refuses_is_told_with_its_log() -> None:
    with (
        pytest.raises(RuntimeError, match="no_such_setting"),
        running_postgres(settings={"no_such_setting": "1"}),
    ):
        pass
