"""Whom a carrier throttles: the lane slows down for what is meant for all, and one message's full queue is its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.outcomes import Answered
from rejoinder.flow.ports import Claim
from rejoinder.flow.rates import Pace
from rejoinder.flow.throttles import MOST_HELD, Throttles
from rejoinder.message.model import Fate, Outcome, QueueRow

START = 1_700_000_000_000_000
Judge = Callable[[str], Fate]


def answered(mt_id: str, *fates: Fate, due_at: int = START) -> Answered:
    valid_until = START + 3_600 * MICROSECONDS
    row = QueueRow(mt_id, 1, 1, "61455555555", "61400000000", "hi", "gsm", 1, due_at, valid_until)
    outcomes = [Outcome(number, fate) for number, fate in enumerate(fates, 1)]
    return Answered(Claim(row, 1, START, False), outcomes, 0.5)


class Lane:
    """A lane in small: the queue by due times, claims, and the answers all at once."""

    def __init__(self, window: int, *queue: str) -> None:
        self.pace = Pace(window)
        self.throttles = Throttles(self.pace)
        self.queue = dict.fromkeys(queue, START)
        self.now = 0.0
        self.taken: list[str] = []
        self.by_themselves: list[str] = []

    def turn(self, judge: Judge) -> None:
        """One claim, after the pause before it."""
        self.now += self.pace.wait(self.now) or 0.001
        self.throttles.claims()
        due = sorted(self.queue, key=lambda mt_id: (self.queue[mt_id], mt_id))
        for mt_id in due[: self.pace.room(self.now)]:
            self._meet(answered(mt_id, judge(mt_id), due_at=self.queue[mt_id]))

    def _meet(self, answer: Answered) -> None:
        wall = START + int(self.now * MICROSECONDS)
        judged = self.throttles.judged(answer, self.now, wall)
        mt_id, (outcome,) = answer.claim.row.id, judged.outcomes
        if outcome.fate is Fate.THROTTLED:
            self.queue[mt_id] = judged.claim.row.due_at
            return
        del self.queue[mt_id]
        (self.taken if outcome.fate is Fate.ACCEPTED else self.by_themselves).append(mt_id)


def names(count: int) -> list[str]:
    return [f"{number:04d}" for number in range(count)]


class Allowance:
    """A carrier that takes so many a second, whosesoever they are."""

    def __init__(self, lane: Lane, per_second: float) -> None:
        self._lane = lane
        self._per_second = per_second
        self._tokens, self._at = 1.0, 0.0

    def __call__(self, _: str) -> Fate:
        now = self._lane.now
        most = max(1.0, self._per_second / 10)
        self._tokens, self._at = min(most, self._tokens + (now - self._at) * self._per_second), now
        if self._tokens < 1:
            return Fate.THROTTLED
        self._tokens -= 1
        return Fate.ACCEPTED


@pytest.mark.parametrize("window", [1, 2, 10, 100])
@pytest.mark.parametrize("per_second", [1.0, 2.0, 5.0, 20.0, 100.0, 1_000.0])
def test_a_carrier_that_throttles_everybody_gets_all_in_their_order_and_none_counts_as_tried(
    window: int, per_second: float
) -> None:
    queue = names(200)
    lane = Lane(window, *queue)
    allowance = Allowance(lane, per_second)
    while lane.queue:
        lane.turn(allowance)
    assert lane.by_themselves == []
    assert lane.taken == queue


@pytest.mark.parametrize("full", [1, 2, 4])
def test_messages_that_the_carrier_throttles_alone_wait_by_themselves_and_the_others_go(full: int) -> None:
    queue = names(100)
    lane = Lane(10, *queue)
    alone = set(queue[:full])
    while lane.queue:
        lane.turn(lambda mt_id: Fate.THROTTLED if mt_id in alone else Fate.ACCEPTED)
    assert lane.by_themselves == queue[:full]
    assert lane.taken == queue[full:]
    assert lane.now < 3


@pytest.mark.parametrize("full", [1, 2])
def test_where_one_is_under_way_at_a_time_a_message_that_is_never_taken_gives_way_to_those_behind_it(
    full: int,
) -> None:
    queue = names(50)
    lane = Lane(1, *queue)
    alone = set(queue[:full])
    while lane.queue:
        lane.turn(lambda mt_id: Fate.THROTTLED if mt_id in alone else Fate.ACCEPTED)
    assert lane.taken == queue[full:]
    assert lane.by_themselves == queue[:full]
    assert lane.now < 20


def test_one_that_waits_by_itself_does_so_again_at_once_until_it_is_taken() -> None:
    lane = Lane(10, *names(20))
    for _ in range(4):
        lane.turn(lambda mt_id: Fate.THROTTLED if mt_id == "0000" else Fate.ACCEPTED)
        lane.queue.update(dict.fromkeys(names(40)[20:], START))
    assert lane.by_themselves == ["0000"]
    for again in range(2, 4):
        lane.queue = {"0000": START}
        lane.turn(lambda _: Fate.THROTTLED)
        assert lane.by_themselves == ["0000"] * again
        assert lane.pace.wait(lane.now) == 0
    lane.queue = {"0000": START}
    lane.turn(lambda _: Fate.ACCEPTED)
    lane.queue = {"0000": START}
    lane.turn(lambda _: Fate.THROTTLED)
    assert lane.pace.wait(lane.now) > 0


def test_a_carrier_that_takes_nothing_is_asked_every_eight_seconds_and_none_counts_as_tried() -> None:
    queue = names(20)
    lane = Lane(10, *queue)
    for _ in range(40):
        lane.turn(lambda _: Fate.THROTTLED)
    assert lane.pace.wait(lane.now) == Pace.PAUSE_LIMIT
    assert lane.now > 200
    assert sorted(lane.queue) == queue
    while lane.queue:
        lane.turn(lambda _: Fate.ACCEPTED)
    assert sorted(lane.taken) == queue


def test_a_message_of_which_a_part_is_taken_is_throttled_like_all() -> None:
    pace = Pace(10)
    throttles = Throttles(pace)
    for turn in range(10):
        throttles.claims()
        judged = throttles.judged(answered("long", Fate.ACCEPTED, Fate.THROTTLED), turn * 10.0, START)
        assert [outcome.fate for outcome in judged.outcomes] == [Fate.ACCEPTED, Fate.THROTTLED]
        assert pace.wait(turn * 10.0) > 0
        throttles.judged(answered("other", Fate.ACCEPTED), turn * 10.0, START)


def test_a_long_message_whose_parts_are_taken_one_by_one_stalls_nothing() -> None:
    lane = Lane(1, "0000")
    for _ in range(20):
        lane.throttles.claims()
        judged = lane.throttles.judged(answered("long", Fate.ACCEPTED, Fate.THROTTLED), lane.now, START)
        assert judged.claim.row.due_at == START
        lane.now += lane.pace.wait(lane.now)
    assert lane.now == 20 * Pace.PAUSE_SECONDS


def test_no_message_is_put_off_beyond_its_validity() -> None:
    lane = Lane(1, "0000")
    for _ in range(20):
        lane.turn(lambda _: Fate.THROTTLED)
    late = answered("0000", Fate.THROTTLED)
    ends = replace(late.claim.row, valid_until=START + 1)
    late = replace(late, claim=replace(late.claim, row=ends))
    lane.now += Pace.PAUSE_LIMIT
    assert lane.throttles.judged(late, lane.now, START).claim.row.due_at == START + 1


def test_throttled_messages_that_are_never_heard_of_again_cost_a_bounded_memory() -> None:
    throttles = Throttles(Pace(10))
    for number in range(MOST_HELD + 10):
        throttles.judged(answered(str(number), Fate.THROTTLED), 0.0, START)
        throttles.claims()
    assert len(throttles._held) == MOST_HELD
