"""Reply matching as pure rules: which number a message goes out from, and whom an MO belongs to (contract §11)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rejoinder.flow.ports import NO_MO_PUSH, Match, MoPush, NumberOwner


@dataclass(frozen=True, slots=True)
class Choice:
    """A pool number, and when it last wrote to this handset (microseconds; None: never)."""

    number: str
    used_at: int | None


def choose(pool: Sequence[str], handset: str, used: Mapping[str, int]) -> Choice:
    """The pool number unused longest for this handset: never used first, then the oldest use.

    Never-used numbers are taken from a place that depends on the handset, so that the pool's load
    spreads. `pool` is not empty.
    """
    if any(number not in used for number in pool):
        start = zlib.crc32(handset.encode()) % len(pool)
        for step in range(len(pool)):
            number = pool[(start + step) % len(pool)]
            if number not in used:
                return Choice(number, None)
    oldest = min(pool, key=lambda number: used[number])
    return Choice(oldest, used[oldest])


@dataclass(frozen=True, slots=True)
class Belongs:
    """Where an MO goes: a user's mailbox, and the MT it answers (None: no message of ours); or why nowhere.

    `customer_id` is the user's; `push`: the MO push settings that count.
    """

    user_id: int | None
    match: Match | None = None
    reason: str = ""
    customer_id: int | None = None
    push: MoPush = NO_MO_PUSH


def belongs(match: Match | None, owner: NumberOwner | None) -> Belongs:
    """Whom an MO on a pair belongs to, from the pair's latest message and the number's owner.

    A pair outlives its number's removal, but not its being given to somebody else: then the reply
    would show one tenant's handset to another.
    """
    if match is not None and _still_ours(match, owner):
        number = owner is not None and owner.push.number
        push = replace(match.push, number=number)
        return Belongs(match.user_id, match, "", match.customer_id, push)
    if owner is None:
        return Belongs(None, reason="unknown number")
    if owner.user_id is not None:
        return Belongs(owner.user_id, None, "", owner.taker_customer_id, owner.push)
    if owner.customer_id is None:
        return Belongs(None, reason="pool number without a matching message")
    if owner.inbox_user_id is None:
        return Belongs(None, reason="the number's customer has no active user")
    return Belongs(owner.inbox_user_id, None, "", owner.taker_customer_id, owner.push)


def _still_ours(match: Match, owner: NumberOwner | None) -> bool:
    if owner is None or (owner.user_id is None and owner.customer_id is None):
        return True
    if owner.user_id is not None:
        return owner.user_id == match.user_id
    return owner.customer_id == match.customer_id
