"""How often what sessions refuse comes again, and how it ends; on both stores."""

from __future__ import annotations

from collections.abc import Callable

from rejoinder.flow.pulled_pushes import Pulled, PulledPushes
from tests.centre import Centre
from tests.contract.test_push_queue import push

HOUR = 3600


async def tries(centre: Centre, refuse: Callable[[PulledPushes, Pulled], None], seconds: int) -> list[float]:
    """After how many seconds it came, each time."""
    pulls = PulledPushes(centre.store, centre.clock, centre.guard, 1)
    began = centre.clock.monotonic()
    found = []
    while centre.clock.monotonic() < began + seconds:
        while await pulls.turn(10):
            pass
        while pulled := pulls.next():
            found.append(centre.clock.monotonic() - began)
            refuse(pulls, pulled)
        centre.clock.pass_seconds(5)
    return found


async def test_what_is_refused_for_a_day_is_parked_and_the_next_of_its_handset_comes(centre: Centre) -> None:
    now = centre.clock.wall_us()
    poison, after = push(queued_at=now), push(queued_at=now, message_id="after")
    await centre.store.write(lambda tx: tx.pushes.queue([poison, after]))
    came: list[str] = []

    def judge(pulls: PulledPushes, pulled: Pulled) -> None:
        came.append(pulled.push.queued.message_id)
        if came[-1] == "after":
            pulls.done(pulled)
        else:
            pulls.refused(pulled, "ESME_RINVMSGID")

    at = await tries(centre, judge, 26 * HOUR)
    assert came == [poison.message_id] * (len(came) - 1) + ["after"]
    assert 25 <= len(came) <= 35
    assert 24 * HOUR <= at[-1] < 24 * HOUR + 60
    (parked,) = await centre.store.read.pushes.listed(0, 9, True)
    assert (parked.queued.message_id, parked.last_error) == (poison.message_id, "ESME_RINVMSGID")


async def test_what_is_refused_for_now_comes_again_for_as_long_as_it_takes(centre: Centre) -> None:
    await centre.store.write(lambda tx: tx.pushes.queue([push(queued_at=centre.clock.wall_us())]))
    at = await tries(centre, lambda pulls, pulled: pulls.put_off(pulled, "ESME_RMSGQFUL"), 30 * HOUR)
    assert at[:6] == [0, 5, 10, 25, 85, 385]
    assert at[-1] > 30 * HOUR - 301
    assert await centre.store.read.pushes.listed(0, 9, True) == []


async def test_while_the_clock_is_not_believed_what_is_refused_is_not_parked(centre: Centre) -> None:
    await centre.store.write(lambda tx: tx.pushes.queue([push(queued_at=centre.clock.wall_us())]))

    def refuse(pulls: PulledPushes, pulled: Pulled) -> None:
        pulls.refused(pulled, "ESME_RINVMSGID")

    await tries(centre, refuse, 5 * 60)
    centre.clock.step_wall(25 * HOUR)
    await tries(centre, refuse, 9 * 60)
    assert await centre.store.read.pushes.listed(0, 9, True) == []
    # The negative control: the step has held for ten minutes, and is believed.
    await tries(centre, refuse, 90 * 60)
    (parked,) = await centre.store.read.pushes.listed(0, 9, True)
    assert parked.last_error == "ESME_RINVMSGID"
