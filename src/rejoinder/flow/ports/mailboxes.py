"""Mailbox rows and entries, in the words of contract §3."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from rejoinder.message.model import Entry


class Head(msgspec.Struct, frozen=True):
    """A mailbox row: highest timestamp given out, highest second answered (contract §3 rule 2)."""

    last: int
    sealed: int


@dataclass(frozen=True, slots=True)
class LockedMailbox:
    """A mailbox row under the writer's lock; `floor` is the store-wide one of contract §3 rule 8."""

    user_id: int
    last: int
    sealed: int
    last_count: int
    floor: int


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Messages of a mailbox with since < timestamp < ceiling; `received`: only those that handsets sent."""

    user_id: int
    since: int
    ceiling: int
    received: bool


# A row of a page: timestamp, incoming, the JSON it is shown as.
PageRow = tuple[int, bool, str]


class Mailboxes(Protocol):
    """Mailbox rows and entries (contract §3)."""

    async def head(self, user_id: int) -> Head: ...

    async def page(self, query: PageQuery, most: int) -> Sequence[PageRow]: ...

    async def lock(self, user_ids: Collection[int]) -> list[LockedMailbox]: ...

    async def advance(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """(user_id, last, last_count) of mailboxes that are locked."""

    async def insert(self, rows: Sequence[tuple[Entry, int]]) -> None:
        """Entries and when they truly arrived, in microseconds."""

    async def seal(self, user_id: int, second: int) -> None: ...

    async def owners(self, after: int, before: int, most: int) -> list[tuple[int, bool]]:
        """Users after `after`, ascending, and whether they have messages older than `before`."""

    async def forget(self, user_id: int, before: int, most: int) -> int: ...

    async def restored(self, now: int) -> None:
        """Raises the floor and moves mailboxes on, as contract §3 rule 8 says."""
