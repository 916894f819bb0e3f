"""Bad input to every call there is: a code and a sentence as contract §1 says, and nothing is stored.

Generated from the table of operations, so that a new call is tried with the rest. Contract §1 "text", "size",
"methods", "names".
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.calls import assert_headers, is_error
from tests.http.every_operation import WAYS, Caller, Way, codes, each_way, each_way_and_name, furnish
from tests.http.site import FORM, PASSWORD, POOL, Reply, Site, encoded
from tests.http.test_no_text import BROKEN, NONSENSE, RAW

FORM_HEADER = {"Content-Type": FORM}
SIZE = 65_536
each_post = pytest.mark.parametrize("way", [way for way in WAYS if way.method == "POST"], ids=str)
CALLER = Caller(own={"documentId": "5175000000000000000000ff"})


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    trade = furnish(empty_site)
    empty_site.carrier()
    empty_site.pool(*POOL)
    CALLER.own["customerId"] = trade.customer_id("shop")
    return empty_site


def rows(site: Site) -> list[tuple[object, ...]]:
    """How many rows each table has, and what all credit accounts hold."""
    lite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    postgres = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    names = [str(name) for (name,) in site.sql(lite if site.url.startswith("sqlite") else postgres)]
    counts = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in names)
    return site.sql(f"SELECT (SELECT sum(abs(balance)) FROM credit_account) AS held, {counts}")


@pytest.fixture(autouse=True)
def nothing_is_stored(site: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    before = rows(site)
    yield
    stores = "test_the_control" in request.node.name
    assert (rows(site) == before) != stores


def sent(site: Site, way: Way, query: bytes, headers: dict[str, str] | None = None) -> Reply:
    """A request by the way's method: in the query of a GET, in the body of a POST."""
    if way.method == "GET":
        return site.request("GET", way.path, query)
    return site.request("POST", way.path, b"", query, headers or FORM_HEADER)


def invalid(way: Way, name: str) -> int:
    """The code of a value that is no text."""
    if way.word == "status":
        return 2
    return {"recipient": -104, "sender": -105}.get(name, -110)


def assert_refused(reply: Reply, way: Way, code: int, case: object = "") -> None:
    assert reply.http_status == 200, case
    found = list(codes(reply))
    if found[0] == 0 and len(found) > 1:  # a call for many answers for each
        assert set(found[1:]) == {code}, case
        assert all(message["error"] for message in reply.json["messages"])
    else:
        assert found == [code], case
        assert is_error(reply.json, way.word), case
    assert PASSWORD not in reply.body.decode(), case
    assert_headers(reply)


@each_way_and_name
def test_what_is_no_text_is_an_invalid_value(site: Site, way: Way, name: str) -> None:
    values = {
        **BROKEN,
        **({f"raw {case}": value for case, value in RAW.items()} if way.method == "POST" else {}),
    }
    for case, value in values.items():
        reply = sent(site, way, encoded(CALLER.request(way, **{name: value.replace(b" ", b"+")})))
        assert_refused(reply, way, invalid(way, name), case)
        if len(list(codes(reply))) == 1:
            assert name in reply.json["error"], case


@pytest.mark.parametrize(("way", "name"), [(way, name) for way in WAYS for name in way.required], ids=str)
def test_a_required_parameter_that_is_absent_or_empty_is_missing(site: Site, way: Way, name: str) -> None:
    missing = {"username": -101, "password": -102, "documentId": -103, "recipient": -104, "text": -106}
    good = CALLER.request(way)
    for params in ({other: good[other] for other in good if other != name}, {**good, name: ""}):
        assert_refused(sent(site, way, encoded(params)), way, 1 if way.word == "status" else missing[name])


@each_way
def test_of_a_repeated_parameter_the_first_wins(site: Site, way: Way) -> None:
    good = CALLER.request(way)
    for name in good:
        if way.path.endswith("sendMultiple") and name == "recipient":
            continue  # the one that may be repeated, where each counts (contract §13)
        query = f"{name}=".encode() + b"&" + encoded(good)
        assert set(codes(sent(site, way, query))) & {1, -101, -102, -103, -104, -106}, name


@each_way
def test_more_than_100_parameters_are_refused(site: Site, way: Way) -> None:
    good = encoded(CALLER.request(way))
    for fill in (b"&x=1" * 100, b"".join(b"&x%d=1" % number for number in range(100))):
        assert_refused(sent(site, way, good + fill), way, 2 if way.word == "status" else -104)


@each_way
def test_more_than_64_kb_are_answered_413(site: Site, way: Way) -> None:
    good = encoded(CALLER.request(way)) + b"&x="
    more = good + b"x" * (SIZE + 1 - len(good))
    reply = sent(site, way, more)
    assert (reply.http_status, reply.code) == (413, 2 if way.word == "status" else -110)
    assert is_error(reply.json, way.word)
    assert_headers(reply)
    if way.method == "POST":
        assert site.request("POST", way.path, more, b"", FORM_HEADER).http_status == 413


@each_post
def test_another_content_type_is_answered_415(site: Site, way: Way) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
        reply = sent(site, way, encoded(CALLER.request(way)), {"Content-Type": kind})
        assert (reply.http_status, reply.code) == (415, 2 if way.word == "status" else -110)
        assert is_error(reply.json, way.word)


@each_way
def test_another_method_is_answered_405_with_those_there_are(site: Site, way: Way) -> None:
    taken = {one.method for one in WAYS if one.path == way.path}
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"):
        if method in taken:
            continue
        try:
            reply = site.request(method, way.path, encoded(CALLER.request(way)))
        finally:
            site.close()
        if method == "BREW":
            assert reply.http_status in (400, 405)
            continue
        assert reply.http_status == 405
        assert set(reply.headers["allow"].replace(" ", "").split(",")) == taken
        if method != "HEAD":
            assert reply.code == (2 if way.word == "status" else -110)


@each_post
def test_whatever_the_bytes_are_the_answer_is_an_error_of_the_family(site: Site, way: Way) -> None:
    for raw in NONSENSE:
        reply = site.request("POST", way.path, b"", raw, FORM_HEADER)
        assert reply.http_status == 200, raw[:20]
        assert is_error(reply.json, way.word), raw[:20]
        assert_headers(reply)


def test_the_control_a_good_request_of_each_call_is_taken(site: Site) -> None:
    """Each of the requests above is right but for its one fault; the makers among them store something."""
    for way in WAYS:
        reply = sent(site, way, encoded(CALLER.request(way)))
        assert reply.http_status == 200
        assert "error" not in reply.json, way
