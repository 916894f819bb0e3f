"""Every test here speaks HTTP to a real server, on both stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.http.site import Site
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """Makes new, empty databases of one engine; all are gone after the module."""
    if request.param == "sqlite":
        yield lambda: f"sqlite:///{tmp_path_factory.mktemp('site') / 'centre.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    names = []

    def make() -> str:
        names.append(server.create_database())
        return server.url(names[-1])

    yield make
    for name in names:
        server.drop_database(name)


@pytest.fixture(scope="module")
def empty_site(new_database: Callable[[], str]) -> Iterator[Site]:
    """One server for all tests of a module, without accounts; a module's own `site` puts them in."""
    with Site(new_database()) as site:
        yield site


@pytest.fixture
def fresh_site(new_database: Callable[[], str]) -> Iterator[Site]:
    """A server of the test's own, for what would disturb others: clock, pool, log-ins, faults."""
    with Site(new_database()) as site:
        yield site
