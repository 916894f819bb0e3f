"""Waiting for an event ends with the event, with the time, and with a cancellation at whatever moment it comes."""

from __future__ import annotations

import asyncio

import pytest

from rejoinder.waits import woken


async def test_it_says_whether_the_event_came() -> None:
    event = asyncio.Event()
    assert await woken(event, 0.001) is False
    event.set()
    assert await woken(event, 60) is True


@pytest.mark.parametrize("steps", range(8))
async def test_a_loop_that_is_woken_and_told_to_end_in_the_same_moment_ends(steps: int) -> None:
    """Found as a push test that did not end: `wait_for` lost the cancellation between two steps of the event loop."""
    event = asyncio.Event()
    turns = 0

    async def lane() -> None:
        nonlocal turns
        while turns < 3:
            event.clear()
            turns += 1
            await woken(event, 60)

    running = asyncio.create_task(lane())
    await asyncio.sleep(0)
    assert turns == 1
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
