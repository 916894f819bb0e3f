"""A lane that turns single items into batches: what waits while one batch is under way is the next.

Refuses more than a bounded number of waiting items (Overloaded), so that overload is said early instead
of being stored in memory. Where time is what counts, the bound follows the pace of the work (admission.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from rejoinder.errors import Overloaded, RejoinderError
from rejoinder.flow.admission import Admission

In = TypeVar("In")
Out = TypeVar("Out")

# A transaction costs as much as some ten messages in it. Fewer than `MANY` at once are not kept waiting: a network that
# lets no more be under way would be slowed.
MANY = 8
GATHER_SECONDS = 0.004


class Batches(Generic[In, Out]):
    """One batch of a kind of work at a time: group commit for whoever comes while a commit runs."""

    def __init__(
        self,
        work: Callable[[list[In]], Awaitable[Sequence[Out]]],
        most: int = 128,
        waiting: int = 5000,
        admission: Admission | None = None,
        gathers: bool = False,
    ) -> None:
        """`admission` learns how long full batches take, and stands in for the fixed bound `waiting`. `gathers`: for work
        that nobody waits for in person: where many come it waits a little for more.
        """
        self._gathers = gathers
        self._work = work
        self._most = most
        self._limit = waiting
        self._admission = admission
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._last: asyncio.Future[Out] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, item: In) -> Out:
        """Waits until the batch that holds the item is done; gives back the item's own result.

        Raises Overloaded when too much waits, or what the work raised.
        """
        # Asking for it is a system call, with each message.
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if len(self._waiting) >= (self._admission.limit if self._admission else self._limit):
            if self._admission:
                self._admission.refused(loop.time())
            raise Overloaded("more is waiting than can be taken in time", said=self._admission is not None)
        future: asyncio.Future[Out] = loop.create_future()
        self._waiting.append((item, future))
        self._last = future
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                take = min(self._most, len(self._waiting))
                await self._do([self._waiting.popleft() for _ in range(take)])
                if self._gathers and take >= MANY and len(self._waiting) < self._most:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._runner = None

    async def _do(self, batch: list[tuple[In, asyncio.Future[Out]]]) -> None:
        begun = asyncio.get_running_loop().time()
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
        # Batches that wait for nobody are full: how long they take is what the machine can do.
        if self._admission and len(batch) == self._most:
            self._admission.stored(len(batch), asyncio.get_running_loop().time() - begun)

    async def _apart(self, batch: list[tuple[In, asyncio.Future[Out]]], error: Exception) -> None:
        """One item's fault is not the others': an unforeseen error in a batch is met one by one."""
        if len(batch) > 1 and not isinstance(error, RejoinderError):
            for single in batch:
                await self._do([single])
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)

    async def settled(self) -> None:
        """Returns when all that has been put in so far is done, however that ended."""
        if self._last is not None and not self._last.done():
            await asyncio.wait([self._last])

    async def drained(self) -> None:
        """Returns when nothing waits any more."""
        while self._runner is not None:
            await asyncio.wait([self._runner])
