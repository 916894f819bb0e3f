"""A wall clock that stood ahead and was set back: what was stored meanwhile is counted from now, not in a year."""

from __future__ import annotations

import re

import pytest

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.desk import NEVER
from rejoinder.flow.ports import Push, TargetState
from rejoinder.flow.push_records import Brought, Result, Room, record, take
from rejoinder.flow.steps import STEP
from rejoinder.message.model import InboundPart
from rejoinder.message.status import Status
from rejoinder.store.dialect import queries
from tests.centre import HANDSET, Centre, shown_in

POOL = "61500079987"
OWN = "61500000002"
HOUR = 3600
YEAR = 365 * 24 * HOUR


async def pushed(centre: Centre) -> int:
    """A carrier whose replies are pushed to the replyTo of the message they answer."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    await centre.send(user, reply_to="https://shop.example/mo?f={{from}}")
    await centre.deliver(carrier)
    return carrier


async def due_pushes(centre: Centre) -> list[Push]:
    now = centre.clock.wall_us()
    taken = await centre.store.write(lambda tx: take(tx, Room(8, 8, {}, {}), now))
    return [push for push, _ in taken.pushes]


async def fail(centre: Centre, push: Push) -> None:
    now = centre.clock.wall_us()
    await centre.store.write(lambda tx: record(tx, [Result(push, Brought(False, "503", True), 0.5)], now))


@pytest.mark.parametrize("step", [HOUR // 2, YEAR])
async def test_a_push_queued_meanwhile_goes_out_at_once_and_has_24_hours(centre: Centre, step: int) -> None:
    carrier = await pushed(centre)
    centre.clock.step_wall(step)
    await centre.reply(carrier, HANDSET, POOL)
    centre.clock.step_wall(-step)
    assert await due_pushes(centre) == []
    await centre.upkeep.bring_forward()
    (push,) = await due_pushes(centre)
    assert push.queued.queued_at == centre.clock.wall_us()


async def test_a_push_tried_meanwhile_is_tried_again_when_its_lease_is_over(centre: Centre) -> None:
    carrier = await pushed(centre)
    await centre.reply(carrier, HANDSET, POOL)
    centre.clock.step_wall(YEAR)
    (push,) = await due_pushes(centre)
    await fail(centre, push)
    centre.clock.step_wall(-YEAR)
    await centre.upkeep.bring_forward()
    assert await due_pushes(centre) == []
    centre.clock.pass_seconds(60)
    assert [again.id for again in await due_pushes(centre)] == [push.id]


async def test_a_server_that_failed_meanwhile_is_left_alone_no_longer_than_others(centre: Centre) -> None:
    carrier = await pushed(centre)
    await centre.reply(carrier, HANDSET, POOL)
    ((target,),) = await centre.sql("SELECT target FROM push_target")
    ahead = centre.clock.wall_us() + YEAR * MICROSECONDS
    broken = TargetState(str(target), 9, ahead, ahead)
    await centre.store.write(lambda tx: tx.pushes.set_targets([broken]))
    await centre.store.write(lambda tx: tx.pushes.settle([broken.target]))
    await centre.upkeep.bring_forward()
    ((since,),) = await centre.sql("SELECT failing_since FROM push_target")
    assert since == centre.clock.wall_us()
    centre.clock.pass_seconds(300)
    assert len(await due_pushes(centre)) == 1


async def test_a_message_accepted_meanwhile_ends_49_hours_from_now_and_a_scheduled_one_from_its_release(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    centre.clock.step_wall(YEAR)
    sent = await centre.send(user)
    held = await centre.send(user, schedule_at=str(centre.clock.wall_s() + 60))
    centre.clock.step_wall(-YEAR)
    await centre.upkeep.bring_forward()
    assert await centre.sql("SELECT expires_at FROM mt WHERE id = $1", held.id) == [(NEVER,)]
    await centre.deliver(carrier)
    centre.clock.pass_seconds(49 * HOUR)
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.EXPIRED


async def test_more_than_a_step_of_messages_is_brought_forward_at_once(centre: Centre) -> None:
    await centre.carrier()
    far = centre.clock.wall_us() + YEAR * MICROSECONDS
    numbers = ", ".join(f"('{number}', {far})" for number in range(STEP + 3))
    await centre.sql(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        "SELECT q.id, c.id, 1, '61400000000', '61500079987', 'hi', 'gsm', 1, q.due, q.due "
        f"FROM carrier c, (SELECT column1 AS id, column2 AS due FROM (VALUES {numbers}) AS v) AS q"
    )
    await centre.upkeep.bring_forward()
    assert await centre.sql("SELECT DISTINCT due_at FROM outbox") == [(centre.clock.wall_us(),)]


async def test_an_unfinished_long_text_that_came_meanwhile_is_released_after_a_day(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN, user.id)
    centre.clock.step_wall(YEAR)
    at = centre.clock.wall_us()
    await centre.inbound.take(InboundPart(carrier, HANDSET, OWN, "half", at, None, 7, 1, 2))
    centre.clock.step_wall(-YEAR)
    await centre.upkeep.bring_forward()
    centre.clock.pass_seconds(24 * HOUR + 1)
    await centre.upkeep.end_messages()
    assert [one["text"] for one in shown_in(await centre.poll(user))] == ["half"]


async def test_a_step_back_that_is_not_believed_lets_nothing_end(centre: Centre) -> None:
    """Else all that is under way would end when the clock is put right."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(POOL)
    sent = await centre.send(user)
    await centre.deliver(carrier)
    centre.clock.step_wall(-YEAR)
    await centre.upkeep.bring_forward()
    centre.clock.step_wall(YEAR)
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.SENT


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("outbox", "bring_forward"),
        ("outbox", "bring_ends_forward"),
        ("inbound", "bring_parts_forward"),
        ("joining", "bring_joining_forward"),
        ("pushes", "targets_ahead"),
        ("pushes", "bring_queued_forward"),
        ("pushes", "bring_due_forward"),
    ],
)
async def test_what_lies_ahead_is_found_by_index(
    centre: Centre, database_url: str, topic: str, name: str
) -> None:
    query = queries(topic)[name]
    if database_url.startswith("sqlite"):
        rows = await centre.sql(f"EXPLAIN QUERY PLAN {query.sqlite}", *[None] * len(query.values))
    else:
        text = query.postgres
        for number, value in enumerate(query.values, 1):
            text = text.replace(f"${number}", "'x'" if value in ("target", "after") else "1")
        rows = await centre.sql(f"EXPLAIN {text}")
    plan = "\n".join(str(row[-1]) for row in rows)
    assert not re.search(r"\bSCAN |Seq Scan", plan), plan
