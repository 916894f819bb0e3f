"""Connections as clients really use them: they ask for other protocols, pipeline, half-close, dawdle and never read."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from rejoinder.endpoints.http.brakes import _MOST_PIPELINED, BrakingProtocol
from tests.centre import START
from tests.http.resellers import BALANCE
from tests.http.site import (
    ALL_MESSAGES,
    CREDIT_BALANCE,
    FORM,
    POOL,
    SEND,
    Site,
    encoded,
    login,
    patched,
    until,
)

BODY = encoded({**login(), "recipient": "61255588885", "text": "hello"})
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# As java.net.http.HttpClient begins every connection.
JAVAS = (
    f"POST {SEND} HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: {len(BODY)}\r\nHost: a\r\n"
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
    f"Content-Type: {FORM}\r\n\r\n"
).encode()
BALANCE_QUERY = f"{CREDIT_BALANCE}?".encode() + encoded(login())


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


@contextlib.contextmanager
def connected(site: Site) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", site.port), 20) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield link


def rest(link: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    return b"".join(iter(lambda: link.recv(65_536), b""))


def read(site: Site) -> None:
    """Returns when the server has read what was written before: it answers in the order in which things come."""
    for _ in range(2):
        assert site.exchange(LAST).http_status == 200


def protocol_of(site: Site, link: socket.socket) -> BrakingProtocol:
    """The server's side of a connection, once it is there."""

    def found() -> list[BrakingProtocol]:
        there = list(site.server.server_state.connections)
        return [one for one in there if isinstance(one, BrakingProtocol) and one.client == link.getsockname()]

    until(lambda: bool(found()))
    return found()[0]


@pytest.mark.parametrize("cut", [0, 10, len(JAVAS), len(JAVAS) + 7], ids=["whole", "word", "head", "body"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_client_that_offers_another_protocol_is_answered_in_this_one(
    site: Site, times: int, cut: int
) -> None:
    """Found with Java's client: its body was not read, and the send was answered -101."""
    request = JAVAS + BODY
    with connected(site) as link:
        for _ in range(times):
            link.sendall(request[:cut])
            read(site)
            link.sendall(request[cut:])
        link.sendall(LAST)
        answers = rest(link)
    assert answers.count(b"HTTP/1.1 200") == times + 1
    assert answers.count(b'"messageStatus":10') == times


def test_the_body_of_such_a_request_is_no_second_request(site: Site) -> None:
    inner = b"GET " + BALANCE_QUERY + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" % (
        BALANCE_QUERY,
        FORM.encode(),
    )
    with connected(site) as link:
        link.sendall(head + b"Content-Length: %d\r\n\r\n" % len(inner))
        read(site)
        link.sendall(inner)
        read(site)
        link.sendall(LAST)
        answers = rest(link)
    assert (answers.count(b"HTTP/1.1 "), answers.count(b"creditBalance")) == (2, 1)


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0"])
def test_what_comes_behind_such_a_request_is_answered(site: Site, protocol: bytes) -> None:
    asking = HEALTH[:-2] + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
    with connected(site) as link:
        link.sendall(asking + HEALTH + asking + LAST)
        assert rest(link).count(b"HTTP/1.1 200") == 4


def test_a_tunnel_is_refused(site: Site) -> None:
    with connected(site) as link:
        link.sendall(b"CONNECT carrier.example:443 HTTP/1.1\r\nHost: carrier.example\r\n\r\n")
        assert rest(link).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("more", [b"", b"\r\n", b"\r\n\r\n"], ids=["nothing", "a line end", "two"])
def test_an_idle_connection_is_closed_whatever_trailed_its_last_request(site: Site, more: bytes) -> None:
    with patched(site.server.config, "timeout_keep_alive", 0.2), connected(site) as link:
        link.sendall(HEALTH)
        assert link.recv(65_536).startswith(b"HTTP/1.1 200 ")
        link.sendall(more)
        assert rest(link) == b""


def test_a_request_that_has_begun_is_not_cut_off_as_idle(site: Site) -> None:
    with connected(site) as link:
        link.sendall(HEALTH)
        assert link.recv(65_536).startswith(b"HTTP/1.1 200 ")
        link.sendall(LAST[:20])
        read(site)
        site.run(_time_is_up(protocol_of(site, link)))
        link.sendall(LAST[20:])
        assert rest(link).startswith(b"HTTP/1.1 200 ")


async def _time_is_up(protocol: BrakingProtocol) -> None:
    protocol._used_at = float("-inf")
    protocol.timeout_keep_alive_handler()


def test_who_reads_nothing_of_its_answers_is_cut_off(site: Site) -> None:
    with patched(site.centre.service.brakes, "patience", 0.2), socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.connect(("127.0.0.1", site.port))
        link.settimeout(1)
        protocol = protocol_of(site, link)
        with contextlib.suppress(OSError):
            for _ in range(200):
                link.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: protocol not in site.server.server_state.connections)


def test_requests_that_wait_behind_another_one_are_bounded(site: Site) -> None:
    poll = {**login(), "since": str(START + 10), "wait": "1"}
    with connected(site) as link:
        link.sendall(f"GET {ALL_MESSAGES}?".encode() + encoded(poll) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        read(site)
        link.sendall(HEALTH * (2 * _MOST_PIPELINED))
        answers = rest(link)
    assert answers.count(b"HTTP/1.1 200") == 1 + _MOST_PIPELINED
    assert answers.endswith(b'{"status":2,"error":"too many requests wait on this connection"}')


@pytest.mark.parametrize("path", [CREDIT_BALANCE, SEND, BALANCE])
def test_who_ends_its_side_with_its_last_call_is_answered(site: Site, path: str) -> None:
    with connected(site) as link:
        link.sendall(
            b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (path.encode(), FORM.encode(), len(BODY), BODY)
        )
        link.shutdown(socket.SHUT_WR)
        assert rest(link).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", [CREDIT_BALANCE, SEND, ALL_MESSAGES])
@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_who_ends_its_side_within_a_request_does_not_hold_its_connection(
    site: Site, path: str, framing: bytes
) -> None:
    """It was taken for one that waits for its answer, and was waited for in turn, for `request_time`."""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\n" % (path.encode(), FORM.encode())
    with connected(site) as link:
        link.sendall(HEALTH + head + framing + b"\r\n\r\n")
        link.shutdown(socket.SHUT_WR)
        answers = rest(link)
    assert [answer[:3] for answer in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]
    assert answers.endswith(b'{"status":2,"error":"the request was cut off"}')


def test_a_poll_of_any_form_ends_with_its_caller(site: Site) -> None:
    """Found with `Connection: close`: the poll waited for its whole time."""
    site.get(ALL_MESSAGES, {**login(), "since": "0"})
    poll = {**login(), "since": str(START + 10), "wait": "60"}
    waits = site.centre.polls.waits
    with connected(site) as link:
        link.sendall(f"GET {ALL_MESSAGES}?".encode() + encoded(poll) + LAST[len("GET /healthz") :])
        until(lambda: len(waits) == 1)
    until(lambda: len(waits) == 0)
