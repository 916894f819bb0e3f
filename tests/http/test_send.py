"""sendSingle2 over HTTP (contract §6): every parameter, every code, the order of checks."""

from __future__ import annotations

import re

import pytest

from tests.centre import HANDSET, START
from tests.http.calls import ask, each_method
from tests.http.sends import (
    CUSTOMERS_NUMBER,
    FOREIGN_NUMBER,
    GOOD,
    NO_ROUTE,
    OWN_NUMBER,
    USED,
    assert_error,
    balance,
    furnish,
    rows,
    send,
    shown,
)
from tests.http.site import POOL, SEND, WRONG_PASSWORD, Site


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


@each_method
def test_an_accepted_message_answers_its_id_its_recipient_and_10(site: Site, method: str) -> None:
    before = balance(site)
    reply = ask(site, method, SEND, GOOD)
    assert reply.http_status == 200
    assert list(reply.json) == ["documentId", "recipient", "messageStatus"]
    assert (reply.json["recipient"], reply.json["messageStatus"]) == (HANDSET, 10)
    document_id = reply.json["documentId"]
    assert re.fullmatch("[0-9a-f]{24}", document_id)
    assert shown(site, document_id) == {
        "documentId": document_id,
        "text": "Hello mommy",
        "timestamp": int(document_id[:8], 16),
        "recipient": HANDSET,
    }
    assert balance(site) == before - 1
    assert site.sql("SELECT count(*) FROM outbox WHERE id = $1", document_id) == [(1,)]


# What each parameter's values answer. Bytes stand in the form as they are.
VALUES: dict[str, dict[int, list[str | bytes | None]]] = {
    "username": {
        -101: [None, ""],
        -200: ["nobody@shop", "Anna@shop"],
        -201: ["disabled@shop", "inactive@shop"],
        -202: ["blocked@shop"],
        -203: ["expired@shop"],
    },
    "password": {-102: [None, ""], -200: [WRONG_PASSWORD]},
    "recipient": {
        10: ["61255588", "6125558888512345", "+61255588885"],
        -104: [
            None, "", "6125558", "61255588885123456", "+6125558", "++61255588885", "61255588885+", "61 255588885",
            " 61255588885", "61255588885 ", "61255588885\n", b"+61255588885", "61-255588885", "(61)255588885",
            "6125558888x", "61255588885,61255588886", "６１２５５５８８８８５", "٦١٢٥٥٥٨٨٨٨٥", "-61255588885",
            "61255588.5", "9" * 10_000,
        ],
    },
    "text": {
        10: [" ", "\n", "x" * 1530, "€" * 760, "ж" * 670, "😀" * 330],
        -106: [None, ""],
        -107: ["x" * 1531, "€" * 765, "ж" * 671, "😀" * 336, "x" * 60_000],
    },
    "sender": {
        10: [OWN_NUMBER, "+" + OWN_NUMBER, CUSTOMERS_NUMBER, "ACME", "", None],
        13: ["NOTMINE", FOREIGN_NUMBER, POOL[0], "123", "1234567890123456", "AB", "ABCDEFGHIJK", "A2345678901"],
        -105: [
            "A", "ABCDEFGHIJKL", "A23456789012", "12345678901234567", "AC ME", "AC-ME", " ACME", "ACME\n", "+ACME",
            "ACME!", "1", "+", "x" * 10_000,
        ],
    },
    "replyTo": {
        10: [
            "log", "http://shop.example/in?from={{from}}&text={{text}}", "https://shop.example/in",
        ],
        -240: [
            "ftp://shop.example/", "nonsense", "javascript:alert(1)", "file:///etc/passwd", "//shop.example/in",
            " https://shop.example/", "mailto:", "mailto:anna@shop.example",
        ],
    },
    "rotation": {
        10: ["max_rotation", "conversation", "MAX_ROTATION", "Conversation"],
        -109: ["random", "max rotation", "maxrotation", "conversation ", "0"],
    },
    "encoding": {
        10: ["auto", "gsm", "utf-16", "iso-8859-1", "AUTO", "Gsm", "UTF-16", "ISO-8859-1"],
        -110: ["utf-8", "utf16", "latin1", "gsm ", "7bit"],
    },
    "clientRef": {10: ["r", "r" * 64, "ü" * 64], -110: ["r" * 65], -120: [USED]},
    "validity": {
        10: ["60", "172800"],
        -110: ["59", "172801", "0", "-60", "1e3", "60.0", "x", " 60", "6_0", "９０", "9" * 5_000],
    },
    "scheduleAt": {
        10: [str(START + 86_400), f"+{START + 86_400}", str(START + 30 * 86_400), "", None],
        -111: [str(START - 1), "0", "-5"],
        -112: [str(START + 31 * 86_400), "9" * 19],
        -110: ["1e9", "1700000000.0", "x", " 1700000001", "1_700_000_001", "９", "9" * 20, "9" * 5_000, "now"],
    },
}  # fmt: skip
CASES = [(param, code, values) for param, cases in VALUES.items() for code, values in cases.items()]


