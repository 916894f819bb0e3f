"""message/status over HTTP (contract §7, §1): strings when known, numbers in errors, the way of a status."""

from __future__ import annotations

import pytest

from tests.centre import HANDSET
from tests.http.calls import BY_PATH, UNKNOWN_ID, ask, is_error
from tests.http.site import POOL, SEND, STATUS, WRONG_PASSWORD, Site, login

DELIVERED, EXPIRED, DELETED, UNDELIVERABLE, REJECTED = 2, 3, 4, 5, 8


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.user("other@firm", "firm")
    empty_site.user("blocked@shop", blocked=True)
    empty_site.user("disabled@shop", disabled=True)
    empty_site.user("inactive@shop", activated=False)
    empty_site.user("expired@shop", password_expired=True)
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


@pytest.fixture(scope="module")
def foreign(site: Site) -> str:
    return str(site.post(SEND, BY_PATH[SEND].with_(username="other@firm")).json["documentId"])


def status(site: Site, document_id: str) -> object:
    return site.get(STATUS, {**login(), "documentId": document_id}).json["messageStatus"]


def sent(site: Site, text: str = "Hello mommy") -> str:
    return str(site.post(SEND, BY_PATH[SEND].with_(text=text)).json["documentId"])


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_known_message_answers_its_status_as_a_string(site: Site, method: str) -> None:
    document_id = sent(site)
    reply = ask(site, method, STATUS, {**login(), "documentId": document_id})
    assert reply.http_status == 200
    assert list(reply.json.items()) == [
        ("documentId", document_id),
        ("recipient", HANDSET),
        ("messageStatus", "10"),
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_message_answers_the_string_0_without_recipient(site: Site, method: str) -> None:
    reply = ask(site, method, STATUS, {**login(), "documentId": UNKNOWN_ID})
    assert reply.http_status == 200
    assert list(reply.json.items()) == [("documentId", UNKNOWN_ID), ("messageStatus", "0")]


@pytest.mark.parametrize(
    "document_id", ["x", "0", "5175" * 7, "' OR 1=1 --", UNKNOWN_ID[:-1], "é" * 24, "x" * 10_000]
)
def test_whatever_text_an_id_is_the_answer_is_no_internal_error(site: Site, document_id: str) -> None:
    reply = site.get(STATUS, {**login(), "documentId": document_id})
    assert reply.http_status == 200
    assert reply.code != -999


ERRORS = [
    ({"username": None}, -101),
    ({"username": ""}, -101),
    ({"password": None}, -102),
    ({"password": ""}, -102),
    ({"documentId": None}, -103),
    ({"documentId": ""}, -103),
    ({"username": "nobody@shop"}, -200),
    ({"password": WRONG_PASSWORD}, -200),
    ({"username": "disabled@shop"}, -201),
    ({"username": "inactive@shop"}, -201),
    ({"username": "blocked@shop"}, -202),
    ({"username": "expired@shop"}, -203),
    # The order: -101, -102, -103, the log-in, then -230.
    ({"username": None, "password": None}, -101),
    ({"username": None, "documentId": None}, -101),
    ({"password": None, "documentId": None}, -102),
    ({"username": "nobody@shop", "password": None}, -102),
    ({"username": "nobody@shop", "documentId": None}, -103),
    ({"password": WRONG_PASSWORD, "documentId": None}, -103),
    ({"username": "blocked@shop", "documentId": ""}, -103),
    ({"username": "blocked@shop", "password": WRONG_PASSWORD}, -200),
    ({"username": "expired@shop", "password": WRONG_PASSWORD}, -200),
    ({"documentId": "foreign"}, -230),
    ({"username": "blocked@shop", "documentId": "foreign"}, -202),
    ({"password": WRONG_PASSWORD, "documentId": "foreign"}, -200),
]


@pytest.mark.parametrize(("changed", "code"), ERRORS)
def test_an_error_is_a_number_with_a_sentence(
    site: Site, foreign: str, changed: dict[str, str | None], code: int
) -> None:
    params = {**login(), "documentId": UNKNOWN_ID, **changed}
    params = {name: foreign if value == "foreign" else value for name, value in params.items()}
    for method in ("get", "post"):
        reply = ask(
            site, method, STATUS, {name: value for name, value in params.items() if value is not None}
        )
        assert (reply.http_status, reply.code) == (200, code)
        assert is_error(reply.json, "messageStatus")
        assert "recipient" not in reply.json


@pytest.mark.parametrize("final", [DELIVERED, EXPIRED, DELETED, UNDELIVERABLE, REJECTED])
def test_a_status_goes_from_10_over_11_to_a_final_one_that_never_changes_again(
    site: Site, final: int
) -> None:
    document_id = sent(site)
    assert status(site, document_id) == "10"
    site.run(site.centre.deliver(1))
    assert status(site, document_id) == "11"
    for code in (final, DELIVERED, UNDELIVERABLE, final):
        site.run(site.centre.receipt(1, f"r-{document_id}-1", code))
        assert status(site, document_id) == str(final)


# The message's status is that of the part with the lowest priority number: 4, 5, 8, 3, 10, 11, 2.
PARTS = [
    ([DELIVERED, None], "11"),
    ([DELIVERED, DELIVERED], "2"),
    ([DELIVERED, EXPIRED], "3"),
    ([EXPIRED, DELIVERED], "3"),
    ([REJECTED, EXPIRED], "8"),
    ([UNDELIVERABLE, REJECTED], "5"),
    ([DELETED, UNDELIVERABLE], "4"),
    ([DELETED, None], "4"),
    # Final with the first part's receipt, and a final status never changes again.
    ([EXPIRED, REJECTED], "3"),
    ([REJECTED, DELIVERED], "8"),
]


@pytest.mark.parametrize(("receipts", "shown"), PARTS)
def test_a_long_texts_status_is_that_of_its_part_with_the_lowest_priority_number(
    site: Site, receipts: list[int | None], shown: str
) -> None:
    document_id = sent(site, "x" * 200)
    site.run(site.centre.deliver(1))
    for number, code in enumerate(receipts, 1):
        if code is not None:
            site.run(site.centre.receipt(1, f"r-{document_id}-{number}", code))
    assert status(site, document_id) == shown
