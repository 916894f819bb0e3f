"""Wrong variants of what becomes of a mailbox row: writers, memory, retention, restores (see wrong_answers.py).

Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.property.cursor import promise
from tests.property.cursor.model import Row, Scope, View
from tests.property.cursor.wrong_answers import Wrong


class MemoryAhead(Wrong):
    """The row in memory is brought up to date by the insert, not by the commit."""

    name = "memory ahead of the commit"

    def row_to_read(self, committed: Row, pending: Row | None) -> Row:
        return pending or committed


class RowRecomputed(Wrong):
    """After retention the row is made again from the messages that are left."""

    name = "row recomputed after retention"
    scope = "retention"

    def after_retention(self, row: Row, left: View) -> Row:
        last = left[-1].timestamp if left else 0
        return Row(last, min(row.sealed, last), sum(m.timestamp == last for m in left))


class SealUnknownToWriters(Wrong):
    """Timestamps follow the clock and `last`; nobody asks what was answered."""

    name = "timestamps not above sealed"

    def stamp(self, row: Row, now: int, floor: int, scope: Scope) -> Row:
        return super().stamp(row._replace(sealed=-1), now, floor, scope)._replace(sealed=row.sealed)


class ClockOnly(Wrong):
    """Timestamps follow the clock above what was answered; a clock steps back."""

    name = "timestamps not above last"
    scope = "retention"

    def stamp(self, row: Row, now: int, floor: int, scope: Scope) -> Row:
        return Row(max(now, row.sealed + 1, floor + 1), row.sealed, 1)


class RowReadBeforeLock(Wrong):
    """A writer reads the row, then locks it."""

    name = "writer reading the row before its lock"
    writer_locks_first = False


class LocksInAnyOrder(Wrong):
    """A transaction over several mailboxes locks them as its messages come."""

    name = "rows locked in the order of the messages"
    fault = promise.DEADLOCK
    scope = "two mailboxes"

    def lock_order(self, boxes: Sequence[int]) -> Sequence[int]:
        return list(dict.fromkeys(boxes))


class NoFloor(Wrong):
    """After a restore a mailbox goes on from where the backup has it."""

    name = "restore without a floor"
    scope = "a backup put back"
    lifts_floor = False


class AheadStaysAhead(Wrong):
    """The floor is enough, also for a mailbox that was ahead of the clock."""

    name = "restore leaving mailboxes ahead of the clock"
    scope = "a backup put back"
    moves_mailboxes_ahead = False
