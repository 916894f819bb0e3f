"""Scheduling, taking back, replacing, releasing, claiming and answering, many at once and at random, on both stores.

A message is sent or refunded, never both and never twice; it is in the mailbox once when it had its release; and the
ledger holds what the messages say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.clock import ManualClock
from rejoinder.flow import ledger
from rejoinder.flow.cancel import Cancellation
from rejoinder.flow.ports import Claim, UserRow
from rejoinder.flow.replacing import Replacement
from rejoinder.flow.request import MessageRefused
from rejoinder.message.model import Fate, Outcome, Outgoing
from rejoinder.message.status import Status
from rejoinder.store import open_store
from rejoinder.store.tables.outbox import OutboxTables
from tests.centre import START, Centre, accepted, together

T = TypeVar("T")
FUNDS = 1_000_000
POOL = ("61500079987", "61500079988", "61500079989")

# What happens at the same time: each is (what, which message or how many, how).
act = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.integers(0, 11), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 11), st.just(0)),
    st.tuples(st.just("replace"), st.integers(0, 11), st.integers(1, 400)),
    st.tuples(st.just("release"), st.just(0), st.just(0)),
    st.tuples(st.just("claim"), st.integers(1, 4), st.sampled_from(list(Fate))),
    st.tuples(st.just("expire"), st.just(0), st.just(0)),
)
turns = st.lists(st.tuples(st.sampled_from([0, 1, 5, 70]), st.lists(act, min_size=1, max_size=6)), max_size=8)


class World:
    """One store for all examples; every example has a user of its own."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.clock = ManualClock(START)
        self.store = self.run(open_store(url, self.clock))
        self.centre = Centre(self.store, self.clock)
        self.run(self.centre.pool(*POOL))
        self.carrier = self.run(self.centre.carrier())
        self.users = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def user(self) -> UserRow:
        self.users += 1
        return await self.centre.account(f"user{self.users}", f"customer{self.users}", funds=FUNDS)

    def close(self) -> None:
        self.run(self.store.close())
        self.runner.close()


@pytest.fixture(scope="module")
def world(lasting_database_url: str) -> Iterator[World]:
    opened = World(lasting_database_url)
    yield opened
    opened.close()


@dataclass
class Run:
    """What was done in one example, and what was answered."""

    world: World
    user: UserRow
    ids: list[str] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)

    async def turn(self, seconds: int, acts: list[tuple[str, int, Any]]) -> None:
        self.world.clock.pass_seconds(seconds)
        results = await together(*(self._do(*one) for one in acts))
        faults = [one for one in results if isinstance(one, BaseException)]
        assert not faults, faults

    async def _do(self, what: str, which: int, how: Any) -> None:
        centre = self.world.centre
        if what == "send":
            at = str(self.world.clock.wall_s() + which) if how else ""
            sent = await centre.send(self.user, "x" * (1 + 100 * how), schedule_at=at)
            self.ids.append(sent.id)
        elif what == "release":
            await centre.releases.step()
        elif what == "claim":
            for claim, outgoing in (await centre.claim(self.world.carrier, most=which)).outgoing:
                await self._answer(claim, outgoing, how)
        elif what == "expire":
            await centre.upkeep.end_messages()
        elif which < len(self.ids):
            await self._change(what, self.ids[which], how)

    async def _change(self, what: str, mt_id: str, how: int) -> None:
        centre = self.world.centre
        if what == "replace":
            try:
                await centre.replacements.replace(self.user, mt_id, lambda _: Replacement(b"y" * how))
            except MessageRefused as refused:
                # Its time may have come while it was waiting for its release.
                assert refused.code == -111  # noqa: PT017
            return
        answer: Cancellation = await centre.cancellations.cancel(self.user, mt_id)
        assert answer.status != Status.UNKNOWN
        if answer.finished:
            assert answer.status == Status.DELETED
            self.taken[mt_id] += 1

    async def _answer(self, claim: Claim, outgoing: Outgoing, fate: Fate) -> None:
        outcomes = [Outcome(number, fate, f"r-{outgoing.id}-{number}") for number in outgoing.numbers]
        await self.world.centre.answer(claim, outcomes)
        if fate in (Fate.ACCEPTED, Fate.UNKNOWN):
            self.accepted[outgoing.id] += 1

    async def to_the_end(self) -> None:
        """Everything that waits is released, claimed and taken."""
        centre = self.world.centre
        for _ in range(4):
            self.world.clock.pass_seconds(400)
            while await centre.releases.step():
                pass
            for claim, outgoing in (await centre.claim(self.world.carrier, most=1000)).outgoing:
                await centre.answer(claim, [accepted(outgoing, number) for number in outgoing.numbers])
                self.accepted[outgoing.id] += 1

    async def judge(self) -> None:
        centre = self.world.centre
        rows = await centre.sql(
            "SELECT id, status, charge, finished_at FROM mt WHERE user_id = $1", self.user.id
        )
        entries = Counter(
            row[0] for row in await centre.sql("SELECT id FROM entry WHERE box_id = $1", self.user.id)
        )
        refunds = await self._refunds()
        assert {row[0] for row in rows} == set(self.ids)
        spent = 0
        for mt_id, status, charge, _ in rows:
            assert isinstance(mt_id, str)
            assert isinstance(charge, int)
            assert self.taken[mt_id] <= 1
            assert (status == Status.DELETED) == (self.taken[mt_id] == 1)
            back = refunds.get(mt_id, [])
            assert back in ([], [charge])
            unsent = status == Status.DELETED or (status == Status.REJECTED and not self.accepted[mt_id])
            assert bool(back) == unsent, (mt_id, status, back)
            if back:
                assert not self.accepted[mt_id], "sent and refunded"
            assert entries[mt_id] <= 1
            assert entries[mt_id] == 1 or status == Status.DELETED
            spent += charge - sum(back)
        assert await centre.balance(self.user) == FUNDS - spent
        assert await centre.sql("SELECT count(*) FROM mt_scheduled") == [(0,)]
        assert (await ledger.check(centre.store.read)).right

    async def _refunds(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for mt_id, amount in await self.world.centre.sql(
            "SELECT e.message_id, e.amount FROM ledger_entry e JOIN mt m ON m.id = e.message_id "
            "WHERE e.reason = 'refund' AND m.user_id = $1",
            self.user.id,
        ):
            found.setdefault(str(mt_id), []).append(int(str(amount)))
        return found


async def _played(world: World, played: list[tuple[int, list[tuple[str, int, Any]]]]) -> None:
    run = Run(world, await world.user())
    for seconds, acts in played:
        await run.turn(seconds, acts)
    await run.to_the_end()
    await run.judge()


@given(played=turns)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_message_is_sent_or_refunded_whatever_comes_together(
    world: World, played: list[tuple[int, list[tuple[str, int, Any]]]]
) -> None:
    world.run(_played(world, played))


def test_without_the_look_at_what_carriers_hold_the_search_finds_a_message_both_sent_and_refunded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def all_of_them(tables: OutboxTables, ids: Collection[str]) -> set[str]:
        return {row.row.id for row in await tables.due(world.carrier, 1 << 62, 1000)} & set(ids)

    monkeypatch.setattr(OutboxTables, "idle", all_of_them)
    with pytest.raises(AssertionError):
        world.run(
            _played(
                world, [(0, [("send", 0, 0)]), (0, [("claim", 1, Fate.UNKNOWN)]), (0, [("cancel", 0, 0)])]
            )
        )
