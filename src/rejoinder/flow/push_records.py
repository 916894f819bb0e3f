"""Pushes' two transactions: taking what is due under a lease, and recording what became of it.

Refuses to let a handset's second push go before its first is done or parked. State before speaking: what is handed
out is committed with its next due time, so that a process that dies repeats it and loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.ports import Push, TargetState, Tx
from rejoinder.flow.push_content import Parcel, parcel
from rejoinder.flow.push_plan import after, next_try
from rejoinder.flow.push_settings import PushSetting, read
from rejoinder.flow.push_texts import shown_texts

# A try takes 20 seconds at most (web 10, mail 20); then its result has to be stored.
LEASE_US = 60 * MICROSECONDS
# Pushes of one target that are under way at once.
MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be taken: in all, of targets that failed last, of each target that has something under way.

    `earned`: how many at once a target has earned; one where it is not named.
    """

    free: int
    failing: int
    of: Mapping[str, int]
    earned: Mapping[str, int]


@dataclass(slots=True)
class Taken:
    """What was taken: pushes with what they say (None: nothing is set for their target any more).

    `probed`: targets whose last try failed.
    """

    pushes: list[tuple[Push, Parcel | None]] = field(default_factory=list)
    probed: set[str] = field(default_factory=set)
    next_due: int | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a try. `word`: why not, without names or texts. `trouble`: the server is to blame, not the push."""

    ok: bool
    word: str = ""
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A push as it was taken, what became of it, and a number in [0, 1) that spreads retries."""

    push: Push
    brought: Brought
    chance: float


async def take(tx: Tx, room: Room, now: int) -> Taken:
    """Takes what is due, a bounded number, fairly over targets; each is due again when the lease ends."""
    taken = Taken()
    rooms = await _rooms(tx, room, now, taken)
    pushes = await tx.pushes.claim(rooms, now, now + LEASE_US)
    taken.next_due = await tx.pushes.next_due()
    settings = await tx.pushes.settings({p.queued.target for p in pushes if not p.queued.address})
    texts = await shown_texts(tx, [push.queued for push in pushes])
    for push in pushes:
        address = _address(push, settings)
        shown = texts.get(push.queued.entry_id)
        taken.pushes.append((push, None if address is None else parcel(push, address, shown)))
    return taken


async def _rooms(tx: Tx, room: Room, now: int, taken: Taken) -> list[tuple[str, int]]:
    """Which targets may go on, and with how many pushes: one where nothing is known, more where it goes well."""
    rooms, free = [], room.free
    # Full targets stay due: they must not hide those behind them.
    full = sum(1 for left in room.of.values() if left <= 0)
    for failing, most in ((False, free), (True, min(room.failing, free))):
        if most <= 0:
            continue
        for target in await tx.pushes.due(now, most + full, failing):
            of = room.of[target] if target in room.of else room.earned.get(target, 1)
            left = min(1 if failing else MOST_AT_ONCE, of, free)
            if left > 0:
                rooms.append((target, left))
                free -= left
                if failing:
                    taken.probed.add(target)
    return rooms


def _address(push: Push, settings: Mapping[str, str]) -> PushSetting | None:
    if push.queued.address:
        return PushSetting(push.queued.address)
    return read(settings.get(push.queued.target, ""))


@dataclass(slots=True)
class Recorded:
    """What a batch of results came to; `opened`: the words of failures that opened a breaker."""

    delivered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    parked: int = 0
    opened: list[tuple[int, str]] = field(default_factory=list)


async def record(tx: Tx, results: Sequence[Result], now: int, sure: bool = True) -> Recorded:
    """Stores what became of tries: done, again later, or parked, and how it goes with their targets.

    While the clock is not believed (`sure`), none is too old.
    """
    states = {state.target: state for state in await tx.pushes.lock({r.push.queued.target for r in results})}
    recorded = Recorded()
    done, again, parked = [], [], []
    for result in results:
        push, brought = result.push, result.brought
        if push.queued.target in states:
            _judge(states, result, now, recorded)
        if brought.ok:
            done.append(push.id)
            recorded.delivered.append(push.queued.channel)
            continue
        recorded.failed.append(push.queued.channel)
        due = next_try(now, push.attempts, push.queued.queued_at, result.chance, sure)
        if due is None:
            parked.append((push.id, push.attempts, brought.word))
        else:
            again.append((push.id, push.attempts, due, brought.word))
    await tx.pushes.set_targets([states[target] for target in sorted(states)])
    await tx.pushes.done(done)
    await tx.pushes.retry(again)
    recorded.parked = await tx.pushes.park(parked, now)
    await tx.pushes.settle(states)
    return recorded


def _judge(states: dict[str, TargetState], result: Result, now: int, recorded: Recorded) -> None:
    target = result.push.queued.target
    before, brought = states[target], result.brought
    states[target] = after(before, brought.trouble and not brought.ok, now, result.chance)
    if states[target].open_until and not before.open_until:
        recorded.opened.append((result.push.id, brought.word))
