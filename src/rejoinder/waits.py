"""Waiting for an event, for so many seconds at most.

Refuses `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes in the very moment in which what it
waits for is done, so that a loop which was told to end goes on for ever (cpython 86296). The checks forbid its name.
"""

from __future__ import annotations

import asyncio


async def woken(event: asyncio.Event, seconds: float) -> bool:
    """True when the event is set, False when the time is over before it is."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
