"""MOs before they are in a mailbox: seen ids, parts of long ones, parked ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import KeptPart, ParkedMo, Unconfirmed
from rejoinder.message.model import InboundPart, Mo
from rejoinder.store.dialect import queries
from rejoinder.store.session import Row, Session

_SQL = queries("inbound")


def _group(part: InboundPart) -> tuple[object, ...]:
    return part.carrier_id, part.sender, part.recipient, part.reference, part.total


def _parked(row: Row) -> ParkedMo:
    id_, carrier, sender, recipient, text, received_at, reason = row
    return ParkedMo(id_, Mo(carrier, sender, recipient, text, received_at), reason)


class InboundTables:
    """See flow/ports `Inbound`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def note_seen(self, rows: Sequence[tuple[int, str, int]]) -> set[tuple[int, str]]:
        return {(row[0], row[1]) for row in await self._session.bulk(_SQL["note_seen"], rows)}

    async def forget_seen(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_seen"], before, most))

    async def note_unconfirmed(self, rows: Sequence[tuple[Unconfirmed, int]]) -> set[tuple[int, int, int]]:
        found = [(it.carrier_id, it.link, it.number, it.digest, at) for it, at in rows]
        new = await self._session.bulk(_SQL["note_unconfirmed"], found)
        return {(row[0], row[1], row[2]) for row in new}

    async def lose(self, carrier_id: int, links: Collection[int] | None) -> None:
        if links is None:
            links = [row[0] for row in await self._session.rows(_SQL["links_of"], carrier_id)]
        pairs = [(carrier_id, link) for link in links]
        await self._session.bulk(_SQL["keep_lost"], pairs)
        await self._session.bulk(_SQL["drop_links"], pairs)

    async def lost(self, contents: Collection[tuple[int, int]]) -> list[Unconfirmed]:
        rows = await self._session.bulk(_SQL["find_lost"], list(contents))
        return [Unconfirmed(*row) for row in rows]

    async def take_lost(self, rows: Sequence[Unconfirmed]) -> set[tuple[int, int, int]]:
        found = [(it.carrier_id, it.digest, it.link, it.number) for it in rows]
        return {(row[0], row[1], row[2]) for row in await self._session.bulk(_SQL["take_lost"], found)}

    async def confirm(self, carrier_id: int, link: int, upto: int) -> None:
        await self._session.rows(_SQL["confirm"], carrier_id, link, upto)

    async def forget_unconfirmed(self, before: int, most: int) -> int:
        stale = await self._session.rows(_SQL["forget_unconfirmed"], before, most)
        return max(len(stale), len(await self._session.rows(_SQL["forget_lost"], before, most)))

    async def lock_long(self, parts: Sequence[InboundPart]) -> None:
        await self._session.lock_names(sorted({f"parts of {_group(part)}" for part in parts}))

    async def keep_part(self, part: InboundPart) -> None:
        kept = (part.number, part.text, part.octets, part.alphabet, part.received_at)
        await self._session.bulk(_SQL["keep_parts"], [(*_group(part), *kept)])

    async def kept_parts(self, part: InboundPart) -> dict[int, KeptPart]:
        rows = await self._session.rows(_SQL["read_kept_parts"], *_group(part))
        return {row[0]: KeptPart(*row[1:]) for row in rows}

    async def drop_parts(self, part: InboundPart) -> None:
        await self._session.rows(_SQL["delete_kept_parts"], *_group(part))

    async def stale(self, before: int, most: int) -> list[InboundPart]:
        return [
            InboundPart(carrier, sender, recipient, "", first, None, reference, 1, total)
            for carrier, sender, recipient, reference, total, first in await self._session.rows(
                _SQL["stale_parts"], before, most
            )
        ]

    async def bring_forward(self, ahead: int, now: int, most: int) -> int:
        return len(await self._session.rows(_SQL["bring_parts_forward"], now, ahead, most))

    async def park(self, parked: Sequence[ParkedMo]) -> None:
        await self._session.bulk(
            _SQL["park"],
            [
                (p.id, p.mo.carrier_id, p.mo.sender, p.mo.recipient, p.mo.text, p.mo.received_at, p.reason)
                for p in parked
            ],
        )

    async def parked(self, after: str, most: int) -> list[ParkedMo]:
        return [_parked(row) for row in await self._session.rows(_SQL["list_parked"], after, most)]

    async def take_parked(self, parked_id: str) -> ParkedMo | None:
        rows = await self._session.rows(_SQL["take_parked"], parked_id)
        return _parked(rows[0]) if rows else None
