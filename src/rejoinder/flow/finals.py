"""What follows when MTs have just become final: an entry in their users' status boxes (contract §8), and pushes (§10).

Called by `receipts.move` alone, in its transaction and once a message, because a final status never changes.
Refuses nothing: a message whose user has no such box leaves no entry.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.flow import push_queue
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import MtState, Tx
from rejoinder.message import money
from rejoinder.message.model import Entry, ShownStatus

_encode = msgspec.json.encode


class Final(msgspec.Struct, frozen=True, gc=False):
    """A message as it stood under its lock, the final status it reached, and what it cost in the end (1/1000)."""

    mt: MtState
    status: int
    charged: int


async def record(tx: Tx, finals: Sequence[Final], now: int) -> None:
    """Stores what these final statuses bring about; `now` in microseconds. Locks status boxes, by contract §3."""
    if not finals:
        return
    await _enter(tx, finals, now)
    await tx.pushes.queue(
        [
            push
            for final in finals
            for push in push_queue.of_status(final.mt, final.status, final.charged, now)
        ]
    )


async def _enter(tx: Tx, finals: Sequence[Final], now: int) -> None:
    locked = await tx.mailboxes.lock({-final.mt.user_id for final in finals})
    boxes = {box.box_id: Placement(box) for box in locked}
    entries = [_entry(final, boxes[-final.mt.user_id], now) for final in finals if -final.mt.user_id in boxes]
    await tx.mailboxes.advance([box.row() for box in boxes.values()])
    await tx.mailboxes.insert([(entry, now) for entry in entries])


def _entry(final: Final, box: Placement, now: int) -> Entry:
    """The timestamp is the status's own; within a second the ids of the messages order them."""
    mt, timestamp = final.mt, box.give(now // MICROSECONDS)
    charged = msgspec.Raw(money.with_decimals(final.charged).encode())
    shown = _encode(ShownStatus(mt.id, mt.recipient, final.status, timestamp, mt.parts, charged))
    return Entry(box.box_id, timestamp, mt.id, False, shown)
