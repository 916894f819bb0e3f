"""What a network delivers to http carriers, and how a delivery is answered."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.centre import HANDSET
from tests.http.calls import BY_PATH, assert_headers, is_error
from tests.http.site import FORM, MESSAGES, POOL, SEND, STATUS, Reply, Site, login

TOKEN = "canary-token-of-a-carrier"
JSON = "application/json"
NUMBER = "61400000001"
MO = {"from": HANDSET, "to": NUMBER, "text": " yes", "id": "mo-1"}
RECEIPT = {"id": "r-1", "status": "DELIVRD"}
both_kinds = pytest.mark.parametrize("kind", ["inbound", "receipt"])
both_forms = pytest.mark.parametrize("content_type", [FORM, JSON], ids=["form", "json"])


def furnish(site: Site) -> Site:
    """Carriers with a token, without one and removed, and a number of a user."""
    anna = site.user()
    site.carrier("hook", token=TOKEN, status_map='{"arrived": "DELIVRD", "gone": "UNDELIV"}')
    site.carrier("other", priority=1, token="token-of-the-other")
    site.carrier("silent", priority=1)
    site.carrier("emptied", priority=1, token="")
    site.carrier("removed", priority=1, token=TOKEN)
    site.sql("UPDATE carrier SET removed = TRUE WHERE name = 'removed'")
    site.pool(*POOL)
    site.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, anna.id)
    site.changed()
    return site


def deliver(
    site: Site,
    kind: str,
    fields: object,
    content_type: str = FORM,
    name: str = "hook",
    authorization: str | None = f"Bearer {TOKEN}",
) -> Reply:
    """`fields` as bytes are the body as it is."""
    if isinstance(fields, bytes):
        body = fields
    elif content_type == JSON:
        body = json.dumps(fields).encode()
    else:
        assert isinstance(fields, dict)
        body = urlencode(fields).encode()
    headers = {"Content-Type": content_type} | ({"Authorization": authorization} if authorization else {})
    return site.request("POST", f"/carriers/{name}/{kind}", b"", body, headers)


def assert_taken(reply: Reply) -> None:
    assert (reply.http_status, reply.json) == (200, {"status": 0})
    assert_headers(reply)


def assert_refused(reply: Reply, http_status: int) -> None:
    assert reply.http_status == http_status
    assert is_error(reply.json, "status")
    assert TOKEN not in reply.body.decode()
    assert_headers(reply)


def received(site: Site, text: str) -> list[dict[str, object]]:
    """The MOs with this text in the user's mailbox."""
    # A mailbox that runs ahead of the clock may hold its newest second back for 2 s.
    site.centre.clock.pass_seconds(10)
    found, since, more = [], 0, True
    while more:
        page = site.get(MESSAGES, {**login(), "since": str(since)}).json
        found += [message for message in page["messages"] if message["text"] == text]
        since, more = page["newestMessageTimestamp"], page["hasMoreMessages"]
    return found


def sent(site: Site, text: str = "Hello mommy", **more: str) -> str:
    return str(site.post(SEND, BY_PATH[SEND].with_(text=text, **more)).json["documentId"])


def status(site: Site, document_id: str) -> object:
    return site.get(STATUS, {**login(), "documentId": document_id}).json["messageStatus"]
