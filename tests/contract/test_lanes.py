"""A carrier's lane on both stores: how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.flow.dispatch import Dispatch, Ground
from rejoinder.flow.health import PATIENCE_SECONDS
from rejoinder.flow.ports import CarrierRow, Tx
from rejoinder.message.status import Status
from tests.centre import Centre, Network

T = TypeVar("T")


@pytest.mark.parametrize("on_unknown", ["resend", "fail"])
async def test_what_is_claimed_while_a_lane_ends_waits_on_and_is_not_in_doubt(
    centre: Centre, on_unknown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, carrier = await centre.account(), await centre.carrier(on_unknown=on_unknown)
    await centre.pool("61500079987")
    sent = [(await centre.send(user, recipient=f"6125558{number:04}")).id for number in range(10)]
    network, write, claims = Network(), centre.store.write, asyncio.Event()

    async def noted(work: Callable[[Tx], Awaitable[T]]) -> T:
        done = await write(work)
        claims.set()
        await asyncio.sleep(0)
        return done

    monkeypatch.setattr(centre.store, "write", noted)
    lane = centre.lane(carrier, network)
    await lane.start()
    await claims.wait()
    await lane.stop(2.0)
    monkeypatch.undo()
    assert network.got == []
    assert await centre.sql("SELECT DISTINCT submitting, duplicate FROM outbox") == [(False, False)]
    # Whoever comes next finds them where they were, at once and in their order.
    assert [(one.id, one.possible_duplicate) for _, one in await centre.deliver(carrier)] == [
        (mt_id, False) for mt_id in sent
    ]
    assert {await centre.status(mt_id) for mt_id in sent} == {Status.SENT}


async def test_a_lane_that_ends_takes_the_answers_that_come_in_time(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    network = Network()
    network.answers = asyncio.Event()
    lane = centre.lane(carrier, network)
    await lane.start()
    await network.asked.wait()
    ending = asyncio.create_task(lane.stop(2.0))
    await asyncio.sleep(0)
    network.answers.set()
    await ending
    assert await centre.status(sent.id) == Status.SENT


async def test_what_waits_for_a_carrier_that_cannot_be_started_goes_to_the_next_one(centre: Centre) -> None:
    """Found as messages that waited for a carrier until they expired: its file of certificates had been moved away."""
    user = await centre.account()
    first, second = await centre.carrier("first", "", 0), await centre.carrier("second", "", 1)
    await centre.pool("61500079987")
    network = Network()

    def make(row: CarrierRow) -> Network:
        if row.id == first:
            raise ConfigInvalid("The setting 'tls_ca' names no file of certificates.", "tls_ca")
        return network

    ground = Ground(centre.store, centre.clock, centre.guard, centre.setup, {})
    dispatch = Dispatch(ground, make)
    await dispatch.reconcile()
    carrier = dispatch.lanes[first].carrier
    assert (carrier.state(), carrier.last_error()[:20]) == ("not started", "The setting 'tls_ca'")
    sent = [await centre.send(user)]
    await asyncio.sleep(0.01)
    centre.clock.pass_seconds(PATIENCE_SECONDS + 1)
    async with asyncio.timeout(10):
        await network.asked.wait()
    sent.append(await centre.send(user, recipient="61255588886"))
    assert await centre.sql("SELECT id FROM outbox WHERE carrier_id = $1", first) == []
    dispatch.wake(second)
    async with asyncio.timeout(10):
        while len(network.got) < len(sent):  # noqa: ASYNC110 - the lane has no event for tests
            await asyncio.sleep(0.001)
    await dispatch.stop(2.0)
    assert [outgoing.id for outgoing in network.got] == [one.id for one in sent]


async def test_a_carrier_that_could_not_be_started_is_tried_again_with_the_next_change(
    centre: Centre,
) -> None:
    carrier = await centre.carrier("first", "", 0)
    network, faults = Network(), [ConfigInvalid("The file is away.", "tls_ca") for _ in range(2)]

    def make(_row: CarrierRow) -> Network:
        if faults:
            raise faults.pop()
        return network

    ground = Ground(centre.store, centre.clock, centre.guard, centre.setup, {})
    dispatch = Dispatch(ground, make)
    for seconds in (0.0, PATIENCE_SECONDS):
        await dispatch.reconcile()
        centre.setup.health.link(carrier, dispatch.lanes[carrier].carrier.ready(), seconds)
    # It is down all the time, however often it is tried.
    assert centre.setup.health.down(PATIENCE_SECONDS) == {carrier}
    await dispatch.reconcile()
    assert dispatch.lanes[carrier].carrier is network
    await dispatch.stop(2.0)
