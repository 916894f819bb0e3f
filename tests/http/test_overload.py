"""Overload: whoever can't be served in time hears 503 with Retry-After, and nobody holds a connection by being slow."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rejoinder.endpoints.http.brakes import BrakingProtocol
from rejoinder.endpoints.http.refusals import IN_A_TURN, REST_SECONDS
from tests.centre import START
from tests.http.site import (
    ALL_MESSAGES,
    FORM,
    POOL,
    SEND,
    SEND_MULTIPLE,
    Reply,
    Site,
    encoded,
    login,
    patched,
)

RECIPIENT = "61255588885"
BODY = encoded({**login(), "recipient": RECIPIENT, "text": "hello"})


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


@contextlib.contextmanager
def overloaded(site: Site) -> Iterator[None]:
    """As much is under way as can be stored in time."""
    admission = site.centre.submissions.admission
    with patched(admission, "limit", 0):
        yield


def stored(site: Site) -> int:
    ((count,),) = site.sql("SELECT count(*) FROM mt")
    assert isinstance(count, int)
    return count


def assert_refused(reply: Reply) -> None:
    assert reply.http_status == 503
    assert reply.headers["retry-after"] == "1"
    assert reply.json["messageStatus"] == -999
    assert "try again" in reply.json["error"]


@pytest.mark.parametrize("path", [SEND, SEND_MULTIPLE])
def test_an_overloaded_server_refuses_sends_with_503_and_retry_after_and_stores_nothing(
    site: Site, path: str
) -> None:
    params = {**login(), "recipient": RECIPIENT, "text": "hello"}
    before = stored(site)
    with overloaded(site):
        for _ in range(3):  # on one connection, which goes on
            assert_refused(site.post(path, params))
        assert site.get(ALL_MESSAGES, {**login(), "since": "0"}).json["status"] == 0
    assert stored(site) == before
    assert site.post(path, params).http_status == 200
    assert stored(site) == before + 1


HEAD = f"POST {SEND} HTTP/1.1\r\nHost: centre.example\r\nContent-Type: {FORM}\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + LENGTH + b"\r\n" + BODY,
        HEAD + LENGTH + b"Connection: keep-alive\r\n\r\n" + BODY,
        HEAD + LENGTH + b"Connection: close\r\n\r\n" + BODY,
        HEAD.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + BODY,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
        HEAD + LENGTH + b"X-Long: " + b"x" * 3000 + b"\r\n\r\n" + BODY,
        b"GET " + SEND.encode() + b"?" + BODY + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["plain", "keep-alive", "close", "1.0", "chunked", "long head", "GET"],
)
def test_a_send_of_any_form_is_refused_alike(site: Site, request_: bytes) -> None:
    with overloaded(site):
        assert_refused(site.exchange(request_))
    assert site.exchange(request_).json["messageStatus"] == 10


def test_what_is_under_way_is_counted_until_its_answer_and_not_for_ever(site: Site) -> None:
    admission = site.centre.submissions.admission
    for _ in range(5):
        assert site.post(SEND, {**login(), "recipient": RECIPIENT, "text": "hello"}).http_status == 200
        assert site.post(SEND, {**login(), "recipient": "nobody", "text": "hello"}).http_status == 200
    assert admission.under_way == 0


def test_refusals_are_counted_in_the_metrics_and_said_once_a_second_not_once_each(site: Site) -> None:
    with overloaded(site):
        for _ in range(20):
            site.exchange(HEAD + LENGTH + b"\r\n" + BODY)
    metrics = site.get("/metrics").body.decode()
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    assert float(lines["rejoinder_overloaded_total"]) >= 20
    assert float(lines[f'rejoinder_http_answers_total{{path="{SEND}",status="503"}}']) >= 20


PLAIN = HEAD + LENGTH + b"\r\n" + BODY


@contextlib.contextmanager
def held(site: Site) -> Iterator[None]:
    """The event loop stands still: what is sent meanwhile comes all at once. It goes on when the block ends."""
    standing, go_on = threading.Event(), threading.Event()

    async def hold() -> None:
        standing.set()
        go_on.wait(60)

    holding = asyncio.run_coroutine_threadsafe(hold(), site._loop)
    standing.wait(60)
    try:
        yield
    finally:
        go_on.set()
        holding.result(60)


def test_refusals_take_turns_with_what_was_let_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by overload at length: given where they were read, refusals held up what was let in for seconds; given
    as soon as could be, they left half of the core to it.
    """
    moments: list[float] = []
    right = BrakingProtocol.refuse

    def refuse(*args: Any) -> None:
        moments.append(time.monotonic())
        right(*args)

    many = 3 * IN_A_TURN + 1
    with contextlib.ExitStack() as stack:
        stack.enter_context(overloaded(site))
        monkeypatch.setattr(BrakingProtocol, "refuse", refuse)
        links = [
            stack.enter_context(socket.create_connection(("127.0.0.1", site.port), 20)) for _ in range(many)
        ]
        with held(site):
            for link in links:
                link.sendall(PLAIN)
        answers = [link.recv(65_536) for link in links]
        # Who comes again at once waits for the next turn as well.
        links[-1].sendall(PLAIN)
        answers.append(links[-1].recv(65_536))
    assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
    assert len(moments) == many + 1
    # Four rests at least lie between them; how many were read before the first turn is chance.
    assert moments[-1] - moments[0] > 2 * REST_SECONDS


