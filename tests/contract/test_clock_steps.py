"""A wall clock that is set: nothing under way is sent again, nothing live expires, nothing waits for a year."""

from __future__ import annotations

from rejoinder.flow.claims import Lane, claim, lease_end
from rejoinder.flow.health import PATIENCE_SECONDS
from rejoinder.message.status import Status
from tests.centre import Centre, Network

HOUR = 3600
YEAR = 365 * 24 * HOUR


async def claimed_again(centre: Centre, lane: Lane) -> list[str]:
    now = centre.clock.wall_us()
    again = await centre.store.write(lambda tx: claim(tx, lane, now, 10, 0))
    return [outgoing.id for _, outgoing in again.outgoing]


async def test_what_a_living_link_has_under_way_is_not_sent_again_after_a_step_of_an_hour(
    centre: Centre,
) -> None:
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(await centre.account())
    await centre.claim(carrier)
    centre.clock.step_wall(HOUR)
    routes = centre.setup.routes
    assert await claimed_again(centre, Lane(carrier, False, routes, held=frozenset([sent.id]))) == []
    # The negative control: nobody has it in hands, so its lease has run out.
    centre.clock.step_wall(HOUR)
    assert await claimed_again(centre, Lane(carrier, False, routes)) == [sent.id]


async def test_while_the_clock_is_not_believed_no_lease_and_no_validity_runs_out(centre: Centre) -> None:
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    user = await centre.account()
    handed = await centre.send(user)
    await centre.claim(carrier)
    waiting = await centre.send(user, validity="60")
    centre.clock.step_wall(YEAR)
    lane = Lane(carrier, False, centre.setup.routes, sure=False)
    assert await claimed_again(centre, lane) == [waiting.id]
    assert await centre.status(handed.id) == Status.SUBMITTED


async def test_while_the_clock_is_not_believed_a_repeated_client_reference_is_the_same_message(
    centre: Centre,
) -> None:
    await centre.carrier()
    await centre.pool("61500079987")
    user = await centre.account()
    before = await centre.balance(user)
    sent = await centre.send(user, client_ref="order-7")
    centre.clock.step_wall(25 * HOUR)
    again = await centre.send(user, client_ref="order-7")
    assert (again.id, before - await centre.balance(user)) == (sent.id, 1000)
    # The negative control: the step has held, and is believed.
    centre.clock.pass_seconds(600)
    assert (await centre.send(user, client_ref="order-7")).id != sent.id


async def test_while_the_clock_is_not_believed_nothing_expires_at_a_carrier_that_is_down(
    centre: Centre,
) -> None:
    down, other = await centre.carrier("down", "", 0), await centre.carrier("other", "", 1)
    await centre.pool("61500079987")
    sent = await centre.send(await centre.account())
    lane = centre.lane(down, Network(up=False))
    await lane._turn()
    centre.clock.pass_seconds(PATIENCE_SECONDS)
    centre.clock.step_wall(YEAR)
    await lane._turn()
    assert await centre.status(sent.id) == Status.REROUTING
    assert await centre.sql("SELECT carrier_id FROM outbox") == [(other,)]


async def test_what_was_queued_while_the_clock_stood_ahead_is_sent_after_it_was_set_back(
    centre: Centre,
) -> None:
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    user = await centre.account()
    centre.clock.step_wall(YEAR)
    sent = await centre.send(user)
    centre.clock.step_wall(-YEAR)
    lane = Lane(carrier, False, centre.setup.routes)
    assert await claimed_again(centre, lane) == []
    await centre.upkeep.bring_forward()
    assert await claimed_again(centre, lane) == [sent.id]
    ((due,),) = await centre.sql("SELECT due_at FROM outbox")
    assert due == lease_end(centre.clock.wall_us())
