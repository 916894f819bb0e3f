"""MT step 3c: what waits for a carrier that is down, or gone, goes to the next one, if nothing of it was handed over.

Which carrier is down says health.py; gone are those that the operator removed. Refuses to move what a network may have: a
message of which a part was accepted, or whose last outcome is unknown.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from rejoinder.flow.claims import is_answered
from rejoinder.flow.ports import Claim, Tx
from rejoinder.flow.receipts import Moves, move
from rejoinder.flow.route import RoutingTable
from rejoinder.flow.steps import STEP
from rejoinder.flow.swapping import note_senders, rerouted
from rejoinder.message.model import QueueRow
from rejoinder.message.status import Status

BEGINNING = (-1, "")


@dataclass(frozen=True, slots=True)
class Stranded:
    """A carrier that is down, and where its queue was looked through to. `sure`: the wall clock is believed."""

    carrier_id: int
    routes: RoutingTable
    down: Collection[int]
    after: tuple[int, str] = BEGINNING
    sure: bool = True


@dataclass(slots=True)
class Relieved:
    """What one step came to: messages by the carrier they went to, final ones, and where the next step begins."""

    moved: dict[int, int] = field(default_factory=dict)
    finished: dict[str, int] = field(default_factory=dict)
    after: tuple[int, str] = BEGINNING


async def relieve(tx: Tx, stranded: Stranded, now: int) -> Relieved:
    """One step over the queue of a carrier that is down: bounded, whatever its length."""
    waiting = await tx.outbox.waiting(stranded.carrier_id, now, stranded.after, STEP)
    result = Relieved()
    if len(waiting) == STEP:
        result.after = (waiting[-1].row.due_at, waiting[-1].row.id)
    over = [it.row.id for it in waiting if it.row.valid_until <= now and stranded.sure]
    moves = Moves(ended=dict.fromkeys(over, Status.EXPIRED))
    free = await _untouched(tx, [it for it in waiting if it.row.id not in moves.ended])
    again: list[QueueRow] = []
    for row in free:
        other = stranded.routes.instead(row.recipient, row.tried, stranded.down, random.random())  # noqa: S311
        if other is not None:
            again.append(replace(rerouted(row, other), attempts=0, unknown=False))
            moves.rerouting.add(row.id)
            result.moved[other.carrier_id] = result.moved.get(other.carrier_id, 0) + 1
    await tx.messages.drop_parts(moves.rerouting)
    await tx.outbox.requeue(again)
    await note_senders(tx, again, now)
    result.finished = await move(tx, moves, now)
    return result


async def adopt(tx: Tx, routes: RoutingTable, now: int) -> tuple[int, dict[str, int]]:
    """One step over what waits for carriers that are gone; says how many there were, and what ended.

    They go to the next carrier of the route; without one: no route, refunded. What a network may have ends in doubt.
    """
    strays = await tx.outbox.strays(now, STEP)
    moves, again = Moves(), []
    free = await _untouched(tx, strays)
    for row in free:
        following = routes.next(row.recipient, row.tried)
        if following is None:
            moves.ended[row.id] = Status.NO_ROUTE
            moves.refund.add(row.id)
        else:
            again.append(replace(rerouted(row, following), attempts=0, due_at=now, unknown=False))
    kept = {it.row.id for it in strays} - {row.id for row in free}
    moves.ended.update(dict.fromkeys(kept, Status.UNDELIVERABLE))
    await tx.messages.drop_parts([row.id for row in again])
    await tx.outbox.requeue(again)
    await note_senders(tx, again, now)
    return len(strays), await move(tx, moves, now)


async def _untouched(tx: Tx, waiting: Sequence[Claim]) -> list[QueueRow]:
    """Those of which no network has anything, and none may have."""
    fresh = [it.row for it in waiting if not it.row.duplicate and not it.was_submitting]
    begun = {row.id for row in fresh if row.attempts}
    parts = await tx.messages.parts(begun) if begun else []
    taken = {part.mt_id for part in parts if is_answered(part)}
    return [row for row in fresh if row.id not in taken]
