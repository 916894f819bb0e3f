"""MT step 1: authorise, charge and store what a customer sends. Every door calls `Submissions.submit`.

Answered SUBMITTED means: message, charge, queue row and mailbox entry are on disk in one transaction
(contract §6). Submissions that come together are stored together; each is judged by itself (desk.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rejoinder.clock import MICROSECONDS, Clock
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.batches import Batches
from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.desk import Accepted, Books, Desk, Order, Terms, long_message
from rejoinder.flow.joining import Gatherings
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import Pair, Store, Tx, UserRow
from rejoinder.flow.request import (
    Draft,
    Limits,
    MessageRefused,
    SendRequest,
    draft,
    no_pool_number,
    sender_not_allowed,
)
from rejoinder.flow.setup import Setup
from rejoinder.message.objectid import ObjectIds
from rejoinder.observe import MT_ACCEPTED, MT_REFUSED, PAIRS_REUSED

# Contract §6: how long the same clientRef is the same message.
REFERENCE_US = 24 * 3600 * MICROSECONDS


class Submissions:
    """Takes messages in."""

    def __init__(self, store: Store, clock: Clock, ids: ObjectIds, accounts: Accounts, setup: Setup) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._accounts = accounts
        self._setup = setup
        self.limits = Limits()
        self._batches: Batches[Order, Accepted | MessageRefused] = Batches(self._store_all)
        # A group is one transaction: few wait, so that overload is said early.
        self._groups: Batches[Sequence[Order], Sequence[Accepted | MessageRefused]] = Batches(
            self._store_groups, most=1, waiting=100
        )
        self._listeners: list[Callable[[int], None]] = []

    def on_queued(self, listener: Callable[[int], None]) -> None:
        """The listener is told the carrier's id whenever messages for it are on disk."""
        self._listeners.append(listener)

    async def submit(self, user: UserRow, request: SendRequest) -> Accepted:
        """Takes one message. Raises MessageRefused with the contract's code, Overloaded, StoreUnavailable."""
        return await self._submit_one(user, lambda: draft(request, self.limits))

    async def submit_coded(self, user: UserRow, request: CodedRequest) -> Accepted:
        """The same for ready-made content."""
        return await self._submit_one(user, lambda: coded_draft(request, self.limits))

    async def _submit_one(self, user: UserRow, judged: Callable[[], Draft]) -> Accepted:
        try:
            order = await self._authorised(user, judged())
            outcome = await self._batches.put(order)
            if isinstance(outcome, MessageRefused):
                raise outcome
        except MessageRefused as refused:
            MT_REFUSED.labels(str(refused.code)).inc()
            raise
        return outcome

    async def submit_drafts(self, user: UserRow, drafts: Sequence[Draft]) -> list[Accepted | MessageRefused]:
        """Takes many messages in one transaction, each judged by itself. Raises Overloaded, StoreUnavailable."""
        outcomes: list[Accepted | MessageRefused | None] = []
        orders: list[Order] = []
        for wanted in drafts:
            try:
                orders.append(await self._authorised(user, wanted))
                outcomes.append(None)
            except MessageRefused as refused:
                outcomes.append(refused)
        stored = iter(await self._groups.put(orders) if orders else ())
        found = [next(stored) if outcome is None else outcome for outcome in outcomes]
        for one in found:
            if isinstance(one, MessageRefused):
                MT_REFUSED.labels(str(one.code)).inc()
        return found

    async def drained(self) -> None:
        """Returns when no submission waits for its commit."""
        await self._batches.drained()
        await self._groups.drained()

    async def _store_groups(
        self, groups: list[Sequence[Order]]
    ) -> Sequence[Sequence[Accepted | MessageRefused]]:
        return [await self._store_all(orders) for orders in groups]

    async def _authorised(self, user: UserRow, wanted: Draft) -> Order:
        """Whether this user may send from there (13), and which carrier comes first."""
        sender = wanted.sender or user.source_address
        if sender and not await self._accounts.may_send_as(user, sender):
            raise sender_not_allowed()
        if not sender and not self._setup.pool:
            raise no_pool_number()
        routes = self._setup.routes.candidates(wanted.recipient)
        rotation = wanted.rotation or user.rotation
        return Order(user, wanted, sender, rotation, routes[0].carrier_id if routes else None)

    async def _store_all(self, orders: Sequence[Order]) -> Sequence[Accepted | MessageRefused]:
        setup = self._setup
        terms = Terms(setup.pool, self._clock.wall_us(), self._ids, self.limits, setup.opt_outs)
        desk = await self._store.write(lambda tx: _accept(tx, orders, terms))
        MT_ACCEPTED.inc(len(desk.mts))
        PAIRS_REUSED.inc(desk.reused)
        for carrier_id in {row.carrier_id for row in desk.queue}:
            for listener in self._listeners:
                listener(carrier_id)
        return desk.outcomes


async def _accept(tx: Tx, orders: Sequence[Order], terms: Terms) -> Desk:
    """One transaction: read under locks, judge each order, store all that follows (any number of orders)."""
    books = await _open_books(tx, orders, terms)
    desk = Desk(books, terms)
    for order in orders:
        desk.judge(order)
    if desk.mts:
        await tx.mailboxes.advance([box.row() for box in books.boxes.values()])
        await tx.mailboxes.insert([(entry, terms.now) for entry in desk.entries])
        await tx.outbox.insert(desk.mts, desk.queue)
        await tx.credits.transfer(desk.charges, terms.now)
        await tx.replies.put(desk.written_pairs(), desk.written_talks())
        await tx.replies.put_references(desk.references, terms.now)
        await tx.joining.drop(books.gatherings.gone())
        await tx.joining.keep(books.gatherings.new())
        await tx.joining.place(desk.places)
    return desk


async def _open_books(tx: Tx, orders: Sequence[Order], terms: Terms) -> Books:
    pooled = [order for order in orders if not order.sender]
    handsets = {order.draft.recipient for order in pooled}
    await tx.replies.lock_handsets(handsets)
    boxes = await tx.mailboxes.lock({order.user.id for order in orders})
    gatherings = await _gathered(tx, orders)
    funds = await tx.credits.lock({order.user.credit_account_id for order in orders})
    named = {(o.user.id, o.draft.client_ref) for o in orders if o.draft.client_ref}
    earlier = await tx.replies.references(named, terms.now - REFERENCE_US)
    pairs: dict[str, dict[str, Pair]] = {}
    for pair in await tx.replies.pairs(handsets):
        pairs.setdefault(pair.handset, {})[pair.number] = pair
    talks = await tx.replies.conversations({(o.user.id, o.draft.recipient) for o in orders})
    wanting = {(order.user.customer_id, order.draft.recipient) for order in orders}
    opted_out = frozenset(await tx.opt_outs.standing(wanting) if terms.opt_outs else ())
    placements = {box.box_id: Placement(box) for box in boxes}
    return Books(placements, funds, earlier, pairs, talks, gatherings, opted_out)


async def _gathered(tx: Tx, orders: Sequence[Order]) -> Gatherings:
    """The long messages that these orders are parts of; what came of them is locked with their messages."""
    kept = await tx.joining.kept({long_message(order) for order in orders if order.draft.concat})
    await tx.messages.lock([part.mt_id for part in kept])
    return Gatherings(kept)
