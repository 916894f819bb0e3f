"""MT step 4: receipts move statuses, in any order, any number of times, even before the submit's answer.

A receipt is matched by the carrier's id in the forms carriers give it (message/reference.py); one that
fits nothing yet is kept for 72 hours. `move` is the only place where a message's status changes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from rejoinder.clock import Clock
from rejoinder.flow import finals
from rejoinder.flow.batches import Batches
from rejoinder.flow.ports import USAGE_ACCOUNT, KeptReceipt, KnownRef, MtState, Store, Transfer, Tx
from rejoinder.flow.setup import Setup
from rejoinder.message import phone, reference, status
from rejoinder.message.model import PartRow, Receipt
from rejoinder.message.objectid import is_object_id
from rejoinder.observe import MT_FINISHED, RECEIPTS

# A message given whole to a carrier: its one part counts for all.
WHOLE = 0


@dataclass(slots=True)
class Moves:
    """New facts about messages: parts' statuses (with ids newly learnt), and statuses said of whole messages.

    `ended`: the message's status is set to this whatever its parts say (expired, no route, refused by all).
    `refund`: messages whose charge goes back. `once`: carriers that send one receipt for all parts of a message.
    """

    parts: list[PartRow] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    rerouting: set[str] = field(default_factory=set)
    refund: set[str] = field(default_factory=set)
    once: frozenset[int] = frozenset()

    def ids(self) -> set[str]:
        return {part.mt_id for part in self.parts} | set(self.ended) | self.rerouting


async def move(tx: Tx, moves: Moves, now: int) -> dict[str, int]:
    """Applies new facts along the status table and gives back the statuses that became final.

    A final status never changes; its message leaves the outbox in the same transaction.
    """
    states = await tx.messages.lock(moves.ids())
    known = await _parts_by_message(tx, [state.id for state in states])
    changed = _step_parts(known, moves.parts)
    if moves.once:
        changed += _step_parts(known, _spoken_for(known, moves.once))
    await tx.messages.set_parts(changed)
    rows: list[tuple[str, int, int | None]] = []
    finished: dict[str, int] = {}
    for state in states:
        new = _step_message(state, list(known[state.id].values()), moves)
        if new != state.status:
            final = status.is_final(new)
            rows.append((state.id, new, now if final else None))
            if final:
                finished[state.id] = new
    await tx.messages.set_statuses(rows)
    await tx.outbox.drop(finished)
    refunded = [state for state in states if state.id in moves.refund and state.id in finished]
    await _refund(tx, refunded, now)
    charges = {state.id: state.charge for state in states} | dict.fromkeys((s.id for s in refunded), 0)
    done = [state for state in states if state.id in finished]
    await finals.record(tx, [finals.Final(s, finished[s.id], charges[s.id]) for s in done], now)
    return finished


async def _parts_by_message(tx: Tx, ids: Sequence[str]) -> dict[str, dict[int, PartRow]]:
    found: dict[str, dict[int, PartRow]] = defaultdict(dict)
    for part in await tx.messages.parts(ids):
        found[part.mt_id][part.number] = part
    return found


def _step_parts(known: dict[str, dict[int, PartRow]], facts: Iterable[PartRow]) -> list[PartRow]:
    """Moves parts along the table, in place; gives back those that changed."""
    changed: dict[tuple[str, int], PartRow] = {}
    for fact in facts:
        old = known.get(fact.mt_id, {}).get(fact.number)
        if old is None:
            continue
        new = replace(
            old,
            status=status.step(old.status, fact.status),
            ref=fact.ref or old.ref,
            ref_key=fact.ref_key or old.ref_key,
        )
        if new != old:
            known[fact.mt_id][fact.number] = changed[fact.mt_id, fact.number] = new
    return list(changed.values())


def _spoken_for(known: Mapping[str, Mapping[int, PartRow]], once: frozenset[int]) -> list[PartRow]:
    """Parts whose carrier will say nothing more of them, because it has spoken of another part of their message.

    Only when none of the message waits to be handed over any more: what it becomes is not known yet.
    """
    facts: list[PartRow] = []
    for parts in known.values():
        told = [part.status for part in parts.values() if status.is_final(part.status)]
        if not told or any(
            part.carrier_id not in once or part.status == status.Status.SUBMITTED for part in parts.values()
        ):
            continue
        facts += [replace(part, status=status.combine(told)) for part in parts.values()]
    return facts


def _step_message(state: MtState, parts: Sequence[PartRow], moves: Moves) -> int:
    """The message's next status: that of its part with the lowest priority number (contract §1)."""
    if state.id in moves.ended:
        return status.step(state.status, moves.ended[state.id])
    if state.id in moves.rerouting:
        return status.step(state.status, status.Status.REROUTING)
    if not parts:
        return state.status
    return status.step(state.status, status.combine(part.status for part in parts))


