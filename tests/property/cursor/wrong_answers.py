"""Wrong variants of what polls read, answer and seal: each leaves one thing out of contract §3.

A docstring says what somebody might have thought; `fault` and `scope` say what the search must find, and where.
Refuses nothing.
"""

from __future__ import annotations

from typing import Any

from tests.property.cursor import promise
from tests.property.cursor.model import Answer, Box, Head, Rules, Scope, View


class Wrong(Rules):
    """The right rules, to be spoilt in one place."""

    fault = promise.LOST
    scope = "before and at now"

    def asks_no_clock(self, since: int, head: Head) -> bool:
        return False


class NoSeal(Wrong):
    """A second that was answered is over by the time the next message comes."""

    name = "no seal"

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        answer = super().decide(head, view, since, scope)
        return answer and answer._replace(seal=False)


class SealWithoutRereading(Wrong):
    """The lock is taken, and the page of before is answered."""

    name = "seal without re-reading"

    def keep(self, view: View, answer: Answer) -> Any:
        return view

    def again(self, locked: Head, view: View, kept: Any, since: int, scope: Scope) -> Answer | None:
        return self.decide(locked, kept, since, scope)


class LockAndPageAtOnce(Wrong):
    """One statement locks and reads: after its wait the row is fresh, the page as old as the statement."""

    name = "lock and page in one statement"
    locks_before_page = False

    def again(self, locked: Head, view: View, kept: Any, since: int, scope: Scope) -> Answer | None:
        return self.decide(locked, kept, since, scope)


class SealedFromFirstPage(Wrong):
    """The second page is answered, but the newest second of the first is sealed."""

    name = "sealed set from the first page"

    def keep(self, view: View, answer: Answer) -> Any:
        return answer.newest

    def seal_to(self, answer: Answer, kept: Any) -> int:
        return int(kept)


class Inclusive(Wrong):
    """`since` itself is shown again, so that nothing of its second is missed."""

    name = "inclusive since"
    fault = promise.REPEATED

    def after(self, since: int) -> int:
        return since - 1


class CutInsideSecond(Wrong):
    """A page ends after so many messages, wherever that is."""

    name = "page cut inside a second"
    scope = "pages of 2 among 4"

    def cut(self, view: View, scope: Scope) -> View:
        return view[: scope.page_holds]

    def more(self, shown: View, page: View, head: Head, scope: Scope) -> bool:
        return len(shown) > len(page)


class EmptyReturnsNow(Wrong):
    """There is nothing, so the client may go on from now."""

    name = "empty answer returning now"

    def empty(self, head: Head, since: int) -> int:
        return head.now

    def empty_seals(self, newest: int, since: int, head: Head) -> bool:
        return False


class EmptySealsNow(Wrong):
    """The same, sealed, but without regard to a mailbox that is ahead of the clock."""

    name = "empty answer sealing and returning now"
    fault = promise.UNTRUE
    scope = "at and beyond now"

    def empty(self, head: Head, since: int) -> int:
        return since if since < head.last or since <= head.sealed else head.now

    def empty_seals(self, newest: int, since: int, head: Head) -> bool:
        return newest > head.sealed and newest != since


class EmptyJumpsToLast(Wrong):
    """A view without messages goes on from `last`: what is there is nothing for it."""

    name = "empty view jumping to last"
    scope = "both views"

    def empty(self, head: Head, since: int) -> int:
        return max(since, head.last)


class SinceAtLastUnsealed(Wrong):
    """An empty answer to a client that stands at the newest second writes nothing."""

    name = "since == last left unsealed"

    def empty(self, head: Head, since: int) -> int:
        return since if since == head.last else super().empty(head, since)

    def empty_seals(self, newest: int, since: int, head: Head) -> bool:
        return since != head.last and super().empty_seals(newest, since, head)


class SettleWindow(Wrong):
    """No seal: a second is shown once it is over, when surely nothing will be added to it."""

    name = "settle window"
    scope = "a clock that only ticks"

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        settled = tuple(m for m in view if m.timestamp < head.now)
        answer = super().decide(head._replace(held=False), settled, since, scope)
        return answer and answer._replace(
            newest=answer.newest if answer.page else min(since, head.now - 1), seal=False
        )


class RowAfterPage(Wrong):
    """First the page, then the row: what is stored in between makes the page look finished."""

    name = "row read after the page"
    head_first = False


class GroupRereadElsewhere(Wrong):
    """A seal joins a group commit, its page is read on another connection, which sees committed rows only."""

    name = "group seal re-read elsewhere"
    scope = "group commit"

    def read_in_group(self, committed: Box, pending: Box) -> Box:
        return committed


class AnswerBeforeCommit(Wrong):
    """The answer leaves as soon as the row is sealed; a crash takes the seal back."""

    name = "answer before the seal's commit"
    waits_for_commit = False


class GroupAnswerBeforeCommit(Wrong):
    """A poll within a group commit that finds nothing to seal answers at once, with what is not committed."""

    name = "answer before the group's commit"
    scope = "group commit"
    group_waits_for_commit = False


class MoreFromFullPage(Wrong):
    """A full page means that there is more."""

    name = "hasMoreMessages from a full page"
    fault = promise.UNTRUE

    def more(self, shown: View, page: View, head: Head, scope: Scope) -> bool:
        return len(page) >= scope.page_holds


class MoreThanTheRowKnew(Wrong):
    """Whatever lies behind the page counts, also what was stored after the row was read, and is held by now."""

    name = "hasMoreMessages counting what is newer than the row read"
    fault = promise.UNTRUE
    scope = "hasMoreMessages at every moment"

    def more(self, shown: View, page: View, head: Head, scope: Scope) -> bool:
        return shown[-1].timestamp > page[-1].timestamp


class HeldCounted(Wrong):
    """hasMoreMessages tells of a second that may not be shown yet: clients call again and again."""

    name = "held second counted in hasMoreMessages"
    fault = promise.ENDLESS
    scope = "holds"

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        answer = super().decide(head, view, since, scope)
        return answer and answer._replace(more=bool(view) and view[-1].timestamp > answer.newest)


class HoldReturnsLast(Wrong):
    """During a hold an empty answer returns `last`, unsealed."""

    name = "hold returning last"
    scope = "holds"

    def empty(self, head: Head, since: int) -> int:
        return max(head.last, head.sealed) if head.held else super().empty(head, since)

    def empty_seals(self, newest: int, since: int, head: Head) -> bool:
        return not head.held and super().empty_seals(newest, since, head)


class HeldShownUnsealed(Wrong):
    """During a hold the newest second is shown all the same, only not sealed."""

    name = "held second shown unsealed"
    scope = "holds"

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        answer = super().decide(head._replace(held=False), view, since, scope)
        return answer and answer._replace(seal=answer.seal and not head.held)


class SealedIsHeldToo(Wrong):
    """During a hold every poll ends before `last`, though that may be sealed and is free to be shown."""

    name = "hold hiding what is sealed"
    fault = promise.UNTRUE
    scope = "holds"

    def held_from(self, head: Head) -> int:
        return head.last


class SecondLookWithoutHold(Wrong):
    """Under the lock nobody asks again whether another poll has just sealed."""

    name = "second look without the hold"
    fault = promise.HURRIED
    scope = "holds"

    def again(self, locked: Head, view: View, kept: Any, since: int, scope: Scope) -> Answer | None:
        return self.decide(locked._replace(held=False), view, since, scope)
