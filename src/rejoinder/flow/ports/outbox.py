"""MTs on their way: the queue, their parts, their statuses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from rejoinder.message.model import Mt, PartRow, QueueRow


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A queue row that this process may now send, under a fencing number."""

    row: QueueRow
    fence: int
    claimed_at: int
    was_submitting: bool


class SubmittedPair(msgspec.Struct, frozen=True, gc=False):
    """By what a session's messages are called back: as they were submitted. `service_type` "": whatever it was."""

    recipient: str
    sender: str
    service_type: str


class MtState(msgspec.Struct, frozen=True, gc=False):
    """What moving a message's status needs. `entry_id`, `entry_at`: its place in the mailbox, where that is
    not its own id and that id's second. `status_push`: its user wants to be told of the final one.
    `receipts`: which receipt was asked for (smpp_receipts.py), 0 where nobody binds for it any more.
    """

    id: str
    user_id: int
    customer_id: int
    status: int
    parts: int
    charge: int
    recipient: str
    sender: str
    entry_id: str | None
    entry_at: int | None
    status_push: bool
    receipts: int


class Progress(msgspec.Struct, frozen=True, gc=False):
    """Whose a message is, where it stands, and since when its status is final (microseconds; None: it is not)."""

    user_id: int
    status: int
    finished_at: int | None


class MessageRecord(msgspec.Struct, frozen=True, gc=False):
    """All that an operator may see of one message: its text is the user's. Times in microseconds.

    `username` None: the platform's own. While it waits: `carrier`, `attempts`, `due_at`, and whether it is in that
    carrier's hands (`submitting`).
    """

    username: str | None
    recipient: str
    sender: str
    status: int
    parts: int
    charge: int
    resent: bool
    accepted_at: int
    release_at: int
    expires_at: int
    finished_at: int | None
    carrier: str | None
    attempts: int | None
    due_at: int | None
    submitting: bool | None


class PartRecord(msgspec.Struct, frozen=True, gc=False):
    """What became of one part: its carrier by name, and the carrier's own id. Number 0 is the whole message."""

    number: int
    carrier: str
    status: int
    ref: str | None


class Outbox(Protocol):
    """MTs, their parts and their places in the queue."""

    async def insert(self, mts: Sequence[Mt], rows: Sequence[QueueRow]) -> None: ...

    async def due(
        self, carrier_id: int, now: int, most: int, customer_id: int | None = None
    ) -> list[Claim]: ...

    async def waiting(self, carrier_id: int, now: int, after: tuple[int, str], most: int) -> list[Claim]:
        """What is due and in nobody's hands, behind `after` (due_at, id): for a carrier that is down."""

    async def customers_waiting(self, carrier_id: int, after: int, most: int) -> list[int]: ...

    async def mark_claimed(self, claims: Sequence[Claim], now: int, lease: int) -> None: ...

    async def put_parts(self, rows: Sequence[tuple[str, int, int]]) -> None:
        """(mt_id, number, carrier_id) about to be handed over."""

    async def unanswered_to(self, carrier_id: int, recipient: str) -> list[str]:
        """Of each part that was handed over to a carrier for this handset, and is without an answer, the sender."""

    async def renew(self, held: Sequence[tuple[str, int]], lease: int) -> None: ...

    async def bring_forward(self, carrier_id: int, farthest: int, now: int, lease: int, most: int) -> int:
        """What is due after `farthest` is due now; what is in somebody's hands, when the lease ends. Says how many."""

    async def fences(self, ids: Collection[str]) -> dict[str, int]: ...

    async def idle(self, ids: Collection[str]) -> set[str]:
        """Locks these messages' queue rows; gives back those of which no carrier has, or may have, anything yet."""

    async def requeue(self, rows: Sequence[QueueRow]) -> None: ...

    async def drop(self, ids: Collection[str]) -> None: ...

    async def strays(self, now: int, most: int) -> list[Claim]:
        """Messages that wait for a carrier which is gone, and are in nobody's hands."""

    async def next_due(self, carrier_id: int) -> int | None: ...

    async def lengths(self) -> dict[int, int]: ...


class Messages(Protocol):
    """MTs' statuses and their parts'."""

    async def lock(self, ids: Collection[str]) -> list[MtState]: ...

    async def parts(self, ids: Collection[str]) -> list[PartRow]: ...

    async def set_parts(self, rows: Sequence[PartRow]) -> None: ...

    async def drop_parts(self, ids: Collection[str]) -> None:
        """Forgets what a carrier had of these messages: another one gets them."""

    async def set_statuses(self, rows: Sequence[tuple[str, int, int | None]]) -> None:
        """(id, status, finished_at where the status is final)."""

    async def set_senders(self, rows: Sequence[tuple[str, str]]) -> None:
        """(id, what it goes out from)."""

    async def reply_addresses(self, ids: Collection[str]) -> dict[str, str]:
        """Where else replies to these messages go (replyTo), of those that have such a place."""

    async def mark_resent(self, ids: Collection[str]) -> None: ...

    async def status(self, mt_id: str) -> tuple[int, str, int] | None:
        """(user_id, recipient, status)."""

    async def progress(self, mt_id: str) -> Progress | None: ...

    async def record(self, mt_id: str) -> tuple[MessageRecord, list[PartRecord]] | None:
        """A message with its parts in order; None for one that is not there, or not any more."""

    async def pending(self, user_id: int, pair: SubmittedPair, after: str, most: int) -> list[str]:
        """Messages of a user's sessions that were submitted for this pair and are not final, in order of id."""

    async def payers(self, ids: Collection[str]) -> dict[str, int]:
        """The credit accounts that paid for these messages."""

    async def expired(self, now: int, most: int) -> list[str]: ...

    async def bring_forward(self, farthest: int, never: int, ends: int, most: int) -> int:
        """Messages whose time is over after `farthest`, but before `never`, are over at `ends`; says how many."""

    async def forget_finished(self, before: int, most: int) -> int: ...