async def _refund(tx: Tx, states: Sequence[MtState], now: int) -> None:
    if not states:
        return
    accounts = await tx.messages.payers([state.id for state in states])
    await tx.credits.lock(accounts.values())
    await tx.credits.transfer(
        [
            Transfer(USAGE_ACCOUNT, accounts[state.id], state.charge, "refund", state.id)
            for state in states
            if state.charge
        ],
        now,
    )


def count_finished(finished: Mapping[str, int]) -> None:
    """Counts final statuses once their transaction is on disk."""
    for code, times in Counter(finished.values()).items():
        MT_FINISHED.labels(status.word(code)).inc(times)


async def _at_once(_carrier_ids: Collection[int]) -> None:
    """Nobody answers here."""


class ReceiptIntake:
    """Takes receipts from carriers; returns to them after the receipt's effect is on disk."""

    def __init__(self, store: Store, clock: Clock, setup: Setup) -> None:
        self._store = store
        self._clock = clock
        self._setup = setup
        self._batches: Batches[Receipt, None] = Batches(self._store_all, most=256, gathers=True)
        # A receipt often comes in one read with the submit's answer: it need not be kept while that is being stored.
        self.answered: Callable[[Collection[int]], Awaitable[None]] = _at_once
        # The form in which each carrier names its ids in receipts, learnt from those that leave no doubt.
        self.learnt: dict[int, str] = {}

    async def take(self, receipt: Receipt) -> None:
        """Stores a receipt's effect, or the receipt itself. Raises Overloaded, StoreUnavailable."""
        await self._batches.put(receipt)

    async def drained(self) -> None:
        await self._batches.drained()

    async def _store_all(self, receipts: list[Receipt]) -> Sequence[None]:
        await self.answered({receipt.carrier_id for receipt in receipts})
        now = self._clock.wall_us()
        finished, learnt, matched = await self._store.write(lambda tx: self._apply(tx, receipts, now))
        self.learnt.update(learnt)
        RECEIPTS.labels("matched").inc(matched)
        RECEIPTS.labels("unmatched").inc(len(receipts) - matched)
        count_finished(finished)
        return [None] * len(receipts)

    async def _apply(
        self, tx: Tx, receipts: Sequence[Receipt], now: int
    ) -> tuple[dict[str, int], dict[int, str], int]:
        moves, learnt = Moves(once=self._setup.speak_once), {}
        unmatched: list[tuple[Receipt, str]] = []
        carriers = sorted({receipt.carrier_id for receipt in receipts})
        await tx.receipts.lock_carriers(carriers)
        for carrier_id in carriers:
            own = [receipt for receipt in receipts if receipt.carrier_id == carrier_id]
            known = await _known_refs(tx, carrier_id, own)
            for receipt in own:
                found = find(receipt, known, self.learnt.get(carrier_id))
                if found is None:
                    unmatched.append((receipt, reference.key(receipt.ref)))
                    continue
                part, form = found
                if reference.proves(receipt.ref, part.ref, form):
                    learnt[carrier_id] = form
                moves.parts.append(PartRow(part.mt_id, part.number, carrier_id, receipt.status, None, None))
        await tx.receipts.keep(unmatched)
        finished = await move(tx, moves, now)
        return finished, learnt, len(receipts) - len(unmatched)


