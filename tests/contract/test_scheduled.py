"""Scheduled messages and taking messages back (contract §13), on both stores."""

from __future__ import annotations

import pytest

from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.ports import UserRow
from rejoinder.flow.request import Limits, MessageRefused
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.parts import Concatenation
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet
from tests.centre import HANDSET, START, Centre, shown_in, together

POOL = ("61500079987", "61500079988")
OWN = "61400000001"
LATER = START + 3600
HOUR = 3600


async def opened(centre: Centre, **account: object) -> tuple[UserRow, int]:
    user = await centre.account(**account)  # type: ignore[arg-type]  # names and sums
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN, user.id)
    await centre.pool(*POOL)
    return user, await centre.carrier()


async def schedule(centre: Centre, user: UserRow, at: int = LATER, **more: str) -> str:
    return (await centre.send(user, schedule_at=str(at), **more)).id


async def release(centre: Centre, at: int = LATER) -> int:
    """Lets the time come, and the worker look."""
    centre.clock.pass_seconds(at - centre.clock.wall_s())
    return await centre.releases.step()


async def mailbox(centre: Centre, user: UserRow) -> list[dict[str, object]]:
    return shown_in(await centre.poll(user))


async def test_it_is_charged_at_acceptance_and_sent_and_shown_at_its_time(centre: Centre) -> None:
    user, carrier = await opened(centre)
    mt_id = await schedule(centre, user)
    assert int(mt_id[:8], 16) == START
    assert await centre.balance(user) == 999_000
    assert await centre.status(mt_id) == Status.SUBMITTED
    assert await mailbox(centre, user) == []
    assert await release(centre, LATER - 1) == 0
    assert await centre.deliver(carrier) == []
    assert await mailbox(centre, user) == []
    assert await release(centre) == 1
    assert await mailbox(centre, user) == [
        {"documentId": mt_id, "text": "Hello mommy", "timestamp": LATER, "recipient": HANDSET}
    ]
    ((_, out),) = await centre.deliver(carrier)
    assert (out.id, out.sender in POOL) == (mt_id, True)
    await centre.reply(carrier, HANDSET, out.sender)
    assert (await mailbox(centre, user))[1]["originDocumentId"] == mt_id
    assert await centre.balance(user) == 999_000
    assert await centre.sql("SELECT count(*) FROM mt_scheduled") == [(0,)]


async def test_validity_and_the_49_hours_begin_at_the_release(centre: Centre) -> None:
    user, carrier = await opened(centre)
    short = await schedule(centre, user, START + 29 * 24 * HOUR, validity="60")
    long = await schedule(centre, user, START + 29 * 24 * HOUR)
    centre.clock.pass_seconds(29 * 24 * HOUR)
    await centre.upkeep.end_messages()
    assert await centre.releases.step() == 2
    centre.clock.pass_seconds(59)
    assert {out.id for _, out in (await centre.claim(carrier)).outgoing} == {short, long}
    centre.clock.pass_seconds(49 * HOUR - 60)
    await centre.upkeep.end_messages()
    assert await centre.status(long) == Status.SUBMITTED
    centre.clock.pass_seconds(1)
    await centre.upkeep.end_messages()
    assert await centre.status(long) == Status.EXPIRED


async def test_a_message_that_waits_expires_neither_before_its_release_nor_when_that_is_late(
    centre: Centre,
) -> None:
    user, _ = await opened(centre)
    mt_id = await schedule(centre, user, START + 24 * HOUR)
    centre.clock.pass_seconds(100 * HOUR)
    await centre.upkeep.end_messages()
    await centre.upkeep.forget()
    assert await centre.status(mt_id) == Status.SUBMITTED
    assert await centre.releases.step() == 1
    assert len(await mailbox(centre, user)) == 1


async def test_many_are_released_in_batches_in_order_and_each_once(centre: Centre) -> None:
    user, _ = await opened(centre)
    ids = [await schedule(centre, user, LATER + n % 3, recipient=f"61255{n:06}") for n in range(450)]
    centre.clock.pass_seconds(HOUR + 10)
    steps = await together(*(centre.releases.step() for _ in range(6)))
    assert all(isinstance(step, int) for step in steps)
    while await centre.releases.step():
        pass
    shown = await centre.sql("SELECT id FROM entry")
    queued = await centre.sql("SELECT id FROM outbox")
    assert sorted(row[0] for row in shown) == sorted(row[0] for row in queued) == sorted(ids)  # type: ignore[type-var]


