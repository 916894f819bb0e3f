"""Every test here speaks SMPP to a real server over a real socket, on both stores where it is not said otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.smpp.site import SmppSite


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[SmppSite]:
    async with SmppSite(database_url) as opened:
        yield opened


@pytest.fixture
async def quick_site(tmp_path: Path) -> AsyncIterator[SmppSite]:
    """On SQLite alone, for what no database decides."""
    async with SmppSite(f"sqlite:///{tmp_path / 'centre.db'}") as opened:
        yield opened
