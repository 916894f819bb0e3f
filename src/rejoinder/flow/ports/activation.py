"""Activation codes: made, tried, voided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ActivationCode:
    """A code as it is kept: hashed, with the tries it has had."""

    id: int
    code_hash: str
    expires_at: int
    tries: int


class Activations(Protocol):
    """Users' activation codes; the newest is the one that counts."""

    async def hold(self, user_id: int) -> None:
        """Lets one transaction at a time count and add a user's codes."""

    async def count(self, user_id: int, since: int) -> int: ...

    async def add(self, user_id: int, code_hash: str, at: int, expires_at: int) -> int:
        """Gives the code's id."""

    async def remove(self, code_id: int) -> None: ...

    async def forget(self, user_id: int, before: int) -> None:
        """Forgets codes that were made at or before a moment."""

    async def newest(self, user_id: int) -> ActivationCode | None: ...

    async def count_try(self, code_id: int, most: int) -> bool:
        """Whether a try was left, which is used up now."""
