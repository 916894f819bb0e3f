"""The queue of pushes: per target and handset one that is due, the others behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import attrgetter

from rejoinder.flow.ports import MoPush, Push, QueuedPush
from rejoinder.store.dialect import queries
from rejoinder.store.session import Row, Session

_SQL = queries("pushes")
_PULLED = "smpp"
_COLUMNS = (
    "channel",
    "target",
    "kind",
    "message_id",
    "mt_id",
    "entry_id",
    "user_id",
    "entry_at",
    "handset",
    "address",
    "sender",
    "status",
    "parts",
    "charge",
    "queued_at",
)
_values = attrgetter(*_COLUMNS)


def _push(row: Row) -> Push:
    queued = QueuedPush(**dict(zip(_COLUMNS, row[1:], strict=False)))
    return Push(row[0], queued, *row[len(_COLUMNS) + 1 :])


class PushTables:
    """See flow/ports `Pushes`."""

    __slots__ = ("_queued", "_session")

    def __init__(self, session: Session, queued: set[str]) -> None:
        self._session = session
        self._queued = queued

    async def queue(self, pushes: Sequence[QueuedPush]) -> None:
        if not pushes:
            return
        brought = [push for push in pushes if push.channel != _PULLED]
        due = {push.target: push.queued_at for push in brought}
        await self._session.bulk(_SQL["touch_targets"], sorted(due.items()))
        busy = await self._busy({(push.target, push.handset) for push in brought})
        rows = []
        for push in pushes:
            line = (push.target, push.handset)
            first = push.channel != _PULLED and line not in busy
            busy.add(line)
            rows.append((*_values(push), push.queued_at if first else None))
        await self._session.bulk(_SQL["insert_pushes"], rows)
        self._queued.update(push.target for push in pushes)

    async def _busy(self, lines: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(row[0], row[1]) for row in await self._session.bulk(_SQL["busy_lines"], list(lines))}

    async def of_target(self, target: str, after: int, most: int) -> list[Push]:
        return [_push(row) for row in await self._session.rows(_SQL["pulled_pushes"], target, after, most)]

    async def done(self, ids: Collection[int]) -> None:
        gone = await self._session.bulk(_SQL["delete_pushes"], [(i,) for i in ids])
        await self._next([(target, handset) for target, handset, channel in gone if channel != _PULLED])

    async def _next(self, lines: Collection[tuple[str, str]]) -> None:
        """The places of these are free: whoever stands behind them is due, as early as can be."""
        if lines:
            await self._session.bulk(_SQL["promote_lines"], sorted(set(lines)), 0)
            await self._session.bulk(_SQL["settle_targets"], [(t,) for t in sorted({t for t, _ in lines})])

    async def forget_target(self, target: str) -> None:
        await self._session.rows(_SQL["forget_target"], target)

    async def mo_settings(self, user_id: int) -> MoPush:
        ((user, customer, smpp),) = await self._session.rows(_SQL["mo_settings"], user_id)
        return MoPush(bool(user), bool(customer), smpp=bool(smpp))

    async def texts(self, pushes: Sequence[QueuedPush]) -> dict[str, str]:
        keys = {(push.user_id, push.entry_at, push.entry_id) for push in pushes}
        return {row[0]: row[1] for row in await self._session.bulk(_SQL["push_texts"], sorted(keys))}
