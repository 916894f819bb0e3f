"""A lane that turns single items into batches: what waits while one batch is under way is the next.

Refuses more than a bounded number of waiting items (Overloaded), so that overload is said early instead
of being stored in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from rejoinder.errors import Overloaded, RejoinderError

In = TypeVar("In")
Out = TypeVar("Out")


class Batches(Generic[In, Out]):
    """One batch of a kind of work at a time: group commit for whoever comes while a commit runs."""

    def __init__(
        self, work: Callable[[list[In]], Awaitable[Sequence[Out]]], most: int = 128, waiting: int = 5000
    ) -> None:
        self._work = work
        self._most = most
        self._limit = waiting
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, item: In) -> Out:
        """Waits until the batch that holds the item is done; gives back the item's own result.

        Raises Overloaded when too much waits, or what the work raised.
        """
        if len(self._waiting) >= self._limit:
            raise Overloaded("more is waiting than can be taken in time")
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                take = min(self._most, len(self._waiting))
                await self._do([self._waiting.popleft() for _ in range(take)])
        finally:
            self._runner = None

    async def _do(self, batch: list[tuple[In, asyncio.Future[Out]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # the runner's outermost line: the fault belongs to those who wait
            await self._apart(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _apart(self, batch: list[tuple[In, asyncio.Future[Out]]], error: Exception) -> None:
        """One item's fault is not the others': an unforeseen error in a batch is met one by one."""
        if len(batch) > 1 and not isinstance(error, RejoinderError):
            for single in batch:
                await self._do([single])
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)

    async def drained(self) -> None:
        """Returns when nothing waits any more."""
        while self._runner is not None:
            await asyncio.wait([self._runner])
