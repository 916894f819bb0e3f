"""No password, text, number or token reaches a log line or a metric: canaries through a real server process.

The server runs as a process of its own at log level debug; all it writes to stdout and stderr is read, over every
call there is (generated from the table of operations) taken and refused, with broken bytes, with an error nobody
foresaw and with the database away; carriers that answer nonsense or nothing, MOs, pushes; and the commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from click.testing import CliRunner

from rejoinder.cli import main
from rejoinder.clock import SystemClock
from rejoinder.flow.operator import lookup
from rejoinder.flow.operator.shown import account_id
from rejoinder.flow.passwords import hash_password
from rejoinder.store import open_store
from tests.centre import Centre
from tests.http.every_operation import WAYS, Caller, Way, ask
from tests.http.site import FORM, SEND, STATUS, Client, encoded

JSON = "application/json"
PASSWORD = "canary-password"
WRONG = "canary-wrong-password"
TEXT = "canary-text"
TOKEN = "canary-token"
HANDSET = "61255512345"
NUMBER = "61400098765"
POOL_NUMBER = "61400054321"
# Handsets that the http carriers of these names get.
CARRIER_PREFIXES = {"hook": "491", "closed": "492"}
SECRETS = (PASSWORD, WRONG, TEXT, TOKEN, HANDSET, HANDSET[2:], NUMBER, POOL_NUMBER, "canary")

# A parameter `fail` that every call ignores: 13 ends in an error that nobody foresaw, 14 finds the database away;
# both quote a text. 15 is the negative control: a careless line.
SERVER = """
import sys
from importlib import import_module
from pkgutil import iter_modules
from rejoinder import app
from rejoinder.config import load
from rejoinder.endpoints.http import server
from rejoinder.errors import StoreUnavailable
from rejoinder.observe import log
store_modules = [
    import_module(f"rejoinder.store.{one.name}") for one in iter_modules(import_module("rejoinder.store").__path__)
    if one.name not in ("session", "tables")
]

fail = None

def fault():
    if fail == "13":
        raise RuntimeError("near 'canary-text' of 61255512345")
    if fail == "14":
        raise StoreUnavailable("the database is away") from ValueError("canary-text")

def failing(parse):
    def parsed(*args, **named):
        global fail
        params = parse(*args, **named)
        fail = params.get("fail")
        if fail == "15":
            log.warning("careless", sentence="near canary-text")
        return params
    return parsed

def failing_query(query):
    async def asked(*args):
        fault()
        return await query(*args)
    return asked

server.parse = failing(server.parse)
sessions = [
    found
    for module in store_modules
    for found in vars(module).values()
    if isinstance(found, type) and found.__module__ == module.__name__ and hasattr(found, "bulk")
]
assert len(sessions) >= 4
for session in sessions:
    for name in ("rows", "bulk", "raw"):
        if name in vars(session):
            setattr(session, name, failing_query(vars(session)[name]))
settings = {"database": sys.argv[1], "listen": "127.0.0.1:0", "log_level": "debug"}
app.run(load(None, {**settings, "failed_logins_per_user": 10**6, "failed_logins_per_address": 10**6}))
"""


class Network(http.server.BaseHTTPRequestHandler):
    """What an http carrier meets: answers that quote what they were sent."""

    def do_POST(self) -> None:
        self.send_response(500 if random.random() < 0.5 else 200, "canary-text")
        self.end_headers()
        self.wfile.write(f"canary-text {self.path} {HANDSET}".encode())

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Network) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def said(
    new_database: Callable[[], str], network: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What the process wrote, and its metrics, after all the calls below."""
    url = new_database()
    caller = asyncio.run(prepared(url, network))
    errors = tmp_path_factory.mktemp("said") / "stderr"
    with errors.open("wb") as stderr, server(url, stderr) as (client, process):
        good_calls(client, caller, network)
        bad_calls(client, caller)
        failing_calls(client, caller)
        broken_bytes(client)
        metrics = client.get("/metrics").body.decode()
        process.send_signal(signal.SIGTERM)
        stdout = process.communicate(timeout=20)[0].decode()
    assert process.returncode == 0
    return {"stdout": stdout, "stderr": errors.read_text(), "metrics": metrics}


