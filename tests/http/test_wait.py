"""`wait`: an answer as soon as there is something to show, or an empty one after that many seconds (contract §13)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from rejoinder.flow.mailbox import Answer, Poll
from rejoinder.message.objectid import ObjectIds
from rejoinder.store import open_store
from tests.centre import HANDSET, START, Centre
from tests.http.calls import ask, each_method
from tests.http.mailboxes import Filled, fill, listed
from tests.http.site import ALL_MESSAGES, FINALS, MESSAGES, POOL, SEND, Client, Reply, Site, login, until

NUMBER = "61400000001"


class Timers:
    """Timers that run out when the test says so."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> Timers:
        self.set.append((seconds, call))
        return self

    def cancel(self) -> None:
        """A timer that ran out late finds nobody."""

    def run_out(self) -> None:
        for _, call in self.set:
            call()


@pytest.fixture
def site(fresh_site: Site) -> Iterator[Site]:
    user = fresh_site.user()
    fresh_site.carrier()
    fresh_site.pool(*POOL)
    fresh_site.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    fresh_site.changed()
    yield fresh_site
    fresh_site.run(_end(fresh_site))


async def _end(site: Site) -> None:
    site.centre.polls.waits.end()


def waiting(site: Site) -> int:
    return len(site.centre.polls.waits)


def start(
    site: Site, pool: ThreadPoolExecutor, path: str, method: str = "get", since: int = START
) -> Future[Reply]:
    """A poll that waits, on a connection of its own."""
    before = waiting(site)
    params = {**login(), "since": str(since), "wait": "60"}
    asked = pool.submit(_asked, site.port, method, path, params)
    until(lambda: waiting(site) > before or asked.done())
    return asked


def _asked(port: int, method: str, path: str, params: dict[str, str]) -> Reply:
    client = Client(port)
    try:
        return ask(client, method, path, params)  # type: ignore[arg-type]  # a Site is a Client
    finally:
        client.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def send(site: Site) -> str:
    params = {**login(), "text": "Hello", "recipient": HANDSET}
    return str(site.post(SEND, params).json["documentId"])


def receive(site: Site) -> None:
    site.run(site.centre.reply(1, HANDSET, NUMBER, "hi"))


def end_one(site: Site) -> None:
    sent = send(site)
    site.run(site.centre.deliver(1))
    site.run(site.centre.receipt(1, f"r-{sent}-1"))


VIEWS: list[tuple[str, Callable[[Site], Any], str]] = [
    (ALL_MESSAGES, send, "outgoingMessages"),
    (ALL_MESSAGES, receive, "incomingMessages"),
    (MESSAGES, receive, "messages"),
    (FINALS, end_one, "statuses"),
]


@each_method
def test_a_poll_that_waits_is_answered_when_something_is_stored(
    site: Site, pool: ThreadPoolExecutor, method: str
) -> None:
    for path, happens, name in VIEWS:
        since = int(site.get(path, {**login(), "since": str(START)}).json[_newest(path)])
        asked = start(site, pool, path, method, since)
        assert not asked.done()
        happens(site)
        answer = asked.result(20).json
        assert len(answer[name]) == 1, path
        assert answer["status"] == 0
        again = site.get(path, {**login(), "since": str(answer[_newest(path)])}).json
        assert again[name] == []
    assert waiting(site) == 0


def _newest(path: str) -> str:
    return "newestStatusTimestamp" if path == FINALS else "newestMessageTimestamp"


def test_what_is_there_is_answered_at_once(site: Site) -> None:
    send(site)
    answer = site.get(ALL_MESSAGES, {**login(), "since": "0", "wait": "60"}).json
    assert len(listed(answer)) == 1


