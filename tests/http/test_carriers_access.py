"""Who may deliver to POST /carriers/NAME/…, and what is refused unread: 401, 404, 405, 413, 415, no JSON."""

from __future__ import annotations

import json

import pytest

from tests.http.deliveries import (
    JSON,
    MO,
    RECEIPT,
    TOKEN,
    assert_refused,
    both_forms,
    both_kinds,
    deliver,
    furnish,
    received,
)
from tests.http.site import Site


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


WRONG_TOKENS = [
    None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", TOKEN,
    f"Basic {TOKEN}", "Bearer token-of-the-other", f"Bearer {TOKEN} {TOKEN}", "Bearer \xff\xfe",
]  # fmt: skip


@both_kinds
def test_without_the_carriers_token_it_is_401(site: Site, kind: str) -> None:
    for authorization in WRONG_TOKENS:
        unseen = {**MO, **RECEIPT, "text": "from nobody"}
        assert_refused(deliver(site, kind, unseen, authorization=authorization), 401)
    assert received(site, "from nobody") == []


@both_kinds
@pytest.mark.parametrize("name", ["silent", "emptied"])
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer ", "Bearer None", f"Bearer {TOKEN}"])
def test_a_carrier_without_a_token_takes_from_nobody(
    site: Site, kind: str, name: str, authorization: str | None
) -> None:
    assert_refused(deliver(site, kind, MO, name=name, authorization=authorization), 401)


@both_kinds
@pytest.mark.parametrize("name", ["nobody", "removed", "HOOK", "%00", "%ff", "hook%2F", "x" * 5000])
def test_an_unknown_carrier_is_404(site: Site, kind: str, name: str) -> None:
    assert_refused(deliver(site, kind, MO, name=name), 404)


@both_kinds
def test_a_mistyped_carrier_is_told_from_a_mistyped_path(site: Site, kind: str) -> None:
    assert deliver(site, kind, MO, name="nobody").json["error"] == "there is no such carrier"
    assert deliver(site, f"{kind}s", MO).json["error"] == "there is no such path"


@pytest.mark.parametrize(
    "path",
    [
        "/carriers",
        "/carriers/",
        "/carriers/hook",
        "/carriers/hook/",
        "/carriers/hook/mo",
        "/carriers/hook/inbound/",
    ],
)
def test_other_paths_below_carriers_are_404(site: Site, path: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": JSON}
    assert_refused(site.request("POST", path, b"", json.dumps(MO).encode(), headers), 404)


@both_kinds
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_any_method_but_post_is_405(site: Site, kind: str, method: str) -> None:
    reply = site.request(method, f"/carriers/hook/{kind}", b"", None, {"Authorization": f"Bearer {TOKEN}"})
    assert_refused(reply, 405)
    assert reply.headers["allow"] == "POST"


BROKEN_JSON = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"5",
    b"[1,2",
    b"{'from':1}",
    b"\xff\xfe{}",
    b"[" * 60_000,
    b"\0",
]


@both_kinds
@pytest.mark.parametrize("body", BROKEN_JSON, ids=lambda body: ascii(body[:12]))
def test_what_is_no_json_object_is_400(site: Site, kind: str, body: bytes) -> None:
    assert_refused(deliver(site, kind, body, JSON), 400)


@both_kinds
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_that_is_neither_form_nor_json_is_415(site: Site, kind: str, content_type: str) -> None:
    assert_refused(deliver(site, kind, b"from=1", content_type), 415)


@both_kinds
@both_forms
def test_a_body_over_64_kb_is_413(site: Site, kind: str, content_type: str) -> None:
    assert_refused(deliver(site, kind, {**MO, **RECEIPT, "pad": "x" * 65_536}, content_type), 413)
