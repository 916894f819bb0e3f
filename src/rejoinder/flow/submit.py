"""MT step 1: authorise, charge and store what a customer sends. Every door calls `Submissions.submit`.

Answered SUBMITTED means: message, charge, queue row and mailbox entry are on disk in one transaction
(contract §6). Submissions that come together are stored together; each is judged by itself (desk.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.admission import Admission
from rejoinder.flow.batches import Batches
from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.desk import Accepted, Books, Desk, is_held
from rejoinder.flow.multiple import drafts
from rejoinder.flow.placing import Order, Placing, Terms, open_placing, opted_out
from rejoinder.flow.ports import Store, Tx, UserRow
from rejoinder.flow.pricing import read_prices
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

    def __init__(
        self,
        store: Store,
        clock: Clock,
        guard: ClockGuard,
        ids: ObjectIds,
        accounts: Accounts,
        setup: Setup,
    ) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard
        self._ids = ids
        self._accounts = accounts
        self._setup = setup
        self.limits = Limits()
        self.admission = Admission()
        self._batches: Batches[Order, Accepted | MessageRefused] = Batches(
            self._store_all, admission=self.admission
        )
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
        return await self._submit_one(user, lambda limits, now: draft(request, limits, now))

    async def submit_coded(self, user: UserRow, request: CodedRequest) -> Accepted:
        """The same for ready-made content."""
        return await self._submit_one(user, lambda limits, now: coded_draft(request, limits, now))

    async def _submit_one(self, user: UserRow, judged: Callable[[Limits, int], Draft]) -> Accepted:
        try:
            wanted = judged(self.limits, self._clock.wall_us())
            order = await self.authorised(user, wanted, wanted.sender or user.source_address)
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
                sender = wanted.sender or user.source_address
                orders.append(await self.authorised(user, wanted, sender))
                outcomes.append(None)
            except MessageRefused as refused:
                outcomes.append(refused)
        stored = iter(await self._groups.put(orders) if orders else ())
        found = [next(stored) if outcome is None else outcome for outcome in outcomes]
        for one in found:
            if isinstance(one, MessageRefused):
                MT_REFUSED.labels(str(one.code)).inc()
        return found

    async def submit_multiple(
        self, user: UserRow, request: SendRequest
    ) -> dict[str, Accepted | MessageRefused]:
        """One text to many recipients, joined by commas in the request: the outcome for each, once (contract §13).

        Raises MessageRefused for a list that is none, Overloaded, StoreUnavailable.
        """
        judged = drafts(request, self.limits, self._clock.wall_us())
        taken = [one for one in judged.values() if isinstance(one, Draft)]
        stored = iter(await self.submit_drafts(user, taken))
        for one in judged.values():
            if isinstance(one, MessageRefused):
                MT_REFUSED.labels(str(one.code)).inc()
        return {name: next(stored) if isinstance(one, Draft) else one for name, one in judged.items()}

    async def drained(self) -> None:
        """Returns when no submission waits for its commit."""
        await self._batches.drained()
        await self._groups.drained()

    async def _store_groups(
        self, groups: list[Sequence[Order]]
    ) -> Sequence[Sequence[Accepted | MessageRefused]]:
        return [await self._store_all(orders) for orders in groups]

    async def authorised(self, user: UserRow, wanted: Draft, sender: str) -> Order:
        """Whether this user may send from there (13), and which carrier comes first. `sender` "": the pool."""
        if sender and not await self._accounts.may_send_as(user, sender):
            raise sender_not_allowed()
        if not sender and not self._setup.pool:
            raise no_pool_number()
        rotation = wanted.rotation or user.rotation
        if user.prefixes and not wanted.recipient.startswith(tuple(user.prefixes.split())):
            return Order(user, wanted, sender, rotation, None, barred=True)
        down = self._setup.health.down(self._clock.monotonic())
        route = self._setup.routes.first(wanted.recipient, random.random(), down)  # noqa: S311  # shares, guards nothing
        if route is None:
            return Order(user, wanted, sender, rotation, None)
        replacement = route.sender if user.swaps_sender else ""
        return Order(user, wanted, sender, rotation, route.carrier_id, replacement)

    async def _store_all(self, orders: Sequence[Order]) -> Sequence[Accepted | MessageRefused]:
        terms = self.terms()
        desk, placing = await self._store.write(lambda tx: _accept(tx, orders, terms))
        MT_ACCEPTED.inc(len(desk.mts))
        self.queued(placing)
        return desk.outcomes

    def terms(self) -> Terms:
        """What all messages of a batch share that begins now."""
        setup, now = self._setup, self._clock.wall_us()
        # A clock that has just jumped would let a repeated message be sent and charged twice.
        same_since = 0 if self._guard.suspect() else now - REFERENCE_US
        return Terms(setup.pool, now, self._ids, self.limits, setup.opt_outs, setup.rated, same_since)

    def queued(self, placing: Placing) -> None:
        """Tells the lanes and the figures what is on disk now."""
        PAIRS_REUSED.inc(placing.reused)
        for carrier_id in {row.carrier_id for row in placing.queue}:
            for listener in self._listeners:
                listener(carrier_id)


async def _accept(tx: Tx, orders: Sequence[Order], terms: Terms) -> tuple[Desk, Placing]:
    """One transaction: read under locks, judge each order, store all that follows (any number of orders)."""
    placing = await open_placing(tx, [order for order in orders if not is_held(order, terms)], terms)
    desk = Desk(await _open_books(tx, orders, terms), placing, terms)
    for order in orders:
        desk.judge(order)
    if desk.mts:
        await tx.outbox.insert(desk.mts, placing.queue)
        await placing.store(tx)
        await tx.scheduled.hold(desk.held)
        await tx.credits.transfer(desk.charges, terms.now)
        await tx.replies.put_references(desk.references, terms.now)
    return desk, placing


async def _open_books(tx: Tx, orders: Sequence[Order], terms: Terms) -> Books:
    funds = await tx.credits.lock({order.user.credit_account_id for order in orders})
    named = {(o.user.id, o.draft.client_ref) for o in orders if o.draft.client_ref}
    earlier = await tx.replies.references(named, terms.same_since)
    wanted = {(order.user.reseller_id, order.draft.recipient) for order in orders}
    prices = await read_prices(tx, wanted, terms.rated)
    return Books(funds, earlier, prices, await opted_out(tx, orders, terms))
