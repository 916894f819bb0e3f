"""Pushes that a user's sessions pull (channel smpp): what is due is taken under a lease, as every push is.

Holds in memory what is on its way alone: the rest waits on disk, for as long as the user is away. Of a handset only the
first push is ever due, so that none of its next ones can come before it, from whichever server. Refuses to forget what
nobody acknowledged: what a server had taken that died is due again when the lease ends.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rejoinder.clock import MICROSECONDS, Clock, ClockGuard
from rejoinder.flow.ports import Push, Store, Tx
from rejoinder.flow.push_plan import next_try
from rejoinder.flow.push_queue import smpp_target
from rejoinder.flow.push_records import LEASE_US
from rejoinder.flow.push_texts import shown_texts
from rejoinder.observe import PUSHES_PARKED

# What is taken in one transaction at most.
PAGE = 200
# After the first, second, ... try that was refused for now: for a while only this handset waits.
_BACK_OFF_US = tuple(seconds * MICROSECONDS for seconds in (1, 5, 15, 60, 300))
# Where a push comes again as soon as can be.
_AT_ONCE = 0


@dataclass(slots=True, eq=False)
class Pulled:
    """One push on its way. `shown`: the mailbox's JSON, None where the text is no longer kept. `parts`: how many
    messages of it are acknowledged already.
    """

    push: Push
    shown: str | None
    parts: int = 0


@dataclass(frozen=True, slots=True)
class _End:
    """What is to be recorded of one: when it is due again, and why (`word`); None: it is done with, or parked."""

    push: Push
    due: int | None
    word: str = ""
    parked: bool = False


class PulledPushes:
    """One user's. All methods but `turn` work on memory alone."""

    def __init__(self, store: Store, clock: Clock, guard: ClockGuard, user_id: int) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard
        self._target = smpp_target(user_id)
        self._held: dict[int, Pulled] = {}
        self._ready: deque[Pulled] = deque()
        self._ends: list[_End] = []
        self._next_due: int | None = None

    async def turn(self, room: int) -> bool:
        """Records what became of pushes, takes as many as there is room for; says whether there may be more to do.

        Raises StoreUnavailable; then all of it is still to be recorded.
        """
        now = self._clock.wall_us()
        room = max(0, min(room - len(self._ready), PAGE))
        ends, lease = self._ends[:], now + LEASE_US
        self._next_due = None
        late = [one for one in self._held.values() if (one.push.due_at or 0) < now + LEASE_US // 2]
        if not ends and not late and not (room and await self._is_due(now)):
            return False
        told = [*ends, *(_End(one.push, lease, one.push.last_error) for one in late)]
        taken, parked = await self._store.write(lambda tx: _exchange(tx, self._target, told, room, now))
        PUSHES_PARKED.inc(parked)
        del self._ends[: len(ends)]
        for one in late:
            one.push = replace(one.push, due_at=lease)
        for pulled in taken:
            self._put(pulled)
        return bool(ends or taken)

    async def _is_due(self, now: int) -> bool:
        self._next_due = await self._store.read.pushes.next_pulled(self._target)
        return self._next_due is not None and self._next_due <= now

    def _put(self, pulled: Pulled) -> None:
        held = self._held.setdefault(pulled.push.id, pulled)
        if held is pulled:
            self._ready.append(pulled)
        else:
            # Its lease ran out under way, and this is the new one.
            held.push = pulled.push

    def next(self) -> Pulled | None:
        """One that is on its way from here on: say `go_on`, `done`, `back`, `put_off` or `refused`."""
        return self._ready.popleft() if self._ready else None

    def back(self, pulled: Pulled) -> None:
        """It did not leave, or its connection is gone: any other may bring it."""
        self._ready.appendleft(pulled)

    def go_on(self, pulled: Pulled) -> None:
        """One of its several messages is acknowledged."""
        pulled.parts += 1
        self._ready.append(pulled)

    def done(self, pulled: Pulled) -> None:
        """It is acknowledged."""
        self._end(_End(pulled.push, None))

    def put_off(self, pulled: Pulled, word: str) -> None:
        """Refused for now: its handset waits for a while, as often as it takes."""
        push = pulled.push
        pause = _BACK_OFF_US[min(push.attempts, len(_BACK_OFF_US)) - 1]
        self._end(_End(push, self._clock.wall_us() + pause, word))

    def refused(self, pulled: Pulled, word: str) -> None:
        """Refused, but not for good: it comes again as a push to a web server does, and is parked as such a one is."""
        push = pulled.push
        chance = random.random()  # noqa: S311  # spreads retries, guards nothing
        now, sure = self._clock.wall_us(), not self._guard.suspect()
        due = next_try(now, push.attempts, push.queued.queued_at, chance, sure)
        self._end(_End(push, due, word, parked=due is None))

    def _end(self, end: _End) -> None:
        if self._held.pop(end.push.id, None) is not None:
            self._ends.append(end)

    def give_back(self) -> None:
        """Nobody here brings them any more: others may at once, without waiting for the lease's end."""
        for pulled in list(self._held.values()):
            self._end(_End(pulled.push, _AT_ONCE, pulled.push.last_error))
        self._ready.clear()

    def next_try(self) -> float | None:
        """In how many seconds something more is due, as far as is known."""
        if self._next_due is None:
            return None
        return max(0.01, (self._next_due - self._clock.wall_us()) / MICROSECONDS)


async def _exchange(
    tx: Tx, target: str, ends: Sequence[_End], room: int, now: int
) -> tuple[list[Pulled], int]:
    """What became of some is stored, and so many others are taken; their target is locked before. And how many were
    parked.
    """
    await tx.pushes.lock([target])
    await tx.pushes.done([end.push.id for end in ends if end.due is None and not end.parked])
    await tx.pushes.retry(
        [(end.push.id, end.push.attempts, end.due, end.word) for end in ends if end.due is not None]
    )
    parked = await tx.pushes.park(
        [(end.push.id, end.push.attempts, end.word) for end in ends if end.parked], now
    )
    pushes = await tx.pushes.pull(target, room, now, now + LEASE_US) if room else []
    texts = await shown_texts(tx, [push.queued for push in pushes])
    return [Pulled(push, texts.get(push.queued.entry_id)) for push in pushes], parked
