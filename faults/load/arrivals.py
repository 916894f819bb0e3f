"""Arrivals by a clock (open loop): each has a moment, drawn before, and is sent then, whatever became of those before it.

How late they are sent is counted: a generator that can't keep its own schedule measures itself, and its run does not
count (`kept`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from faults.load.tally import Tally

# Later than this at the 99th percentile is no schedule.
LATE_MS = 25
_TICK = 0.001


@dataclass(frozen=True, slots=True)
class Course:
    """So many arrivals a second, at random moments (a Poisson process), for so many seconds; `say(1)` each second."""

    per_second: float
    seconds: float
    draw: random.Random
    say: Callable[[int], None] = lambda _: None


async def arrive(course: Course, send: Callable[[float, Tally], None], tally: Tally) -> int:
    """Calls `send(due, tally)` when it is due; how often.

    A send that raises LookupError has no connection left: it is counted as unsent.
    """
    draw, per_second = course.draw, course.per_second
    begun = time.monotonic()
    due, end = begun + draw.expovariate(per_second), begun + course.seconds
    count = said = 0
    while due < end:
        now = time.monotonic()
        if now - begun >= said + 1:
            said += 1
            course.say(1)
        while due <= now and due < end:
            count += 1
            tally.late.add(now - due)
            try:
                send(due, tally)
            except LookupError:
                tally.unsent += 1
            due += draw.expovariate(per_second)
        await asyncio.sleep(min(_TICK, max(0.0, due - now)))
    course.say(max(0, round(course.seconds) - said))
    return count


def kept(tally: Tally) -> bool:
    """Whether it was open-loop: everything was sent, and sent when it was due."""
    return tally.unsent == 0 and tally.late.quantile_ms(0.99) <= LATE_MS
