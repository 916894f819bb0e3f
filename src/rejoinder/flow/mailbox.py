"""A user's boxes: giving out timestamps, and polling with a cursor that never lies (contract §2-§4, §8).

The rules are pure functions at the head; each bears its number in contract §3. docs/cursor.md tells why
each is needed: a version without it was shown to lose or repeat messages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from rejoinder.clock import Clock
from rejoinder.errors import Refused
from rejoinder.flow.ports import (
    EMPTY,
    Head,
    LockedMailbox,
    Mailboxes,
    Page,
    PageQuery,
    Store,
    Tx,
)
from rejoinder.flow.waits import Waits

PAGE = 100
SECOND_HOLDS = 1000
AHEAD_SECONDS = 5
HOLD_SECONDS = 2.0
FUTURE_SECONDS = 86_400


class Placement:
    """Gives out timestamps in one locked box (rule 3)."""

    __slots__ = ("_count", "_last", "_over", "_received", "box_id")

    def __init__(self, row: LockedMailbox) -> None:
        self.box_id = row.box_id
        self._last = row.last
        self._count = row.last_count
        self._received = row.last_received
        self._over = max(row.sealed, row.floor)

    def give(self, now: int, received: bool = False) -> int:
        """The next entry's timestamp: max(now, last, sealed + 1), one more where that second is full.

        `received`: the entry is an MO.
        """
        timestamp = max(now, self._last, self._over + 1)
        if timestamp == self._last and self._count >= SECOND_HOLDS:
            timestamp += 1
        self._count = self._count + 1 if timestamp == self._last else 1
        self._last = timestamp
        if received:
            self._received = timestamp
        return timestamp

    def row(self) -> tuple[int, int, int, int]:
        """(box_id, last, last_count, last_received) to be stored with the entries."""
        return self.box_id, self._last, self._count, self._received


class Answer(msgspec.Struct, frozen=True):
    """What a poll answers. `seal`: the second that must be sealed on disk before this is said."""

    newest: int
    page: Page
    seal: int | None = None


def decide(head: Head, page: Page, since: int, now: int, held: bool) -> Answer:
    """What a poll answers to a page that was read after the head (rules 4 to 7).

    `held`: the newest second may not be sealed right now, and the page was read below it.
    """
    if page is not EMPTY:
        newest = page.newest
        must_seal = newest >= head.last and newest > head.sealed
        return Answer(newest, page, newest if must_seal else None)
    if since < head.last or since <= head.sealed:
        return Answer(since, page)
    if held:
        return Answer(max(head.last - 1, head.sealed), page)
    newest = max(head.last, head.sealed, min(since, now))
    return Answer(newest, page, newest if newest > head.sealed else None)


class Holds:
    """Remembers when newest seconds ahead of the clock were sealed: at most once in 2 s each (rule 7)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sealed_at: OrderedDict[int, float] = OrderedDict()

    def held(self, box_id: int, head: Head, now: int) -> bool:
        """Whether a poll must end before the mailbox's newest second."""
        if head.last <= now + AHEAD_SECONDS or head.sealed >= head.last:
            return False
        sealed_at = self._sealed_at.get(box_id)
        return sealed_at is not None and self._clock.monotonic() - sealed_at < HOLD_SECONDS

    def left(self, box_id: int) -> float | None:
        """Seconds until a second that is held now may be shown; None where nothing can be held."""
        sealed_at = self._sealed_at.get(box_id)
        left = 0.0 if sealed_at is None else sealed_at + HOLD_SECONDS - self._clock.monotonic()
        return left if left > 0 else None

    def note(self, box_id: int, second: int, now: int) -> None:
        """The newest second was sealed; what is older than a hold is forgotten."""
        if second <= now + AHEAD_SECONDS:
            return
        at = self._clock.monotonic()
        self._sealed_at[box_id] = at
        self._sealed_at.move_to_end(box_id)
        while self._sealed_at and at - next(iter(self._sealed_at.values())) >= HOLD_SECONDS:
            self._sealed_at.popitem(last=False)


class Poll(msgspec.Struct, frozen=True):
    """One poll: which box, since when; `received` shows only what handsets sent (contract §4)."""

    box_id: int
    since: int
    received: bool


