"""MO: what handsets send is joined, matched and stored; a carrier hears OK only after the commit (contract §11).

Refuses nothing that a carrier delivers: what cannot be matched or owned is parked, what never becomes
whole is released as it is, what comes twice is stored once (repetitions.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from rejoinder.clock import MICROSECONDS, Clock
from rejoinder.errors import NotFound
from rejoinder.flow.batches import Batches
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.optouts import OptOuts, Received, Words
from rejoinder.flow.ports import KeptPart, ParkedMo, QueuedPush, Store, Tx
from rejoinder.flow.push_queue import of_mo
from rejoinder.flow.repetitions import unseen
from rejoinder.flow.replies import Belongs, belongs
from rejoinder.flow.setup import Setup
from rejoinder.message.model import Entry, InboundPart, Mo, ShownMo
from rejoinder.message.objectid import ObjectIds
from rejoinder.message.parts import join, join_octets
from rejoinder.message.text import Alphabet
from rejoinder.observe import MO_PARKED, MO_REPEATED, MO_STORED

_encode = msgspec.json.encode
# What no text can hold in a JSON answer or a database: NUL, and halves of surrogate pairs.
_UNSTORABLE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")


@dataclass(slots=True)
class Stored:
    """What a batch of MOs came to."""

    linked: int = 0
    unlinked: int = 0
    parked: int = 0
    repeated: int = 0
    received: list[Received] = field(default_factory=list)


@dataclass(slots=True)
class _Rows:
    """What is to be stored of a batch."""

    entries: list[tuple[Entry, int]] = field(default_factory=list)
    pushes: list[QueuedPush] = field(default_factory=list)
    parked: list[ParkedMo] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)


class MoIntake:
    """Takes MOs from carriers."""

    def __init__(self, store: Store, clock: Clock, ids: ObjectIds, opt_outs: OptOuts) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._opt_outs = opt_outs
        self._batches: Batches[InboundPart, None] = Batches(self._store_all, most=256)

    async def take(self, part: InboundPart) -> None:
        """Returns after the MO, or the part of one, is on disk. Raises Overloaded, StoreUnavailable."""
        await self._batches.put(part)

    async def confirm(self, carrier_id: int, link: int, upto: int) -> None:
        """A carrier has read our answers to what a link of its brought, up to that number: it repeats none of these."""
        await self._store.write(lambda tx: tx.inbound.confirm(carrier_id, link, upto))

    async def lose(self, carrier_id: int, links: Collection[int] | None) -> None:
        """Links of a carrier are no more (None: all that there were): what they brought may come again."""
        await self._store.write(lambda tx: tx.inbound.lose(carrier_id, links))

    async def drained(self) -> None:
        await self._batches.drained()

    async def _store_all(self, parts: list[InboundPart]) -> Sequence[None]:
        now = self._clock.wall_us()
        clean = [replace(part, text=part.text.translate(_UNSTORABLE)) for part in parts]

        async def work(tx: Tx) -> Stored:
            stored = await _take(tx, clean, self._ids, now)
            await self._opt_outs.note(tx, stored.received, now)
            return stored

        stored = await self._store.write(work)
        _count(stored)
        self._opt_outs.noted(stored.received)
        return [None] * len(parts)

    async def release_stale(self, before: int, most: int) -> int:
        """Long MOs whose missing parts did not come in time go to the mailbox as they are."""
        now = self._clock.wall_us()
        stored, released = await self._store.write(lambda tx: _release(tx, before, most, self._ids, now))
        _count(stored)
        return released


def _count(stored: Stored) -> None:
    MO_STORED.labels("yes").inc(stored.linked)
    MO_STORED.labels("no").inc(stored.unlinked)
    MO_PARKED.inc(stored.parked)
    MO_REPEATED.inc(stored.repeated)


async def _take(tx: Tx, parts: Sequence[InboundPart], ids: ObjectIds, now: int) -> Stored:
    # Their parts may come to several servers at once, each of which sees only what is committed.
    await tx.inbound.lock_long([part for part in parts if part.total > 1])
    new = await unseen(tx, parts)
    whole: list[Mo] = []
    for part in new:
        if part.total == 1:
            whole.append(Mo(part.carrier_id, part.sender, part.recipient, part.text, part.received_at))
        else:
            whole.extend(await _join(tx, part))
    stored = await _deliver(tx, whole, ids, now)
    stored.repeated = len(parts) - len(new)
    return stored


async def _join(tx: Tx, part: InboundPart) -> list[Mo]:
    """Keeps a part; gives back what became whole: usually nothing, or the long MO with its last part.

    A part that stands already with another text belongs to a later message under a reused reference: the
    older one is released as it is.
    """
    kept = await tx.inbound.kept_parts(part)
    released: list[Mo] = []
    stood, now_here = kept.get(part.number), KeptPart(part.text, part.octets, part.alphabet, part.received_at)
    if stood is not None and replace(stood, received_at=now_here.received_at) != now_here:
        released.append(_joined(part, kept))
        await tx.inbound.drop_parts(part)
        kept = {}
    kept[part.number] = now_here
    if len(kept) < part.total:
        await tx.inbound.keep_part(part)
    else:
        await tx.inbound.drop_parts(part)
        released.append(_joined(part, kept))
    return released


def _joined(part: InboundPart, kept: dict[int, KeptPart]) -> Mo:
    """Joined before it is decoded, where the carrier gave octets: a handset may have cut a pair between two parts."""
    if all(one.alphabet for one in kept.values()):
        pieces = {number: (bytes.fromhex(one.octets), Alphabet(one.alphabet)) for number, one in kept.items()}
        text = join_octets(pieces).translate(_UNSTORABLE)
    else:
        text = join({number: one.text for number, one in kept.items()})
    first = min(one.received_at for one in kept.values())
    return Mo(part.carrier_id, part.sender, part.recipient, text, first)


async def _release(tx: Tx, before: int, most: int, ids: ObjectIds, now: int) -> tuple[Stored, int]:
    stale = await tx.inbound.stale(before, most)
    await tx.inbound.lock_long(stale)
    mos = []
    for part in stale:
        kept = await tx.inbound.kept_parts(part)
        # Another server may have joined or released it before we had the lock.
        if kept:
            mos.append(_joined(part, kept))
            await tx.inbound.drop_parts(part)
    return await _deliver(tx, mos, ids, now), len(stale)


async def _deliver(tx: Tx, mos: Sequence[Mo], ids: ObjectIds, now: int) -> Stored:
    """Matches whole MOs and stores each: in a mailbox under its lock, or parked."""
    matches = await tx.replies.matches([(mo.sender, mo.recipient) for mo in mos])
    owners = await tx.replies.owners([mo.recipient for mo in mos])
    placed = [(mo, belongs(matches.get((mo.sender, mo.recipient)), owners.get(mo.recipient))) for mo in mos]
    locked = await tx.mailboxes.lock({to.user_id for _, to in placed if to.user_id is not None})
    boxes = {box.box_id: Placement(box) for box in locked}
    rows, stored = _Rows(), Stored()
    for mo, to in placed:
        if to.user_id is None:
            rows.parked.append(ParkedMo(ids.make(now // MICROSECONDS), mo, to.reason))
            stored.parked += 1
        else:
            _place(mo, to, boxes[to.user_id], ids, now, rows)
            stored.linked += to.match is not None
            stored.unlinked += to.match is None
    await tx.mailboxes.advance([box.row() for box in boxes.values()])
    await tx.mailboxes.insert(rows.entries)
    await tx.inbound.park(rows.parked)
    await tx.pushes.queue(rows.pushes)
    stored.received = rows.received
    return stored


def _place(mo: Mo, to: Belongs, box: Placement, ids: ObjectIds, now: int, rows: _Rows) -> None:
    timestamp = box.give(now // MICROSECONDS, received=True)
    mo_id = ids.make(timestamp)
    origin = to.match.mt_id if to.match else None
    shown = _encode(ShownMo(mo_id, mo.text, timestamp, mo.sender, mo.recipient, origin))
    rows.entries.append((Entry(box.box_id, timestamp, mo_id, True, shown), mo.received_at))
    rows.pushes += of_mo(mo, mo_id, to, now)
    if to.customer_id is not None:
        rows.received.append(Received(to.customer_id, mo, mo_id))


async def claim_parked(
    store: Store, clock: Clock, ids: ObjectIds, parked_id: str, username: str, words: Words
) -> str:
    """Gives a parked MO to a user's mailbox, by contract §3; gives back its documentId. Raises NotFound."""
    now = clock.wall_us()
    opt_outs = OptOuts(Setup(store), words)

    async def work(tx: Tx) -> str:
        user = await tx.directory.user(username)
        if user is None:
            raise NotFound(f"user {username} does not exist", "user")
        parked = await tx.inbound.take_parked(parked_id)
        if parked is None:
            raise NotFound(f"no parked MO has the id {parked_id}", "id")
        matches = await tx.replies.matches([(parked.mo.sender, parked.mo.recipient)])
        match = matches.get((parked.mo.sender, parked.mo.recipient))
        own = match if match is not None and match.user_id == user.id else None
        push = await tx.pushes.mo_settings(user.id)
        to = Belongs(user.id, own, customer_id=user.customer_id, push=push)
        (box,) = await tx.mailboxes.lock([user.id])
        rows, placement = _Rows(), Placement(box)
        _place(parked.mo, to, placement, ids, now, rows)
        await tx.mailboxes.advance([placement.row()])
        await tx.mailboxes.insert(rows.entries)
        await tx.pushes.queue(rows.pushes)
        await opt_outs.note(tx, rows.received, now)
        return rows.entries[0][0].id

    return await store.write(work)
