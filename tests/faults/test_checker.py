"""The checker of `make faults` finds each breach by its name, and nothing where nothing is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import pytest

from faults.checker import judge
from faults.seen import Seen


def all_is_well() -> Seen:
    """Two messages of two users, one of them answered; each seen once by its user's poller."""
    seen = Seen()
    seen.accepted = {"r1": ("one", "m1"), "r2": ("two", "m2")}
    seen.ids_of_reference["r1"] = {"m1"}
    seen.ids_of_reference["r2"] = {"m2"}
    seen.arrivals["m1"] = [False]
    seen.arrivals["m2"] = [False, True]
    seen.replies = {"reply 1 to m1": "m1"}
    seen.texts = {"o1": ("reply 1 to m1", "m1")}
    seen.polled = [("one", Counter({"m1": 1, "o1": 1})), ("two", Counter({"m2": 1}))]
    return seen


def lose(seen: Seen) -> None:
    del seen.polled[1][1]["m2"]


def store_twice(seen: Seen) -> None:
    seen.ids_of_reference["r1"].add("m9")


def repeat(seen: Seen) -> None:
    seen.polled[0][1]["m1"] = 2


def lose_reply(seen: Seen) -> None:
    del seen.polled[0][1]["o1"]
    seen.texts.clear()


def store_reply_twice(seen: Seen) -> None:
    seen.texts["o2"] = ("reply 1 to m1", "m1")


def link_wrongly(seen: Seen) -> None:
    seen.texts["o1"] = ("reply 1 to m1", "m2")


def forget_to_send(seen: Seen) -> None:
    del seen.arrivals["m1"]


def send_again_unmarked(seen: Seen) -> None:
    seen.arrivals["m1"] = [False, False]


def leave_unfinished(seen: Seen) -> None:
    seen.unfinished.add("m1")


def test_a_message_whose_sender_is_told_that_it_was_given_up_is_not_missing() -> None:
    seen = all_is_well()
    forget_to_send(seen)
    assert not seen.handed_over()
    seen.gave_up.add("m1")
    assert seen.handed_over()
    assert judge(seen).held


def test_a_long_text_costs_its_parts_and_a_refund_counts() -> None:
    seen = all_is_well()
    assert seen.charge() == 2
    seen.parts["r1"] = 2
    assert seen.charge() == 3
    seen.refunded = 1
    assert seen.charge() == 2


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert judge(all_is_well()).held


@pytest.mark.parametrize(
    ("breach", "name"),
    [
        (lose, "lost"),
        (store_twice, "stored_twice"),
        (repeat, "repeated"),
        (lose_reply, "replies_lost"),
        (store_reply_twice, "replies_twice"),
        (link_wrongly, "linked_wrongly"),
        (forget_to_send, "not_handed_over"),
        (send_again_unmarked, "unmarked"),
        (leave_unfinished, "unfinished"),
    ],
)
def test_a_breach_is_found_by_its_name(breach: Callable[[Seen], None], name: str) -> None:
    seen = all_is_well()
    breach(seen)
    found = asdict(judge(seen))
    assert found[name] == 1, found
    assert sum(found.values()) == 1, found
