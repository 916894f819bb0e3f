"""Messages that are accepted and wait for their time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec


class Held(msgspec.Struct, frozen=True, gc=False):
    """A scheduled message: its draft as JSON, and its user's present name where it was read."""

    mt_id: str
    user_id: int
    release_at: int
    draft: str
    username: str = ""


class Repriced(msgspec.Struct, frozen=True, gc=False):
    """What its message's row says of a scheduled message that was replaced."""

    parts: int
    charge: int
    receipts: int
    release_at: int


class Scheduled(Protocol):
    """Scheduled messages. Whoever takes or changes one holds the lock on its message (`Messages.lock`)."""

    async def hold(self, rows: Sequence[Held]) -> None: ...

    async def due(self, now: int, most: int) -> list[Held]: ...

    async def next(self) -> int | None:
        """When the next one is to be released."""

    async def of(self, mt_ids: Collection[str]) -> dict[str, Held]: ...

    async def change(self, rows: Sequence[Held]) -> None:
        """New times and drafts."""

    async def reprice(self, mt_id: str, draft: Repriced) -> None: ...

    async def drop(self, mt_ids: Collection[str]) -> None: ...

    async def released(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """(mt_id, sender, expires_at) of messages that are on their way now."""
