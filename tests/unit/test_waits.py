"""Waiting for an event ends with the event, with the time, and with a cancellation; work that is carried out does not."""

from __future__ import annotations

import asyncio

import pytest

from rejoinder.waits import carried_out, woken


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


async def test_work_is_carried_out_whatever_becomes_of_who_waits_for_it() -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await go.wait()
        done.set()
        return "done"

    waiting = asyncio.create_task(carried_out(work()))
    await begun.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    go.set()
    assert await woken(done, 5)
    assert await carried_out(work()) == "done"


async def test_what_work_raises_is_its_waiters() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await carried_out(work())
