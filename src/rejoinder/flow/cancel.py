"""Takes messages back before anything of them was handed to a carrier; the charge goes back with each, once.

Refuses (with the status as it is) what a carrier has, may have, or is just being given.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rejoinder.clock import Clock
from rejoinder.flow.claims import is_answered
from rejoinder.flow.ports import MtState, Store, SubmittedPair, Tx, UserRow
from rejoinder.flow.receipts import Moves, count_finished, move
from rejoinder.flow.request import MessageRefused
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status

# What one transaction takes back at most.
STEP = 1000


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What a message is after the attempt: DELETED when it was taken back, else as it was; UNKNOWN: there is none."""

    document_id: str
    status: int
    finished: bool = False


class Cancellations:
    """Takes messages back."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def cancel(self, user: UserRow, document_id: str) -> Cancellation:
        """`finished` says whether this call took it back. Raises MessageRefused for another's message: -230."""
        known = await self._store.read.messages.status(document_id)
        if known is None:
            return Cancellation(document_id, Status.UNKNOWN)
        if known[0] != user.id:
            raise MessageRefused(
                MessageError.NOT_YOURS, "that document belongs to somebody else", "documentId"
            )
        states, finished = await self._end([document_id])
        if document_id in finished:
            return Cancellation(document_id, finished[document_id], finished=True)
        found = [state.status for state in states if state.id == document_id]
        return Cancellation(document_id, found[0] if found else Status.UNKNOWN)

    async def cancel_pair(self, user: UserRow, pair: SubmittedPair) -> int:
        """Takes back all of the user's that were submitted for this pair of addresses; says how many it could."""
        taken, after, more = 0, "", True
        while more:
            ids = await self._store.read.messages.pending(user.id, pair, after, STEP)
            if ids:
                taken += len((await self._end(ids))[1])
                after = ids[-1]
            more = len(ids) == STEP
        return taken

    async def _end(self, ids: Collection[str]) -> tuple[list[MtState], dict[str, int]]:
        now = self._clock.wall_us()
        states, finished = await self._store.write(lambda tx: _take_back(tx, ids, now))
        count_finished(finished)
        return states, finished


async def _take_back(tx: Tx, ids: Collection[str], now: int) -> tuple[list[MtState], dict[str, int]]:
    """Ends those that no carrier has. Queue rows are locked before messages, as where answers are recorded."""
    queued = await tx.outbox.idle(ids)
    states = await tx.messages.lock(ids)
    held = await tx.scheduled.of([state.id for state in states])
    released = [state.id for state in states if state.id not in queued and state.id not in held]
    # What was released while its lock was waited for stands in the queue now.
    queued |= await tx.outbox.idle(released)
    touched = {part.mt_id for part in await tx.messages.parts(queued) if is_answered(part)}
    free = {state.id for state in states} & ((queued - touched) | set(held))
    moves = Moves(ended=dict.fromkeys(free, Status.DELETED), refund=set(free))
    await tx.scheduled.drop(held)
    return states, await move(tx, moves, now)
