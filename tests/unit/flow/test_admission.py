"""How much may be under way follows the pace at which batches are stored, and full batches teach it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rejoinder.errors import Overloaded
from rejoinder.flow.admission import LEAST, MOST, WAIT_SECONDS, Admission
from rejoinder.flow.batches import Batches


def taught(seconds: float, times: int = 200) -> Admission:
    admission = Admission()
    for _ in range(times):
        admission.stored(128, seconds)
    return admission


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [
        (128 / 3000, int(3000 * WAIT_SECONDS)),
        (128 / 9000, int(9000 * WAIT_SECONDS)),
        (2.0, LEAST),
        (0.0, MOST),
    ],
)
def test_as_much_may_be_under_way_as_is_stored_in_the_time_but_never_less_than_two_batches(
    seconds: float, limit: int
) -> None:
    assert taught(seconds).limit == pytest.approx(limit, rel=0.01)


def test_one_slow_batch_changes_little_and_a_slower_machine_is_known_within_fifty_batches() -> None:
    admission = taught(128 / 6000)
    before = admission.limit
    admission.stored(128, 1.0)
    assert admission.limit > before * 0.9
    for _ in range(50):
        admission.stored(128, 128 / 2000)
    assert admission.limit < 2000 * WAIT_SECONDS * 1.25


def test_it_is_full_when_as_many_are_under_way_and_not_after_one_has_left() -> None:
    admission = Admission()
    for _ in range(LEAST):
        assert not admission.full()
        admission.enter()
    assert admission.full()
    admission.leave()
    assert not admission.full()


async def test_what_comes_without_a_door_is_refused_by_the_batches_at_the_same_limit() -> None:
    release = asyncio.Event()

    async def work(items: list[int]) -> Sequence[int]:
        await release.wait()
        return items

    batches = Batches(work, most=10, admission=Admission())
    taken = [asyncio.create_task(batches.put(item)) for item in range(LEAST)]
    await asyncio.sleep(0)
    refused = [asyncio.create_task(batches.put(item)) for item in range(1000)]
    await asyncio.wait(refused, return_when=asyncio.FIRST_EXCEPTION)
    release.set()
    outcomes = await asyncio.gather(*taken, *refused, return_exceptions=True)
    assert outcomes[:LEAST] == list(range(LEAST))
    assert sum(isinstance(one, Overloaded) for one in outcomes) >= 1000 - 20


async def test_batches_that_were_not_full_teach_nothing() -> None:
    async def work(items: list[int]) -> Sequence[int]:
        return items

    admission = Admission()
    batches = Batches(work, most=10, admission=admission)
    await batches.put(1)
    assert admission.limit == LEAST
    await asyncio.gather(*(batches.put(item) for item in range(30)))
    assert admission.limit > LEAST
