"""What the properties share: a database for all examples of a module."""

from __future__ import annotations

import pytest

from tests.postgres_server import PostgresServer


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def lasting_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database on each engine; it goes with the run."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('world') / 'centre.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("postgres_template")
    return server.url(server.create_database(template=template))
