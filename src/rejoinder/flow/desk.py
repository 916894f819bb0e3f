"""MT step 1b: judges orders one after the other and notes what is to be stored. Pure: it changes only itself.

Refuses by the contract's codes (-130, -120, 12, -210), one order at a time, so that orders of one batch see each
other's charges, timestamps, pool numbers and references.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.joining import Gatherings, Whole
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import (
    USAGE_ACCOUNT,
    Earlier,
    Funds,
    JoiningPart,
    LongMessage,
    Pair,
    Transfer,
    UserRow,
)
from rejoinder.flow.replies import choose
from rejoinder.flow.request import Draft, Limits, MessageRefused, not_routed, opted_out
from rejoinder.message import parts
from rejoinder.message.codes import MessageError
from rejoinder.message.model import Entry, Mt, QueueRow, Rotation, ShownMt
from rejoinder.message.objectid import ObjectIds
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet

# Contract §1: every message reaches a final status within 49 hours of its release.
LIFETIME_US = 49 * 3600 * MICROSECONDS
# Contract §12: one credit per part unless a rate table says otherwise.
PRICE_PER_PART = 1000
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Order:
    """A draft with what its user and the operator's set-up decide: sender ("" = from the pool), first carrier."""

    user: UserRow
    draft: Draft
    sender: str
    rotation: str
    carrier_id: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message on disk: its documentId, and its status (another than SUBMITTED for a repeated clientRef)."""

    id: str
    recipient: str
    status: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What all messages of one batch share."""

    pool: tuple[str, ...]
    now: int
    ids: ObjectIds
    limits: Limits
    # Whether any handset has opted out of anything, so that it must be asked.
    opt_outs: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """What a batch of orders must know from the store, read under its locks."""

    boxes: dict[int, Placement]
    funds: dict[int, Funds]
    earlier: dict[tuple[int, str], Earlier]
    pairs: dict[str, dict[str, Pair]]
    talks: dict[tuple[int, str], str]
    gatherings: Gatherings = field(default_factory=Gatherings)
    # (customer_id, handset)
    opted_out: frozenset[tuple[int, str]] = frozenset()


