"""Boxes and their entries, in the words of contract §3.

A user has two: the mailbox (id +user_id) and the box of its MTs' final statuses (id -user_id, contract §8).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from rejoinder.message.model import Entry


class Head(msgspec.Struct, frozen=True):
    """A box's row: highest timestamp given out, highest second answered (contract §3 rule 2).

    `last_received`: highest timestamp given to an MO.
    """

    last: int
    sealed: int
    last_received: int


class LockedMailbox(msgspec.Struct, frozen=True, gc=False):
    """A box's row under the writer's lock; `floor` is the store-wide one of contract §3 rule 8."""

    box_id: int
    last: int
    sealed: int
    last_count: int
    last_received: int
    floor: int


class PageQuery(msgspec.Struct, frozen=True, gc=False):
    """Entries of a box with since < timestamp < ceiling; `received`: only those that handsets sent."""

    box_id: int
    since: int
    ceiling: int
    received: bool


class Page(msgspec.Struct, frozen=True):
    """The oldest entries after a moment, whole seconds only, as they are shown: JSON objects joined by commas.

    `newest`: the last one's timestamp, 0 for none; `more` lie behind them.
    """

    newest: int
    received: bytes
    sent: bytes
    more: bool


EMPTY = Page(0, b"", b"", False)


class Mailboxes(Protocol):
    """Boxes and their entries (contract §3)."""

    def known(self, box_id: int) -> Head | None:
        """The committed row from memory, where the store keeps it; None: read it."""

    async def head(self, box_id: int) -> Head: ...

    async def page(self, query: PageQuery, most: int) -> Page:
        """The oldest `most` entries, extended to the end of the last one's second: none is split (rule 4)."""

    async def lock(self, box_ids: Collection[int]) -> list[LockedMailbox]: ...

    async def advance(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """(box_id, last, last_count, last_received) of boxes that are locked."""

    async def insert(self, rows: Sequence[tuple[Entry, int]]) -> None:
        """Entries and when they truly arrived, in microseconds."""

    async def seal(self, box_id: int, second: int) -> None: ...

    async def in_order(self, after: int, before: int, most: int) -> list[tuple[int, bool]]:
        """Boxes with an id above `after`, ascending, and whether they hold entries older than `before`."""

    async def forget(self, box_id: int, before: int, most: int) -> int: ...

    async def restored(self, now: int) -> None:
        """Raises the floor and moves mailboxes on, as contract §3 rule 8 says."""
