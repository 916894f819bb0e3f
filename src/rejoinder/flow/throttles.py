"""Whom a carrier throttles: everybody, and the lane slows down, or one message alone, which then waits by itself. PURE.

ESME_RMSGQFUL may be said of a single handset's queue, in the words that are also said of all. What tells is whether
others are taken meanwhile. Refuses to judge by one answer: an allowance per second may be used up between two messages.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.outcomes import Answered
from rejoinder.flow.rates import Pace
from rejoinder.message.model import Fate

# So often others behind a message have to be taken, and it not: after a pause it is the first to be handed over, and a
# carrier that throttles everybody takes the first.
OVERTAKEN = 3
# How many throttled messages are remembered; a forgotten one is only judged anew.
MOST_HELD = 10_000


@dataclass(slots=True)
class _Held:
    """A message that was throttled and not taken since: how many the lane had taken by then, and when it gave way."""

    taken: int = 0
    overtaken: int = 0
    gave_way: int | None = None


class Throttles:
    """One lane's throttled messages, and its pace."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._taken = 0
        self._held: dict[str, _Held] = {}
        self._fresh: list[_Held] = []

    def claims(self) -> None:
        """The lane claims again; what was handed over before, behind a throttled message, has its answer by now."""
        for held in self._fresh:
            held.overtaken += self._taken > held.taken
        self._fresh.clear()

    def judged(self, answered: Answered, now: float, wall: int) -> Answered:
        """Learns from an answer; gives it back as it is to be recorded."""
        fates = {outcome.fate for outcome in answered.outcomes}
        if Fate.THROTTLED not in fates or Fate.ACCEPTED in fates:
            self._held.pop(answered.claim.row.id, None)
            self._taken += Fate.ACCEPTED in fates
            self._pace.went_well()
        if Fate.THROTTLED not in fates:
            return answered
        held = self._hold(answered.claim.row.id)
        if held.overtaken < OVERTAKEN:
            held.taken = self._taken
            self._fresh.append(held)
            self._pace.throttled(now, narrower=not held.overtaken)
            if not self._pace.stalled():
                return answered
            if held.gave_way is None or held.gave_way == self._taken:
                held.gave_way = self._taken
                return self._behind(answered, now, wall)
        return _by_itself(answered, held)

    def _hold(self, mt_id: str) -> _Held:
        held = self._held.pop(mt_id, None) or _Held()
        if len(self._held) >= MOST_HELD:
            del self._held[next(iter(self._held))]
        self._held[mt_id] = held
        return held

    def _behind(self, answered: Answered, now: float, wall: int) -> Answered:
        """Nothing was taken between several pauses: this may be what is in the way, and gives way to all that wait.

        When it is so again, although others were taken meanwhile, it was.
        """
        row = answered.claim.row
        resumed = wall + int(self._pace.wait(now) * MICROSECONDS)
        moved = replace(row, due_at=min(max(row.due_at, resumed), row.valid_until))
        return replace(answered, claim=replace(answered.claim, row=moved))


def _by_itself(answered: Answered, held: _Held) -> Answered:
    """The carrier takes others and not this one: a passing fault of the message's own, until it is taken."""
    held.overtaken = OVERTAKEN
    return replace(
        answered,
        outcomes=[
            replace(outcome, fate=Fate.LATER) if outcome.fate is Fate.THROTTLED else outcome
            for outcome in answered.outcomes
        ],
    )
