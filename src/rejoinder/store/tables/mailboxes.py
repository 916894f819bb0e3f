"""Mailbox rows and entries: the tables behind allMessages (contract §2, §3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import EMPTY, Head, LockedMailbox, Page, PageQuery
from rejoinder.message.model import Entry
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("mailbox")
_HEAD = _SQL["read_head"]
_PAGE = _SQL["read_page"]
_PAGE_RECEIVED = _SQL["read_page_received"]
# Contract §3 rule 8: how far the floor is raised after a restore.
_FLOOR_SECONDS = 60


class MailboxTables:
    """See flow/ports `Mailboxes`."""

    __slots__ = ("_changed", "_filled", "_session")

    def __init__(self, session: Session, changed: set[int], filled: set[int]) -> None:
        self._session = session
        self._changed = changed
        self._filled = filled

    def known(self, box_id: int) -> Head | None:
        return None

    async def head(self, box_id: int) -> Head:
        """Raises LookupError for a box that is not there: both are made with the user."""
        rows = await self._session.rows(_HEAD, box_id)
        if not rows:
            raise LookupError("no such mailbox")
        return Head(*rows[0])

    async def page(self, query: PageQuery, most: int) -> Page:
        # Values stand in the order in which each engine's text first names them.
        statement = _PAGE_RECEIVED if query.received else _PAGE
        rows = await self._session.rows(statement, most, query.box_id, query.ceiling, query.since)
        number, newest, received, sent, more = rows[0]
        return Page(newest, received or b"", sent or b"", bool(more)) if number else EMPTY

    async def lock(self, box_ids: Collection[int]) -> list[LockedMailbox]:
        keys = [(box_id,) for box_id in sorted(set(box_ids))]
        return [LockedMailbox(*row) for row in await self._session.bulk(_SQL["lock_mailboxes"], keys)]

    async def advance(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        boxes = [row[0] for row in rows]
        self._changed.update(boxes)
        self._filled.update(boxes)
        await self._session.bulk(_SQL["advance_mailboxes"], rows)

    async def insert(self, rows: Sequence[tuple[Entry, int]]) -> None:
        await self._session.bulk(
            _SQL["insert_entries"],
            [(e.box_id, e.timestamp, e.id, e.incoming, e.shown.decode(), arrived) for e, arrived in rows],
        )

    async def seal(self, box_id: int, second: int) -> None:
        self._changed.add(box_id)
        await self._session.rows(_SQL["seal_mailbox"], second, box_id)

    async def in_order(self, after: int, before: int, most: int) -> list[tuple[int, bool]]:
        rows = await self._session.rows(_SQL["boxes_in_order"], before, after, most)
        return [(box_id, bool(has_older)) for box_id, has_older in rows]

    async def forget(self, box_id: int, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_entries"], box_id, before, most))

    async def restored(self, now: int) -> None:
        await self._session.rows(_SQL["raise_floor"], now + _FLOOR_SECONDS)
        await self._session.rows(_SQL["seal_after_restore"], now)
