"""Every test here runs on both stores: one behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rejoinder.clock import ManualClock
from rejoinder.flow.ports import Store
from rejoinder.store import open_store
from tests.centre import START, Centre


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'centre.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, ManualClock(START))
    yield opened
    await opened.close()


@pytest.fixture
def centre(store: Store) -> Centre:
    return Centre(store)
