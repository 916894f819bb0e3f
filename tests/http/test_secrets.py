"""No password, text, number or token reaches a log line or a metric: canaries through a real server process.

The server runs as a process of its own at log level debug; all it writes to stdout and stderr is read, over
good calls, bad calls, broken bytes, a sent message with its reply, an internal error and a store that is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from rejoinder.clock import SystemClock
from rejoinder.flow.passwords import hash_password
from rejoinder.store import open_store
from tests.centre import Centre
from tests.http.calls import CALLS
from tests.http.site import ALL_MESSAGES, FORM, MESSAGES, SEND, STATUS, Client, encoded

JSON = "application/json"
PASSWORD = "canary-password"
WRONG = "canary-wrong-password"
TEXT = "canary-text"
TOKEN = "canary-token"
HANDSET = "61255512345"
NUMBER = "61400098765"
SECRETS = (PASSWORD, WRONG, TEXT, TOKEN, HANDSET, NUMBER, "canary")

# `since=13` ends in an error that nobody foresaw, `since=14` finds the database away; both quote a text.
SERVER = """
import sys
from rejoinder import app
from rejoinder.config import load
from rejoinder.errors import StoreUnavailable
from rejoinder.flow.mailbox import MailboxPolls

look = MailboxPolls._look

async def fails(self, query):
    if query.since == 13:
        raise RuntimeError("near 'canary-text' of 61255512345")
    if query.since == 14:
        raise StoreUnavailable("the database is away") from ValueError("canary-text")
    return await look(self, query)

MailboxPolls._look = fails
app.run(load(None, {"database": sys.argv[1], "listen": "127.0.0.1:0", "log_level": "debug"}))
"""


@pytest.fixture(scope="module")
def said(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the process wrote, and its metrics, after all the calls below."""
    url = new_database()
    asyncio.run(prepared(url))
    errors = tmp_path_factory.mktemp("said") / "stderr"
    with errors.open("wb") as stderr, server(url, stderr) as (client, process):
        good_calls(client)
        bad_calls(client)
        broken_bytes(client)
        metrics = client.get("/metrics").body.decode()
        process.send_signal(signal.SIGTERM)
        stdout = process.communicate(timeout=20)[0].decode()
    assert process.returncode == 0
    return {"stdout": stdout, "stderr": errors.read_text(), "metrics": metrics}


async def prepared(url: str) -> None:
    clock = SystemClock()
    store = await open_store(url, clock)
    centre = Centre(store, clock)  # type: ignore[arg-type]  # a real clock does
    user = await centre.account()
    await centre.sql("UPDATE user_account SET password_hash = $1", hash_password(PASSWORD))
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    await centre.carrier()
    await centre.sql(
        "INSERT INTO carrier (name, kind, settings) VALUES ('hook', 'http', $1)",
        json.dumps({"token": TOKEN, "url": f"http://127.0.0.1:9/{TOKEN}", "body": TEXT}),
    )
    await centre.changed()
    await store.close()


