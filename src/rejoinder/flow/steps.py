"""Work on many rows in steps of bounded size, each a transaction, so that nobody waits behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rejoinder.flow.ports import Store, Tx

STEP = 500


async def repeated(store: Store, step: Callable[[Tx], Awaitable[int]]) -> int:
    """Repeats a step until it finds less than it could do; gives back how much was done in all."""
    done = count = await store.write(step)
    while count == STEP:
        await asyncio.sleep(0)  # others first; nothing is waited for
        count = await store.write(step)
        done += count
    return done
