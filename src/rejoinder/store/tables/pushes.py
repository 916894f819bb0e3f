"""The queue of pushes: per target and handset one that is due, the others behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from rejoinder.flow.ports import MoPush, Push, PushCounts, QueuedPush, TargetState
from rejoinder.store.dialect import queries
from rejoinder.store.session import Row, Session

_SQL = queries("pushes")
_PULLED = "smpp:"
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


def _pulls(target: str) -> bool:
    return target.startswith(_PULLED)


def _keys(targets: Collection[str]) -> list[tuple[str]]:
    return [(target,) for target in sorted(set(targets))]


class PushTables:
    """See flow/ports `Pushes`."""

    __slots__ = ("_queued", "_session")

    def __init__(self, session: Session, queued: set[str]) -> None:
        self._session = session
        self._queued = queued

    async def queue(self, pushes: Sequence[QueuedPush]) -> None:
        if not pushes:
            return
        await self._touch({push.target: push.queued_at for push in pushes})
        busy = await self._busy({(push.target, push.handset) for push in pushes})
        rows = []
        for push in pushes:
            line = (push.target, push.handset)
            # What is pulled is due at once, whatever the clock says later.
            due = 0 if _pulls(push.target) else push.queued_at
            rows.append((*_values(push), None if line in busy else due))
            busy.add(line)
        await self._session.bulk(_SQL["insert_pushes"], rows)
        self._queued.update(push.target for push in pushes)

    async def _touch(self, due: Mapping[str, int]) -> None:
        """Locks targets, and notes that they have something to do. Who pulls looks for itself."""
        rows = [(target, None if _pulls(target) else due[target]) for target in sorted(due)]
        await self._session.bulk(_SQL["touch_targets"], rows)

    async def _busy(self, lines: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(row[0], row[1]) for row in await self._session.bulk(_SQL["busy_lines"], list(lines))}

    async def next_pulled(self, target: str) -> int | None:
        rows = await self._session.rows(_SQL["next_pulled"], target)
        due: int | None = rows[0][0]
        return due

    async def pull(self, target: str, most: int, now: int, lease: int) -> list[Push]:
        rows = await self._session.rows(_SQL["due_pulled"], target, now, most)
        return await self._leased([_push(row) for row in rows], lease)

    async def _leased(self, found: Sequence[Push], lease: int) -> list[Push]:
        await self._session.bulk(_SQL["mark_pushes"], [(push.id,) for push in found], lease)
        return [replace(push, due_at=lease, attempts=push.attempts + 1) for push in found]

    async def done(self, ids: Collection[int]) -> None:
        gone = await self._session.bulk(_SQL["delete_pushes"], [(i,) for i in ids])
        await self._next([(target, handset) for target, handset in gone])

    async def _next(self, lines: Collection[tuple[str, str]]) -> None:
        """The places of these are free: whoever stands behind them is due, as early as can be."""
        await self._session.bulk(_SQL["promote_lines"], sorted(set(lines)), 0)
        await self.settle({target for target, _ in lines})

    async def settle(self, targets: Collection[str]) -> None:
        brought = {target for target in targets if not _pulls(target)}
        await self._session.bulk(_SQL["settle_targets"], _keys(brought))

    async def forget_target(self, target: str) -> None:
        await self._session.rows(_SQL["forget_target"], target)

    async def mo_settings(self, user_id: int) -> MoPush:
        ((user, customer, smpp),) = await self._session.rows(_SQL["mo_settings"], user_id)
        return MoPush(bool(user), bool(customer), smpp=bool(smpp))

    async def texts(self, pushes: Sequence[QueuedPush]) -> dict[str, str]:
        keys = {(push.user_id, push.entry_at, push.entry_id) for push in pushes}
        return {row[0]: row[1] for row in await self._session.bulk(_SQL["push_texts"], sorted(keys))}

    async def joined_texts(self, mt_ids: Collection[str]) -> dict[str, str]:
        rows = await self._session.bulk(_SQL["joined_texts"], [(i,) for i in mt_ids])
        return {row[0]: row[1] for row in rows}

    async def due(self, now: int, most: int, failing: bool) -> list[str]:
        statement = _SQL["due_probes" if failing else "due_targets"]
        return [row[0] for row in await self._session.rows(statement, now, most)]

    async def next_due(self) -> int | None:
        rows = await self._session.rows(_SQL["next_due_target"])
        due: int | None = rows[0][0]
        return due

    async def claim(self, rooms: Sequence[tuple[str, int]], now: int, lease: int) -> list[Push]:
        found = [_push(row) for row in await self._session.bulk(_SQL["claim_heads"], rooms, now)]
        taken = await self._leased(found, lease)
        await self.settle([target for target, _ in rooms])
        return taken

    async def settings(self, targets: Collection[str]) -> dict[str, str]:
        pieces = [target.split(":", 2) for target in targets]
        named = [(f"{event} {whose}", owner) for event, whose, owner in pieces]
        rows = await self._session.bulk(_SQL["push_settings"], named)
        return {f"{kind.replace(' ', ':')}:{owner}": stored or "" for kind, owner, stored in rows}

    async def lock(self, targets: Collection[str]) -> list[TargetState]:
        return [TargetState(*row) for row in await self._session.bulk(_SQL["lock_targets"], _keys(targets))]

    async def set_targets(self, states: Sequence[TargetState]) -> None:
        rows = [(s.target, s.failures, s.failing_since, s.open_until) for s in states]
        await self._session.bulk(_SQL["set_targets"], rows)

    async def retry(self, rows: Sequence[tuple[int, int, int, str]]) -> None:
        await self._session.bulk(_SQL["retry_pushes"], rows)

    async def park(self, rows: Sequence[tuple[int, int, str]], now: int) -> int:
        parked = await self._session.bulk(_SQL["park_pushes"], rows, now)
        await self._next([(target, handset) for target, handset in parked])
        return len(parked)

    async def park_stale(self, before: int, now: int, most: int) -> int:
        if not await self._session.rows(_SQL["lock_stale_targets"], before):
            return 0
        parked = await self._session.rows(_SQL["park_stale"], now, before, most)
        await self._next([(target, handset) for target, handset in parked])
        return len(parked)

    async def ahead(self, after: str, ahead: int, farthest: int, most: int) -> list[tuple[str, bool]]:
        rows = await self._session.rows(_SQL["targets_ahead"], ahead, farthest, after, most)
        return [(row[0], bool(row[1])) for row in rows]

    async def bring_queued_forward(self, target: str, ahead: int, now: int, later: int, most: int) -> int:
        rows = await self._session.rows(_SQL["bring_queued_forward"], now, later, target, ahead, most)
        return len(rows)

    async def bring_due_forward(self, target: str, farthest: int, later: int, most: int) -> int:
        rows = await self._session.rows(_SQL["bring_due_forward"], later, target, farthest, most)
        return len(rows)

    async def listed(self, after: int, most: int, parked: bool) -> list[Push]:
        statement = _SQL["list_parked_pushes" if parked else "list_pushes"]
        return [_push(row) for row in await self._session.rows(statement, after, most)]

    async def replay(self, ids: Collection[int], now: int) -> int:
        parked = await self._session.bulk(_SQL["parked_lines"], [(i,) for i in ids])
        lines = {(target, handset) for target, handset in parked}
        targets = {target for target, _ in lines}
        # Targets first, as everywhere: that is also what makes one that was forgotten.
        await self._touch(dict.fromkeys(targets, now))
        busy = await self._busy(lines)
        rows = await self._session.bulk(_SQL["replay_pushes"], [(i,) for i in ids], now)
        # Where one of the handset's is under way already, its end lets them come.
        await self._session.bulk(_SQL["promote_lines"], sorted(lines - busy), now)
        await self.set_targets([TargetState(target, 0, 0, 0) for target in sorted(targets)])
        await self.settle(targets)
        self._queued.update(targets)
        return len(rows)

    async def counts(self, now: int) -> PushCounts:
        ((waiting, parked, total),) = await self._session.rows(_SQL["push_counts"])
        ((open_breakers,),) = await self._session.rows(_SQL["open_breakers"], now)
        return PushCounts(waiting, parked, total - waiting - parked, open_breakers)

    async def forget_parked(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_parked_pushes"], before, most))

    async def forget_targets(self, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_targets"], most))
