"""Boxes' rows in memory, while one server alone holds a SQLite file: an empty poll touches no database.

Refuses to remember anything but what was read as committed. A row that is behind the store's is harmless: it is
what a poll that came a moment earlier would have read (contract §3 rule 5), and its page is cut by it. So a row is
forgotten after the commit that changed it, before anybody hears of that commit.
"""

from __future__ import annotations

from collections.abc import Collection

from rejoinder.flow.ports import Head
from rejoinder.store.session import Session
from rejoinder.store.tables.mailboxes import MailboxTables

# Bounds memory whatever the number of boxes: about 20 MB. The entry put in first leaves.
KEPT = 100_000


class KnownBoxes(MailboxTables):
    """The reading side's boxes; all calls come from one event loop."""

    __slots__ = ("_heads",)

    def __init__(self, session: Session) -> None:
        super().__init__(session, set(), set())
        self._heads: dict[int, Head] = {}

    def known(self, box_id: int) -> Head | None:
        return self._heads.get(box_id)

    async def head(self, box_id: int) -> Head:
        found = self._heads.get(box_id)
        if found is None:
            found = await super().head(box_id)
            if len(self._heads) >= KEPT:
                del self._heads[next(iter(self._heads))]
            self._heads[box_id] = found
        return found

    def forget_heads(self, boxes: Collection[int] | None) -> None:
        """These rows have changed; None: any may have."""
        if boxes is None:
            self._heads.clear()
        else:
            for box_id in boxes:
                self._heads.pop(box_id, None)
