"""What lost links brought is known as theirs before anything of the next one is stored, and for an hour."""

from __future__ import annotations

import asyncio

import pytest

from rejoinder.carriers.smpp_losses import DOUBTFUL_SECONDS, Losses
from rejoinder.clock import ManualClock
from rejoinder.errors import StoreUnavailable
from tests.carrier_events import Collected


async def test_in_the_beginning_every_link_that_ever_was_is_lost_once() -> None:
    events = Collected()
    losses = Losses(5, events, ManualClock())
    await asyncio.gather(*(losses.known(1) for _ in range(5)))
    assert events.losses == [None]


async def test_a_loss_is_written_once_however_many_deliveries_wait_for_it() -> None:
    events = Collected()
    losses = Losses(5, events, ManualClock())
    await losses.known(1)
    losses.ended(1, ())
    await asyncio.gather(*(losses.known(2) for _ in range(5)))
    assert events.losses == [None, {1}]


async def test_links_that_brought_nothing_are_not_remembered_however_many_there_are() -> None:
    events = Collected()
    losses = Losses(5, events, ManualClock())
    await losses.known(1)
    for link in range(2, 1_000):
        losses.ended(link, (), brought=False)
    await losses.known(1_000)
    assert events.losses == [None]


async def test_a_delivery_of_a_lost_link_waits_for_nobody_and_those_of_others_wait_for_it() -> None:
    events, stored = Collected(), asyncio.Event()
    losses = Losses(5, events, ManualClock())
    await losses.known(1)
    unstored = asyncio.create_task(stored.wait())
    losses.ended(1, (unstored,))  # type: ignore[arg-type]  # a task is a task
    await losses.known(1)
    waiting = asyncio.create_task(losses.known(2))
    await asyncio.sleep(0)
    assert events.losses == [None]
    stored.set()
    await waiting
    assert events.losses == [None, {1}]


async def test_a_store_that_is_away_leaves_the_loss_to_the_next_delivery() -> None:
    class Away(Collected):
        async def lost(self, carrier_id: int, links: object) -> None:
            if self.refuse:
                raise self.refuse.pop(0)
            self.losses.append(None)

    events = Away()
    events.refuse = [StoreUnavailable("the database is away")]
    losses = Losses(5, events, ManualClock())
    with pytest.raises(StoreUnavailable):
        await losses.known(1)
    await losses.known(1)
    assert events.losses == [None]


def test_a_delivery_is_doubtful_for_an_hour_after_a_link_began_or_ended() -> None:
    clock = ManualClock()
    losses = Losses(5, Collected(), clock)
    for change in (losses.began, lambda: losses.ended(1, ())):
        assert losses.doubtful()
        clock.pass_seconds(DOUBTFUL_SECONDS)
        assert not losses.doubtful()
        change()
    assert losses.doubtful()
