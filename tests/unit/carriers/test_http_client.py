"""A carrier over HTTP, against real servers on this machine: what each answer, and each fault, means."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from rejoinder.carriers.http_client import HttpCarrier
from rejoinder.clock import ManualClock
from rejoinder.flow.ports import CarrierRow
from rejoinder.message.model import Fate, Outcome
from tests.carrier_events import Collected, outgoing

WHOLE = (0,)
TEXT = 'Say "hi" & {{id}}\n€ 😀'

Serve = Callable[..., Awaitable[str]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Network:
    """A carrier's web server: notes each request, answers with what it was told to."""

    def __init__(self) -> None:
        self.requests: list[web.BaseRequest] = []
        self.bodies: list[bytes] = []
        self.peers: set[object] = set()
        self.answer: Callable[[], web.StreamResponse | Awaitable[web.StreamResponse]] = web.Response

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.answer()
        return answer if isinstance(answer, web.StreamResponse) else await answer


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
async def url(network: Network) -> AsyncIterator[str]:
    """Where `network` listens."""
    runner = web.ServerRunner(web.Server(network), shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/send"
    await runner.cleanup()


@pytest.fixture
async def serve_raw() -> AsyncIterator[Serve]:
    """Starts a server that speaks as the given function does, not always HTTP; answers host and port."""
    servers: list[asyncio.Server] = []

    async def begin(speak: Raw, tls: ssl.SSLContext | None = None) -> str:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await speak(reader, writer)
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield begin
    for server in servers:
        server.close()


async def send(url: str, settings: dict[str, str] | None = None, text: str = TEXT) -> Outcome:
    """The outcome of one message through a carrier made for it."""
    return (await send_twice(url, settings, text, times=1))[0]


async def send_twice(
    url: str, settings: dict[str, str] | None = None, text: str = TEXT, times: int = 2, pause: float = 0
) -> list[Outcome]:
    carrier = made(url, settings)
    await carrier.start()
    outcomes = []
    for number in range(times):
        outcomes += await carrier.send(outgoing(number, text=text, parts=3, numbers=WHOLE))
        await asyncio.sleep(pause)
    await carrier.stop()
    return outcomes


def made(url: str, settings: dict[str, str] | None = None) -> HttpCarrier:
    row = CarrierRow(3, "net", "http", {"url": url, "timeout": "5", **(settings or {})})
    return HttpCarrier(row, Collected(), ManualClock())


async def test_by_default_a_message_is_posted_whole_as_json_and_our_id_stays_the_id(
    network: Network, url: str
) -> None:
    outcome = await send(url)
    assert outcome == Outcome(0, Fate.ACCEPTED, None, "HTTP status 200")
    (request,) = network.requests
    assert (request.method, request.path_qs, request.content_type) == ("POST", "/send", "application/json")
    assert json.loads(network.bodies[0]) == {
        "id": "517509fe0000000000000000",
        "to": "61455555555",
        "from": "61400000000",
        "text": TEXT,
    }


async def test_a_form_reaches_the_server_as_it_was_meant(network: Network, url: str) -> None:
    await send(url, {"content_type": "application/x-www-form-urlencoded"})
    form = dict(await network.requests[0].post())
    assert form == {
        "id": "517509fe0000000000000000",
        "to": "61455555555",
        "from": "61400000000",
        "text": TEXT,
    }


async def test_a_get_has_no_body_and_its_query_arrives_as_it_was_meant(network: Network, url: str) -> None:
    await send(url + "/{{recipient}}?user=%26me&text={{text}}", {"method": "GET"}, "a+b /?#%26é")
    (request,) = network.requests
    assert (request.method, request.path) == ("GET", "/send/61455555555")
    assert dict(request.query) == {"user": "&me", "text": "a+b /?#%26é"}
    assert network.bodies == [b""]
    assert "Content-Type" not in request.headers


async def test_headers_are_templates_and_stand_over_our_own(network: Network, url: str) -> None:
    await send(url, {"headers": "x-text: <{{text}}>\nuser-agent: mine"}, "a\r\nX-Evil: b")
    headers = network.requests[0].headers
    assert headers["X-Text"] == "<a X-Evil: b>"
    assert headers.getall("User-Agent") == ["mine"]
    assert "X-Evil" not in headers


async def test_text_plain_goes_out_in_utf_8_and_says_so(network: Network, url: str) -> None:
    await send(url, {"content_type": "text/plain", "body": "{{duplicate}} {{text}}"})
    assert network.bodies == [f"false {TEXT}".encode()]
    assert network.requests[0].headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, Fate.ACCEPTED),
        (202, Fate.ACCEPTED),
        (299, Fate.ACCEPTED),
        (301, Fate.REFUSED),
        (400, Fate.REFUSED),
        (401, Fate.REFUSED),
        (404, Fate.REFUSED),
        (408, Fate.LATER),
        (429, Fate.THROTTLED),
        (500, Fate.LATER),
        (503, Fate.LATER),
        (599, Fate.LATER),
    ],
)
async def test_the_status_tells_the_fate(network: Network, url: str, status: int, fate: Fate) -> None:
    network.answer = lambda: web.Response(status=status, text='{"id": "x1"}')
    outcome = await send(url, {"id_path": "id"})
    assert outcome == Outcome(0, fate, "x1" if fate is Fate.ACCEPTED else None, f"HTTP status {status}")
    assert len(network.requests) == 1


