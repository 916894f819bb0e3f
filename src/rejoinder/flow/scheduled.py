"""Scheduled messages: released at their time, in batches, and what may still be changed of them before.

A message is accepted and charged when it is scheduled; its mailbox entry, its timestamp, validity and the 49 hours
begin at the release. Refuses to release anything while the wall clock has just jumped (clock.py `ClockGuard`), and to
send for an account that was blocked meanwhile: what cannot be sent any more ends, and is refunded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.errors import RejoinderError
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.desk import LIFETIME_US
from rejoinder.flow.placing import Order, Placing, Terms, open_placing, opted_out
from rejoinder.flow.ports import Held, Store, Tx
from rejoinder.flow.receipts import Moves, count_finished, move
from rejoinder.flow.request import Draft, MessageRefused
from rejoinder.flow.submit import Submissions
from rejoinder.message import status
from rejoinder.message.status import Status
from rejoinder.observe import log

# A release within a second of its time, whoever scheduled it: another node's are noticed after at most this.
LOOK_SECONDS = 0.5
STEP = 200
_MICROSECOND = 1 / MICROSECONDS


@dataclass(slots=True)
class _Batch:
    """What is due, judged once more: orders to be placed, and statuses of what cannot be sent any more."""

    orders: list[tuple[Held, Order]] = field(default_factory=list)
    refused: list[tuple[Held, Status]] = field(default_factory=list)

    def held(self) -> list[Held]:
        return [held for held, _ in self.orders] + [held for held, _ in self.refused]


class Releases:
    """The worker that releases scheduled messages."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        accounts: Accounts,
        submissions: Submissions,
        guard: ClockGuard,
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._submissions = submissions
        self._guard = guard

    async def run(self) -> None:
        """Releases what is due when it is due; until cancelled."""
        while True:
            wait = LOOK_SECONDS
            try:
                wait = 0.0 if await self.step() == STEP else await self._until_next()
            except RejoinderError as error:
                log.warning("releases_wait", sentence=error.sentence)
            except Exception as error:  # noqa: BLE001  # the worker's outermost line: the next look must still come
                log.error("release_failed", exc_info=error)
            await asyncio.sleep(wait)

    async def _until_next(self) -> float:
        following = await self._store.read.scheduled.next()
        if following is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.01, (following - self._clock.wall_us()) * _MICROSECOND))

    async def step(self) -> int:
        """Releases one batch of what is due; says how many were due."""
        if self._guard.suspect():
            return 0
        now = self._clock.wall_us()
        due = await self._store.read.scheduled.due(now, STEP)
        if not due:
            return 0
        batch = _Batch()
        for held in due:
            await self._judge(held, batch)
        terms = self._submissions.terms()
        placing, finished = await self._store.write(lambda tx: _release(tx, batch, terms))
        self._submissions.queued(placing)
        count_finished(finished)
        return len(due)

    async def _judge(self, held: Held, batch: _Batch) -> None:
        """Whether the message may still be sent, and by which carrier, as if it were accepted now."""
        wanted = Draft.read(held.draft)
        user = await self._accounts.user(held.username)
        if user is None or user.id != held.user_id or user.blocked or user.disabled:
            batch.refused.append((held, Status.REJECTED))
            return
        try:
            order = await self._submissions.authorised(user, wanted, wanted.sender)
        except MessageRefused as refused:
            batch.refused.append((held, _status(refused)))
            return
        if order.carrier_id is None:
            batch.refused.append((held, Status.NO_ROUTE))
        else:
            batch.orders.append((held, order))


def _status(refused: MessageRefused) -> Status:
    """What a message becomes that would be refused now: the refusal where that is a status, else rejected."""
    return Status(refused.code) if refused.code in status.FINAL else Status.REJECTED


async def _release(tx: Tx, batch: _Batch, terms: Terms) -> tuple[Placing, dict[str, int]]:
    """Places a batch in one transaction: those that nobody has taken or changed since they were looked at."""
    orders = [order for _, order in batch.orders]
    placing = await open_placing(tx, orders, terms, [held.mt_id for held in batch.held()])
    waiting = await tx.scheduled.of([held.mt_id for held in batch.held()])
    refusing = await opted_out(tx, orders, terms)
    moves, released, refused = Moves(), [], list(batch.refused)
    for held, order in batch.orders:
        if (order.user.customer_id, order.draft.recipient) in refusing:
            refused.append((held, Status.REJECTED))
        elif _unchanged(held, waiting):
            _, sender = placing.place(order, held.mt_id)
            released.append((held.mt_id, sender, terms.now + LIFETIME_US))
    for held, ended in refused:
        if _unchanged(held, waiting):
            moves.ended[held.mt_id] = ended
            moves.refund.add(held.mt_id)
    await tx.scheduled.drop([*(mt_id for mt_id, _, _ in released), *moves.ended])
    await tx.scheduled.released(released)
    await tx.outbox.insert([], placing.queue)
    await placing.store(tx)
    return placing, await move(tx, moves, terms.now)


def _unchanged(held: Held, waiting: dict[str, Held]) -> bool:
    found = waiting.get(held.mt_id)
    return found is not None and (found.release_at, found.draft) == (held.release_at, held.draft)
