"""What an error answer says, and answers that are nobody's wrong parameter: 500, 503 (contract §1)."""

from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from rejoinder.errors import Overloaded, StoreUnavailable, UnknownCommit
from tests.http.calls import CALLS, Call, ask, assert_headers, each_call, each_required, is_error
from tests.http.site import POOL, WRONG_PASSWORD, Reply, Site, store_fails


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


@each_required
def test_the_sentence_of_a_missing_parameter_names_it(site: Site, call: Call, param: str) -> None:
    absent = {name: value for name, value in call.good.items() if name != param}
    for params in (absent, call.with_(**{param: ""})):
        for method in ("get", "post"):
            reply = ask(site, method, call.path, params)
            assert (reply.http_status, call.judged(reply)) == (200, call.missing(param))
            assert param in reply.json["error"]
            assert_headers(reply)


@each_call
def test_an_error_never_repeats_a_password_or_a_text(site: Site, call: Call) -> None:
    secret = "canary-of-a-text"
    bad = {
        "password": WRONG_PASSWORD,
        "text": secret,
        "recipient": secret,
        "sender": secret,
        "since": secret,
        "encoding": secret,
        "documentId": "",
    }
    for param in set(bad) & set(call.params):
        reply = site.get(call.path, call.with_(**{"text": secret, param: bad[param]}))
        if param != "recipient":  # an error answer of a send shows the recipient
            assert secret not in reply.body.decode()
        assert WRONG_PASSWORD not in reply.body.decode()
        if "error" in reply.json:
            assert secret not in reply.json["error"]


@each_call
@pytest.mark.parametrize(
    "fault", [StoreUnavailable("the database is away"), Overloaded("too much is waiting")]
)
def test_while_the_database_is_away_the_answer_is_503_with_retry_after(
    site: Site, call: Call, fault: Exception
) -> None:
    reply = failing(site, call, fault)
    assert (reply.http_status, call.judged(reply)) == (503, call.internal)
    assert re.fullmatch("[1-9][0-9]*", reply.headers["retry-after"])
    assert is_error(reply.json, call.word)
    assert_headers(reply)


def test_a_commit_that_is_in_doubt_is_told_apart_from_what_was_not_done(site: Site) -> None:
    call = CALLS[0]
    for fault, header in (
        (UnknownCommit("the database went away"), "unknown"),
        (Overloaded("too much"), None),
    ):
        reply = failing(site, call, fault)
        assert (reply.http_status, reply.headers.get("rejoinder-outcome")) == (503, header)
        assert ("may have been done" in reply.json["error"]) == (header is not None)
        assert re.fullmatch("[1-9][0-9]*", reply.headers["retry-after"])


@each_call
def test_an_internal_error_is_500_and_tells_nothing(site: Site, call: Call) -> None:
    reply = failing(site, call, RuntimeError("the statement failed near canary-of-a-text"))
    assert (reply.http_status, call.judged(reply)) == (500, call.internal)
    assert is_error(reply.json, call.word)
    assert not re.search("canary|RuntimeError|Traceback|statement", reply.body.decode())
    assert_headers(reply)


def failing(site: Site, call: Call, fault: Exception) -> Reply:
    # Captured: unconfigured, the library prints each error in colours, and takes half a second for it.
    with capture_logs() as lines, store_fails(site, fault):
        reply = site.post(call.path, call.good)
    assert [line["path"] for line in lines] == [call.path]
    return reply