def test_messages_is_not_woken_to_show_what_was_sent(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = start(site, pool, MESSAGES)
    send(site)
    assert not asked.done()
    receive(site)
    assert len(asked.result(20).json["messages"]) == 1


@each_method
def test_an_empty_answer_comes_when_the_time_is_up(site: Site, pool: ThreadPoolExecutor, method: str) -> None:
    timers = Timers()
    site.centre.polls.waits.later = timers
    asked = start(site, pool, ALL_MESSAGES, method)
    assert [seconds for seconds, _ in timers.set] == [60]
    site.run(_run_out(timers))
    answer = asked.result(20).json
    assert (answer["newestMessageTimestamp"], answer["hasMoreMessages"], listed(answer)) == (START, False, [])
    # The second of the empty answer is closed: what comes now is greater.
    sent = send(site)
    assert int(sent[:8], 16) > answer["newestMessageTimestamp"]


async def _run_out(timers: Timers) -> None:
    timers.run_out()


def test_a_real_second_is_waited(site: Site) -> None:
    begun = time.monotonic()
    answer = site.get(ALL_MESSAGES, {**login(), "since": str(START), "wait": "1"}).json
    assert listed(answer) == []
    assert 0.9 < time.monotonic() - begun < 10


def test_a_server_that_ends_answers_whoever_waits(site: Site, pool: ThreadPoolExecutor) -> None:
    asked = [
        start(site, pool, path, method) for path in (ALL_MESSAGES, MESSAGES) for method in ("get", "post")
    ]
    site.run(_end(site))
    for one in asked:
        assert one.result(20).code == 0
    # Whoever comes now is answered at once.
    assert site.get(ALL_MESSAGES, {**login(), "since": str(START), "wait": "60"}).code == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_caller_who_leaves_waits_no_more(site: Site, method: str) -> None:
    query = f"username=anna%40shop&password={login()['password']}&since={START}&wait=60"
    more = "Content-Length: 0\r\n" if method == "POST" else ""
    for _ in range(3):  # the first one logs in, the others are known
        with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
            connection.sendall(f"{method} {ALL_MESSAGES}?{query} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
            until(lambda: waiting(site) == 1)
        until(lambda: waiting(site) == 0)


@each_method
def test_a_wait_out_of_range_is_an_invalid_value(site: Site, method: str) -> None:
    for value in ("61", "-1", "x", "", "1.5", "1e1", "%20", "%ff", "9" * 30):
        for path in (ALL_MESSAGES, MESSAGES, FINALS):
            reply = ask(site, method, path, {**login(), "since": "0", "wait": value.encode()})
            assert (reply.http_status, reply.code) == (200, 2), value
            assert "wait" in reply.json["error"]
    # The order of checks: 1, 2, 200.
    assert site.get(MESSAGES, {**login("nobody"), "since": "0", "wait": "61"}).code == 2
    assert site.get(MESSAGES, {**login("nobody"), "wait": "61"}).code == 1
    assert site.get(MESSAGES, {**login("nobody"), "since": "0", "wait": "60"}).code == 200


def test_a_second_that_is_held_is_shown_when_its_time_has_come(site: Site, pool: ThreadPoolExecutor) -> None:
    """Rule 7: the newest second far ahead of the clock is sealed once in 2 s; a poll that waits asks again by itself."""
    user = site.user("ahead@shop")
    fill(site, user, [Filled(100, 1)])
    timers = Timers()
    site.centre.polls.waits.later = timers
    params = {**login("ahead@shop"), "since": "0"}
    newest = site.get(ALL_MESSAGES, params).json["newestMessageTimestamp"]
    assert newest == START + 100
    site.post(SEND, {**login("ahead@shop"), "text": "held", "recipient": HANDSET})
    held = {**login("ahead@shop"), "since": str(newest), "wait": "60"}
    asked = pool.submit(_asked, site.port, "get", ALL_MESSAGES, held)
    until(lambda: len(timers.set) == 2)
    assert timers.set[1][0] == 2.0
    assert not asked.done()
    site.centre.clock.pass_seconds(2)
    site.run(_call(timers.set[1][1]))
    assert len(listed(asked.result(20).json)) == 1


def test_a_second_that_is_sealed_while_a_poll_looks_is_shown_when_its_time_has_come(
    site: Site, pool: ThreadPoolExecutor
) -> None:
    """The hold began between the question for it and the look: nobody woke the poll when it ended."""
    user = site.user("ahead@shop")
    fill(site, user, [Filled(100, 1)])
    timers = Timers()
    polls, right = site.centre.polls, site.centre.polls.poll
    polls.waits.later = timers
    newest = site.get(ALL_MESSAGES, {**login("ahead@shop"), "since": "0"}).json["newestMessageTimestamp"]
    site.centre.clock.pass_seconds(2)
    site.post(SEND, {**login("ahead@shop"), "text": "held", "recipient": HANDSET})

    async def sealed_first(poll: Poll) -> Answer:
        polls.poll = right
        polls._holds.note(poll.box_id, newest, START + 2)
        return await right(poll)

    polls.poll = sealed_first
    held = {**login("ahead@shop"), "since": str(newest), "wait": "60"}
    asked = pool.submit(_asked, site.port, "get", ALL_MESSAGES, held)
    until(lambda: len(timers.set) == 2 or asked.done())
    assert [seconds for seconds, _ in timers.set] == [60, 2.0]
    site.centre.clock.pass_seconds(2)
    site.run(_call(timers.set[1][1]))
    assert len(listed(asked.result(20).json)) == 1


async def _call(call: Callable[[], None]) -> None:
    call()


def _query(params: dict[str, str]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in params.items()).replace("@", "%40").encode()


def test_many_who_wait_cost_no_query_and_are_all_woken(site: Site) -> None:
    many = 100
    params = _query({**login(), "since": str(START), "wait": "60"})
    request = b"GET " + ALL_MESSAGES.encode() + b"?" + params + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    connections = [socket.create_connection(("127.0.0.1", site.port), 10) for _ in range(many)]
    try:
        for connection in connections:
            connection.sendall(request)
        until(lambda: waiting(site) == many)
        asked = _count_looks(site)
        threading.Event().wait(0.1)
        assert asked == []
        sent = send(site)
        for connection in connections:
            head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert [one["documentId"] for one in json.loads(body)["outgoingMessages"]] == [sent]
        assert waiting(site) == 0
    finally:
        for connection in connections:
            connection.close()


def _count_looks(site: Site) -> list[int]:
    looks: list[int] = []
    right = site.centre.polls._look

    def look(poll: Any) -> Any:
        looks.append(poll.box_id)
        return right(poll)

    site.centre.polls._look = look  # type: ignore[method-assign]
    return looks


def test_what_another_process_stores_wakes_who_waits_here(site: Site, pool: ThreadPoolExecutor) -> None:
    """The command line on a SQLite file, another node on PostgreSQL: heard within a second (issue: `wait`)."""
    asked = start(site, pool, ALL_MESSAGES)
    begun = time.monotonic()
    sent = site.run(_send_elsewhere(site))
    answer = asked.result(20).json
    assert [one["documentId"] for one in answer["outgoingMessages"]] == [sent]
    assert time.monotonic() - begun < 5  # a second, and what a busy machine adds
    # And who does not wait sees it too.
    assert len(listed(site.get(ALL_MESSAGES, {**login(), "since": "0"}).json)) == 1


async def _send_elsewhere(site: Site) -> str:
    other = Centre(await open_store(site.url, site.centre.clock), site.centre.clock, ObjectIds(1 << 50))
    await other.setup.refresh()
    user = await other.accounts.user("anna@shop")
    assert user is not None
    sent = (await other.send(user, sender=NUMBER)).id
    await other.store.close()
    return sent
