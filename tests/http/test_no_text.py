"""Values that are no text, in every parameter of every call (contract §1 \"text\")."""

from __future__ import annotations

import pytest

from tests.http.calls import Call, assert_headers, each_call, each_param, is_error
from tests.http.site import FORM, PASSWORD, POOL, Reply, Site, encoded

FORM_HEADER = {"Content-Type": FORM}


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


BROKEN = {
    "percent at the end": b"a%",
    "percent and one digit": b"a%4",
    "percent without digits": b"%zz1",
    "percent and a sign": b"%+1",
    "percent before text": b"100% sure",
    "a lone continuation": b"%80",
    "a byte that never occurs": b"a%ff",
    "a sequence cut short": b"%c3",
    "a sequence broken by a letter": b"%e2%82a",
    "an overlong sequence": b"%c0%af",
    "an overlong NUL": b"%c0%80",
    "beyond U+10FFFF": b"%f4%90%80%80",
    "NUL": b"a%00b",
    "NUL alone": b"%00",
    "a lone high surrogate": b"%ed%a0%80",
    "a lone low surrogate": b"%ed%b0%80",
    "a CESU-8 pair": b"%ed%a0%bd%ed%b8%80",
}


RAW = {
    "a byte that never occurs": b"a\xff",
    "NUL": b"a\0b",
    "a lone surrogate": b"\xed\xa0\x80",
    "a sequence cut short": b"\xc3",
    "an overlong sequence": b"\xc0\xaf",
}


@each_param
def test_what_is_no_text_is_an_invalid_value(site: Site, call: Call, param: str) -> None:
    for name, value in BROKEN.items():
        sent = encoded(call.with_(**{param: value.replace(b" ", b"+")}))
        assert_no_text(site.request("GET", call.path, sent), call, param, name)
        assert_no_text(site.request("POST", call.path, b"", sent, FORM_HEADER), call, param, name)


@each_param
def test_raw_bytes_of_a_body_that_are_no_text_are_an_invalid_value(
    site: Site, call: Call, param: str
) -> None:
    for name, value in RAW.items():
        reply = site.request("POST", call.path, b"", encoded(call.with_(**{param: value})), FORM_HEADER)
        assert_no_text(reply, call, param, name)


def assert_no_text(reply: Reply, call: Call, param: str, case: str) -> None:
    assert (reply.http_status, call.judged(reply)) == (200, call.invalid_in(param)), case
    assert is_error(reply.json, call.word), case
    assert param in reply.json["error"], case
    assert PASSWORD not in reply.body.decode(), case


NONSENSE = [
    b"&",
    b"&&&=&=&",
    b"%",
    b"=%00&%ff=\xff&",
    b"\0\xff\xfe",
    b"{}",
    b"a" * 60_000,
    b"&" * 60_000,
    b"a=b;c=d",
]


@each_call
def test_whatever_the_bytes_are_the_answer_is_an_error_in_the_familys_shape(site: Site, call: Call) -> None:
    for raw in NONSENSE:
        reply = site.request("POST", call.path, b"", raw, FORM_HEADER)
        assert reply.http_status == 200, raw[:20]
        assert is_error(reply.json, call.word), raw[:20]
        assert_headers(reply)
