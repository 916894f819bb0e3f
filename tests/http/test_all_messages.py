"""allMessages and messages over HTTP (contract §§2 to 4): parameters, codes, shape, pages."""

from __future__ import annotations

import json

import pytest

from tests.centre import START
from tests.http.calls import BY_PATH, ask, each_method, is_error
from tests.http.mailboxes import Filled, fill, listed
from tests.http.site import ALL_MESSAGES, FINALS, MESSAGES, PASSWORD, POOL, SEND, WRONG_PASSWORD, Site, login

DAY = 86_400
BIG = 2**63
each_view = pytest.mark.parametrize(
    "path", [ALL_MESSAGES, MESSAGES, FINALS], ids=["allMessages", "messages", "finals"]
)


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.user("blocked@shop", blocked=True)
    empty_site.user("disabled@shop", disabled=True)
    empty_site.user("inactive@shop", activated=False)
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


# Each line: what is sent besides a good log-in and since=0 (None: absent), and the answer's status.
PARAMETERS: list[tuple[dict[str, str | None], int]] = [
    ({"username": None}, 1),
    ({"username": ""}, 1),
    ({"password": None}, 1),
    ({"password": ""}, 1),
    ({"since": None}, 1),
    ({"since": ""}, 1),
    ({"username": "an na@shop"}, 2),
    ({"username": " anna@shop"}, 2),
    ({"username": "anna@shop "}, 2),
    ({"username": " "}, 2),
    ({"username": "nobody@shop"}, 200),
    ({"username": "Anna@shop"}, 200),
    ({"username": "anna@shop'--"}, 200),
    ({"username": "x" * 10_000}, 200),
    ({"password": WRONG_PASSWORD}, 3),
    ({"password": PASSWORD.upper()}, 3),
    ({"password": PASSWORD + " "}, 3),
    ({"password": "x" * 10_000}, 3),
    ({"username": "disabled@shop"}, 3),
    ({"username": "inactive@shop"}, 220),
    # The order of checks: 1, 2, 200, 3, 4/220.
    ({"username": None, "since": "x"}, 1),
    ({"username": "an na@shop", "since": None}, 1),
    ({"username": "an na@shop", "password": ""}, 1),
    ({"username": "nobody@shop", "password": None}, 1),
    ({"username": "nobody@shop", "since": "x"}, 2),
    ({"password": WRONG_PASSWORD, "since": "x"}, 2),
    ({"username": "blocked@shop", "since": "x"}, 2),
    ({"username": "nobody@shop", "password": WRONG_PASSWORD}, 200),
    ({"username": "blocked@shop", "password": WRONG_PASSWORD}, 3),
    ({"username": "inactive@shop", "password": WRONG_PASSWORD}, 3),
]


@each_view
@each_method
def test_each_wrong_parameter_has_its_status(site: Site, path: str, method: str) -> None:
    for changed, status in PARAMETERS:
        params = {**login(), "since": "0", **changed}
        reply = ask(site, method, path, {name: value for name, value in params.items() if value is not None})
        assert (reply.http_status, reply.code) == (200, status), changed
        assert list(reply.json) == ["status", "error"]
        assert is_error(reply.json, "status")
        if status in (1, 2):
            assert any(name in reply.json["error"] for name in changed), changed
        elif status == 200:
            assert "username" in reply.json["error"]


@pytest.mark.parametrize(("path", "status"), [(ALL_MESSAGES, 3), (MESSAGES, 4), (FINALS, 4)])
def test_a_blocked_account_is_3_in_all_messages_and_4_in_the_others(
    site: Site, path: str, status: int
) -> None:
    reply = site.get(path, {**login("blocked@shop"), "since": "0"})
    assert (reply.http_status, reply.code) == (200, status)
    assert list(reply.json) == ["status", "error"]


SINCE_TAKEN = [
    "1364545939", "0", "-5", "%2B5", "-0", "007", "-1364545939", "0000000000000000005", f"-{BIG}", f"-{BIG - 1}",
    str(START), str(START + DAY),
]  # fmt: skip
SINCE_REFUSED = [
    "12.5", "1e9", "1_000", "%EF%BC%91%EF%BC%92", "+5", "%205", "5%20", "5+", "%095", "5%0A", "5%0D%0A", "--5", "%2B%2B5",
    "%2B-5", "-%2B5", "-", "%2B", "%20", "x", "0x10", "1%2C000", "%D9%A3", "%E2%88%925", "%C2%B2", "%C2%A05", "5%C2%A0",
    "5.", ".5", "1e", "nan", "inf", "true", "null", "00000000000000000005", "1" * 20, str(BIG), f"-{BIG + 1}",
    f"-{'0' * 19}1",
    str(BIG - 1), str(START + DAY + 1), "9" * 400, "9" * 10_000,
]  # fmt: skip


@each_view
@each_method
def test_since_is_a_signed_64_bit_number_in_ascii_digits(site: Site, path: str, method: str) -> None:
    for since in SINCE_TAKEN:
        reply = ask(site, method, path, {**login(), "since": since.encode()})
        assert (reply.http_status, reply.code) == (200, 0), since


@each_view
@each_method
def test_any_other_since_is_an_invalid_value(site: Site, path: str, method: str) -> None:
    for since in SINCE_REFUSED:
        reply = ask(site, method, path, {**login(), "since": since.encode()})
        assert (reply.http_status, reply.code) == (200, 2), since[:30]
        assert "since" in reply.json["error"], since[:30]


