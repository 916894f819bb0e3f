"""What a part costs, by the number's prefix and the customer's reseller."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol


class Rates(Protocol):
    """Rate tables. Prices in 1/1000 credit a part; the prefix "" is every number."""

    async def any(self) -> bool: ...

    async def of(self, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """(reseller, prefix) -> price, of those that have one."""

    async def page(self, reseller_id: int, start: str, most: int) -> list[tuple[str, int]]:
        """(prefix, price) in order of prefix, from `start` on."""

    async def put(self, reseller_id: int, rows: Sequence[tuple[str, int]]) -> None: ...

    async def drop(self, reseller_id: int, prefixes: Collection[str]) -> list[str]:
        """Gives back those that were there."""

    async def clear(self, reseller_id: int) -> int: ...
