"""Pairs of handset and number, conversations, and client references (contract §6, §11)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rejoinder.flow.ports import Earlier, Match, MoPush, NumberOwner, Pair
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("replies")


class ReplyTables:
    """See flow/ports `Replies`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock_handsets(self, handsets: Collection[str]) -> None:
        await self._session.lock_names(sorted(set(handsets)))

    async def pairs(self, handsets: Collection[str]) -> list[Pair]:
        rows = await self._session.bulk(_SQL["read_pairs"], [(h,) for h in set(handsets)])
        return [Pair(h, n, user, mt, bool(talk), used) for h, n, user, mt, talk, used in rows]

    async def conversations(self, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
        rows = await self._session.bulk(_SQL["read_conversations"], list(set(keys)))
        return {(user, handset): number for user, handset, number, _ in rows}

    async def put(self, pairs: Sequence[Pair], talks: Sequence[Pair]) -> None:
        written = sorted(pairs, key=lambda p: (p.handset, p.number))
        await self._session.bulk(
            _SQL["put_pairs"],
            [
                (p.handset, p.number, p.user_id, p.mt_id, p.conversation, p.used_at, p.reply_to)
                for p in written
            ],
        )
        await self._session.bulk(
            _SQL["put_conversations"],
            [(t.user_id, t.handset, t.number, t.mt_id, t.used_at, t.reply_to) for t in talks],
        )

    async def matches(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Match]:
        """A conversation's reply answers the latest message to the handset, another the pair's own."""
        rows = await self._session.bulk(_SQL["read_matches"], list(set(keys)))
        return {
            (handset, number): Match(
                user,
                customer,
                mt,
                reply_to,
                MoPush(bool(of_user), bool(of_customer), smpp=bool(smpp)),
            )
            for handset, number, user, customer, mt, reply_to, of_user, of_customer, smpp in rows
        }

    async def owners(self, numbers: Collection[str]) -> dict[str, NumberOwner]:
        rows = await self._session.bulk(_SQL["read_numbers"], [(n,) for n in set(numbers)])
        return {
            row[0]: NumberOwner(row[1], row[2], row[3], row[4], MoPush(*map(bool, row[5:9]))) for row in rows
        }

    async def references(
        self, keys: Collection[tuple[int, str]], since: int
    ) -> dict[tuple[int, str], Earlier]:
        rows = await self._session.bulk(_SQL["read_references"], list(set(keys)), since)
        return {(user, ref): Earlier(mt, digest, to, status) for user, ref, mt, digest, to, status in rows}

    async def put_references(self, rows: Sequence[tuple[int, str, str, str]], at: int) -> None:
        await self._session.bulk(_SQL["put_references"], [(*row, at) for row in rows])

    async def forget_references(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_references"], before, most))

    async def forget_pairs(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_pairs"], before, most))

    async def forget_conversations(self, before: int, most: int) -> int:
        return len(await self._session.rows(_SQL["forget_conversations"], before, most))
