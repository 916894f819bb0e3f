"""Several carriers per prefix, on both stores: what waits for one that is down goes to the next, if it may."""

from __future__ import annotations

import pytest

from rejoinder.flow.failover import BEGINNING, Relieved, Stranded, relieve
from rejoinder.flow.health import PATIENCE_SECONDS
from rejoinder.flow.ports import CarrierState
from rejoinder.flow.steps import STEP
from rejoinder.message.model import Fate, Outcome
from tests.centre import Centre


async def two_carriers(centre: Centre) -> tuple[int, int]:
    return await centre.carrier("first", "", 0), await centre.carrier("second", "", 1)


async def down(centre: Centre, carrier_id: int, after: tuple[int, str] = BEGINNING) -> Relieved:
    """One step for a carrier that is down."""
    stranded = Stranded(carrier_id, centre.setup.routes, frozenset({carrier_id}), after)
    return await centre.store.write(lambda tx: relieve(tx, stranded, centre.clock.wall_us()))


async def test_a_message_accepted_while_the_first_carrier_is_down_waits_for_the_second(
    centre: Centre,
) -> None:
    user = await centre.account()
    first, second = await two_carriers(centre)
    await centre.pool("61500079987")
    centre.setup.health.link(first, up=False, now=centre.clock.monotonic())
    await centre.send(user)
    assert len((await centre.claim(first)).outgoing) == 1
    centre.clock.pass_seconds(PATIENCE_SECONDS)
    await centre.send(user)
    assert len((await centre.claim(second)).outgoing) == 1


async def test_what_waits_goes_over_in_its_order_and_is_rerouting(centre: Centre) -> None:
    user = await centre.account()
    first, second = await two_carriers(centre)
    await centre.pool("61500079987")
    sent = []
    for number in range(5):
        sent.append((await centre.send(user, f"text {number}")).id)
        centre.clock.pass_seconds(1)
    assert (await down(centre, first)).moved == {second: 5}
    assert [await centre.status(mt_id) for mt_id in sent] == [1] * 5
    assert [outgoing.id for _, outgoing in await centre.deliver(second)] == sent
    assert [await centre.status(mt_id) for mt_id in sent] == [11] * 5


async def test_what_a_network_has_or_may_have_stays(centre: Centre) -> None:
    user = await centre.account()
    first, _ = await two_carriers(centre)
    await centre.pool("61500079987")
    long = await centre.send(user, "x" * 200)
    lost = await centre.send(user, "lost", "61255588886")
    answers = {
        long.id: [Outcome(1, Fate.ACCEPTED, "r1"), Outcome(2, Fate.THROTTLED)],
        lost.id: [Outcome(1, Fate.UNKNOWN)],
    }
    for claim, outgoing in (await centre.claim(first)).outgoing:
        await centre.answer(claim, answers[outgoing.id])
    centre.clock.pass_seconds(61)
    assert (await down(centre, first)).moved == {}
    again = {outgoing.id: outgoing.numbers for _, outgoing in (await centre.claim(first)).outgoing}
    assert again == {long.id: (2,), lost.id: (1,)}
    centre.clock.pass_seconds(61)
    assert (await down(centre, first)).moved == {}


@pytest.mark.parametrize("fate", [Fate.LATER, Fate.UNSENT])
async def test_what_was_never_written_goes_over(centre: Centre, fate: Fate) -> None:
    user = await centre.account()
    first, second = await two_carriers(centre)
    await centre.pool("61500079987")
    await centre.send(user)
    ((claim, _),) = (await centre.claim(first)).outgoing
    await centre.answer(claim, [Outcome(1, fate)])
    centre.clock.pass_seconds(10)
    assert (await down(centre, first)).moved == {second: 1}
    assert len(await centre.deliver(second)) == 1


async def test_a_carrier_that_refused_gets_nothing_back_and_without_another_it_waits(centre: Centre) -> None:
    user = await centre.account()
    first, second = await two_carriers(centre)
    await centre.pool("61500079987")
    await centre.send(user)
    await centre.deliver(first, lambda _, number: Outcome(number, Fate.REFUSED))
    assert (await down(centre, second)).moved == {}
    assert len((await centre.claim(second)).outgoing) == 1


async def test_a_message_whose_time_is_over_ends_though_its_carrier_is_down(centre: Centre) -> None:
    user = await centre.account()
    first, _ = await two_carriers(centre)
    await centre.pool("61500079987")
    sent = await centre.send(user, validity="60")
    centre.clock.pass_seconds(61)
    assert (await down(centre, first)).finished == {sent.id: 3}


async def test_a_long_queue_is_looked_through_in_steps(centre: Centre) -> None:
    user = await centre.account(funds=10_000_000)
    first, second = await two_carriers(centre)
    await centre.pool("61500079987")
    for number in range(STEP + 3):
        await centre.send(user, str(number), str(61_200_000_000 + number))
    step = await down(centre, first)
    assert step.moved == {second: STEP}
    assert step.after != BEGINNING
    step = await down(centre, first, step.after)
    assert (step.moved, step.after) == ({second: 3}, BEGINNING)


async def test_weights_share_new_messages(centre: Centre) -> None:
    user = await centre.account(funds=10_000_000)
    first, second = await centre.carrier("first"), await centre.carrier("second")
    await centre.sql("UPDATE route SET weight = 9 WHERE carrier_id = $1", first)
    await centre.changed()
    await centre.pool("61500079987")
    for number in range(200):
        await centre.send(user, "x", f"612555{number:05d}")
    counts = dict(await centre.sql("SELECT carrier_id, count(*) FROM outbox GROUP BY carrier_id"))
    assert counts[first] > counts[second] > 0


async def test_how_carriers_stand_is_kept_once_each(centre: Centre) -> None:
    first, second = await two_carriers(centre)
    for word in ("up", "down"):
        states = [CarrierState(carrier, word, 8, 3, 12.5, "silent") for carrier in (first, second)]
        await centre.store.write(lambda tx, s=states: tx.directory.put_states(s, 1_000))  # type: ignore[misc]
    found = await centre.store.read.registry.find("carrier", {"id": first})
    assert [
        (it["state"], it["window_size"], it["in_flight"], it["rate"], it["last_error"], it["queue"])
        for it in found
    ] == [("down", 8, 3, 12.5, "silent", 0)]
