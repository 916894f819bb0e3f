"""Every test here runs on both stores: one behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rejoinder.clock import ManualClock
from rejoinder.flow.ports import Store
from rejoinder.store import open_store
from tests.centre import START, Centre


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, ManualClock(START))
    yield opened
    await opened.close()


@pytest.fixture
def centre(store: Store) -> Centre:
    return Centre(store)