async def test_which_statuses_accept_and_which_try_again_is_a_setting(network: Network, url: str) -> None:
    settings = {"accept_status": "302", "retry_status": "200,429"}
    for status, fate in ((302, Fate.ACCEPTED), (200, Fate.LATER), (429, Fate.THROTTLED), (503, Fate.REFUSED)):
        network.answer = partial(web.Response, status=status)
        assert (await send(url, settings)).fate is fate


@pytest.mark.parametrize(
    ("setting", "answer", "ref"),
    [
        ({"id_path": "id"}, '{"id": "AB-7"}', "AB-7"),
        ({"id_path": "id"}, '{"id": 1234567890123456789}', "1234567890123456789"),
        ({"id_path": "id"}, '{"id": "  7 "}', "7"),
        ({"id_path": "messages.1.key.id"}, '{"messages": [{}, {"key": {"id": "b"}}]}', "b"),
        ({"id_path": "a.0"}, '{"a": {"0": "b"}}', "b"),
        ({"id_path": "0.id"}, '[{"id": "b"}]', "b"),
        ({"id_path": "id"}, '{"id": null}', None),
        ({"id_path": "id"}, '{"id": true}', None),
        ({"id_path": "id"}, '{"id": 1.5}', None),
        ({"id_path": "id"}, '{"id": ["a"]}', None),
        ({"id_path": "id"}, '{"id": ""}', None),
        ({"id_path": "id"}, '{"id": "a\\u0000b"}', None),
        ({"id_path": "id"}, '{"id": "\\ud800"}', None),
        ({"id_path": "id"}, '{"id": "' + "a" * 201 + '"}', None),
        ({"id_path": "id"}, '{"id": ' + "9" * 5000 + "}", None),
        ({"id_path": "id"}, "OK", None),
        ({"id_path": "id"}, "[" * 60_000, None),
        ({"id_path": "a.9"}, '{"a": ["b"]}', None),
        ({"id_path": "a.b"}, '{"a": "b"}', None),
        ({"id_regex": r"^OK: (\w+)"}, "OK: 77f", "77f"),
        ({"id_regex": r"^OK: (\w+)"}, "ERR", None),
        ({"id_regex": r"id=(\d+)?"}, "id=", None),
        ({}, '{"id": "b"}', None),
    ],
)  # fmt: skip
async def test_the_carriers_id_is_found_in_its_answer_or_is_none(
    network: Network, url: str, setting: dict[str, str], answer: str, ref: str | None
) -> None:
    network.answer = lambda: web.Response(text=answer)
    assert await send(url, setting) == Outcome(0, Fate.ACCEPTED, ref, "HTTP status 200")


