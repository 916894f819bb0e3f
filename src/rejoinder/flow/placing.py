"""MT step 1c: gives messages that are sent now their place: mailbox entry, sender, reply pair, queue row.

Used where a message is accepted and where a scheduled one is released. Changes only itself; `open_placing` reads under
locks, `store_placed` stores what was noted. Refuses nothing: what may be sent is judged before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.joining import Gatherings, Whole
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import JoiningPart, LongMessage, Pair, Tx, UserRow
from rejoinder.flow.replies import choose
from rejoinder.flow.request import Draft, Limits
from rejoinder.message.model import Entry, QueueRow, Rotation, ShownMt
from rejoinder.message.objectid import ObjectIds

_encode = msgspec.json.encode


class Order(msgspec.Struct, frozen=True, gc=False):
    """A draft with what its user and the operator's set-up decide: sender ("" = from the pool), first carrier.

    `replacement`: the route's own sender, where it has one and the user allows that. `barred`: why there is no carrier.
    """

    user: UserRow
    draft: Draft
    sender: str
    rotation: str
    carrier_id: int | None
    replacement: str = ""
    barred: bool = False

    def reply_to(self) -> str | None:
        """Where else replies go: only where the pool chose the sender (contract §6)."""
        return None if self.sender else self.draft.reply_to


@dataclass(frozen=True, slots=True)
class Terms:
    """What all messages of one batch share."""

    pool: tuple[str, ...]
    now: int
    ids: ObjectIds
    limits: Limits
    # Whether any handset has opted out of anything, so that it must be asked.
    opt_outs: bool = False
    # Whether any reseller has rates, so that they must be read.
    rated: bool = False
    # Since when a clientRef still is the same message.
    same_since: int = 0


@dataclass(frozen=True, slots=True)
class Shelves:
    """What placing must know from the store, read under its locks."""

    boxes: dict[int, Placement]
    pairs: dict[str, dict[str, Pair]]
    talks: dict[tuple[int, str], str]
    gatherings: Gatherings


class Placing:
    """Places orders one after the other and notes what is to be stored. Pure: it only changes itself."""

    def __init__(self, shelves: Shelves, terms: Terms) -> None:
        self._shelves = shelves
        self._terms = terms
        self._written: dict[tuple[str, str], Pair] = {}
        self._talked: dict[tuple[int, str], Pair] = {}
        self.entries: list[Entry] = []
        self.queue: list[QueueRow] = []
        self.places: list[tuple[str, str, int]] = []
        self.reused = 0

    def place(self, order: Order, mt_id: str = "") -> tuple[str, str]:
        """Places one order; gives back its id and its sender. `mt_id`: the id it was accepted under, if it was."""
        placed, sender = self._gather(order, mt_id) if order.draft.concat else self._show(order, mt_id)
        out = order.replacement or sender
        self._note_queued(order, placed, out, sender if order.user.swaps_sender else "")
        return placed, out

    def _show(self, order: Order, accepted_as: str) -> tuple[str, str]:
        wanted, second = order.draft, self._terms.now // MICROSECONDS
        mt_id = self._terms.ids.make(second) if wanted.unlisted else self._enter(order, accepted_as, second)
        sender = order.sender or self._pool_number(order)
        self._note_pair(order, sender, mt_id)
        return mt_id, sender

    def _enter(self, order: Order, accepted_as: str, second: int) -> str:
        """Puts a message into its user's mailbox; gives back its id."""
        wanted = order.draft
        timestamp = self._shelves.boxes[order.user.id].give(second)
        mt_id = accepted_as or self._terms.ids.make(timestamp)
        if accepted_as:
            self.places.append((mt_id, mt_id, timestamp))
        shown = _encode(ShownMt(mt_id, wanted.text, timestamp, wanted.recipient))
        self.entries.append(Entry(order.user.id, timestamp, mt_id, False, shown))
        return mt_id

    def _gather(self, order: Order, accepted_as: str) -> tuple[str, str]:
        """Puts a part to the others of its long message, which is placed with its last one (joining.py)."""
        gatherings, message = self._shelves.gatherings, long_message(order)
        mt_id = accepted_as or self._terms.ids.make(self._terms.now // MICROSECONDS)
        part = _joining_part(order, message, mt_id, self._terms.now)
        older = gatherings.replaced(part)
        if older:
            self._show_whole(older)
        sender = order.sender or gatherings.sender(message) or self._pool_number(order)
        document = gatherings.add(replace(part, sender=sender))
        self._note_pair(order, sender, document)
        whole = gatherings.completed(message)
        if whole:
            self._show_whole(whole)
        return mt_id, sender

    def _show_whole(self, whole: Whole) -> None:
        timestamp = self._shelves.boxes[whole.message.user_id].give(self._terms.now // MICROSECONDS)
        entry, places = whole.entry(timestamp)
        self.entries.append(entry)
        self.places += places

    def _note_queued(self, order: Order, mt_id: str, sender: str, own_sender: str) -> None:
        wanted, now = order.draft, self._terms.now
        assert order.carrier_id is not None  # without a route it was refused
        self.queue.append(
            QueueRow(
                id=mt_id,
                carrier_id=order.carrier_id,
                customer_id=order.user.customer_id,
                recipient=wanted.recipient,
                sender=sender,
                text=wanted.body,
                alphabet=wanted.alphabet,
                parts=wanted.parts,
                due_at=now,
                valid_until=now + wanted.validity * MICROSECONDS,
                udh=wanted.udh,
                octets=wanted.octets,
                flash=wanted.flash,
                own_sender=own_sender,
            )
        )

    def _pool_number(self, order: Order) -> str:
        """Chooses the number replies will come to (contract §11)."""
        handset = order.draft.recipient
        used = self._shelves.pairs.setdefault(handset, {})
        talk = (order.user.id, handset)
        conversation = order.rotation == Rotation.CONVERSATION
        number = self._shelves.talks.get(talk) if conversation else None
        if number is None or number not in self._terms.pool:
            chosen = choose(self._terms.pool, handset, {n: pair.used_at for n, pair in used.items()})
            number = chosen.number
            window = self._terms.limits.reply_window * MICROSECONDS
            self.reused += chosen.used_at is not None and self._terms.now - chosen.used_at < window
        return number

    def _note_pair(self, order: Order, number: str, mt_id: str) -> None:
        """A reply from this handset to this number, or to that which goes out in its place, will answer this message."""
        address, now = order.reply_to(), self._terms.now
        if order.replacement.isdigit():
            pair = Pair(order.draft.recipient, order.replacement, order.user.id, mt_id, False, now, address)
            self._written[pair.handset, pair.number] = pair
        if order.sender:
            self._note_own_sender(order, mt_id)
            return
        handset = order.draft.recipient
        talk = (order.user.id, handset)
        conversation = order.rotation == Rotation.CONVERSATION
        used = self._shelves.pairs.setdefault(handset, {})
        if conversation:
            self._shelves.talks[talk] = number
        # Uses of one moment, or before a clock stepped back, still count up: the oldest is always known.
        at = max(now, 1 + max((pair.used_at for pair in used.values()), default=0))
        pair = Pair(handset, number, order.user.id, mt_id, conversation, at, address)
        used[number] = self._written[handset, number] = pair
        self._note_talk(talk, mt_id, at, address)

    def _note_own_sender(self, order: Order, mt_id: str) -> None:
        """The user's own number: a reply answers the latest message from it to that handset."""
        handset, now = order.draft.recipient, self._terms.now
        if order.sender.isdigit():
            pair = Pair(handset, order.sender, order.user.id, mt_id, False, now)
            self._written[handset, order.sender] = pair
        self._note_talk((order.user.id, handset), mt_id, now, None)

    def _note_talk(self, talk: tuple[int, str], mt_id: str, at: int, reply_to: str | None) -> None:
        """Where user and handset are in conversation, this is now its latest message."""
        number = self._shelves.talks.get(talk)
        if number is not None:
            self._talked[talk] = Pair(talk[1], number, talk[0], mt_id, True, at, reply_to)

    async def store(self, tx: Tx) -> None:
        """Stores all that was noted but the queue rows, which go with their messages (flow/ports `Outbox`)."""
        now, gatherings = self._terms.now, self._shelves.gatherings
        await tx.mailboxes.advance([box.row() for box in self._shelves.boxes.values()])
        await tx.mailboxes.insert([(entry, now) for entry in self.entries])
        await tx.replies.put(
            list(self._written.values()), [self._talked[key] for key in sorted(self._talked)]
        )
        await tx.joining.drop(gatherings.gone())
        await tx.joining.keep(gatherings.new())
        await tx.joining.place(self.places)


async def open_placing(
    tx: Tx, orders: Sequence[Order], terms: Terms, accepted: Collection[str] = ()
) -> Placing:
    """Locks handsets, mailboxes and messages (`accepted`: ids of orders that are on disk), and reads under the locks."""
    handsets = {order.draft.recipient for order in orders if not order.sender}
    await tx.replies.lock_handsets(handsets)
    boxes = await tx.mailboxes.lock({order.user.id for order in orders})
    kept = await tx.joining.kept({long_message(order) for order in orders if order.draft.concat})
    await tx.messages.lock({part.mt_id for part in kept}.union(accepted))
    pairs: dict[str, dict[str, Pair]] = {}
    for pair in await tx.replies.pairs(handsets):
        pairs.setdefault(pair.handset, {})[pair.number] = pair
    talks = await tx.replies.conversations({(o.user.id, o.draft.recipient) for o in orders})
    return Placing(
        Shelves({box.box_id: Placement(box) for box in boxes}, pairs, talks, Gatherings(kept)), terms
    )


async def opted_out(tx: Tx, orders: Sequence[Order], terms: Terms) -> frozenset[tuple[int, str]]:
    """Those of (customer_id, handset) that these orders go to and that want nothing more."""
    wanting = {(order.user.customer_id, order.draft.recipient) for order in orders}
    return frozenset(await tx.opt_outs.standing(wanting) if terms.opt_outs else ())


def long_message(order: Order) -> LongMessage:
    """The customer's long message that this order is a part of."""
    concat = order.draft.concat
    assert concat is not None  # asked only of parts
    return LongMessage(order.user.id, order.draft.recipient, order.sender, concat.reference, concat.total)


def _joining_part(order: Order, message: LongMessage, mt_id: str, now: int) -> JoiningPart:
    wanted = order.draft
    assert wanted.concat is not None  # as above
    octets = wanted.user_data().hex()
    return JoiningPart(message, wanted.concat.number, mt_id, order.sender, wanted.alphabet, octets, now)
