"""The rules common to every call (contract §1): methods, sizes, names, text, headers, errors."""

from __future__ import annotations

import pytest

from tests.http.calls import (
    BY_PATH,
    Call,
    ask,
    assert_headers,
    each_call,
    each_method,
    each_required,
    is_error,
)
from tests.http.site import (
    ALL_MESSAGES,
    FORM,
    POOL,
    Site,
    encoded,
)

LIMIT = 65_536
FORM_HEADER = {"Content-Type": FORM}


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


@each_call
@each_method
def test_a_good_call_is_answered_by_get_and_by_post(site: Site, call: Call, method: str) -> None:
    reply = ask(site, method, call.path, call.good)
    assert (reply.http_status, call.judged(reply)) == (200, call.ok)
    assert "error" not in reply.json
    assert_headers(reply)


@each_call
def test_a_post_with_an_empty_body_needs_no_content_type(site: Site, call: Call) -> None:
    query = encoded(call.good)
    for body, headers in ((b"", {}), (None, {}), (b"", FORM_HEADER)):
        reply = site.request("POST", call.path, query, body, headers)
        assert (reply.http_status, call.judged(reply)) == (200, call.ok)


@each_call
def test_a_post_takes_its_parameters_from_query_and_body_together(site: Site, call: Call) -> None:
    (first, *rest) = call.good.items()
    reply = site.request("POST", call.path, encoded(dict([first])), encoded(dict(rest)), FORM_HEADER)
    assert call.judged(reply) == call.ok


@each_call
def test_other_methods_are_405_with_allow(site: Site, call: Call) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        reply = site.request(method, call.path, encoded(call.good), b"" if method != "DELETE" else None)
        assert reply.http_status == 405
        allowed = {word.strip() for word in reply.headers["allow"].split(",")}
        assert {"GET", "POST"} <= allowed <= {"GET", "POST", "HEAD"}
        assert is_error(reply.json, call.word)
        assert_headers(reply)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/services/rest",
        "/services/rest/user/",
        "/services/rest/user/allmessages",
        "/services/rest/user/allMessages/",
        "/services/rest/user/allMessages/more",
        "/services/rest/user/allMessages%00",
        "/services/rest/user/%ff",
        "/services/rest/user/all%20Messages",
        "/services/rest/user/../user",
        "/favicon.ico",
    ],
)
def test_an_unknown_path_is_404_in_json(site: Site, path: str, method: str) -> None:
    reply = site.request(method, path, b"", b"" if method == "POST" else None)
    assert reply.http_status == 404
    assert list(reply.json) == ["status", "error"]
    assert reply.json["status"] == 2
    assert is_error(reply.json, "status")
    assert_headers(reply)


# Sizes: 64 KB each for query and body.


def padded(params: dict[str, str], size: int) -> bytes:
    raw = encoded(params) + b"&pad="
    return raw + b"x" * (size - len(raw))


@each_call
def test_a_query_of_64_kb_passes_and_one_byte_more_is_413(site: Site, call: Call) -> None:
    for method in ("GET", "POST"):
        reply = site.request(
            method, call.path, padded(dict(call.good), LIMIT), b"" if method == "POST" else None
        )
        assert (reply.http_status, call.judged(reply)) == (200, call.ok)
        reply = site.request(
            method, call.path, padded(dict(call.good), LIMIT + 1), b"" if method == "POST" else None
        )
        assert reply.http_status == 413
        assert is_error(reply.json, call.word)
        assert_headers(reply)


@each_call
@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 1_000_000])
def test_a_body_of_64_kb_passes_and_one_byte_more_is_413(site: Site, call: Call, size: int) -> None:
    reply = site.request("POST", call.path, b"", padded(dict(call.good), size), FORM_HEADER)
    if size <= LIMIT:
        assert (reply.http_status, call.judged(reply)) == (200, call.ok)
    else:
        assert reply.http_status == 413
        assert is_error(reply.json, call.word)
        assert_headers(reply)


