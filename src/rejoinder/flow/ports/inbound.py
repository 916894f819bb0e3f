"""MOs on their way to a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rejoinder.message.model import InboundPart, Mo


@dataclass(frozen=True, slots=True)
class ParkedMo:
    """An MO that nobody could take, with the reason."""

    id: str
    mo: Mo
    reason: str


class Inbound(Protocol):
    """MOs on their way to a mailbox."""

    async def note_seen(self, rows: Sequence[tuple[int, str, int]]) -> set[tuple[int, str]]:
        """(carrier, id, at): remembers them, gives back those that are new."""

    async def forget_seen(self, before: int, most: int) -> int: ...

    async def keep_part(self, part: InboundPart) -> None: ...

    async def kept_parts(self, part: InboundPart) -> dict[int, tuple[str, int]]:
        """number -> (text, received_at) of the long MO this part belongs to."""

    async def drop_parts(self, part: InboundPart) -> None: ...

    async def stale(self, before: int, most: int) -> list[InboundPart]: ...

    async def park(self, parked: Sequence[ParkedMo]) -> None: ...

    async def parked(self, after: str, most: int) -> list[ParkedMo]: ...

    async def take_parked(self, parked_id: str) -> ParkedMo | None: ...