async def test_a_stepped_clock_releases_nothing_until_it_is_believed(centre: Centre) -> None:
    user, _ = await opened(centre)
    await schedule(centre, user, START + 24 * HOUR)
    centre.clock.step_wall(25 * HOUR)
    assert await centre.releases.step() == 0
    centre.clock.pass_seconds(599)
    assert await centre.releases.step() == 0
    centre.clock.pass_seconds(1)
    assert await centre.releases.step() == 1


async def test_it_survives_a_restart(centre: Centre) -> None:
    user, carrier = await opened(centre)
    mt_id = await schedule(centre, user)
    again = Centre(centre.store, centre.clock)
    await again.setup.refresh()
    assert await release(again) == 1
    assert [out.id for _, out in await again.deliver(carrier)] == [mt_id]


async def test_the_pool_number_is_chosen_at_the_release(centre: Centre) -> None:
    user, carrier = await opened(centre)
    waiting = await schedule(centre, user)
    now = await centre.send(user)
    await centre.reply(carrier, HANDSET, await centre.sender_of(now.id))
    assert (await mailbox(centre, user))[1]["originDocumentId"] == now.id
    await release(centre)
    assert await centre.sender_of(waiting) != await centre.sender_of(now.id)


async def _no_route(centre: Centre, user: UserRow) -> None:
    await centre.sql("DELETE FROM route")


async def _no_pool(centre: Centre, user: UserRow) -> None:
    await centre.sql("DELETE FROM number WHERE user_id IS NULL")


async def _blocked(centre: Centre, user: UserRow) -> None:
    await centre.sql("UPDATE customer SET blocked = NOT blocked")


async def _opted_out(centre: Centre, user: UserRow) -> None:
    await centre.sql(
        "INSERT INTO opt_out (customer_id, handset, since) VALUES ($1, $2, 0)", user.customer_id, HANDSET
    )


async def _taken_away(centre: Centre, user: UserRow) -> None:
    await centre.sql("DELETE FROM number WHERE number = $1", OWN)


@pytest.mark.parametrize(
    ("change", "sender", "status"),
    [
        (_no_route, "", Status.NO_ROUTE),
        (_no_pool, "", Status.SOURCE_NOT_ALLOWED),
        (_taken_away, OWN, Status.SOURCE_NOT_ALLOWED),
        (_blocked, "", Status.REJECTED),
        (_opted_out, OWN, Status.REJECTED),
    ],
)
async def test_what_may_not_be_sent_any_more_at_its_time_ends_and_is_refunded_once(
    centre: Centre, change: object, sender: str, status: Status
) -> None:
    user, carrier = await opened(centre)
    mt_id = await schedule(centre, user, sender=sender)
    await change(centre, user)  # type: ignore[operator]
    await centre.changed()
    assert await release(centre) == 1
    assert await centre.status(mt_id) == status
    assert await centre.balance(user) == 1_000_000
    assert await centre.releases.step() == 0
    assert await centre.deliver(carrier) == []
    assert await mailbox(centre, user) == []


async def test_parts_of_a_long_message_wait_and_are_joined_at_the_release(centre: Centre) -> None:
    user, _ = await opened(centre)
    drafts = [
        coded_draft(
            CodedRequest(
                HANDSET, OWN, text, Alphabet.GSM, part=Concatenation(7, 2, n, wide=False),
                release_at=LATER * 1_000_000, flash=True,
            ),
            Limits(),
            START * 1_000_000,
        )
        for n, text in ((2, b"mommy"), (1, b"Hello "))
    ]  # fmt: skip
    await centre.submissions.submit_drafts(user, drafts)
    assert await mailbox(centre, user) == []
    assert await release(centre) == 2
    assert [one["text"] for one in await mailbox(centre, user)] == ["Hello mommy"]
    assert await centre.sql("SELECT DISTINCT flash FROM outbox") in ([(1,)], [(True,)])


async def test_cancelled_before_its_time_it_is_deleted_and_refunded_once(centre: Centre) -> None:
    user, carrier = await opened(centre)
    mt_id = await schedule(centre, user, text="x" * 400)
    assert await centre.balance(user) == 997_000
    found = await centre.cancellations.cancel(user, mt_id)
    assert (found.status, found.finished) == (Status.DELETED, True)
    assert await centre.balance(user) == 1_000_000
    found = await centre.cancellations.cancel(user, mt_id)
    assert (found.status, found.finished) == (Status.DELETED, False)
    assert await centre.balance(user) == 1_000_000
    assert await release(centre) == 0
    assert await centre.deliver(carrier) == []
    assert await mailbox(centre, user) == []


