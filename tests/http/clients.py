"""The clients of rejoinder.client as tests hold them: both kinds behind the same words, with time handed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rejoinder.client import AsyncClient, AsyncReseller, Client, Reseller
from tests.http.site import PASSWORD


@dataclass
class Hours:
    """Time that passes only where somebody sleeps, and chance that is always the longest."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    wakes: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def chance(self) -> float:
        return 1.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.wakes()

    async def rest(self, seconds: float) -> None:
        self.sleep(seconds)


class Both:
    """The blocking client and the awaiting one behind the same words, so that each test runs with either."""

    kinds: ClassVar[tuple[type, type]] = (Client, AsyncClient)

    def __init__(
        self, url: str, awaiting: bool, username: str = "anna@shop", password: str = PASSWORD
    ) -> None:
        self.hours = Hours()
        self._made: Any = self.kinds[awaiting]
        self._login = (url, username, password)
        self._awaiting = awaiting

    def _make(self) -> Any:
        return self._made(*self._login, timing=self.hours)

    def do(self, name: str, *args: Any, **more: Any) -> Any:
        if self._awaiting:
            return asyncio.run(self._awaited(name, *args, **more))
        with self._make() as client:
            return getattr(client, name)(*args, **more)

    async def _awaited(self, name: str, *args: Any, **more: Any) -> Any:
        async with self._make() as client:
            return await getattr(client, name)(*args, **more)

    def take(self, most: int, name: str, *args: Any, **more: Any) -> list[Any]:
        """Up to so many items of a poll that then is left."""
        if self._awaiting:
            return asyncio.run(self._taken(most, name, *args, **more))
        taken: list[Any] = []
        with self._make() as client:
            for item in getattr(client, name)(*args, **more):
                taken.append(item)
                if len(taken) == most:
                    break
        return taken

    async def _taken(self, most: int, name: str, *args: Any, **more: Any) -> list[Any]:
        taken: list[Any] = []
        async with self._make() as client:
            async for item in getattr(client, name)(*args, **more):
                taken.append(item)
                if len(taken) == most:
                    break
        return taken


class BothResellers(Both):
    """The same for resellers."""

    kinds = (Reseller, AsyncReseller)
