"""What follows when MTs have just become final: pushes of their statuses (contract §10).

Called by `receipts.move` alone, in its transaction and once a message, because a final status never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.flow import push_queue
from rejoinder.flow.ports import MtState, Tx


@dataclass(frozen=True, slots=True)
class Final:
    """A message as it stood under its lock, the final status it reached, and what it cost in the end (1/1000)."""

    mt: MtState
    status: int
    charged: int


async def record(tx: Tx, finals: Sequence[Final], now: int) -> None:
    """Stores what these final statuses bring about; `now` in microseconds."""
    await tx.pushes.queue(
        [
            push_queue.of_status(final.mt, final.status, final.charged, now)
            for final in finals
            if final.mt.status_push
        ]
    )
