"""Parts of customers' long messages that are in no mailbox yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rejoinder.flow.ports.pushes import QueuedPush


class LongMessage(NamedTuple):
    """What the parts of one long message share. `asked_sender` as the customer gave it; empty: the pool chose."""

    user_id: int
    recipient: str
    asked_sender: str
    reference: int
    total: int


@dataclass(frozen=True, slots=True)
class JoiningPart:
    """One part of a long message: an MT of its own. `octets`: its user data without the header, in hex."""

    message: LongMessage
    number: int
    mt_id: str
    sender: str
    alphabet: str
    octets: str
    arrived_at: int


class Joining(Protocol):
    """Parts of long messages; the lock on the user's mailbox guards them."""

    async def kept(self, messages: Collection[LongMessage]) -> list[JoiningPart]: ...

    async def waiting(self, pushes: Sequence[QueuedPush]) -> dict[str, tuple[str, str]]:
        """mt_id -> (alphabet, octets) of those pushes' messages that are parts here."""

    async def keep(self, parts: Sequence[JoiningPart]) -> None: ...

    async def drop(self, messages: Collection[LongMessage]) -> None: ...

    async def stale(self, before: int, most: int) -> list[LongMessage]:
        """Long messages with a part that came before a moment, in order of user."""

    async def bring_forward(self, ahead: int, now: int, most: int) -> int:
        """Parts that came later than `ahead` came now; says how many."""

    async def place(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """(mt_id, entry's id, its timestamp): under which mailbox entry these messages are shown."""