def test_since_may_be_a_day_ahead_of_the_mailbox_too(site: Site) -> None:
    user = site.user("ahead@shop")
    fill(site, user, [Filled(1000, 1)])
    for since, status in ((START + 1000 + DAY, 0), (START + 1001 + DAY, 2)):
        assert site.get(ALL_MESSAGES, {**login("ahead@shop"), "since": str(since)}).code == status


# Shape.


def test_the_contracts_example_is_answered_over_http_field_by_field(fresh_site: Site) -> None:
    site, centre = fresh_site, fresh_site.centre
    site.user("1234321@reseller")
    site.carrier("sim", token="carrier-token")
    site.pool("61500079987")
    centre.clock.step_wall(1366624766 - START)

    def next_id(rest: int, seconds: int) -> None:
        centre.ids.__init__(rest)  # type: ignore[misc]  # the example's ids, the times stand in front of them
        centre.clock.pass_seconds(seconds)

    def send(text: str, recipient: str) -> None:
        params = {**login("1234321@reseller"), "text": text, "recipient": recipient}
        assert site.post(SEND, params).code == 10

    next_id(0xE4B0B1BE3F128EF5, 0)
    send("Reply> ggghhh", "61555879987")
    next_id(0xE4B0D1406C9C5FDB, 3)
    mo = json.dumps({"from": "61555879987", "to": "61500079987", "text": " ggghhh", "id": "1"}).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer carrier-token"}
    assert site.request("POST", "/carriers/sim/inbound", b"", mo, headers).json == {"status": 0}
    next_id(0xE4B0B1BE3F128EF6, 33)
    send("Hello mommy", "61255588885")
    example = """
{"newestMessageTimestamp": 1366624802, "hasMoreMessages": false,
 "incomingMessages": [{"documentId": "51750a01e4b0d1406c9c5fdb", "text": " ggghhh", "timestamp": 1366624769,
   "from": "61555879987", "recipient": "61500079987", "originDocumentId": "517509fee4b0b1be3f128ef5"}],
 "outgoingMessages": [
  {"documentId": "517509fee4b0b1be3f128ef5", "text": "Reply> ggghhh", "timestamp": 1366624766,
   "recipient": "61555879987"},
  {"documentId": "51750a22e4b0b1be3f128ef6", "text": "Hello mommy", "timestamp": 1366624802,
   "recipient": "61255588885"}],
 "status": 0}"""
    for method in ("get", "post"):
        reply = ask(site, method, ALL_MESSAGES, {**login("1234321@reseller"), "since": "1364545939"})
        # As text: fields and lists in the example's order, integers as integers.
        assert json.dumps(reply.json) == json.dumps(json.loads(example))
    received = site.get(MESSAGES, {**login("1234321@reseller"), "since": "1364545939"}).json
    assert received["messages"] == json.loads(example)["incomingMessages"]
    assert received["newestMessageTimestamp"] == 1366624769


def test_an_empty_answer_has_both_lists(site: Site) -> None:
    site.user("empty@shop")
    reply = site.get(ALL_MESSAGES, {**login("empty@shop"), "since": "0"})
    assert json.dumps(reply.json) == json.dumps(
        {
            "newestMessageTimestamp": 0,
            "hasMoreMessages": False,
            "incomingMessages": [],
            "outgoingMessages": [],
            "status": 0,
        }
    )
    received = site.get(MESSAGES, {**login("empty@shop"), "since": "0"}).json
    assert received == {"newestMessageTimestamp": 0, "hasMoreMessages": False, "messages": [], "status": 0}


def test_messages_shows_received_ones_alone_with_all_their_fields(site: Site) -> None:
    user = site.user("received@shop")
    mo, mt = Filled(-10, 1, incoming=True), Filled(-9, 2)
    fill(site, user, [mo, mt])
    answer = site.get(MESSAGES, {**login("received@shop"), "since": "0"}).json
    assert answer == {
        "newestMessageTimestamp": START - 10,
        "hasMoreMessages": False,
        "messages": [mo.shown],
        "status": 0,
    }
    assert set(answer["messages"][0]) == {
        "from",
        "recipient",
        "documentId",
        "originDocumentId",
        "timestamp",
        "text",
    }


TEXTS = [
    " ggghhh",
    "  ",
    "\n\t x \r\n",
    'quote " back \\ slash /',
    "żółć 😀 עברית \u2028\ufeff",
    "</script>\x7f\x1b",
    "+&=%25",
]


def test_a_text_is_shown_exactly_as_it_was_sent(site: Site) -> None:
    site.user("exact@shop")
    for text in TEXTS:
        assert site.post(SEND, BY_PATH[SEND].with_(username="exact@shop", text=text)).code == 10
    answer = site.get(ALL_MESSAGES, {**login("exact@shop"), "since": "0"}).json
    assert [one["text"] for one in answer["outgoingMessages"]] == TEXTS


def test_nobody_sees_anothers_messages(site: Site) -> None:
    fill(site, site.user("left@shop"), [Filled(-10, 91), Filled(-9, 92, incoming=True)])
    site.user("right@shop")
    for path in (ALL_MESSAGES, MESSAGES):
        assert listed(site.get(path, {**login("right@shop"), "since": "0"}).json) == []
