"""Rows in memory: bounded, and never older than the last change."""

from __future__ import annotations

import asyncio

from rejoinder.flow.remembered import Remembered, remember


async def test_a_row_is_looked_up_once_until_it_is_forgotten() -> None:
    looks, kept = [], Remembered[str, int]()

    async def look() -> int | None:
        looks.append(1)
        return len(looks)

    assert [await kept.looked_up("anna", look) for _ in range(3)] == [1, 1, 1]
    kept.forget()
    assert await kept.looked_up("anna", look) == 2


async def test_what_is_not_there_is_not_remembered() -> None:
    kept = Remembered[str, int]()

    async def nothing() -> int | None:
        return None

    async def something() -> int | None:
        return 7

    assert await kept.looked_up("anna", nothing) is None
    assert await kept.looked_up("anna", something) == 7


async def test_a_row_that_was_read_before_a_change_is_not_kept_after_it() -> None:
    """A disabled user's row was on its way while the change was heard of: it stayed until the next change."""
    kept, read, go = Remembered[str, str](), asyncio.Event(), asyncio.Event()

    async def slow() -> str | None:
        read.set()
        await go.wait()
        return "enabled"

    async def now() -> str | None:
        return "disabled"

    first = asyncio.create_task(kept.looked_up("anna", slow))
    await read.wait()
    kept.forget()
    go.set()
    assert await first == "enabled"
    assert await kept.looked_up("anna", now) == "disabled"


def test_the_oldest_leaves_a_full_memory() -> None:
    kept = {"a": 1, "b": 2}
    remember(kept, "c", 3, most=2)
    assert kept == {"b": 2, "c": 3}