@contextlib.contextmanager
def server(url: str, stderr: object) -> Iterator[tuple[Client, subprocess.Popen[bytes]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, url],
        stdout=subprocess.PIPE,
        stderr=stderr,  # type: ignore[call-overload]  # an open file
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDEVMODE": ""},
    )
    assert process.stdout is not None
    try:
        listens = re.search(rb"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert listens, "the server did not say where it listens"
        with contextlib.closing(Client(int(listens[1]))) as client:
            yield client, process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def params(**changed: str | bytes) -> dict[str, str | bytes]:
    return {
        "username": "anna@shop",
        "password": PASSWORD,
        "since": "0",
        "text": TEXT,
        "recipient": HANDSET,
        "sender": NUMBER,
        "documentId": "5175000000000000000000ff",
        **changed,
    }


def deliver(client: Client, kind: str, body: bytes, content_type: str = JSON, token: str = TOKEN) -> int:
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {token}"}
    return client.request("POST", f"/carriers/hook/{kind}", b"", body, headers).http_status


def good_calls(client: Client) -> None:
    for call in CALLS:
        for reply in (client.get(call.path, params()), client.post(call.path, params())):
            assert reply.http_status == 200
            assert "error" not in reply.json
    mo = {"from": HANDSET, "to": NUMBER, "text": TEXT, "id": TEXT}
    for body, content_type in ((json.dumps(mo).encode(), JSON), (encoded(mo), FORM), (encoded(mo), FORM)):
        assert deliver(client, "inbound", body, content_type) == 200
    parked = {**mo, "to": NUMBER + "1", "id": "parked"}
    assert deliver(client, "inbound", json.dumps(parked).encode()) == 200
    assert deliver(client, "receipt", encoded({"id": TEXT, "status": "DELIVRD"}), FORM) == 200


BAD = (
    {"password": WRONG},
    {"username": TEXT},
    {"username": f"{TEXT} {WRONG}"},
    {"since": TEXT, "recipient": TEXT, "documentId": TEXT},
    {"text": TEXT * 1000},
    {"text": b"%ffcanary-text", "documentId": b"canary-text%00", "since": b"%canary-text"},
    {"sender": TEXT},
    {"sender": "CANARYTEXT"},
    {"encoding": TEXT},
    {"rotation": TEXT},
    {"replyTo": f"ftp://{TEXT}"},
    {"clientRef": TEXT * 10},
    {"since": "13"},
    {"since": "14"},
    {TEXT: TEXT},
)


def bad_calls(client: Client) -> None:
    for call in CALLS:
        for changed in BAD:
            reply = client.post(call.path, params(**changed))
            assert reply.http_status in (200, 429, 500, 503)
            assert WRONG not in reply.body.decode()
            if "error" in reply.json:
                assert TEXT not in reply.json["error"]
    for path, since, status in ((ALL_MESSAGES, "13", 500), (MESSAGES, "14", 503)):
        assert client.get(path, params(since=since)).http_status == status
    body = json.dumps({"from": HANDSET, "to": NUMBER, "text": [TEXT], "id": TEXT}).encode()
    assert deliver(client, "inbound", body) == 400
    assert deliver(client, "inbound", body[:-1]) == 400
    assert deliver(client, "inbound", body, token=WRONG) == 401
    assert deliver(client, "receipt", encoded({"id": TEXT, "status": TEXT}), FORM) == 400


def broken_bytes(client: Client) -> None:
    query = f"?password={quote_plus(PASSWORD)}&text={TEXT}&recipient={HANDSET}".encode()
    headers = {"Content-Type": FORM}
    for path in (SEND, STATUS, "/nowhere"):
        client.request("GET", path, query[1:] + b"x" * 70_000)
        client.request("POST", path, query[1:], b"x" * 70_000 + query, headers)
        client.request("DELETE", path, query[1:])
        client.request("POST", path, query[1:], query, {"Content-Type": TEXT})
    for raw in (
        b"GET " + SEND.encode() + query + b" HTTP/9.9\r\n\r\n",
        b"canary-text " + SEND.encode() + query + b" HTTP/1.1\r\n\r\n",
        b"GET " + SEND.encode() + query + b" HTTP/1.1\r\ncanary-text\r\n\r\n",
        b"GET "
        + SEND.encode()
        + query
        + b" HTTP/1.1\r\nHost: x\r\nUpgrade: canary-text\r\nConnection: upgrade, close\r\n\r\n",
        b"POST " + SEND.encode() + query + b" HTTP/1.1\r\nHost: x\r\nContent-Length: canary-text\r\n\r\n",
    ):
        with contextlib.suppress(OSError, ValueError):
            client.exchange(raw)


def test_no_log_line_has_a_secret(said: dict[str, str]) -> None:
    for stream in ("stdout", "stderr"):
        for line in said[stream].splitlines():
            assert [secret for secret in SECRETS if secret.lower() in line.lower()] == [], line


def test_no_metric_has_a_secret(said: dict[str, str]) -> None:
    for line in said["metrics"].splitlines():
        assert [secret for secret in SECRETS if secret.lower() in line.lower()] == [], line


def test_the_internal_error_was_logged_as_json_without_its_words(said: dict[str, str]) -> None:
    lines = [json.loads(line) for line in said["stderr"].splitlines()]
    assert "RuntimeError" in [line.get("error_type") for line in lines]
    assert not re.search("Traceback|near ", said["stderr"])
