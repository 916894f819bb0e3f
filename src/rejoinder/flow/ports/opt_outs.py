"""Which handsets want nothing more from which customers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OptOut:
    """A handset's word and where it stands. `number`: ours that it wrote to; `mo_id`: None where the operator
    noted it. Times in microseconds.
    """

    customer_id: int
    handset: str
    since: int
    number: str = ""
    mo_id: str | None = None
    word: str = ""
    lifted_at: int | None = None
    lifted_mo_id: str | None = None
    lifted_word: str = ""


class OptOuts(Protocol):
    """Which handsets want nothing more from which customers."""

    async def any_standing(self) -> bool: ...

    async def standing(self, keys: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        """Those of these (customer_id, handset) that have opted out."""

    async def begin(self, rows: Sequence[OptOut]) -> int:
        """Those that stand already stay as they are; how many were new."""

    async def lift(self, rows: Sequence[OptOut]) -> int:
        """Ends those that stand; `since`, `mo_id` and `word` of a row are the end's. How many ended."""

    async def listed(
        self, customer_id: int, after: int, most: int, history: bool
    ) -> list[tuple[int, OptOut]]:
        """A customer's, oldest first, with keys to go on after; those lifted as well for `history`."""
