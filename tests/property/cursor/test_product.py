"""The product's own poll and placement (flow/mailbox.py) stand in the same worlds, and decide as the model does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import combinations_with_replacement, product
from types import SimpleNamespace
from typing import Any

import pytest

from rejoinder.errors import Refused
from rejoinder.flow import mailbox, ports
from tests.property.cursor.model import Answer, Head, Message, Row, Rules, Scope, View
from tests.property.cursor.promise import FAULTS
from tests.property.cursor.scopes import SCOPES
from tests.property.cursor.search import search

USER = 1

Scaling = Callable[[Scope], None]


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """A coroutine that never waits, to its end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("waited for something")


class Reads:
    """A mailbox that stands still: what a poll reads of it."""

    def __init__(self, head: Head, view: View) -> None:
        self._head = head
        self._view = view

    def known(self, box_id: int) -> None:
        return None

    async def head(self, user_id: int) -> ports.Head:
        return ports.Head(self._head.last, self._head.sealed, self._head.last)

    async def lock(self, user_ids: Sequence[int]) -> list[ports.LockedMailbox]:
        return [ports.LockedMailbox(USER, self._head.last, self._head.sealed, 0, 0, -1)]

    async def page(self, query: ports.PageQuery, most: int) -> ports.Page:
        found = [m for m in self._view if query.since < m.timestamp < query.ceiling]
        if not found:
            return ports.EMPTY
        newest = found[:most][-1].timestamp
        shown: Any = tuple(m for m in found if m.timestamp <= newest)
        return ports.Page(newest, b"", shown, len(shown) < len(found))

    async def seal(self, user_id: int, second: int) -> None:
        """The world seals."""


class Moment:
    """A store and a clock for one poll: what its first look meets, and what it meets under the lock."""

    def __init__(self, first: tuple[Head, View], locked: tuple[Head, View]) -> None:
        self._locked = locked
        self._now = locked[0].now
        self.read = SimpleNamespace(mailboxes=Reads(*first))
        self.polls = mailbox.MailboxPolls(self, self)  # type: ignore[arg-type]  # of both it uses only this
        self._holds(first[0])

    reads_at_once = True

    def on_stored(self, listener: object) -> None:
        """Nobody waits."""

    def wall_s(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return 0.0

    def _holds(self, head: Head) -> None:
        if head.held:
            self.polls._holds.note(USER, head.last, head.now)

    async def write(self, work: Any) -> Any:
        self._holds(self._locked[0])
        return await work(SimpleNamespace(mailboxes=Reads(*self._locked)))

    def poll(self, since: int) -> Answer | None:
        try:
            answer: mailbox.Answer = run(self.polls.poll(mailbox.Poll(USER, since, False)))
        except Refused:
            return None
        page: Any = () if answer.page is ports.EMPTY else answer.page.sent
        return Answer(answer.newest, page, answer.page.more, answer.seal is not None)


class Product(Rules):
    """What flow/mailbox.py does, in the model's words."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Answer | None] = {}

    def asks_no_clock(self, since: int, head: Head) -> bool:
        return False  # shown for the model only

    def stamp(self, row: Row, now: int, floor: int, scope: Scope) -> Row:
        placement = mailbox.Placement(
            ports.LockedMailbox(USER, row.last, row.sealed, row.last_count, 0, floor)
        )
        timestamp = placement.give(now)
        _, last, count, _ = placement.row()
        assert timestamp == last
        return Row(last, row.sealed, count)

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        key = (head, view, since)
        if key not in self._known:
            self._known[key] = Moment((head, view), (head, view)).poll(since)
        return self._known[key]

    def again(self, locked: Head, view: View, kept: Any, since: int, scope: Scope) -> Answer | None:
        key = (locked, view, since, "again")
        if key not in self._known:
            # A first look that must seal, whatever it was: an empty page, and `since` is `last`, unsealed.
            first = Head(since, since - 1, locked.now, False)
            self._known[key] = Moment((first, ()), (locked, view)).poll(since)
        return self._known[key]


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> Scaling:
    """The contract's figures as a scope has them."""

    def scale(scope: Scope) -> None:
        monkeypatch.setattr(mailbox, "PAGE", scope.page_holds)
        monkeypatch.setattr(mailbox, "SECOND_HOLDS", scope.second_holds)
        monkeypatch.setattr(mailbox, "AHEAD_SECONDS", scope.ahead)
        monkeypatch.setattr(mailbox, "FUTURE_SECONDS", scope.far)

    return scale


def views(last: int) -> Iterator[View]:
    """Mailboxes of up to 4 messages, none above `last`, at most 3 to a second."""
    for count in range(5):
        for stamps in combinations_with_replacement(range(1, last + 1), count):
            if all(stamps.count(second) <= 3 for second in stamps):
                yield tuple(Message(second, number, True) for number, second in enumerate(stamps))


def test_a_poll_decides_as_the_model_does(scaled: Scaling) -> None:
    scope = Scope("", (), second_holds=3, far=2)
    scaled(scope)
    model, own = Rules(), Product()
    for last in range(4):
        for view, sealed, now, since in product(views(last), range(5), range(4), range(-1, 7)):
            shown = tuple(m for m in view if m.timestamp > since)
            for held in {False, last > now + scope.ahead}:
                head = Head(last, sealed, now, held)
                assert own.decide(head, shown, since, scope) == model.decide(head, shown, since, scope), head


def test_a_timestamp_is_given_as_the_model_gives_it(scaled: Scaling) -> None:
    scope = Scope("", ())
    scaled(scope)
    model, own = Rules(), Product()
    for last, sealed, count, now, floor in product(range(4), range(5), range(1, 3), range(5), range(-1, 5)):
        row = Row(last, sealed, count)
        assert own.stamp(row, now, floor, scope) == model.stamp(row, now, floor, scope), row


@pytest.mark.parametrize(
    "name",
    [
        "before and at now",
        "retention",
        "received only, from beyond now",
        "holds",
        "hasMoreMessages at every moment",
    ],
)
def test_the_product_keeps_the_promise(name: str, scaled: Scaling) -> None:
    scope = SCOPES[name]
    scaled(scope)
    result = search(Product(), scope, FAULTS)
    assert result.fault is None, result