class Desk:
    """Judges orders one after the other and notes what is to be stored. Pure: it only changes itself."""

    def __init__(self, books: Books, terms: Terms) -> None:
        self._books = books
        self._terms = terms
        self._balance = {account: funds.balance for account, funds in books.funds.items()}
        self._written: dict[tuple[str, str], Pair] = {}
        self._talked: dict[tuple[int, str], Pair] = {}
        self.outcomes: list[Accepted | MessageRefused] = []
        self.entries: list[Entry] = []
        self.mts: list[Mt] = []
        self.queue: list[QueueRow] = []
        self.charges: list[Transfer] = []
        self.places: list[tuple[str, str, int]] = []
        self.references: list[tuple[int, str, str, str]] = []
        self.reused = 0

    def judge(self, order: Order) -> None:
        """Adds the order's outcome, in the contract's order: -130, -120, 12, -210."""
        try:
            if (order.user.customer_id, order.draft.recipient) in self._books.opted_out:
                raise opted_out()
            self.outcomes.append(self._repeated(order) or self._take(order))
        except MessageRefused as refused:
            self.outcomes.append(refused)

    def _repeated(self, order: Order) -> Accepted | None:
        """The message sent before under the same clientRef, if this is the same."""
        reference = order.draft.client_ref
        known = self._books.earlier.get((order.user.id, reference)) if reference else None
        if known is None:
            return None
        if known.digest != order.draft.digest():
            raise MessageRefused(
                MessageError.CLIENT_REF_TAKEN, "clientRef was used for another message", "clientRef"
            )
        return Accepted(known.mt_id, known.recipient, known.status)

    def _take(self, order: Order) -> Accepted:
        if order.carrier_id is None:
            raise not_routed()
        price = order.draft.parts * PRICE_PER_PART
        account = order.user.credit_account_id
        if self._books.funds[account].prepaid and self._balance[account] < price:
            raise MessageRefused(MessageError.NOT_ENOUGH_CREDITS, "the customer has not enough credits")
        self._balance[account] -= price
        mt_id, sender = self._gather(order) if order.draft.concat else self._show(order)
        self.charges.append(Transfer(account, USAGE_ACCOUNT, price, "charge", mt_id))
        self._note_message(order, mt_id, sender)
        self._note_reference(order, mt_id)
        return Accepted(mt_id, order.draft.recipient, Status.SUBMITTED)

    def _show(self, order: Order) -> tuple[str, str]:
        """Places a message in its mailbox; gives back its id and its sender."""
        wanted = order.draft
        timestamp = self._books.boxes[order.user.id].give(self._terms.now // MICROSECONDS)
        mt_id = self._terms.ids.make(timestamp)
        shown = _encode(ShownMt(mt_id, wanted.text, timestamp, wanted.recipient))
        self.entries.append(Entry(order.user.id, timestamp, mt_id, False, shown))
        sender = order.sender or self._pool_number(order)
        self._note_pair(order, sender, mt_id)
        return mt_id, sender

    def _gather(self, order: Order) -> tuple[str, str]:
        """Puts a part to the others of its long message, which is placed with its last one (joining.py)."""
        gatherings, message = self._books.gatherings, long_message(order)
        mt_id = self._terms.ids.make(self._terms.now // MICROSECONDS)
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
        timestamp = self._books.boxes[whole.message.user_id].give(self._terms.now // MICROSECONDS)
        entry, places = whole.entry(timestamp)
        self.entries.append(entry)
        self.places += places

    def _note_message(self, order: Order, mt_id: str, sender: str) -> None:
        wanted, user, now = order.draft, order.user, self._terms.now
        self.mts.append(
            Mt(
                id=mt_id,
                user_id=user.id,
                customer_id=user.customer_id,
                recipient=wanted.recipient,
                sender=sender,
                status=Status.SUBMITTED,
                parts=wanted.parts,
                charge=wanted.parts * PRICE_PER_PART,
                # Contract §6: replyTo is only effective where the pool chose the sender.
                reply_to=None if order.sender else wanted.reply_to,
                accepted_at=now,
                expires_at=now + LIFETIME_US,
                receipts=wanted.receipts,
            )
        )
        assert order.carrier_id is not None
        self.queue.append(
            QueueRow(
                id=mt_id,
                carrier_id=order.carrier_id,
                customer_id=user.customer_id,
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
            )
        )

    def _note_reference(self, order: Order, mt_id: str) -> None:
        wanted = order.draft
        if wanted.client_ref:
            key = (order.user.id, wanted.client_ref)
            self.references.append((*key, mt_id, wanted.digest()))
            self._books.earlier[key] = Earlier(mt_id, wanted.digest(), wanted.recipient, Status.SUBMITTED)

    def _pool_number(self, order: Order) -> str:
        """Chooses the number replies will come to (contract §11)."""
        handset = order.draft.recipient
        used = self._books.pairs.setdefault(handset, {})
        talk = (order.user.id, handset)
        conversation = order.rotation == Rotation.CONVERSATION
        number = self._books.talks.get(talk) if conversation else None
        if number is None or number not in self._terms.pool:
            chosen = choose(self._terms.pool, handset, {n: pair.used_at for n, pair in used.items()})
            number = chosen.number
            window = self._terms.limits.reply_window * MICROSECONDS
            self.reused += chosen.used_at is not None and self._terms.now - chosen.used_at < window
        return number

    def _note_pair(self, order: Order, number: str, mt_id: str) -> None:
        """A reply from this handset to this number will answer this message."""
        if order.sender:
            self._note_own_sender(order, mt_id)
            return
        handset = order.draft.recipient
        talk = (order.user.id, handset)
        conversation = order.rotation == Rotation.CONVERSATION
        used = self._books.pairs.setdefault(handset, {})
        if conversation:
            self._books.talks[talk] = number
        # Uses of one moment, or before a clock stepped back, still count up: the oldest is always known.
        at = max(self._terms.now, 1 + max((pair.used_at for pair in used.values()), default=0))
        pair = Pair(handset, number, order.user.id, mt_id, conversation, at)
        used[number] = self._written[handset, number] = pair
        self._note_talk(talk, mt_id, at)

    def _note_own_sender(self, order: Order, mt_id: str) -> None:
        """The user's own number: a reply answers the latest message from it to that handset."""
        handset, now = order.draft.recipient, self._terms.now
        if order.sender.isdigit():
            pair = Pair(handset, order.sender, order.user.id, mt_id, False, now)
            self._written[handset, order.sender] = pair
        self._note_talk((order.user.id, handset), mt_id, now)

    def _note_talk(self, talk: tuple[int, str], mt_id: str, at: int) -> None:
        """Where user and handset are in conversation, this is now its latest message."""
        number = self._books.talks.get(talk)
        if number is not None:
            self._talked[talk] = Pair(talk[1], number, talk[0], mt_id, True, at)

    def written_pairs(self) -> list[Pair]:
        return list(self._written.values())

    def written_talks(self) -> list[Pair]:
        return [self._talked[key] for key in sorted(self._talked)]


def long_message(order: Order) -> LongMessage:
    """The customer's long message that this order is a part of."""
    concat = order.draft.concat
    assert concat is not None  # asked only of parts
    return LongMessage(order.user.id, order.draft.recipient, order.sender, concat.reference, concat.total)


def _joining_part(order: Order, message: LongMessage, mt_id: str, now: int) -> JoiningPart:
    wanted = order.draft
    assert wanted.concat is not None  # as above
    octets = wanted.octets or parts.encode(wanted.body, Alphabet(wanted.alphabet)).hex()
    return JoiningPart(message, wanted.concat.number, mt_id, order.sender, wanted.alphabet, octets, now)
