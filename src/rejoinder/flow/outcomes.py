"""MT step 3b: what carriers answered, recorded: ids, statuses, another try, another carrier, or the end.

Refuses answers under an outdated fence: somebody else has claimed the message since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from rejoinder.flow.claims import LEASE_US
from rejoinder.flow.ports import Claim, Tx
from rejoinder.flow.rates import retry_at
from rejoinder.flow.receipts import Moves, kept_receipts, move
from rejoinder.flow.route import RoutingTable
from rejoinder.flow.swapping import note_senders, rerouted
from rejoinder.message import reference
from rejoinder.message.model import Fate, Outcome, PartRow, QueueRow
from rejoinder.message.status import Status


class Answered(msgspec.Struct, frozen=True, gc=False):
    """A claimed message and what the carrier said of each part handed over; `chance` in [0, 1) spreads retries."""

    claim: Claim
    outcomes: Sequence[Outcome]
    chance: float


@dataclass(slots=True)
class _Record:
    """What a batch of answers comes to."""

    moves: Moves = field(default_factory=Moves)
    taken: list[PartRow] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    again: list[QueueRow] = field(default_factory=list)
    rerouted: list[QueueRow] = field(default_factory=list)


async def record(
    tx: Tx,
    answers: Sequence[Answered],
    routes: RoutingTable,
    now: int,
    learnt: str | None = None,
    once: frozenset[int] = frozenset(),
) -> dict[str, int]:
    """Stores a batch of answers in one transaction; gives back the statuses that became final.

    `learnt`: the form in which the carrier names its ids in receipts, where that is known. `once`: see `Moves`.
    """
    await tx.receipts.lock_carriers({a.claim.row.carrier_id for a in answers})
    fences = await tx.outbox.fences([a.claim.row.id for a in answers])
    noted = _Record(Moves(once=once))
    for answer in answers:
        current = fences.get(answer.claim.row.id)
        if current is None or current == answer.claim.fence:
            # A row that is gone was ended meanwhile (expired): the carrier's ids are still worth keeping.
            _note(answer, routes, now, noted, queued=current is not None)
    noted.moves.parts[:0] = noted.taken
    recipients = {answer.claim.row.id: answer.claim.row.recipient for answer in answers}
    noted.moves.parts.extend(await kept_receipts(tx, noted.taken, recipients, learnt))
    await tx.outbox.drop(noted.done)
    await tx.outbox.requeue(noted.again)
    await note_senders(tx, noted.rerouted, now)
    await tx.messages.drop_parts(noted.moves.rerouting)
    return await move(tx, noted.moves, now)


def _note(answer: Answered, routes: RoutingTable, now: int, noted: _Record, queued: bool) -> None:
    row = answer.claim.row
    fates = {outcome.fate for outcome in answer.outcomes}
    for outcome in answer.outcomes:
        if outcome.fate is Fate.ACCEPTED:
            key = reference.key(outcome.ref or "") or None
            ref = outcome.ref if key else None
            noted.taken.append(PartRow(row.id, outcome.number, row.carrier_id, Status.SENT, ref, key))
    if not queued:
        return
    if fates == {Fate.REFUSED} and len(answer.outcomes) == _expected(answer):
        _refused_whole(answer, routes, now, noted)
        return
    if not _goes_again_whole(answer, fates):
        noted.moves.parts += [
            PartRow(row.id, outcome.number, row.carrier_id, Status.REJECTED, None, None)
            for outcome in answer.outcomes
            if outcome.fate is Fate.REFUSED
        ]
    if fates & {Fate.LATER, Fate.THROTTLED, Fate.UNSENT, Fate.UNKNOWN}:
        noted.again.append(_again(answer, fates, now))
    else:
        noted.done.append(row.id)


def _expected(answer: Answered) -> int:
    """How many outcomes a refusal of the whole message has: every part, none taken before."""
    whole = any(outcome.number == 0 for outcome in answer.outcomes)
    return 1 if whole else answer.claim.row.parts


def _goes_again_whole(answer: Answered, fates: set[Fate]) -> bool:
    """Whether a refused part goes once more with the others: while none is taken another carrier may get them all."""
    open_yet = fates <= {Fate.REFUSED, Fate.LATER, Fate.THROTTLED, Fate.UNSENT}
    return open_yet and len(answer.outcomes) == _expected(answer)


def _refused_whole(answer: Answered, routes: RoutingTable, now: int, noted: _Record) -> None:
    """No part was taken: the next carrier of the route gets it; after the last it is rejected and refunded."""
    row = answer.claim.row
    tried = f"{row.tried} {row.carrier_id}".strip()
    following = routes.next(row.recipient, tried, answer.chance)
    # What may already have reached the handset through this carrier never goes to another.
    if following is not None and not row.duplicate:
        moved = replace(rerouted(row, following), tried=tried, attempts=0, due_at=now, unknown=False)
        noted.again.append(moved)
        noted.rerouted.append(moved)
        noted.moves.rerouting.add(row.id)
        return
    noted.moves.ended[row.id] = Status.REJECTED
    if not row.duplicate:
        noted.moves.refund.add(row.id)


def _again(answer: Answered, fates: set[Fate], now: int) -> QueueRow:
    """The same carrier again: after the lease when the outcome is unknown, later when it said so, else at once."""
    row = answer.claim.row
    if Fate.UNKNOWN in fates:
        # attempts marks that parts are on disk which the next claim must look at.
        return replace(row, unknown=True, due_at=now + LEASE_US, attempts=max(1, row.attempts))
    if Fate.LATER not in fates:
        # Throttled or unsent: its place in the order stays. A link that breaks often is no reason to wait for minutes.
        return replace(row, unknown=False, attempts=max(1, row.attempts))
    attempts = row.attempts + 1
    due = min(retry_at(now, attempts, answer.chance), row.valid_until)
    return replace(row, unknown=False, due_at=due, attempts=attempts)
