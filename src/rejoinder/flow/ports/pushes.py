"""What has to be brought to customers: MOs and final statuses, queued with what they tell of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from rejoinder.flow.ports.replies import MoPush


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPush:
    """One MO or one final status for one target.

    `channel`: web, mail or smpp. `target`: what an order and a breaker belong to. `kind`: mo or status. The text
    stays in the mailbox, under (user_id, entry_at, entry_id). `address`: a replyTo; "" where the target's
    setting says it; of a status over SMPP the user_message_reference that is given back. `sender`, `status`,
    `parts`, `charge` (1/1000 credits) are a status's alone.
    """

    channel: str
    target: str
    kind: str
    message_id: str
    mt_id: str
    entry_id: str
    user_id: int
    entry_at: int
    handset: str
    queued_at: int
    address: str = ""
    sender: str = ""
    status: int = 0
    parts: int = 0
    charge: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """A queued push as it stands: `due_at` None while another one of its handset comes first, parked or pulled."""

    id: int
    queued: QueuedPush
    due_at: int | None
    attempts: int
    parked_at: int | None
    last_error: str


class Pushes(Protocol):
    """The queue of pushes. Targets are locked before their pushes."""

    async def queue(self, pushes: Sequence[QueuedPush]) -> None:
        """Stores them in this order; after the commit the store's `on_queued` listeners hear of their targets."""

    async def of_target(self, target: str, after: int, most: int) -> list[Push]:
        """What a target that pulls (channel smpp) has not acknowledged, in order, after an id."""

    async def done(self, ids: Collection[int]) -> None:
        """They were brought: forgets them, and lets the next ones of their handsets come."""

    async def forget_target(self, target: str) -> None:
        """Nobody pulls these any more."""

    async def mo_settings(self, user_id: int) -> MoPush:
        """Whether the user and its customer have a push for MOs."""

    async def texts(self, pushes: Sequence[QueuedPush]) -> dict[str, str]:
        """entry_id -> the JSON that the mailbox shows, where the message is still there."""
