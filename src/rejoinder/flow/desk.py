"""MT step 1b: judges orders one after the other and notes what is to be stored. Pure: it changes only itself.

Refuses by the contract's codes (-130, -120, 12, -210), one order at a time, so that orders of one batch see each
other's charges, timestamps, pool numbers and references.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.placing import Order, Placing, Terms
from rejoinder.flow.ports import USAGE_ACCOUNT, Earlier, Funds, Held, Transfer
from rejoinder.flow.pricing import Prices
from rejoinder.flow.request import MessageRefused, not_routed, opted_out
from rejoinder.message.codes import MessageError
from rejoinder.message.model import Mt
from rejoinder.message.status import Status

# Contract §1: every message reaches a final status within 49 hours of its release.
LIFETIME_US = 49 * 3600 * MICROSECONDS
# A scheduled message's 49 hours are counted from its release, also where that is late.
NEVER = 1 << 62
# Whose a message of the platform's own is: no user has this id, so that it is in no box and nobody asks for it.
NOBODY = 0


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A message on disk: its documentId, and its status (another than SUBMITTED for a repeated clientRef)."""

    id: str
    recipient: str
    status: int


@dataclass(frozen=True, slots=True)
class Books:
    """What a batch of orders must know from the store besides its places, read under its locks."""

    funds: dict[int, Funds]
    earlier: dict[tuple[int, str], Earlier]
    prices: Prices
    # (customer_id, handset)
    opted_out: frozenset[tuple[int, str]] = frozenset()


class Desk:
    """Judges orders one after the other and notes what is to be stored. Pure: it only changes itself."""

    def __init__(self, books: Books, placing: Placing, terms: Terms) -> None:
        self._books = books
        self._placing = placing
        self._terms = terms
        self._balance = {account: funds.balance for account, funds in books.funds.items()}
        self.outcomes: list[Accepted | MessageRefused] = []
        self.mts: list[Mt] = []
        self.held: list[Held] = []
        self.charges: list[Transfer] = []
        self.references: list[tuple[int, str, str, str]] = []

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
            raise not_routed(order.barred)
        price = order.draft.parts * self._books.prices.per_part(order.user.reseller_id, order.draft.recipient)
        account = order.user.credit_account_id
        if self._books.funds[account].prepaid and self._balance[account] < price:
            raise MessageRefused(MessageError.NOT_ENOUGH_CREDITS, "the customer has not enough credits")
        self._balance[account] -= price
        waits = is_held(order, self._terms)
        mt_id, sender = self._hold(order) if waits else self._placing.place(order)
        if price:
            self.charges.append(Transfer(account, USAGE_ACCOUNT, price, "charge", mt_id))
        self._note_message(order, mt_id, sender, price)
        self._note_reference(order, mt_id)
        return Accepted(mt_id, order.draft.recipient, Status.SUBMITTED)

    def _hold(self, order: Order) -> tuple[str, str]:
        """Keeps a scheduled message until its time (scheduled.py): it has an id and no place yet (contract §13)."""
        mt_id = self._terms.ids.make(self._terms.now // MICROSECONDS)
        kept = replace(order.draft, sender=order.sender, rotation=order.rotation)
        self.held.append(Held(mt_id, order.user.id, kept.release_at, kept.written()))
        return mt_id, order.sender

    def _note_message(self, order: Order, mt_id: str, sender: str, price: int) -> None:
        wanted, user, now = order.draft, order.user, self._terms.now
        held = is_held(order, self._terms)
        self.mts.append(
            Mt(
                id=mt_id,
                user_id=NOBODY if wanted.unlisted else user.id,
                customer_id=user.customer_id,
                recipient=wanted.recipient,
                sender=sender,
                status=Status.SUBMITTED,
                parts=wanted.parts,
                charge=price,
                reply_to=order.reply_to(),
                accepted_at=now,
                expires_at=NEVER if held else now + LIFETIME_US,
                receipts=wanted.receipts,
                release_at=wanted.release_at if held else 0,
                payer_id=user.credit_account_id if wanted.unlisted else None,
                asked_sender=wanted.sender if wanted.service_type is not None else "",
                service_type=wanted.service_type,
            )
        )

    def _note_reference(self, order: Order, mt_id: str) -> None:
        wanted = order.draft
        if wanted.client_ref:
            key = (order.user.id, wanted.client_ref)
            self.references.append((*key, mt_id, wanted.digest()))
            self._books.earlier[key] = Earlier(mt_id, wanted.digest(), wanted.recipient, Status.SUBMITTED)


def is_held(order: Order, terms: Terms) -> bool:
    """Whether the order waits for a time that has not come."""
    return order.draft.release_at > terms.now
