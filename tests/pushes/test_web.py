"""Pushes over HTTP against real servers: what they get, and that bad ones cost a bounded time and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from urllib.parse import unquote

import pytest
import trustme
from standardwebhooks import Webhook, WebhookVerificationError

from rejoinder.clock import SystemClock
from rejoinder.endpoints.pushes import web
from rejoinder.endpoints.pushes.web import WebCourier
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_records import Brought
from rejoinder.flow.push_settings import PushSetting, new_secret
from tests.pushes import servers
from tests.pushes.servers import Behaviour, CustomersServer, customers_server

TEXT = "50% off? a&b=c+d #1 / {{from}} \"q\" 'ü' € 😀\r\nX-Evil: 1"
VALUES = {
    "MTMessageId": None,
    "MOMessageId": "5" * 24,
    "timestamp": 1700000000,
    "from": "61",
    "to": "62",
    "text": TEXT,
}
LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def context(authority: trustme.CA) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


@pytest.fixture
async def courier(authority: trustme.CA) -> AsyncIterator[WebCourier]:
    made = WebCourier(SystemClock(), LOOPBACK, context(authority))
    await made.start()
    yield made
    await made.stop()


def parcel(url: str, method: str = "GET", *secrets: str) -> Parcel:
    return Parcel("mo_555_7", "web", "mo", 1700000000, PushSetting(url, method, secrets), VALUES)


@pytest.mark.parametrize(
    "rest",
    [
        "/p?t={{text}}",
        "/p?a=1&t={{ text }}&b=2",
        "/p?t=pre-{{text}}-post",
        "/p?t={{text}}#part",
        "/{{from}}/p?t={{text}}",
    ],
)
async def test_a_get_fills_templates_and_no_value_leaves_its_place(courier: WebCourier, rest: str) -> None:
    async with customers_server() as server:
        assert await courier.bring(parcel(server.url(rest))) == Brought(True)
    (asked,) = server.asked
    assert asked.method == "GET"
    assert asked.query["t"].removeprefix("pre-").removesuffix("-post") == TEXT
    assert "x-evil" not in asked.headers
    assert asked.headers["webhook-id"] == "mo_555_7"


@pytest.mark.parametrize("rest", ["/p", "/p?k=v", "/p?", "/p#part", ""])
async def test_a_get_without_a_template_gets_all_names_as_its_query(courier: WebCourier, rest: str) -> None:
    async with customers_server() as server:
        assert (await courier.bring(parcel(server.url(rest)))).ok
    expected = {name: "" if value is None else str(value) for name, value in VALUES.items()}
    assert server.asked[0].query == {**expected, **({"k": "v"} if "k=v" in rest else {})}


async def test_what_the_customer_wrote_is_sent_as_written(courier: WebCourier) -> None:
    async with customers_server() as server:
        await courier.bring(parcel(server.url("/a%2Fb/%41;x/é?sig=%2B%3D&e=&f=a+b&t={{text}}")))
    path, _, query = server.asked[0].target.partition("?")
    assert path == "/a%2Fb/%41;x/%C3%A9"
    assert query.startswith("sig=%2B%3D&e=&f=a+b&t=50%25%20off%3F%20a%26b%3Dc%2Bd%20%231%20%2F")


async def test_a_post_to_a_url_with_other_letters_asks_for_it_as_a_get_does(courier: WebCourier) -> None:
    async with customers_server() as server:
        await courier.bring(parcel(server.url("/a%2Fb/é/%zz?f=a+b&e=é#part"), "POST", new_secret()))
    assert server.asked[0].target == "/a%2Fb/%C3%A9/%25zz?f=a+b&e=%C3%A9"


@pytest.mark.parametrize("rest", ["/p?t={{text}}", "/p", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_server_whose_name_has_other_letters_is_looked_up_as_the_dns_has_it(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch, method: str, rest: str
) -> None:
    """Found as pushes that were all parked: of a GET the name was percent-encoded, and known nowhere."""
    asked, look_up = [], socket.getaddrinfo

    def noted(host: str, *more: int) -> object:
        asked.append(host)
        return look_up("127.0.0.1", *more)

    monkeypatch.setattr(web.socket, "getaddrinfo", noted)
    async with customers_server() as server:
        url = server.url(rest, "bücher.example")
        assert await courier.bring(parcel(url, method, new_secret())) == Brought(True)
    assert asked == ["xn--bcher-kva.example"]
    assert server.asked[0].headers["host"].startswith("xn--bcher-kva.example")


async def test_a_post_is_json_that_the_standards_own_verifier_accepts_with_either_secret(
    courier: WebCourier,
) -> None:
    new, old, other = new_secret(), new_secret(), new_secret()
    async with customers_server() as server:
        assert (await courier.bring(parcel(server.url("/hook?k=1"), "POST", new, old))).ok
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.headers["content-type"]) == (
        "POST",
        "/hook?k=1",
        "application/json",
    )
    for secret in (new, old):
        content = Webhook(secret).verify(asked.body, asked.headers)
        assert content == {"type": "message.received", "timestamp": "2023-11-14T22:13:20Z", "data": VALUES}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(asked.body, asked.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(asked.body.replace(b"61", b"66"), asked.headers)
    sent = datetime.fromtimestamp(int(asked.headers["webhook-timestamp"]), UTC)
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 60


async def test_the_text_in_a_post_is_exact(courier: WebCourier) -> None:
    async with customers_server() as server:
        await courier.bring(parcel(server.url(), "POST", new_secret()))
    assert json.loads(server.asked[0].body)["data"]["text"] == TEXT


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_yes(courier: WebCourier, status: int) -> None:
    async with customers_server() as server:
        server.answer = b"HTTP/1.1 %d Fine\r\nContent-Length: 0\r\n\r\n" % status
        assert await courier.bring(parcel(server.url())) == Brought(True)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (301, False),
        (302, False),
        (307, False),
        (400, False),
        (404, False),
        (410, False),
        (429, True),
        (500, True),
        (503, True),
    ],
)
async def test_every_other_status_is_a_no_and_redirects_are_not_followed(
    courier: WebCourier, status: int, trouble: bool
) -> None:
    async with customers_server() as elsewhere, customers_server() as server:
        server.answer = b"HTTP/1.1 %d No\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (
            status,
            elsewhere.url().encode(),
        )
        result = await courier.bring(parcel(server.url()))
        assert (result.ok, result.trouble) == (False, trouble)
        assert str(status) in result.word
        assert elsewhere.dialled == 0


@pytest.mark.parametrize(
    ("behaviour", "ok", "word"),
    [
        (servers.hanging, False, "no answer in 10 s"),
        (servers.dripping, False, ""),
        (servers.dripping_headers, False, "no answer in 10 s"),
        (servers.resetting, False, "the connection was closed"),
        (servers.not_http, False, "the answer is not HTTP"),
        (servers.huge_headers, False, ""),
        # A status that came says it all, whatever the rest does.
        (servers.dripping_body, True, ""),
        (servers.huge_body, True, ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_a_bad_server_costs_a_bounded_time(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour, ok: bool, word: str
) -> None:
    monkeypatch.setattr(web, "SECONDS", 1.5)
    async with customers_server(behaviour) as server:
        began = time.monotonic()
        result = await courier.bring(parcel(server.url()))
        took = time.monotonic() - began
    assert (result.ok, result.trouble) == (ok, not ok)
    assert word in result.word
    assert took < 2.5
    assert server.dialled == 1


def test_the_time_of_a_try_is_ten_seconds() -> None:
    assert web.SECONDS == 10


async def test_a_yes_in_time_counts_also_where_its_body_takes_longer(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found as a push that was brought again: its time was up while the rest of a 200 was being read."""
    monkeypatch.setattr(web, "SECONDS", 0.3)
    async with customers_server(servers.dripping_body) as server:
        assert await courier.bring(parcel(server.url())) == Brought(True)