@pytest.mark.parametrize(("size", "expected"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_a_body_in_chunks_has_the_same_limit(site: Site, size: int, expected: int) -> None:
    body = padded(dict(BY_PATH[ALL_MESSAGES].good), size)
    chunks = [body[at : at + 10_000] for at in range(0, len(body), 10_000)]
    head = f"POST {ALL_MESSAGES} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks) + b"0\r\n\r\n"
    assert site.exchange(head.encode() + sent, "POST").http_status == expected


def test_query_and_body_have_64_kb_each(site: Site) -> None:
    call = BY_PATH[ALL_MESSAGES]
    reply = site.request(
        "POST", call.path, b"a=" + b"x" * 65_000, padded(dict(call.good), LIMIT), FORM_HEADER
    )
    assert (reply.http_status, call.judged(reply)) == (200, 0)


def test_a_path_without_end_is_404_and_a_query_without_end_413(site: Site) -> None:
    for path, query, status in (("/" + "x" * 70_000, b"", 404), (ALL_MESSAGES, b"x" * 2_000_000, 413)):
        reply = site.request("GET", path, query)
        assert reply.http_status == status
        assert is_error(reply.json, "status")
        assert_headers(reply)


@pytest.mark.parametrize(
    "raw", [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\0" * 100]
)
def test_what_is_no_http_is_400_in_json(site: Site, raw: bytes) -> None:
    reply = site.exchange(raw)
    assert reply.http_status == 400
    assert is_error(reply.json, "status")
    assert_headers(reply)


# Content types.


@each_call
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencodedx",
        None,
    ],
)
def test_a_body_of_another_content_type_is_415(site: Site, call: Call, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    reply = site.request("POST", call.path, b"", encoded(call.good), headers)
    assert reply.http_status == 415
    assert is_error(reply.json, call.word)
    assert_headers(reply)


@pytest.mark.parametrize(
    "content_type", [FORM, f"{FORM}; charset=UTF-8", f"{FORM};charset=utf-8", FORM.title()]
)
def test_the_forms_content_type_may_be_written_in_any_case_and_with_its_charset(
    site: Site, content_type: str
) -> None:
    call = BY_PATH[ALL_MESSAGES]
    reply = site.request("POST", call.path, b"", encoded(call.good), {"content-TYPE": content_type})
    assert (reply.http_status, reply.code) == (200, 0)


# Names.


@each_required
def test_names_are_case_sensitive(site: Site, call: Call, param: str) -> None:
    other = param.swapcase()
    params = {other if name == param else name: value for name, value in call.good.items()}
    assert call.judged(site.get(call.path, params)) == call.missing(param)


@each_call
def test_unknown_parameters_are_ignored(site: Site, call: Call) -> None:
    reply = site.get(
        call.path, {"Username": "x", "": "y", "foo": "", "since[]": "1", **call.good, "status": "9"}
    )
    assert call.judged(reply) == call.ok


@each_call
def test_of_a_repeated_parameter_the_first_wins(site: Site, call: Call) -> None:
    good, none = encoded(call.good), encoded(dict.fromkeys(call.good, ""))
    for query, body in ((good + b"&" + none, b""), (b"", good + b"&" + none), (good, none)):
        reply = site.request("POST", call.path, query, body, FORM_HEADER)
        assert call.judged(reply) == call.ok, (query, body)
    absent = 1 if call.word == "status" else -101
    for query, body in ((none + b"&" + good, b""), (b"", none + b"&" + good), (none, good)):
        reply = site.request("POST", call.path, query, body, FORM_HEADER)
        assert call.judged(reply) == absent, (query, body)


@each_call
@pytest.mark.parametrize("place", ["query", "body", "both", "repeated"])
def test_100_parameters_pass_and_101_do_not(site: Site, call: Call, place: str) -> None:
    for count in (100, 101):
        more = count - len(call.good)
        fill = [b"x=1" if place == "repeated" else f"x{n}=1".encode() for n in range(more)]
        pairs = [encoded(call.good), *fill]
        cut = {"query": len(pairs), "body": 0, "both": 40, "repeated": len(pairs)}[place]
        reply = site.request("POST", call.path, b"&".join(pairs[:cut]), b"&".join(pairs[cut:]), FORM_HEADER)
        too_many = 2 if call.word == "status" else -104
        assert (reply.http_status, call.judged(reply)) == (200, call.ok if count == 100 else too_many)
        assert is_error(reply.json, call.word) == (count == 101)
