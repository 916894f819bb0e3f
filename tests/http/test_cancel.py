"""cancel over HTTP (contract §13), and what the other calls show of scheduled messages."""

from __future__ import annotations

import pytest

from tests.centre import START
from tests.http.calls import UNKNOWN_ID, ask, each_method, is_error
from tests.http.sends import balance, furnish, rows, send, shown
from tests.http.site import CANCEL, STATUS, WRONG_PASSWORD, Site, login

LATER = str(START + 86_400)


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


def status(site: Site, document_id: str) -> object:
    return site.get(STATUS, {**login(), "documentId": document_id}).code


@each_method
def test_a_scheduled_message_is_taken_back_once(site: Site, method: str) -> None:
    before = balance(site)
    document_id = send(site, scheduleAt=LATER).json["documentId"]
    assert (balance(site), status(site, document_id)) == (before - 1, "10")
    for _ in range(2):
        reply = ask(site, method, CANCEL, {**login(), "documentId": document_id})
        assert reply.http_status == 200
        assert reply.json == {"documentId": document_id, "messageStatus": 4}
        assert list(reply.json) == ["documentId", "messageStatus"]
        assert (balance(site), status(site, document_id)) == (before, "4")


def test_when_it_is_too_late_the_status_is_answered_as_it_is(site: Site) -> None:
    document_id = send(site).json["documentId"]
    ((carrier_id,),) = site.sql("SELECT min(id) FROM carrier")
    site.run(site.centre.deliver(carrier_id))  # type: ignore[arg-type]  # a number
    reply = site.post(CANCEL, {**login(), "documentId": document_id})
    assert reply.json == {"documentId": document_id, "messageStatus": 11}


def test_a_released_message_is_shown_as_any_other(site: Site) -> None:
    document_id = send(site, scheduleAt=str(site.centre.clock.wall_s() + 5)).json["documentId"]
    site.centre.clock.pass_seconds(5)
    site.run(site.centre.releases.step())
    assert shown(site, document_id)["timestamp"] == site.centre.clock.wall_s() - 10


VALUES: list[tuple[int, dict[str, str | bytes | None]]] = [
    (-101, {"username": None}),
    (-102, {"password": ""}),
    (-103, {"documentId": None}),
    (-103, {"documentId": ""}),
    (-110, {"documentId": b"%ff"}),
    (-200, {"password": WRONG_PASSWORD}),
    (-200, {"username": "nobody@shop"}),
    (-201, {"username": "disabled@shop"}),
    (-202, {"username": "blocked@shop"}),
    (-203, {"username": "expired@shop"}),
]


@pytest.mark.parametrize(("code", "changed"), VALUES)
def test_bad_values_have_their_codes_and_take_nothing_back(
    site: Site, code: int, changed: dict[str, str | bytes | None]
) -> None:
    document_id = send(site, scheduleAt=LATER).json["documentId"]
    before = rows(site)
    params = {**login(), "documentId": document_id, **changed}
    reply = site.post(CANCEL, {name: value for name, value in params.items() if value is not None})
    assert (reply.http_status, reply.code) == (200, code)
    assert is_error(reply.json, "messageStatus")
    assert (rows(site), status(site, document_id)) == (before, "10")


@pytest.mark.parametrize("document_id", [UNKNOWN_ID, "x", "ü", "%27", "0"])
def test_an_unknown_id_is_0(site: Site, document_id: str) -> None:
    reply = site.post(CANCEL, {**login(), "documentId": document_id})
    assert reply.json == {"documentId": document_id, "messageStatus": 0}


def test_somebody_elses_message_is_minus_230_and_stays(site: Site) -> None:
    document_id = send(site, scheduleAt=LATER).json["documentId"]
    reply = site.post(CANCEL, {**login("other@firm"), "documentId": document_id})
    assert (reply.http_status, reply.code) == (200, -230)
    assert is_error(reply.json, "messageStatus")
    assert status(site, document_id) == "10"