async def _known_refs(tx: Tx, carrier_id: int, receipts: Sequence[Receipt]) -> dict[str, list[KnownRef]]:
    """The parts these receipts may mean, by folded id; our own ids count for carriers that give them back."""
    keys = {form_key for receipt in receipts for _, form_key in reference.forms(receipt.ref)}
    known: dict[str, list[KnownRef]] = defaultdict(list)
    for ref in await tx.receipts.by_ref(carrier_id, keys):
        known[ref.key].append(ref)
    ours = {receipt.ref for receipt in receipts if is_object_id(receipt.ref) and receipt.ref not in known}
    for part in await tx.messages.parts(ours):
        if part.number == WHOLE and part.carrier_id == carrier_id:
            # Who gives our ids back speaks HTTP, where receipts name no handset.
            known[part.mt_id].append(KnownRef(part.mt_id, part.mt_id, part.mt_id, WHOLE, part.status, ""))
    return known


def find(
    receipt: Receipt, known: Mapping[str, Sequence[KnownRef]], learnt: str | None
) -> tuple[KnownRef, str] | None:
    """The part a receipt's id means, and the form in which the carrier named it.

    Carriers count their ids anew: of several parts with the same one that is meant which went to the receipt's handset,
    and of these the newest message's, the first in `known`. Where none did, a carrier may disguise its handsets.
    """
    meant = [part for _, key in reference.forms(receipt.ref) for part in known.get(key, ())]
    reached = [part for part in meant if _may_reach(receipt, part.recipient)]
    candidates: dict[str, KnownRef] = {}
    for part in reached or meant:
        candidates.setdefault(part.ref, part)
    best = reference.best(receipt.ref, list(candidates), learnt)
    if best is None or (not reached and status.is_final(candidates[best[0]].status)):
        # What is final needs no receipt; a message to that handset may be about to get this id.
        return None
    return candidates[best[0]], best[1]


async def kept_receipts(
    tx: Tx, parts: Sequence[PartRow], recipients: Mapping[str, str], learnt: str | None
) -> list[PartRow]:
    """Receipts that came before these ids were known; they are taken out and given back as facts.

    `recipients` of these parts' messages. An id may come again within the 72 hours: a receipt that names another handset
    stays where it is.
    """
    facts: list[PartRow] = []
    used: list[int] = []
    for carrier_id in sorted({part.carrier_id for part in parts}):
        named = {part.ref: part for part in parts if part.carrier_id == carrier_id and part.ref}
        keys = {key for ref in named for _, key in reference.forms(ref)}
        for kept in await tx.receipts.kept(carrier_id, keys):
            part = _named_by(kept, named, learnt)
            if part is not None and _may_reach(kept, recipients[part.mt_id]):
                used.append(kept.id)
                facts.append(replace(part, status=kept.status, ref=None, ref_key=None))
    await tx.receipts.drop(used)
    return facts


def _named_by(kept: KeptReceipt, named: Mapping[str, PartRow], learnt: str | None) -> PartRow | None:
    best = reference.best(kept.ref, list(named), learnt)
    return None if best is None else named[best[0]]


def _may_reach(receipt: Receipt | KeptReceipt, recipient: str) -> bool:
    """Whether a receipt may be of a message to this handset; some carriers name it as what the receipt goes to."""
    if receipt.recipient is None or receipt.recipient == recipient:
        return True
    named = [one for one in (receipt.recipient, receipt.sender) if one is not None]
    return any(phone.may_be(one, recipient) for one in named)