def test_a_refusal_that_fails_ends_its_connection_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    right, calls = BrakingProtocol.refuse, itertools.count()

    def refuse(*args: Any) -> None:
        if next(calls) == 0:
            raise RuntimeError("made to fail")
        right(*args)

    monkeypatch.setattr(BrakingProtocol, "refuse", refuse)
    with contextlib.ExitStack() as stack:
        stack.enter_context(overloaded(site))
        links = [stack.enter_context(socket.create_connection(("127.0.0.1", site.port), 20)) for _ in "abc"]
        with held(site):
            for link in links:
                link.sendall(PLAIN)
        answers = []
        for link in links:
            with contextlib.suppress(ConnectionResetError):
                answers.append(link.recv(65_536))
    assert sorted(answer[:12] for answer in answers if answer) == [b"HTTP/1.1 503"] * 2


def test_sends_that_come_behind_each_other_are_each_refused_in_turn(site: Site) -> None:
    poll = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with overloaded(site), socket.create_connection(("127.0.0.1", site.port), 20) as link:
        link.sendall(PLAIN * 3 + poll)
        answer = b"".join(iter(lambda: link.recv(65_536), b""))
    statuses = [piece[:3] for piece in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"503", b"503", b"503", b"200"]


def test_who_leaves_before_its_refusal_harms_nobody(site: Site) -> None:
    with overloaded(site):
        with held(site):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", site.port), 20) as link:
                    link.sendall(PLAIN)
        assert_refused(site.exchange(PLAIN))
    assert site.exchange(PLAIN).json["messageStatus"] == 10
    assert site.centre.submissions.admission.under_way == 0


@pytest.mark.parametrize(
    "begun",
    [b"", b"POST", HEAD, HEAD + LENGTH + b"\r\n" + BODY[:-1], b"GET " + ALL_MESSAGES.encode() + b"?user"],
    ids=["nothing", "a word", "half a head", "half a body", "half a poll"],
)
def test_who_does_not_bring_a_whole_request_in_time_is_answered_408_and_closed(
    site: Site, begun: bytes
) -> None:
    with (
        patched(site.centre.service.brakes, "patience", 0.2),
        socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection,
    ):
        connection.sendall(begun)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 408 ") or (not begun and not answer)
    assert b"connection: close" in answer or not begun


def test_who_waits_for_an_answer_is_not_hurried_and_idle_connections_stay(site: Site) -> None:
    poll = {**login(), "since": str(START + 10), "wait": "1"}
    with patched(site.centre.service.brakes, "patience", 0.1):
        assert site.get(ALL_MESSAGES, poll).http_status == 200  # after a second
        kept = site._kept
        assert site.get(ALL_MESSAGES, {**poll, "wait": "0"}).http_status == 200
        assert site._kept is kept


POST = b"POST " + ALL_MESSAGES.encode() + b" HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\nContent-Type: " + FORM.encode() + b"\r\n\r\n"
# What the parser keeps until it ends: more than it may be.
ENDLESS = 520 * 1024


@pytest.mark.parametrize(
    ("begun", "more", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: ", b"a", 431),
        (b"GET /healthz HTTP/1.1\r\n", b"a: b\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\n", b"a", 431),
        (b"GET /healthz?a=", b"b", 413),
        (CHUNKED + b"1;", b"x", 431),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"a: b\r\n", 431),
        (CHUNKED, b"1\r\n&\r\n", 413),
    ],
    ids=["value", "headers", "name", "target", "extension", "trailers", "chunks"],
)
def test_what_has_no_end_is_answered_before_it_fills_the_memory(
    site: Site, begun: bytes, more: bytes, status: int
) -> None:
    stream = begun + more * (ENDLESS // len(more))
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        connection.sendall(stream)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]


def test_a_head_of_a_quarter_of_that_is_read(site: Site) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * (ENDLESS // 4) + b"\r\n\r\n"
    assert site.exchange(head).http_status == 200


@pytest.mark.parametrize("times", [1, 3], ids=["one", "three behind each other"])
@pytest.mark.parametrize("full", [False, True], ids=["with room", "overloaded"])
def test_who_ends_its_side_with_its_last_send_is_answered_and_then_closed(
    site: Site, full: bool, times: int
) -> None:
    before = stored(site)
    with (
        overloaded(site) if full else contextlib.nullcontext(),
        socket.create_connection(("127.0.0.1", site.port), 20) as link,
    ):
        with held(site):
            link.sendall(PLAIN * times)
            link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(65_536), b""))
    assert answer.count(b"HTTP/1.1 503 " if full else b'"messageStatus":10') == times
    assert stored(site) == before + (0 if full else times)
