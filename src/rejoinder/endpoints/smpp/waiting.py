"""Waiting for others at the end: for so many seconds at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_SECONDS = 0.02


async def settled(reached: Callable[[], bool], seconds: float) -> None:
    """Returns when `reached` says so, or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while not reached():  # noqa: ASYNC110  # many small things end, none of which has an event
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return
