"""The cursor over HTTP (contract §3, §4): seconds, pages, hasMoreMessages, what a poll finds next."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.centre import START
from tests.http.calls import BY_PATH
from tests.http.mailboxes import HANDSET, Filled, fill, listed, pages
from tests.http.site import ALL_MESSAGES, MESSAGES, POOL, SEND, Site, login


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


def test_since_is_exclusive(site: Site) -> None:
    fill(
        site,
        site.user("exclusive@shop"),
        [Filled(second, second + 100, second % 2 == 0) for second in (-30, -20, -10)],
    )
    for since, seen in ((-31, 3), (-30, 2), (-21, 2), (-20, 1), (-11, 1), (-10, 0), (-9, 0), (0, 0)):
        answer = site.get(ALL_MESSAGES, {**login("exclusive@shop"), "since": str(START + since)}).json
        assert len(listed(answer)) == seen, since
        assert answer["newestMessageTimestamp"] == (START - 10 if seen else START + since)


def test_a_since_ahead_of_the_clock_is_answered_with_the_clocks_second(site: Site) -> None:
    site.user("early@shop")
    answer = site.get(ALL_MESSAGES, {**login("early@shop"), "since": str(START + 100)}).json
    assert (answer["newestMessageTimestamp"], answer["hasMoreMessages"]) == (START, False)
    assert site.post(SEND, BY_PATH[SEND].with_(username="early@shop")).code == 10
    answer = site.get(ALL_MESSAGES, {**login("early@shop"), "since": str(START)}).json
    assert len(listed(answer)) == 1


def test_a_message_stored_in_a_second_that_was_answered_comes_with_the_next_poll(site: Site) -> None:
    site.user("sealed@shop")
    since, seen = 0, []
    for _ in range(4):
        sent = site.post(SEND, BY_PATH[SEND].with_(username="sealed@shop")).json["documentId"]
        answer = site.get(ALL_MESSAGES, {**login("sealed@shop"), "since": str(since)}).json
        assert [one["documentId"] for one in answer["outgoingMessages"]] == [sent]
        assert answer["newestMessageTimestamp"] > since
        assert int(sent[:8], 16) == answer["newestMessageTimestamp"]
        since = answer["newestMessageTimestamp"]
        seen.append(since)
    assert seen == [START, START + 1, START + 2, START + 3]


# Sizes of successive seconds (MTs and MOs alternating), and the pages they make.
LAYOUTS = [
    ([], []),
    ([1], [1]),
    ([100], [100]),
    ([101], [101]),
    ([1000], [1000]),
    ([99, 1], [100]),
    ([99, 1, 1], [100, 1]),
    ([99, 50, 1], [149, 1]),
    ([100, 1], [100, 1]),
    ([1, 1000, 100], [1001, 100]),
    ([1] * 100, [100]),
    ([1] * 101, [100, 1]),
    ([1] * 250, [100, 100, 50]),
    ([60, 60, 60, 60], [120, 120]),
    ([40] * 8, [120, 120, 80]),
]


@pytest.mark.parametrize(
    ("sizes", "expected"), LAYOUTS, ids=lambda sizes: f"{len(sizes)}x{max(sizes, default=0)}"
)
def test_a_page_has_100_messages_and_ends_with_its_last_second(
    site: Site, sizes: list[int], expected: list[int]
) -> None:
    username = f"pages-{sum(sizes)}-{len(sizes)}-{max(sizes, default=0)}@shop"
    messages = [
        Filled(-1000 + second, second * 10_000 + number, number % 2 == 1)
        for second, size in enumerate(sizes)
        for number in range(size)
    ]
    stored = fill(site, site.user(username), messages)
    assert_pages(site, username, ALL_MESSAGES, stored, expected)
    received = [one for one in stored if one.incoming]
    seconds = Counter(one.second for one in received)
    assert_pages(site, username, MESSAGES, received, cut(list(seconds.values())))


def test_messages_counts_received_messages_alone(site: Site) -> None:
    messages = [Filled(-2000 + second, second, second % 5 == 0) for second in range(750)]
    stored = fill(site, site.user("fifth@shop"), messages)
    assert_pages(site, "fifth@shop", MESSAGES, [one for one in stored if one.incoming], [100, 50])


def cut(seconds: list[int]) -> list[int]:
    """The pages that seconds of these sizes make (contract §3 rule 4)."""
    found, page = [], 0
    for size in seconds:
        page += size
        if page >= 100:
            found.append(page)
            page = 0
    return found + [page] * (page > 0)


def assert_pages(site: Site, username: str, path: str, stored: list[Filled], expected: list[int]) -> None:
    read = list(pages(site, username, 0, path))
    assert [len(listed(page)) for page in read] == [*expected, 0]
    # hasMoreMessages is true exactly when the next call returns a message.
    assert [page["hasMoreMessages"] for page in read] == [bool(listed(after)) for after in read[1:]] + [False]
    at = 0
    for page in read[:-1]:
        own = stored[at : at + len(listed(page))]
        at += len(own)
        if path == MESSAGES:
            assert page["messages"] == [one.shown for one in own]
        else:
            assert page["incomingMessages"] == [one.shown for one in own if one.incoming]
            assert page["outgoingMessages"] == [one.shown for one in own if not one.incoming]
        assert page["newestMessageTimestamp"] == START + own[-1].second
    assert at == len(stored)


def test_of_a_second_the_ids_give_the_order(site: Site) -> None:
    numbers = [5, 3, 9, 2**63, 1, 2**40]
    fill(site, site.user("order@shop"), [Filled(-10, number) for number in numbers])
    answer = site.get(ALL_MESSAGES, {**login("order@shop"), "since": "0"}).json
    assert [one["text"] for one in answer["outgoingMessages"]] == [
        f"text {number}" for number in sorted(numbers)
    ]


def test_a_second_holds_1000_messages_and_the_next_one_goes_a_second_further(site: Site) -> None:
    fill(site, site.user("thousand@shop"), [Filled(0, number) for number in range(999)])
    ids = [
        site.post(SEND, BY_PATH[SEND].with_(username="thousand@shop")).json["documentId"] for _ in range(2)
    ]
    assert [int(one[:8], 16) for one in ids] == [START, START + 1]
    assert [len(listed(page)) for page in pages(site, "thousand@shop")] == [1000, 1, 0]


def test_a_reply_names_its_message_and_an_mo_that_answers_none_has_null(site: Site) -> None:
    user = site.user("replies@shop")
    site.sql("INSERT INTO number (number, user_id) VALUES ('61400000001', $1)", user.id)
    site.changed()
    handset = "61255500001"
    sent = site.post(SEND, BY_PATH[SEND].with_(username="replies@shop", recipient=handset)).json["documentId"]
    ((sender,),) = site.sql("SELECT sender FROM mt WHERE id = $1", sent)
    site.run(site.centre.reply(1, handset, str(sender), "yes"))
    site.run(site.centre.reply(1, HANDSET, "61400000001", "who?"))
    answer = site.get(ALL_MESSAGES, {**login("replies@shop"), "since": "0"}).json
    found = {
        one["text"]: (one["from"], one["recipient"], one["originDocumentId"])
        for one in answer["incomingMessages"]
    }
    assert found == {"yes": (handset, sender, sent), "who?": (HANDSET, "61400000001", None)}