class MailboxPolls:
    """Answers polls from a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._holds = Holds(clock)
        self.at_once = store.reads_at_once
        self.waits = Waits()
        store.on_stored(self.waits.wake)

    async def poll(self, poll: Poll) -> Answer:
        """Raises Refused for a `since` more than a day beyond everything (rule 6)."""
        answer, now = await self._look(poll)
        if answer.seal is None:
            return answer
        sealed = await self._store.write(_sealing(poll, now, self._holds))
        if sealed.seal is not None:
            self._holds.note(poll.box_id, sealed.seal, now)
        return sealed

    async def wait(self, poll: Poll, seconds: int) -> Answer:
        """The answer as soon as there is something to show, or an empty one after so many seconds (contract §13).

        What it says is what the last of a series of polls would have said, each with the answer of the one before.
        """
        with self.waits.enter(poll.box_id, seconds) as waiter:
            while True:
                waiter.arm()
                # A second that is held when we look shows itself by time alone (rule 7).
                held_for = self._holds.left(poll.box_id)
                answer = await self.poll(poll)
                if held_for is None:
                    # Another poll may have sealed it while we looked.
                    held_for = self._holds.left(poll.box_id)
                if answer.page is not EMPTY or waiter.is_over():
                    return answer
                poll = Poll(poll.box_id, answer.newest, poll.received)
                await waiter.woken(held_for)
                if waiter.is_over():
                    return answer

    def poll_now(self, poll: Poll) -> Answer | None:
        """The same where the store reads at once and nothing has to be sealed; None: it takes a `poll`."""
        head = self._store.read.mailboxes.known(poll.box_id)
        if head is not None and _shows_nothing(head, poll):
            return Answer(poll.since, EMPTY)
        looking = self._look(poll)
        try:
            looking.send(None)
        except StopIteration as end:
            answer: Answer = end.value[0]
            return answer if answer.seal is None else None
        looking.close()
        raise RuntimeError("the store does not read at once")

    async def _look(self, poll: Poll) -> tuple[Answer, int]:
        """Reads only: what is to be answered, perhaps after sealing, and the second it was read in."""
        now = self._clock.wall_s()
        mailboxes = self._store.read.mailboxes
        head = await mailboxes.head(poll.box_id)
        if _shows_nothing(head, poll):
            return Answer(poll.since, EMPTY), now
        if poll.since > max(now, head.last, head.sealed) + FUTURE_SECONDS:
            raise Refused("since lies more than a day in the future", "since")
        held = self._holds.held(poll.box_id, head, now)
        page = await _page(mailboxes, poll, head, held)
        return decide(head, page, poll.since, now, held), now


def _shows_nothing(head: Head, poll: Poll) -> bool:
    """The usual poll: the row alone says that the answer is empty and `since` (rule 6)."""
    if poll.since < (head.last_received if poll.received else head.last):
        return False
    return poll.since < head.last or poll.since <= head.sealed


async def _page(mailboxes: Mailboxes, poll: Poll, head: Head, held: bool) -> Page:
    """The page, unless the row says that there is none: a million MTs cost `messages` nothing (contract §4)."""
    if poll.since >= (head.last_received if poll.received else head.last):
        return EMPTY
    return await mailboxes.page(_query(poll, head, held), PAGE)


def _query(poll: Poll, head: Head, held: bool) -> PageQuery:
    """What a poll may show: nothing newer than the row that was read before the page (rule 5), and below a held
    second (rule 7). Without that ceiling `more` could count a second that is held by the time it is asked for.
    """
    ceiling = head.last if held else max(head.last, head.sealed) + 1
    return PageQuery(poll.box_id, poll.since, ceiling, poll.received)


def _sealing(poll: Poll, now: int, holds: Holds) -> Callable[[Tx], Awaitable[Answer]]:
    """Rule 5: under the lock read row and page again, decide again, seal what is shown, commit, answer."""

    async def seal(tx: Tx) -> Answer:
        (row,) = await tx.mailboxes.lock([poll.box_id])
        head = Head(row.last, row.sealed, row.last_received)
        # Another poll may have sealed the newest second meanwhile: then it is held for this one too.
        held = holds.held(poll.box_id, head, now)
        page = await _page(tx.mailboxes, poll, head, held)
        answer = decide(head, page, poll.since, now, held)
        if answer.seal is not None:
            await tx.mailboxes.seal(poll.box_id, answer.seal)
        return answer

    return seal