async def test_of_a_huge_answer_little_is_taken(courier: WebCourier) -> None:
    async with customers_server(servers.huge_body) as server:
        assert (await courier.bring(parcel(server.url()))).ok
    # What the kernel's two buffers and one chunk hold, not what the server would send in ten seconds.
    assert server.sent < 8_000_000  # type: ignore[attr-defined]  # see servers.huge_body


HANGS = """
import asyncio, socket, threading
from rejoinder.clock import SystemClock
from rejoinder.endpoints.pushes import web
from tests.pushes.test_web import parcel

async def main():
    courier = web.WebCourier(SystemClock())
    await courier.start()
    print(await courier.bring(parcel("http://hangs.example/")))
    await courier.stop()

web.SECONDS = 0.1
socket.getaddrinfo = lambda *_: threading.Event().wait(60)
asyncio.run(main())
"""


def test_a_name_server_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    """Found as a server that took half a minute to stop: its threads were waited for."""
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, timeout=30, check=True)
    assert b"no answer in 10 s" in ended.stdout


async def test_names_are_looked_up_by_a_bounded_number_of_threads(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, go_on = [], threading.Event()

    def hanging(host: str, *_: object) -> None:
        looked_up.append(host)
        go_on.wait(30)
        raise socket.gaierror

    monkeypatch.setattr(web, "SECONDS", 0.5)
    monkeypatch.setattr(web.socket, "getaddrinfo", hanging)
    wanted = [courier.bring(parcel(f"http://host{number}.example/")) for number in range(40)]
    assert {(await one).word for one in asyncio.as_completed(wanted)} == {"no answer in 10 s"}
    assert len(looked_up) == 32
    go_on.set()
    assert (await courier.bring(parcel("http://host99.example/"))).word == "the host name is not known"


async def test_a_server_that_is_not_there_is_trouble(courier: WebCourier) -> None:
    async with customers_server() as server:
        url = server.url()
    assert await courier.bring(parcel(url)) == Brought(False, "no connection", trouble=True)


async def test_a_name_that_is_none_is_trouble(courier: WebCourier) -> None:
    result = await courier.bring(parcel("http://no-such-host.invalid/"))
    assert result == Brought(False, "the host name is not known", trouble=True)


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


async def test_tls_with_a_trusted_certificate_is_used(courier: WebCourier, authority: trustme.CA) -> None:
    async with customers_server(tls=tls(authority, "127.0.0.1")) as server:
        assert await courier.bring(parcel(server.url())) == Brought(True)


async def test_a_certificate_of_another_name_is_refused(courier: WebCourier, authority: trustme.CA) -> None:
    async with customers_server(tls=tls(authority, "shop.example")) as server:
        result = await courier.bring(parcel(server.url()))
    assert result == Brought(False, "the certificate is not trusted", trouble=True)
    assert server.asked == []


async def test_a_certificate_of_a_stranger_is_refused(courier: WebCourier) -> None:
    async with customers_server(tls=tls(trustme.CA(), "127.0.0.1")) as server:
        result = await courier.bring(parcel(server.url()))
    assert result == Brought(False, "the certificate is not trusted", trouble=True)
    assert server.asked == []


async def test_a_server_without_tls_behind_https_is_trouble(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It waits for the end of a request that never was one.
    monkeypatch.setattr(web, "SECONDS", 1.5)
    async with customers_server() as server:
        result = await courier.bring(parcel(server.url().replace("http:", "https:")))
    assert (result.ok, result.trouble) == (False, True)
    assert server.asked == []


async def test_proxies_of_the_environment_and_cookies_are_not_used(
    courier: WebCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with customers_server() as proxy, customers_server() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("http_proxy", proxy.url(""))
        server.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        for _ in range(2):
            assert (await courier.bring(parcel(server.url()))).ok
        assert proxy.dialled == 0
    assert all("cookie" not in asked.headers for asked in server.asked)


def test_the_encoding_of_the_test_text_is_what_it_says() -> None:
    assert unquote("50%25%20off%3F%20a%26b%3Dc%2Bd%20%231%20%2F") == TEXT[:21]


async def test_a_url_that_cannot_be_dialled_is_no_fault_of_a_server(courier: WebCourier) -> None:
    result = await courier.bring(parcel("http://xn--/"))
    assert not result.ok
    assert isinstance(CustomersServer, type)