async def prepared(url: str, network: str) -> Caller:
    """A user and its reseller with canaries for passwords; carriers whose settings hold canaries."""
    clock = SystemClock()
    store = await open_store(url, clock)
    centre = Centre(store, clock)  # type: ignore[arg-type]  # a real clock does
    user = await centre.account()
    for table in ("user_account", "reseller"):
        await centre.sql(f"UPDATE {table} SET password_hash = $1", hash_password(PASSWORD))
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    await inactive_users(centre)
    await centre.pool(POOL_NUMBER)
    await centre.carrier()
    settings = {"token": TOKEN, "url": f"{network}/{TEXT}?text={{text}}&to={{to}}", "body": TEXT}
    for name, address in (("hook", settings["url"]), ("closed", f"http://127.0.0.1:9/{TEXT}")):
        await centre.carrier(name, prefix=CARRIER_PREFIXES[name])
        await centre.sql(
            "UPDATE carrier SET kind = 'http', settings = $1 WHERE name = $2",
            json.dumps({**settings, "url": address}),
            name,
        )
    await centre.changed()
    document = await centre.send(user, text=TEXT, recipient=HANDSET)
    customer = account_id(await lookup.one(store.read, "customer", "shop"))
    await store.close()
    return Caller(password=PASSWORD, own={"documentId": document.id, "customerId": customer})


async def inactive_users(centre: Centre) -> None:
    """Whom the calls of activation are about (tests/schema/table.py names them)."""
    for name in ("coming@shop", "coded@shop"):
        user = await centre.account(name)
        await centre.sql(
            "UPDATE user_account SET activated = FALSE, phone_number = $1 WHERE id = $2", HANDSET, user.id
        )
    await centre.sql(
        "INSERT INTO activation_code (user_id, code_hash, made_at, expires_at, tries) VALUES ($1, $2, 0, $3, -1000)",
        user.id,
        hash_password("123456"),
        2**62,
    )


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


def canaries(way: Way) -> dict[str, str | bytes]:
    """What of a way's parameters can be a canary without its being refused."""
    good = {"text": TEXT, "recipient": HANDSET, "sender": NUMBER, "phoneNumber": f"+{HANDSET}"}
    return {name: value for name, value in good.items() if name in way.names}


def deliver(client: Client, kind: str, body: bytes, content_type: str = JSON, token: str = TOKEN) -> int:
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {token}"}
    return client.request("POST", f"/carriers/hook/{kind}", b"", body, headers).http_status


def good_calls(client: Client, caller: Caller, network: str) -> None:
    for way in WAYS:
        reply = ask(client, way, caller.request(way, **canaries(way)))
        assert reply.http_status == 200
        assert "error" not in reply.json, way
    send = {"username": "anna@shop", "password": PASSWORD, "text": TEXT}
    for prefix in CARRIER_PREFIXES.values():
        assert client.post(SEND, {**send, "recipient": f"{prefix}{HANDSET[2:]}"}).code == 10
    # Its answer goes to a customer's server, whose address the guard refuses.
    target = f"{network}/{TOKEN}?text={{{{text}}}}"
    assert client.post(SEND, {**send, "recipient": HANDSET, "replyTo": target}).code == 10
    mo = {"from": HANDSET, "to": NUMBER, "text": TEXT, "id": TEXT}
    for body, content_type in ((json.dumps(mo).encode(), JSON), (encoded(mo), FORM), (encoded(mo), FORM)):
        assert deliver(client, "inbound", body, content_type) == 200
    for more in ({"to": NUMBER + "1", "id": "parked"}, {"to": POOL_NUMBER, "id": "answer"}):
        assert deliver(client, "inbound", json.dumps({**mo, **more}).encode()) == 200
    assert deliver(client, "receipt", encoded({"id": TEXT, "status": "DELIVRD"}), FORM) == 200


BAD: dict[str, tuple[str | bytes, ...]] = {
    "password": (WRONG,),
    "resellerPassword": (WRONG,),
    "username": (TEXT, f"{TEXT} {WRONG}"),
    "text": (TEXT * 1000,),
    "sender": (TEXT, "CANARYTEXT"),
    "replyTo": (f"ftp://{TEXT}",),
    "clientRef": (TEXT * 10,),
}