async def test_cancelled_in_the_queue_it_is_deleted_and_refunded_and_stays_in_the_mailbox(
    centre: Centre,
) -> None:
    user, carrier = await opened(centre)
    mt_id = (await centre.send(user)).id
    assert (await centre.cancellations.cancel(user, mt_id)).status == Status.DELETED
    assert await centre.balance(user) == 1_000_000
    assert await centre.deliver(carrier) == []
    assert len(await mailbox(centre, user)) == 1


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ([], Status.SUBMITTED),
        ([Fate.ACCEPTED] * 3, Status.SENT),
        ([Fate.ACCEPTED, Fate.LATER, Fate.LATER], Status.SUBMITTED),
        ([Fate.ACCEPTED, Fate.REFUSED, Fate.REFUSED], Status.REJECTED),
        ([Fate.UNKNOWN] * 3, Status.SUBMITTED),
    ],
)
async def test_what_a_carrier_has_or_may_have_cannot_be_taken_back(
    centre: Centre, fates: list[Fate], status: Status
) -> None:
    user, carrier = await opened(centre)
    mt_id = (await centre.send(user, "x" * 400)).id
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    if fates:
        await centre.answer(claim, [Outcome(n, fate, f"r{n}") for n, fate in enumerate(fates, 1)])
    found = await centre.cancellations.cancel(user, mt_id)
    assert (found.status, found.finished) == (status, False)
    assert await centre.balance(user) == 997_000


@pytest.mark.parametrize("fate", [Fate.LATER, Fate.THROTTLED, Fate.UNSENT, Fate.REFUSED])
async def test_what_carriers_did_not_take_can_be_taken_back(centre: Centre, fate: Fate) -> None:
    user, carrier = await opened(centre)
    await centre.carrier("second", priority=1)
    mt_id = (await centre.send(user)).id
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.answer(claim, [Outcome(1, fate)])
    assert (await centre.cancellations.cancel(user, mt_id)).status == Status.DELETED
    assert await centre.balance(user) == 1_000_000


async def test_an_unknown_message_is_0_and_anothers_is_minus_230(centre: Centre) -> None:
    user, _ = await opened(centre)
    other = await centre.account("other@firm", "firm")
    mt_id = await schedule(centre, other)
    assert (await centre.cancellations.cancel(user, "5175000000000000000000ff")).status == 0
    with pytest.raises(MessageRefused) as refused:
        await centre.cancellations.cancel(user, mt_id)
    assert refused.value.code == -230
    assert await centre.balance(other) == 999_000


async def test_a_client_ref_holds_for_scheduled_messages_too(centre: Centre) -> None:
    user, _ = await opened(centre)
    first = await schedule(centre, user, client_ref="once")
    results = await together(*(schedule(centre, user, client_ref="once") for _ in range(5)))
    assert set(results) == {first}
    assert await centre.balance(user) == 999_000


async def test_cancels_and_releases_and_claims_at_once_end_in_one_of_two_ways(centre: Centre) -> None:
    user, carrier = await opened(centre)
    ids = [await schedule(centre, user, recipient=f"61255{n:06}") for n in range(30)]
    centre.clock.pass_seconds(HOUR)
    results = await together(
        *(centre.cancellations.cancel(user, mt_id) for mt_id in ids[::2]),
        *(centre.releases.step() for _ in range(3)),
        *(centre.claim(carrier, most=7) for _ in range(4)),
        *(centre.cancellations.cancel(user, mt_id) for mt_id in reversed(ids)),
    )
    assert not [one for one in results if isinstance(one, BaseException)]
    await centre.releases.step()
    await centre.claim(carrier, most=100)
    queued = {row[0] for row in await centre.sql("SELECT id FROM outbox WHERE fence = 1")}
    deleted = {row[0] for row in await centre.sql("SELECT id FROM mt WHERE status = 4")}
    assert queued | deleted == set(ids)
    assert not queued & deleted
    assert await centre.balance(user) == 1_000_000 - 1000 * len(queued)
    refunds = await centre.sql("SELECT message_id FROM ledger_entry WHERE reason = 'refund'")
    assert sorted(row[0] for row in refunds) == sorted(deleted)  # type: ignore[type-var]
