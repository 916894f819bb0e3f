"""The queue: accepted MTs waiting for, or on their way to, a carrier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rejoinder.flow.ports import Claim
from rejoinder.message.model import Mt, QueueRow
from rejoinder.store.dialect import queries
from rejoinder.store.session import Row, Session

_SQL = queries("outbox")


def _claim(row: Row) -> Claim:
    (id_, carrier, customer, recipient, sender, text, alphabet, parts, due, valid, times, tried, *more) = row
    udh, octets, flash, own_sender, submitting, duplicate, claimed_at, fence = more
    queued = QueueRow(
        id=id_,
        carrier_id=carrier,
        customer_id=customer,
        recipient=recipient,
        sender=sender,
        text=text,
        alphabet=alphabet,
        parts=parts,
        due_at=due,
        valid_until=valid,
        attempts=times,
        tried=tried,
        unknown=bool(submitting),
        duplicate=bool(duplicate),
        udh=udh,
        octets=octets,
        flash=bool(flash),
        own_sender=own_sender,
    )
    return Claim(queued, fence, claimed_at, bool(submitting))


def _split(mts: Sequence[Mt], rows: Sequence[QueueRow]) -> Iterator[tuple[str, list[Row]]]:
    """Statements and their rows: the usual ones, and those with something in the rarer columns."""
    usual: list[Row] = []
    special: list[Row] = []
    for m in mts:
        row = (m.id, m.user_id, m.customer_id, m.recipient, m.sender, m.status, m.parts, m.charge, m.reply_to,
               m.accepted_at, m.expires_at)  # fmt: skip
        if m.receipts or m.release_at or m.payer_id is not None or m.service_type is not None:
            special.append((*row, m.receipts, m.release_at, m.payer_id, m.asked_sender, m.service_type))
        else:
            usual.append(row)
    yield "insert_mts", usual
    yield "insert_special_mts", special
    queued: list[Row] = []
    coded: list[Row] = []
    for q in rows:
        place = (q.id, q.carrier_id, q.customer_id, q.recipient, q.sender, q.text, q.alphabet, q.parts, q.due_at,
               q.valid_until)  # fmt: skip
        if q.udh or q.octets or q.flash or q.own_sender:
            coded.append((*place, q.udh, q.octets, q.flash, q.own_sender))
        else:
            queued.append(place)
    yield "insert_outbox", queued
    yield "insert_special_outbox", coded


class OutboxTables:
    """See flow/ports `Outbox`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def insert(self, mts: Sequence[Mt], rows: Sequence[QueueRow]) -> None:
        """Most messages leave the rarer columns as they are: SQLite reads a row's JSON once for each column."""
        for statement, found in _split(mts, rows):
            await self._session.bulk(_SQL[statement], found)

    async def due(self, carrier_id: int, now: int, most: int, customer_id: int | None = None) -> list[Claim]:
        if customer_id is None:
            rows = await self._session.rows(_SQL["claim_due"], carrier_id, now, most)
        else:
            rows = await self._session.rows(_SQL["claim_due_of"], carrier_id, customer_id, now, most)
        return [_claim(row) for row in rows]

    async def waiting(self, carrier_id: int, now: int, after: tuple[int, str], most: int) -> list[Claim]:
        rows = await self._session.rows(_SQL["waiting_after"], carrier_id, now, *after, most)
        return [_claim(row) for row in rows]

    async def customers_waiting(self, carrier_id: int, after: int, most: int) -> list[int]:
        return [
            row[0] for row in await self._session.rows(_SQL["customers_waiting"], carrier_id, after, most)
        ]

    async def mark_claimed(self, claims: Sequence[Claim], now: int, lease: int) -> None:
        await self._session.bulk(
            _SQL["mark_claimed"], [(c.row.id, c.row.duplicate) for c in claims], lease, now
        )

    async def put_parts(self, rows: Sequence[tuple[str, int, int]]) -> None:
        await self._session.bulk(_SQL["put_parts"], rows)

    async def unanswered_to(self, carrier_id: int, recipient: str) -> list[str]:
        return [row[0] for row in await self._session.rows(_SQL["unanswered_to"], carrier_id, recipient)]

    async def renew(self, held: Sequence[tuple[str, int]], lease: int) -> None:
        await self._session.bulk(_SQL["renew_leases"], held, lease)

    async def bring_forward(self, carrier_id: int, farthest: int, now: int, lease: int, most: int) -> int:
        return len(await self._session.rows(_SQL["bring_forward"], lease, now, farthest, carrier_id, most))

    async def fences(self, ids: Collection[str]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._session.bulk(_SQL["lock_queued"], [(i,) for i in ids])}

    async def idle(self, ids: Collection[str]) -> set[str]:
        rows = await self._session.bulk(_SQL["lock_idle"], [(i,) for i in ids])
        return {row[0] for row in rows if not row[1]}

    async def requeue(self, rows: Sequence[QueueRow]) -> None:
        await self._session.bulk(
            _SQL["requeue"],
            [(q.id, q.carrier_id, q.sender, q.due_at, q.attempts, q.tried, q.unknown) for q in rows],
        )

    async def drop(self, ids: Collection[str]) -> None:
        await self._session.bulk(_SQL["delete_queued"], [(i,) for i in ids])

    async def strays(self, now: int, most: int) -> list[Claim]:
        return [_claim(row) for row in await self._session.rows(_SQL["strays"], now, most)]

    async def next_due(self, carrier_id: int) -> int | None:
        ((due,),) = await self._session.rows(_SQL["next_due"], carrier_id)
        return None if due is None else int(due)

    async def lengths(self) -> dict[int, int]:
        return {row[0]: row[1] for row in await self._session.rows(_SQL["queue_lengths"])}
