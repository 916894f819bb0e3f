"""Pushes that a user's sessions pull (channel smpp): each handset's in order, kept until they are acknowledged.

Holds in memory no more than `MOST` of them; the rest waits on disk, for as long as the user is away. Refuses to
hand out a handset's next push before the one before it is done with.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from rejoinder.clock import Clock
from rejoinder.flow.ports import Push, Store
from rejoinder.flow.push_queue import smpp_target
from rejoinder.flow.push_texts import shown_texts

# What is in memory of one user at most, and what is read at once.
MOST = 400
PAGE = 200
# After the first, second, ... refusal for now: for a while only this handset waits.
_BACK_OFF_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0)


@dataclass(slots=True, eq=False)
class Pulled:
    """One push on its way. `shown`: the mailbox's JSON, None where the text is no longer kept. `parts`: how many
    messages of it are acknowledged already; `refusals`: how often it was refused for now.
    """

    push: Push
    shown: str | None
    parts: int = 0
    refusals: int = 0


@dataclass(slots=True)
class _Memory:
    lines: dict[str, deque[Pulled]] = field(default_factory=dict)
    ready: deque[str] = field(default_factory=deque)
    later: list[tuple[float, str]] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    done: list[int] = field(default_factory=list)


class PulledPushes:
    """One user's. All methods but `load` and `forget_done` work on memory alone."""

    def __init__(self, store: Store, clock: Clock, user_id: int) -> None:
        self._store = store
        self._clock = clock
        self._target = smpp_target(user_id)
        self._memory = _Memory()
        self._read_to = 0

    def __len__(self) -> int:
        return len(self._memory.known)

    async def load(self, again: bool = False) -> bool:
        """Reads on, where there is room; says whether there may be more. `again`: from the beginning, because what
        other transactions stored may have become visible late. Raises StoreUnavailable.
        """
        memory = self._memory
        room = MOST - len(memory.known)
        if room <= 0:
            return False
        after = 0 if again else self._read_to
        # From the beginning what is known already comes first: it must not hide what is behind it.
        most = min(room, PAGE) + (len(memory.known) if again else 0)
        found = await self._store.read.pushes.of_target(self._target, after, most)
        new = [push for push in found if push.id not in memory.known]
        texts = await shown_texts(self._store.read, [push.queued for push in new])
        for push in new:
            self._put(Pulled(push, texts.get(push.queued.entry_id)))
        if found:
            self._read_to = max(self._read_to, found[-1].id)
        return len(found) == most

    def _put(self, pulled: Pulled) -> None:
        memory, handset = self._memory, pulled.push.queued.handset
        memory.known.add(pulled.push.id)
        line = memory.lines.get(handset)
        if line is None:
            memory.lines[handset] = deque((pulled,))
            memory.ready.append(handset)
        else:
            line.append(pulled)

    def next(self) -> Pulled | None:
        """The head of a handset's line, which is then on its way: say `go_on`, `done`, `back` or `refused`."""
        memory, now = self._memory, self._clock.monotonic()
        while memory.later and memory.later[0][0] <= now:
            memory.ready.append(heapq.heappop(memory.later)[1])
        return memory.lines[memory.ready.popleft()][0] if memory.ready else None

    def back(self, pulled: Pulled) -> None:
        """It did not leave, or its connection is gone: it is the next of its handset again."""
        self._memory.ready.appendleft(pulled.push.queued.handset)

    def go_on(self, pulled: Pulled) -> None:
        """One of its several messages is acknowledged."""
        pulled.parts += 1
        self._memory.ready.append(pulled.push.queued.handset)

    def done(self, pulled: Pulled) -> None:
        """It is acknowledged; `forget_done` takes it off the disk."""
        memory, handset = self._memory, pulled.push.queued.handset
        memory.done.append(pulled.push.id)
        line = memory.lines[handset]
        line.popleft()
        if line:
            memory.ready.append(handset)
        else:
            del memory.lines[handset]

    def refused(self, pulled: Pulled) -> None:
        """Refused for now: its handset waits for a while."""
        seconds = _BACK_OFF_SECONDS[min(pulled.refusals, len(_BACK_OFF_SECONDS) - 1)]
        pulled.refusals += 1
        heapq.heappush(self._memory.later, (self._clock.monotonic() + seconds, pulled.push.queued.handset))

    def next_retry(self) -> float | None:
        """When a handset's waiting ends, on the monotonic clock."""
        return self._memory.later[0][0] if self._memory.later else None

    async def forget_done(self) -> None:
        """Takes what is acknowledged off the disk. Raises StoreUnavailable; then it is still to be done."""
        memory = self._memory
        ids = memory.done[:]
        if not ids:
            return
        await self._store.write(lambda tx: tx.pushes.done(ids))
        del memory.done[: len(ids)]
        memory.known.difference_update(ids)
