"""sendMultiple over HTTP (contract §13): one answer for each recipient, each judged by itself, one transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.centre import HANDSET, START
from tests.http.calls import BY_PATH, is_error
from tests.http.sends import NO_ROUTE, USED, balance, furnish, rows, shown
from tests.http.site import FORM, SEND, SEND_MULTIPLE, WRONG_PASSWORD, Reply, Site, encoded

GOOD = {name: value for name, value in BY_PATH[SEND].good.items() if name != "recipient"}
SECOND = "61255588886"


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


def multiple(site: Site, *recipients: str | bytes, **changed: str | None) -> Reply:
    params = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    body = b"&".join([encoded(params), *(encoded({"recipient": one}) for one in recipients)])
    return site.request("POST", SEND_MULTIPLE, b"", body, {"Content-Type": FORM})


def answers(reply: Reply) -> list[dict[str, Any]]:
    assert reply.http_status == 200
    assert list(reply.json) == ["messages", "status"]
    assert reply.json["status"] == 0
    return reply.json["messages"]  # type: ignore[no-any-return]


def codes(reply: Reply) -> list[tuple[str, int]]:
    return [(one["recipient"], one["messageStatus"]) for one in answers(reply)]


@pytest.mark.parametrize(
    "recipients", [(f"{HANDSET},{SECOND}",), (HANDSET, SECOND), (f"{HANDSET},", f",{SECOND},,{HANDSET}")]
)
def test_recipients_by_comma_or_repeated_get_a_message_each_once(
    site: Site, recipients: tuple[str, ...]
) -> None:
    before = balance(site)
    found = answers(multiple(site, *recipients))
    assert [list(one) for one in found] == [["documentId", "recipient", "messageStatus"]] * 2
    assert [(one["recipient"], one["messageStatus"]) for one in found] == [(HANDSET, 10), (SECOND, 10)]
    for one in found:
        assert shown(site, one["documentId"])["recipient"] == one["recipient"]
    assert balance(site) == before - 2


def test_recipients_are_taken_from_query_and_body_together(site: Site) -> None:
    query = encoded({"recipient": HANDSET})
    body = encoded({**GOOD, "recipient": SECOND})
    reply = site.request("POST", SEND_MULTIPLE, query, body, {"Content-Type": FORM})
    assert codes(reply) == [(HANDSET, 10), (SECOND, 10)]


def test_one_number_in_two_spellings_is_one_recipient(site: Site) -> None:
    assert codes(multiple(site, f"+{HANDSET}", HANDSET)) == [(HANDSET, 10)]


def test_each_recipient_is_judged_by_itself(site: Site) -> None:
    before = balance(site)
    found = answers(multiple(site, HANDSET, "12", b"%ff", "6125 5588885", NO_ROUTE, SECOND))
    assert [(one["recipient"], one["messageStatus"]) for one in found] == [
        (HANDSET, 10), ("12", -104), ("\ufffd", -104), ("6125 5588885", -104), (NO_ROUTE, 12), (SECOND, 10),
    ]  # fmt: skip
    assert all(is_error(one, "messageStatus") == (one["messageStatus"] != 10) for one in found)
    assert balance(site) == before - 2


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (-106, {"text": ""}),
        (-107, {"text": "x" * 1531}),
        (-105, {"sender": "A"}),
        (-109, {"rotation": "random"}),
        (-110, {"encoding": "utf-8"}),
        (-110, {"validity": "1"}),
        (-240, {"replyTo": "ftp://shop.example"}),
        (-111, {"scheduleAt": "1"}),
        (-112, {"scheduleAt": "9999999999"}),
        (13, {"sender": "NOTMINE"}),
        (-210, {"username": "poor@poor"}),
    ],
)
def test_a_fault_of_the_whole_call_is_answered_for_each_valid_recipient_and_stores_nothing(
    site: Site, code: int, changed: dict[str, str]
) -> None:
    before = rows(site)
    reply = multiple(site, HANDSET, "12", SECOND, **changed)
    assert codes(reply) == [(HANDSET, code), ("12", -104), (SECOND, code)]
    assert all(is_error(one, "messageStatus") for one in answers(reply))
    assert rows(site) == before


@pytest.mark.parametrize(
    ("code", "recipients", "changed"),
    [
        (-101, (HANDSET,), {"username": None}),
        (-102, (HANDSET,), {"password": ""}),
        (-200, (HANDSET,), {"password": WRONG_PASSWORD}),
        (-201, (HANDSET,), {"username": "disabled@shop"}),
        (-202, (HANDSET,), {"username": "blocked@shop"}),
        (-203, (HANDSET,), {"username": "expired@shop"}),
        (-104, (), {}),
        (-104, ("",), {}),
        (-104, (",,",), {}),
        (-104, tuple(str(61_200_000_000 + n) for n in range(1001)), {}),
    ],
)
def test_what_cannot_be_answered_by_recipient_is_one_error_and_stores_nothing(
    site: Site, code: int, recipients: tuple[str, ...], changed: dict[str, str | None]
) -> None:
    before = rows(site)
    reply = multiple(site, *recipients, **changed)
    assert (reply.http_status, reply.code) == (200, code)
    assert list(reply.json) == ["messageStatus", "error"]
    assert rows(site) == before


def test_a_thousand_recipients_are_taken_though_a_call_may_have_100_parameters(site: Site) -> None:
    before = balance(site)
    numbers = [str(61_200_000_000 + n) for n in range(1000)]
    assert codes(multiple(site, *numbers)) == [(number, 10) for number in numbers]
    assert balance(site) == before - 1000
    assert codes(multiple(site, ",".join(numbers[:100]), HANDSET)) == [
        (number, 10) for number in [*numbers[:100], HANDSET]
    ]
    reply = multiple(site, HANDSET, **{f"p{n}": "" for n in range(98)})
    assert reply.code == -104


def test_credits_for_some_of_them_are_used_for_the_first(site: Site) -> None:
    site.user("two@two", "two", 2_000)
    numbers = [str(61_300_000_000 + n) for n in range(3)]
    reply = multiple(site, *numbers, username="two@two")
    assert [code for _, code in codes(reply)] == [10, 10, -210]
    assert balance(site, "two@two") == 0


def test_a_repeated_client_ref_answers_each_recipients_first_message_again(site: Site) -> None:
    first = answers(multiple(site, HANDSET, SECOND, clientRef="spring"))
    before = rows(site)
    assert answers(multiple(site, HANDSET, SECOND, clientRef="spring")) == first
    assert rows(site) == before
    more = answers(multiple(site, SECOND, "61255588887", clientRef="spring"))
    assert more[0] == first[1]
    assert more[1]["messageStatus"] == 10
    assert codes(multiple(site, HANDSET, clientRef="spring", text="another")) == [(HANDSET, -120)]
    # The references of single messages are others.
    assert codes(multiple(site, HANDSET, clientRef=USED)) == [(HANDSET, 10)]


def test_get_is_405(site: Site) -> None:
    reply = site.get(SEND_MULTIPLE, {**GOOD, "recipient": HANDSET})
    assert (reply.http_status, reply.headers["allow"]) == (405, "POST")


def test_all_of_a_scheduled_call_wait(site: Site) -> None:
    found = answers(multiple(site, HANDSET, SECOND, scheduleAt=str(START + 60 * 60 * 24)))
    ids = {one["documentId"] for one in found}
    waiting = {row[0] for row in site.sql("SELECT mt_id FROM mt_scheduled")}
    assert ids <= waiting
