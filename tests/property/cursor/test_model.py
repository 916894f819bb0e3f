"""The rules of contract §3 keep the promise in every state of every small world, and nothing can be left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import pytest

from tests.property.cursor.model import Answer, Head, Message, Row, Rules, Scope, View
from tests.property.cursor.promise import Patience
from tests.property.cursor.scopes import SCOPES
from tests.property.cursor.search import Result, main, search
from tests.property.cursor.state import first_state
from tests.property.cursor.variants import VARIANTS
from tests.property.cursor.world import World


class Observed(Rules):
    """The right rules, noting what they meet: a search that never meets a rule says nothing about it."""

    def __init__(self) -> None:
        self.met: set[str] = set()

    def stamp(self, row: Row, now: int, floor: int, scope: Scope) -> Row:
        after = super().stamp(row, now, floor, scope)
        if after.last == row.last + 1 and row.last >= max(now, row.sealed + 1, floor + 1):
            self.met.add("a second is full")
        if after.last == row.sealed + 1 > max(now, row.last):
            self.met.add("a second is sealed")
        if after.last == row.last > now:
            self.met.add("the clock is behind")
        if after.last == floor + 1:
            self.met.add("the floor is above")
        return after

    def cut(self, view: View, scope: Scope) -> View:
        page = super().cut(view, scope)
        if len(page) > scope.page_holds:
            self.met.add("a page is extended")
        if len(page) < len(view):
            self.met.add("a page is cut")
        return page

    def decide(self, head: Head, view: View, since: int, scope: Scope) -> Answer | None:
        answer = super().decide(head, view, since, scope)
        if answer is None:
            self.met.add("a start too far ahead is refused")
        elif head.held and not answer.page and answer.newest != since:
            self.met.add("a hold turns a client back")
        elif head.held and len(answer.page) < len(view):
            self.met.add("a hold ends a page")
        elif not answer.page:
            self.met.add("an empty answer seals" if answer.seal else "an empty answer does not seal")
        return answer

    def again(self, locked: Head, view: View, kept: object, since: int, scope: Scope) -> Answer | None:
        answer = super().again(locked, view, kept, since, scope)
        self.met.add("the second look seals" if answer and answer.seal else "the second look need not seal")
        return answer


MET = {
    "a second is full",
    "a second is sealed",
    "the clock is behind",
    "the floor is above",
    "a page is extended",
    "a page is cut",
    "a start too far ahead is refused",
    "a hold turns a client back",
    "a hold ends a page",
    "an empty answer seals",
    "an empty answer does not seal",
    "the second look seals",
    "the second look need not seal",
}


@cache
def searched(scope: str) -> tuple[Result, frozenset[str]]:
    rules = Observed()
    result = search(rules, SCOPES[scope])
    return result, frozenset(rules.met)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_rules_keep_the_promise(scope: str) -> None:
    result, _ = searched(scope)
    assert result.fault is None, result


def test_the_search_meets_every_rule() -> None:
    met = frozenset[str]().union(*(searched(scope)[1] for scope in SCOPES))
    assert met == MET


@pytest.mark.parametrize("name", VARIANTS)
def test_a_wrong_variant_is_caught(name: str) -> None:
    variant = VARIANTS[name]
    result = search(variant(), SCOPES[variant.scope], {variant.fault})
    assert result.fault == variant.fault, result
    assert broken_by_following(variant(), SCOPES[variant.scope], result.trace) == variant.fault


def broken_by_following(rules: Rules, scope: Scope, trace: Sequence[object]) -> str | None:
    """What a trace leads to when its steps are taken again, one by one."""
    world, state, fault = World(rules, scope), first_state(scope), None
    for label in trace:
        state, fault = next((after, broken) for told, after, broken in world.steps(state) if told == label)
    return fault or Patience(rules, scope).judge(state)


# The mistakes that anybody may make again.
WANTED = {
    "no seal",
    "seal without re-reading",
    "sealed set from the first page",
    "inclusive since",
    "page cut inside a second",
    "empty answer returning now",
    "settle window",
    "row read after the page",
    "memory ahead of the commit",
    "since == last left unsealed",
    "row recomputed after retention",
    "group seal re-read elsewhere",
}


def test_each_variant_changes_the_rules_and_nothing_else() -> None:
    assert set(VARIANTS) >= WANTED
    for name, variant in VARIANTS.items():
        changed = {own for own in vars(variant) if not own.startswith("__")} - {"name", "fault", "scope"}
        assert changed, name
        assert changed <= set(dir(Rules)), name


def test_a_decision_that_asks_no_clock_is_the_same_at_any_time() -> None:
    """The searches count states that differ in such a clock as one (world.py)."""
    rules, scope = Rules(), Scope("", ())
    views = [(), (Message(1, 0, True),), (Message(2, 0, True), Message(4, 1, True), Message(4, 2, True))]
    for last, sealed, since, view in product(range(4), range(5), range(5), views):
        shown = tuple(m for m in view if m.timestamp > since)
        if rules.asks_no_clock(since, Head(last, sealed, 0, False)):
            answers = {rules.decide(Head(last, sealed, now, False), shown, since, scope) for now in range(6)}
            assert len(answers) == 1


def test_the_search_by_hand_tells_what_it_finds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scope", "two mailboxes", "--depth", "2"]) == 0
    assert "kept" in capsys.readouterr().out
    assert main(["--variant", "no seal", "--steps", "4"]) == 1
    told = capsys.readouterr().out
    assert "a message was lost" in told
    assert "client 1 reads row" in told
    assert main(["--variant", "no seal", "--steps", "3"]) == 0
