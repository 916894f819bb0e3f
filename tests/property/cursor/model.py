"""The rules of contract §3 as a small pure model: what a writer and a poller decide.

A wrong variant overrides a method or a flag of `Rules` (wrong_answers.py, wrong_rows.py); the world that they
must stand in is world.py. Refuses nothing but a `since` that lies too far ahead. Plain Python that shares
nothing with the product, on purpose: a fault in one is not a fault in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Message(NamedTuple):
    """`number`: the how manieth of its mailbox. Ids count up, so it also orders the messages of a second."""

    timestamp: int
    number: int
    incoming: bool


View = tuple[Message, ...]


class Row(NamedTuple):
    """A mailbox row (rule 2), and how many messages bear `last`."""

    last: int
    sealed: int
    last_count: int


class Box(NamedTuple):
    """A mailbox as committed. `made`: messages stored so far; `messages`: those that still matter, in order."""

    row: Row
    made: int
    messages: View


class Head(NamedTuple):
    """What a poll knows before its page. `held`: the mailbox is ahead and its newest second was just sealed."""

    last: int
    sealed: int
    now: int
    held: bool


class Answer(NamedTuple):
    newest: int
    page: View
    more: bool
    seal: bool  # `newest` must be sealed on disk before this is said


# What one transaction stores: (mailbox, whether the message is a received one), in order.
Bundle = tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A client: where it starts, what it sees, which mailbox it polls, which process answers it."""

    since: int
    received_only: bool = False
    box: int = 0
    process: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """How large a world is. The contract's figures are scaled down, so that few messages meet every rule."""

    name: str
    clients: tuple[Start, ...]
    bundles: tuple[Bundle, ...] = (((0, True),),)
    messages: int = 3  # stored in all
    clock: tuple[int, ...] = (1, 2)  # the seconds that there are
    steps_back: bool = True
    any_time: bool = False  # the clock may show any of its seconds whenever it is read
    second_holds: int = 2  # 1,000
    page_holds: int = 2  # 100
    ahead: int = 1  # 5
    far: int = 9  # 86,400
    leap: int = 2  # 60, of rule 8
    group_commit: bool = False  # SQLite: one transaction at a time, which others join; else one per mailbox
    retention: bool = False
    crashes: bool = True
    backups: bool = False
    after_backup: int = 2  # messages stored between a backup and its putting back
    boxes: int = 1
    processes: int = 1
    every_moment: bool = False  # hasMoreMessages is judged also when the mailbox changed during the poll


class Rules:
    """Contract §3. Each method bears the number of its rule."""

    name = "the rules of contract §3"
    head_first = True  # rule 5: the row is read before the page
    locks_before_page = True  # rule 8: lock and page are two statements
    writer_locks_first = True  # rule 3
    waits_for_commit = True  # rule 5: an answer that seals leaves after the seal's commit
    group_waits_for_commit = True  # rule 8: so does any answer that was read within a group commit
    lifts_floor = True  # rule 8
    moves_mailboxes_ahead = True  # rule 8

    def asks_no_clock(self, since: int, head: Head) -> bool:
        """Whether a decision with this head is the same whatever the clock shows."""
        return (since < head.last or since <= head.sealed) and not head.held

    def stamp(self, row: Row, now: int, floor: int, scope: Scope) -> Row:
        """Rule 3: the row after one more message, whose timestamp is the new `last`."""
        timestamp = max(now, row.last, row.sealed + 1, floor + 1)
        if timestamp > row.last:
            return Row(timestamp, row.sealed, 1)
        if row.last_count < scope.second_holds:
            return Row(timestamp, row.sealed, row.last_count + 1)
        return Row(timestamp + 1, row.sealed, 1)

    def lock_order(self, boxes: Sequence[int]) -> Sequence[int]:
        """Rule 3: ascending."""
        return sorted(set(boxes))

    def after(self, since: int) -> int:
        """Rule 1: `since` is exclusive."""
        return since

    def cut(self, view: View, scope: Scope) -> View:
        """Rule 4: the oldest messages, extended to the end of the last one's second."""
        if len(view) <= scope.page_holds:
            return view
        end = view[scope.page_holds - 1].timestamp
        return tuple(m for m in view if m.timestamp <= end)

    def held_from(self, head: Head) -> int:
        """Rule 7: the first second that may not be shown during a hold. What is sealed may always be."""
        return max(head.last, head.sealed + 1)

    def shown(self, view: View, head: Head) -> View:
        """Rule 7: a poll that must not seal ends before what it would have to seal."""
        return tuple(m for m in view if m.timestamp < self.held_from(head)) if head.held else view

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        """Rules 4 to 7: what is answered to a view (all messages after `since`). None: status 2."""
        if since > max(head.now, head.last, head.sealed) + scope.far:
            return None
        shown = self.shown(view, head)
        page = self.cut(shown, scope)
        if not page:
            newest = self.empty(head, since)
            return Answer(newest, (), False, self.empty_seals(newest, since, head))
        newest = page[-1].timestamp
        seals = newest >= head.last and newest > head.sealed
        return Answer(newest, page, self.more(shown, page, head, scope), seals)

    def more(self, shown: View, page: View, head: Head, scope: Scope) -> bool:
        """Rule 4: whether the call with `since` = newestMessageTimestamp would show a message.

        What is newer than the row that was read came after it, and may be held by now: it doesn't count.
        """
        return any(page[-1].timestamp < m.timestamp <= max(head.last, head.sealed) for m in shown)

    def empty(self, head: Head, since: int) -> int:
        """Rules 6 and 7: newestMessageTimestamp of an answer without messages."""
        if since < head.last or since <= head.sealed:
            return since
        if head.held:
            return max(head.last - 1, head.sealed)
        return max(head.last, head.sealed, min(since, head.now))

    def empty_seals(self, newest: int, since: int, head: Head) -> bool:
        """Rule 6: whether an empty answer seals."""
        return since >= head.last and newest >= head.last and newest > head.sealed

    def keep(self, view: View, answer: Answer) -> Any:
        """What is kept of the first page: nothing, row and page are both read again (rule 5)."""
        return None

    def again(self, locked: Head, view: View, kept: Any, since: int, scope: Scope) -> Answer | None:
        """Rule 5: the decision under the lock."""
        return self.decide(locked, view, since, scope)

    def seal_to(self, answer: Answer, kept: Any) -> int:
        """Rule 5: the newest timestamp of the second page."""
        return answer.newest

    def row_to_read(self, committed: Row, pending: Row | None) -> Row:
        """Rule 5: only committed values count. `pending`: what an open transaction has made of the row."""
        return committed

    def read_in_group(self, committed: Box, pending: Box) -> Box:
        """Rule 8: a seal that joins a group commit reads on the connection that holds the lock."""
        return pending

    def after_retention(self, row: Row, left: View) -> Row:
        """Rule 2: retention leaves the row alone."""
        return row


def of_view(messages: View, after: int, received_only: bool) -> View:
    """What a poll may see of a mailbox: the messages with a greater timestamp than `after`."""
    return tuple(m for m in messages if m.timestamp > after and (m.incoming or not received_only))