async def test_a_redirect_is_not_followed(network: Network, url: str) -> None:
    network.answer = lambda: web.Response(status=307, headers={"Location": url + "/elsewhere"})
    assert (await send(url)).fate is Fate.REFUSED
    assert [it.path for it in network.requests] == ["/send"]


async def test_a_proxy_of_the_environment_is_not_asked(
    network: Network, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await send(url)).fate is Fate.ACCEPTED


async def test_cookies_are_not_kept(network: Network, url: str) -> None:
    network.answer = lambda: web.Response(headers={"Set-Cookie": "a=b"})
    await send_twice(url.replace("127.0.0.1", "localhost"))
    assert "Cookie" not in network.requests[1].headers


async def test_of_a_huge_answer_64_kb_are_read_and_the_rest_is_cut_off(network: Network, url: str) -> None:
    sent = 0

    async def endless() -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(network.requests[-1])
        while True:
            await response.write(b"id=77 " + b"x" * 65_530)
            sent += 1

    network.answer = endless
    outcomes = await send_twice(url, {"id_regex": r"id=(\d+)"})
    assert outcomes == [Outcome(0, Fate.ACCEPTED, "77", "HTTP status 200")] * 2
    assert sent < 2000


async def test_no_answer_in_time_after_the_request_left_is_unknown(network: Network, url: str) -> None:
    async def never() -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    network.answer = never
    outcome = await send(url, {"timeout": "0.2"})
    assert (outcome.fate, outcome.reason) == (Fate.UNKNOWN, "gives no answer in time")


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_a_connection_cut_after_the_request_is_unknown_and_nothing_is_sent_again(
    serve_raw: Serve, method: str
) -> None:
    requests = 0

    async def cut(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1

    address = await serve_raw(cut)
    outcome = await send(f"http://{address}/", {"method": method})
    assert (outcome.fate, outcome.ref) == (Fate.UNKNOWN, None)
    await asyncio.sleep(0.02)
    assert requests == 1


@pytest.mark.parametrize(
    "answer", [b"", b"SMTP 220 hello\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999]
)
async def test_an_answer_that_is_no_http_is_unknown(serve_raw: Serve, answer: bytes) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    assert (await send(f"http://{await serve_raw(nonsense)}/")).fate is Fate.UNKNOWN


@pytest.mark.parametrize(
    ("status", "fate"), [(b"200 OK", Fate.ACCEPTED), (b"503 No", Fate.LATER), (b"400 No", Fate.REFUSED)]
)
@pytest.mark.parametrize("stalls", [True, False])
async def test_a_status_counts_though_the_rest_of_its_answer_never_comes(
    serve_raw: Serve, status: bytes, fate: Fate, stalls: bool
) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 " + status + b'\r\nContent-Length: 100\r\n\r\n{"id": "')
        await writer.drain()
        if stalls:
            await reader.read()

    outcome = await send(f"http://{await serve_raw(half)}/", {"id_path": "id", "timeout": "0.2"})
    assert (outcome.fate, outcome.ref) == (fate, None)


async def test_a_connection_that_the_server_closed_while_idle_is_made_anew(serve_raw: Serve) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    outcomes = await send_twice(f"http://{await serve_raw(once)}/", pause=0.05)
    assert [it.fate for it in outcomes] == [Fate.ACCEPTED, Fate.ACCEPTED]


async def test_where_nothing_listens_it_is_tried_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await send(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (outcome.fate, outcome.reason) == (Fate.LATER, "can't be reached: no connection")


async def test_a_host_name_that_is_not_known_is_tried_later() -> None:
    outcome = await send("http://carrier.invalid/")
    assert (outcome.fate, outcome.reason) == (Fate.LATER, "can't be reached: its host name is not known")


async def test_a_certificate_that_nobody_signed_is_not_trusted(serve_raw: Serve) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    asked = False

    async def taken(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = bool(await reader.read(1))

    address = await serve_raw(taken, tls)
    outcome = await send(f"https://{address}/")
    assert (outcome.fate, outcome.reason) == (Fate.LATER, "can't be reached: its certificate is not trusted")
    assert not asked


async def test_a_server_without_tls_is_tried_later(url: str, network: Network) -> None:
    outcome = await send(url.replace("http:", "https:"))
    assert (outcome.fate, outcome.reason) == (Fate.LATER, "can't be reached: TLS failed")
    assert network.requests == []


async def test_a_time_out_before_the_request_left_is_tried_later(serve_raw: Serve) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    outcome = await send(f"https://{await serve_raw(silent)}/", {"timeout": "0.1"})
    assert (outcome.fate, outcome.reason) == (Fate.LATER, "can't be reached: no connection in time")


async def test_a_window_of_requests_goes_out_at_once_over_connections_that_are_kept(
    network: Network, url: str
) -> None:
    together = asyncio.Barrier(4)

    async def wait() -> web.StreamResponse:
        await together.wait()
        return web.Response()

    network.answer = wait
    carrier = made(url, {"window": "4"})
    await carrier.start()
    for _ in range(2):
        outcomes = await asyncio.gather(*(carrier.send(outgoing(it, numbers=WHOLE)) for it in range(4)))
        assert [it.fate for (it,) in outcomes] == [Fate.ACCEPTED] * 4
    await carrier.stop()
    assert len(network.requests) == 8
    assert len(network.peers) == 4


async def test_what_is_under_way_at_stop_is_unknown_and_what_comes_after_waits(
    network: Network, url: str
) -> None:
    reached = asyncio.Event()

    async def never() -> web.StreamResponse:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    network.answer = never
    carrier = made(url)
    assert (await carrier.send(outgoing(numbers=WHOLE)))[0].fate is Fate.LATER
    await carrier.start()
    sending = asyncio.create_task(carrier.send(outgoing(numbers=WHOLE)))
    await reached.wait()
    await carrier.stop()
    assert (await sending)[0].fate is Fate.UNKNOWN
    assert (await carrier.send(outgoing(numbers=WHOLE)))[0].fate is Fate.LATER


async def test_the_state_names_the_trouble_until_a_message_is_accepted(network: Network, url: str) -> None:
    carrier = made(url)
    assert carrier.state() == "down"
    await carrier.start()
    states = [carrier.state()]
    for status in (503, 200, 401, 400):
        network.answer = partial(web.Response, status=status)
        await carrier.send(outgoing(numbers=WHOLE))
        states.append(carrier.state())
    await carrier.stop()
    assert states == ["up", "HTTP status 503", "up", "HTTP status 401", "up"]


@pytest.mark.parametrize("fails", [True, False])
async def test_neither_outcome_nor_state_holds_address_number_or_text(
    network: Network, url: str, fails: bool
) -> None:
    address = "http://127.0.0.1:1/swordfish" if fails else url + "/swordfish"
    network.answer = lambda: web.Response(status=400, text="swordfish 61455555555")
    carrier = made(address + "?key=swordfish", {"headers": "X-Key: swordfish"})
    await carrier.start()
    (outcome,) = await carrier.send(outgoing(text="swordfish", numbers=WHOLE))
    said = outcome.reason + carrier.state()
    await carrier.stop()
    assert "swordfish" not in said
    assert "61455555555" not in said


async def test_binary_content_is_refused_before_anything_leaves(network: Network, url: str) -> None:
    carrier = HttpCarrier(CarrierRow(7, "net", "http", {"url": url}), Collected(), ManualClock())
    await carrier.start()
    (outcome,) = await carrier.send(outgoing(text="0bad", alphabet="binary", numbers=WHOLE))
    (part,) = await carrier.send(outgoing(text="as its text", udh="050003070201", numbers=WHOLE))
    await carrier.stop()
    assert (outcome.number, outcome.fate) == (0, Fate.REFUSED)
    assert part.fate is Fate.ACCEPTED
    assert len(network.bodies) == 1
    assert b"as its text" in network.bodies[0]
