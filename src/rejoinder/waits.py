"""Waiting for an event, for so many seconds at most; and work that doesn't end with who waits for it.

Refuses `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes in the very moment in which what it
waits for is done, so that a loop which was told to end goes on for ever (cpython 86296). The checks forbid its name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# The event loop itself holds its tasks weakly.
_carried: set[asyncio.Task[Any]] = set()


async def woken(event: asyncio.Event, seconds: float) -> bool:
    """True when the event is set, False when the time is over before it is."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """The work's result; where who waits for it is cancelled, it goes on to its end."""
    task = asyncio.get_running_loop().create_task(work)
    _carried.add(task)
    task.add_done_callback(_ended)
    return await asyncio.shield(task)


def _ended(task: asyncio.Task[Any]) -> None:
    _carried.discard(task)
    if not task.cancelled():
        task.exception()  # told to whoever waited; that nobody did is no fault
