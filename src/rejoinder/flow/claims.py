"""MT step 3a: which messages a carrier gets next, and under which marks. One transaction, committed before a byte leaves.

A claim sets `submitting` and a lease; a row whose lease ran out while submitting has an unknown outcome:
it is sent again at most once, 60 seconds after its link was lost at the earliest, on the same carrier, and marked
(docs/flow.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from msgspec.structs import replace

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.ports import Claim, KeptReceipt, Tx
from rejoinder.flow.receipts import WHOLE, Moves, move
from rejoinder.flow.route import RoutingTable
from rejoinder.message import reference
from rejoinder.message.model import Outgoing, PartRow
from rejoinder.message.status import Status

# How long an unknown outcome waits for a receipt that tells what became of it.
LEASE_US = 60 * MICROSECONDS
# A process renews what it has in hands every 15 seconds; at a slow store a renewal may be so old when its link is lost.
RENEWED_US = 20 * MICROSECONDS
# How many customers take part in one round when more is due than can be claimed.
ROUND = 32


@dataclass(frozen=True, slots=True)
class Lane:
    """A carrier as claims meet it.

    `held`: messages that this process has under way, whatever their leases say. `sure`: the wall clock is believed;
    while it is not, no lease and no validity runs out (flow/upkeep.py). `steady`: it was not set within the last minute;
    while it was, no lease runs out. `opt_outs`: whether any handset has opted out of anything.
    """

    carrier_id: int
    whole: bool
    routes: RoutingTable
    held: Set[str] = frozenset()
    sure: bool = True
    opt_outs: bool = False
    steady: bool = True


@dataclass(slots=True)
class Claimed:
    """What a claim brought: messages to hand over now, and what became final instead."""

    outgoing: list[tuple[Claim, Outgoing]] = field(default_factory=list)
    finished: dict[str, int] = field(default_factory=dict)
    resent: int = 0
    next_customer: int = 0
    next_due: int | None = None


async def claim(tx: Tx, lane: Lane, now: int, most: int, after_customer: int) -> Claimed:
    """Takes up to `most` messages due at a carrier, fairly over customers."""
    claimed = Claimed(next_customer=after_customer)
    due = await _fair(tx, lane.carrier_id, now, most, claimed)
    moves = Moves()
    ready: list[Claim] = []
    in_hands: list[tuple[str, int]] = []
    for row in due:
        if row.row.id in lane.held or (row.was_submitting and not (lane.sure and lane.steady)):
            in_hands.append((row.row.id, row.fence))
        elif row.was_submitting:
            await _resolve_unknown(tx, lane, row, now, moves, ready)
        elif row.row.valid_until <= now and lane.sure:
            moves.ended[row.row.id] = Status.EXPIRED
        else:
            ready.append(row)
    # A step of the clock ends leases that are only seconds old, those of other servers too: what is in somebody's hands
    # stays there.
    await tx.outbox.renew(in_hands, lease_end(now))
    if lane.opt_outs:
        ready = await _without_opted_out(tx, ready, moves)
    claimed.finished = await move(tx, moves, now)
    await _mark(tx, lane, ready, now, claimed)
    if not due:
        claimed.next_due = await tx.outbox.next_due(lane.carrier_id)
    return claimed


def lease_end(now: int) -> int:
    """When what is in a process's hands now is anybody's: the whole wait after that process was last alive."""
    return now + LEASE_US + RENEWED_US


def is_answered(part: PartRow) -> bool:
    """Whether the carrier took or refused the part; some take one and give it no id."""
    return part.ref_key is not None or part.status != Status.SUBMITTED


async def _fair(tx: Tx, carrier_id: int, now: int, most: int, claimed: Claimed) -> list[Claim]:
    """What is due; when that is more than can be taken, a share for each customer in turn."""
    due = await tx.outbox.due(carrier_id, now, most + 1)
    if len(due) <= most:
        return due
    customers = await tx.outbox.customers_waiting(carrier_id, claimed.next_customer, ROUND)
    if len(customers) < ROUND:
        customers += [
            c for c in await tx.outbox.customers_waiting(carrier_id, 0, ROUND) if c not in customers
        ]
    customers = customers[: max(1, min(ROUND, most))]
    share = -(-most // len(customers))
    fair: dict[str, Claim] = {}
    for customer in customers:
        room = min(share, most - len(fair))
        if room <= 0:
            break
        for one in await tx.outbox.due(carrier_id, now, room, customer):
            fair[one.row.id] = one
        claimed.next_customer = customer
    for one in due:
        if len(fair) >= most:
            break
        fair.setdefault(one.row.id, one)
    return list(fair.values())


async def _without_opted_out(tx: Tx, ready: Sequence[Claim], moves: Moves) -> list[Claim]:
    """Messages accepted before their handset said STOP are not handed over any more: rejected, and refunded.

    One of which a part may be with a network already goes on: half a text helps nobody.
    """
    opted = await tx.opt_outs.standing({(c.row.customer_id, c.row.recipient) for c in ready})
    waiting = [c for c in ready if (c.row.customer_id, c.row.recipient) in opted and not c.row.duplicate]
    tried = await tx.messages.parts([c.row.id for c in waiting])
    begun = {part.mt_id for part in tried if is_answered(part)}
    ended = {c.row.id for c in waiting} - begun
    moves.ended.update(dict.fromkeys(ended, Status.REJECTED))
    moves.refund.update(ended)
    return [c for c in ready if c.row.id not in ended]


async def _resolve_unknown(
    tx: Tx, lane: Lane, claim: Claim, now: int, moves: Moves, ready: list[Claim]
) -> None:
    """A lease ran out without an answer: a receipt tells, or one more try, or the end (as the route says)."""
    row = claim.row
    parts = await tx.messages.parts([row.id])
    told = await _told_by_receipt(tx, lane, claim, [part for part in parts if not is_answered(part)])
    # A carrier that gives our own ids back has been heard of all parts already, if only that they are on their way.
    if told or (parts and all(is_answered(part) for part in parts)):
        moves.parts.extend(told)
        await tx.outbox.drop([row.id])
        return
    routed = [c for c in lane.routes.candidates(row.recipient) if c.carrier_id == lane.carrier_id]
    may_resend = not row.duplicate and row.valid_until > now and (not routed or routed[0].resend)
    if may_resend:
        ready.append(replace(claim, row=replace(row, duplicate=True)))
    else:
        moves.ended[row.id] = Status.UNDELIVERABLE


async def _told_by_receipt(tx: Tx, lane: Lane, claim: Claim, parts: list[PartRow]) -> list[PartRow]:
    """Kept receipts for recipient and sender since the hand-over, given to the parts without an id, in order.

    Only when there are enough for them and for all others that may be meant: less leaves it open which was lost.
    Receipts come in any order: all of one id are its part's, and the table of statuses says what they come to.
    """
    said: defaultdict[str, list[KeptReceipt]] = defaultdict(list)
    for one in await tx.receipts.kept_to(lane.carrier_id, claim.row.recipient, claim.claimed_at):
        if one.sender is None or one.sender == claim.row.sender:
            said[one.key].append(one)
    if not parts or not said or len(said) < await _that_may_be_meant(tx, claim, said):
        return []
    parts.sort(key=lambda part: part.number)
    pairs = [(part, one) for part, of_id in zip(parts, said.values(), strict=False) for one in of_id]
    await tx.receipts.drop([one.id for _, one in pairs])
    return [
        replace(part, status=one.status, ref=one.ref, ref_key=reference.key(one.ref)) for part, one in pairs
    ]


async def _that_may_be_meant(tx: Tx, claim: Claim, said: Mapping[str, Sequence[KeptReceipt]]) -> int:
    """How many parts without an answer these receipts may be of: of this message, and of others to its handset."""
    row = claim.row
    senders = await tx.outbox.unanswered_to(row.carrier_id, row.recipient)
    anyone = any(one.sender is None for of_id in said.values() for one in of_id)
    return sum(anyone or sender == row.sender for sender in senders)


async def _mark(tx: Tx, lane: Lane, ready: Sequence[Claim], now: int, claimed: Claimed) -> None:
    """Notes on disk that bytes may leave: leases, fences, parts, and the mark of a possible duplicate."""
    known = await _parts_at_carrier(tx, lane, [c for c in ready if c.row.attempts or c.was_submitting])
    numbers = {c.row.id: _numbers(lane, c, known.get(c.row.id, {})) for c in ready}
    # Put off by the carrier, which has said since that it has them.
    await tx.outbox.drop([c.row.id for c in ready if not numbers[c.row.id]])
    ready = [c for c in ready if numbers[c.row.id]]
    await tx.outbox.mark_claimed(ready, now, lease_end(now))
    await tx.outbox.put_parts(
        [(i, number, lane.carrier_id) for i, each in numbers.items() for number in each]
    )
    resent = [c.row.id for c in ready if c.row.duplicate and c.was_submitting]
    await tx.messages.mark_resent(resent)
    claimed.resent = len(resent)
    for one in ready:
        held = replace(one, fence=one.fence + 1, claimed_at=now)
        claimed.outgoing.append((held, _outgoing(held, numbers[one.row.id])))


async def _parts_at_carrier(tx: Tx, lane: Lane, claims: Sequence[Claim]) -> dict[str, dict[int, PartRow]]:
    """The parts there are of each; those that the carrier will never answer for are dropped."""
    found: dict[str, dict[int, PartRow]] = {}
    for part in await tx.messages.parts([c.row.id for c in claims]):
        found.setdefault(part.mt_id, {})[part.number] = part
    # Counted otherwise before the operator changed how the carrier gets long texts: nobody would answer for those parts.
    strange = [
        mt_id
        for mt_id, parts in found.items()
        if (WHOLE in parts) != lane.whole and not any(map(is_answered, parts.values()))
    ]
    await tx.messages.drop_parts(strange)
    return {mt_id: parts for mt_id, parts in found.items() if mt_id not in strange}


def _numbers(lane: Lane, claim: Claim, known: dict[int, PartRow]) -> tuple[int, ...]:
    """The parts that this carrier has not yet taken or refused."""
    # What was begun in parts goes on in parts.
    whole = WHOLE in known if known else lane.whole
    wanted = (WHOLE,) if whole else tuple(range(1, claim.row.parts + 1))
    settled = {n for n, p in known.items() if p.carrier_id == lane.carrier_id and is_answered(p)}
    return tuple(number for number in wanted if number not in settled)


def _outgoing(claim: Claim, numbers: tuple[int, ...]) -> Outgoing:
    row = claim.row
    return Outgoing(
        id=row.id,
        recipient=row.recipient,
        sender=row.sender,
        text=row.text,
        alphabet=row.alphabet,
        parts=row.parts,
        numbers=numbers,
        valid_until=row.valid_until,
        possible_duplicate=row.duplicate,
        udh=row.udh,
        octets=row.octets,
        flash=row.flash,
    )