@pytest.mark.parametrize(
    ("param", "code", "values"), CASES, ids=[f"{param} {code}" for param, code, _ in CASES]
)
def test_each_value_has_its_code_and_what_is_refused_leaves_nothing(
    site: Site, param: str, code: int, values: list[str | bytes | None]
) -> None:
    before = rows(site)
    for value in values:
        reply = send(site, **{param: value})
        assert (reply.http_status, reply.code) == (200, code), value
        if code == 10:
            assert "error" not in reply.json, value
            continue
        assert_error(reply)
        if -200 < code < 0:
            assert param in reply.json["error"], value
    assert code == 10 or rows(site) == before


def test_an_error_shows_the_recipient(site: Site) -> None:
    assert send(site, text="").json["recipient"] == HANDSET
    assert send(site, recipient="6125558").json["recipient"] == "6125558"


def test_no_route_and_no_credits_are_answered_at_once_and_store_nothing(site: Site) -> None:
    before = rows(site)
    for changed, code in (({"recipient": NO_ROUTE}, 12), ({"username": "poor@poor"}, -210)):
        reply = send(site, **changed)
        assert (reply.http_status, reply.code) == (200, code)
        assert_error(reply)
    assert rows(site) == before
    assert balance(site, "poor@poor") == 0


# The order of checks: a request with two faults answers the one that stands first.

FAULTS: list[tuple[int, dict[str, str | bytes | None]]] = [
    (-101, {"username": None}),
    (-102, {"password": None}),
    (-200, {"username": "nobody@shop", "password": WRONG_PASSWORD}),
    (-200, {"password": WRONG_PASSWORD}),
    (-201, {"username": "disabled@shop"}),
    (-201, {"username": "inactive@shop"}),
    (-202, {"username": "blocked@shop"}),
    (-203, {"username": "expired@shop"}),
    (-104, {"recipient": "6125558"}),
    (-104, {"recipient": None}),
    (-104, {"recipient": b"%ff"}),
    (-106, {"text": ""}),
    (-107, {"text": "x" * 1531}),
    (-105, {"sender": "A"}),
    (-105, {"sender": b"%00"}),
    (-109, {"rotation": "random"}),
    (-110, {"encoding": "utf-8"}),
    (-110, {"text": b"a%ff"}),
    (-110, {"scheduleAt": "tomorrow"}),
    (-240, {"replyTo": "ftp://shop.example"}),
    (-111, {"scheduleAt": "1"}),
    (-112, {"scheduleAt": "9999999999"}),
    (13, {"sender": "NOTMINE"}),
    (-120, {"clientRef": USED}),
    (12, {"recipient": NO_ROUTE}),
    (-210, {"username": "poor@poor"}),
]


@pytest.mark.parametrize(
    "place", range(len(FAULTS)), ids=[f"{code} {list(changed)}" for code, changed in FAULTS]
)
def test_of_two_faults_the_first_in_the_contracts_order_is_answered(site: Site, place: int) -> None:
    code, changed = FAULTS[place]
    for second, also in FAULTS[place:]:
        if also == changed or not set(changed) & set(also):
            reply = send(site, **{**changed, **also})
            assert (reply.http_status, reply.code) == (200, code), f"{code} stands before {second}: {also}"
            assert_error(reply)


def test_a_wrong_password_hides_the_state_of_the_account(site: Site) -> None:
    for username in ("disabled@shop", "inactive@shop", "blocked@shop", "expired@shop"):
        assert send(site, username=username, password=WRONG_PASSWORD).code == -200
