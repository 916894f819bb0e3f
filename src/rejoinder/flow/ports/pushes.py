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
    setting says it; of a status over SMPP the user_message_reference that is given back. `sender` is our side: what
    an MT went out from, what an MO was sent to. `status`, `parts`, `charge` (1/1000 credits) are a status's alone.
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
    """A queued push as it stands: `due_at` None while another one of its handset comes first, or parked."""

    id: int
    queued: QueuedPush
    due_at: int | None
    attempts: int
    parked_at: int | None
    last_error: str


@dataclass(frozen=True, slots=True)
class TargetState:
    """How it goes with a target: failures of its server one after the other, since when (0: it works), the breaker."""

    target: str
    failures: int
    failing_since: int
    open_until: int


@dataclass(frozen=True, slots=True)
class PushCounts:
    """How many wait to be brought, are parked, wait to be pulled; and how many targets' breakers are open."""

    waiting: int
    parked: int
    pulled: int
    open_breakers: int


class Pushes(Protocol):
    """The queue of pushes. Targets are locked before their pushes."""

    async def queue(self, pushes: Sequence[QueuedPush]) -> None:
        """Stores them in this order; after the commit the store's `on_queued` listeners hear of their targets."""

    async def next_pulled(self, target: str) -> int | None:
        """When something is due of a target that pulls (channel smpp)."""

    async def pull(self, target: str, most: int, now: int, lease: int) -> list[Push]:
        """Takes what is due of a target that pulls, locked before, one a handset; due again at `lease`."""

    async def done(self, ids: Collection[int]) -> None:
        """They were brought: forgets them, and lets the next ones of their handsets come."""

    async def forget_target(self, target: str) -> None:
        """Nobody pulls these any more."""

    async def mo_settings(self, user_id: int) -> MoPush:
        """Whether the user and its customer have a push for MOs."""

    async def texts(self, pushes: Sequence[QueuedPush]) -> dict[str, str]:
        """entry_id -> the JSON that the mailbox shows, where the message is still there."""

    async def joined_texts(self, mt_ids: Collection[str]) -> dict[str, str]:
        """mt_id -> the JSON of the entry under which a part of a long message is shown by now."""

    async def due(self, now: int, most: int, failing: bool) -> list[str]:
        """Targets with something due, locked; those whose last try went well, or those that are probed."""

    async def next_due(self) -> int | None: ...

    async def claim(self, rooms: Sequence[tuple[str, int]], now: int, lease: int) -> list[Push]:
        """Up to so many due pushes (at most eight) of each locked target, one a handset; due again at `lease`."""

    async def settings(self, targets: Collection[str]) -> dict[str, str]:
        """What is set for these targets, as it was stored; "" for nothing any more."""

    async def lock(self, targets: Collection[str]) -> list[TargetState]: ...

    async def set_targets(self, states: Sequence[TargetState]) -> None: ...

    async def retry(self, rows: Sequence[tuple[int, int, int, str]]) -> None:
        """(id, attempts as claimed, due_at, word)."""

    async def park(self, rows: Sequence[tuple[int, int, str]], now: int) -> int:
        """(id, attempts as claimed, word); says how many were parked."""

    async def settle(self, targets: Collection[str]) -> None:
        """Notes when each of these locked targets has something to do next."""

    async def park_stale(self, before: int, now: int, most: int) -> int:
        """Parks pushes queued before a moment, of targets that have failed since before it."""

    async def ahead(self, after: str, ahead: int, farthest: int, most: int) -> list[tuple[str, bool]]:
        """Targets after one, in order; whether any was queued to or failed after `ahead`, or is due after `farthest`."""

    async def bring_queued_forward(self, target: str, ahead: int, now: int, later: int, most: int) -> int:
        """A locked target's pushes queued after `ahead` were queued now, tried ones are due `later`; says how many."""

    async def bring_due_forward(self, target: str, farthest: int, later: int, most: int) -> int:
        """A locked target's pushes due after `farthest` are due `later`; says how many."""

    async def listed(self, after: int, most: int, parked: bool) -> list[Push]: ...

    async def replay(self, ids: Collection[int], now: int) -> int:
        """Parked pushes start anew, of each handset one after the other; says how many there were."""

    async def counts(self, now: int) -> PushCounts: ...

    async def forget_parked(self, before: int, most: int) -> int: ...

    async def forget_targets(self, most: int) -> int: ...