def bad_calls(client: Client, caller: Caller) -> None:
    """Every parameter of every call with a canary where it is refused, and with broken bytes around one."""
    for way in WAYS:
        for name in way.names:
            for value in (*BAD.get(name, (TEXT,)), f"%ff{TEXT}".encode(), f"%{TEXT}%00".encode()):
                reply = ask(client, way, caller.request(way, **{**canaries(way), name: value}))
                assert reply.http_status == 200
                assert WRONG not in reply.body.decode()
    body = json.dumps({"from": HANDSET, "to": NUMBER, "text": [TEXT], "id": TEXT}).encode()
    assert deliver(client, "inbound", body) == 400
    assert deliver(client, "inbound", body[:-1]) == 400
    assert deliver(client, "inbound", body, token=WRONG) == 401
    assert deliver(client, "receipt", encoded({"id": TEXT, "status": TEXT}), FORM) == 400


def failing_calls(client: Client, caller: Caller) -> None:
    for way in WAYS:
        for fail, status in (("13", 500), ("14", 503)):
            params = caller.request(way, **canaries(way), fail=fail)
            if "username" in params and not way.of_resellers:
                # Whoever is not remembered must be looked up.
                params["username"] = f"{TEXT}@shop"
            assert ask(client, way, params).http_status == status, way
            assert ask(client, way, caller.request(way, **canaries(way), fail=fail)).http_status in (
                200,
                status,
            )


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


def leaks(text: str) -> list[str]:
    """The lines that hold a secret."""
    return [line for line in text.splitlines() if any(secret in line.lower() for secret in SECRETS)]


@pytest.mark.parametrize("stream", ["stdout", "stderr", "metrics"])
def test_no_log_line_and_no_metric_has_a_secret(said: dict[str, str], stream: str) -> None:
    assert leaks(said[stream]) == []


def test_the_internal_errors_were_logged_as_json_without_their_words(said: dict[str, str]) -> None:
    lines = [json.loads(line) for line in said["stderr"].splitlines()]
    failed = {line["path"] for line in lines if line["event"] == "call_failed"}
    away = {line["path"] for line in lines if line["event"] == "answered_unavailable"}
    assert failed == away == {way.path for way in WAYS}
    assert {line["error_type"] for line in lines if line["event"] == "call_failed"} == {"RuntimeError"}
    assert all(line["trace"] for line in lines if line["event"] == "call_failed")
    assert not re.search("Traceback|near ", said["stderr"])


def test_the_control_a_careless_line_is_found(tmp_path: Path, network: str) -> None:
    url = f"sqlite:///{tmp_path / 'centre.db'}"
    asyncio.run(prepared(url, network))
    with (tmp_path / "stderr").open("wb") as stderr, server(url, stderr) as (client, process):
        client.get(STATUS, {"fail": "15"})
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert len(leaks((tmp_path / "stderr").read_text())) == 1


COMMANDS = f"""
    reseller add canary --password {PASSWORD}
    reseller add canary --password {PASSWORD}
    customer add shop2 --reseller acme
    user add bert@acme --customer shop --password {PASSWORD}
    user add bert@acme --customer shop --password {PASSWORD}
    user password anna@shop --password {PASSWORD}
    user set anna@shop password={PASSWORD} colour=red
    user set anna@shop password={PASSWORD} password={WRONG}
    user set anna@shop password={PASSWORD}
    user set anna@shop state={PASSWORD}
    user set anna@shop allow_ip={TOKEN}
    user show anna@shop
    user list --json
    carrier add third --kind http --set token={TOKEN} --set url=http://u:{PASSWORD}@127.0.0.1:9/?token={TOKEN}
    carrier set third token={TOKEN} colour={TOKEN}
    carrier show third
    carrier show third --json
    carrier list --json
    user list --database postgresql://u:{PASSWORD}@127.0.0.1:9/nothing
    optout add {TOKEN} --customer shop
"""


def test_no_command_says_a_password_or_a_token(tmp_path: Path, network: str) -> None:
    """Texts and numbers are what an operator asks for; passwords and tokens are nobody's to see again."""
    url = f"sqlite:///{tmp_path / 'centre.db'}"
    asyncio.run(prepared(url, network))
    terminal = CliRunner(env={"REJOINDER_DATABASE": url})
    ended = set()
    for line in COMMANDS.strip().splitlines():
        result = terminal.invoke(main, line.split())
        ended.add(result.exit_code)
        for secret in (PASSWORD, WRONG, TOKEN):
            assert secret not in result.output, line
            assert secret not in repr(result.exception), line
    assert {0, 1} <= ended
