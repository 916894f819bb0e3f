"""The polls' short way and the way of all calls answer alike: one table, asked on each way in (contract §1 to §4)."""

from __future__ import annotations

import contextlib
import socket

import pytest

from rejoinder.errors import StoreUnavailable
from rejoinder.flow.finals import record
from rejoinder.flow.ports import UserRow
from tests.centre import START, delivered
from tests.http.mailboxes import Filled, fill
from tests.http.site import (
    ALL_MESSAGES,
    CREDIT_BALANCE,
    FINALS,
    FORM,
    MESSAGES,
    PASSWORD,
    WRONG_PASSWORD,
    Reply,
    Site,
    store_fails,
)

DAY = 86_400
LOGIN = f"username=anna%40shop&password={PASSWORD}".encode()
each_view = pytest.mark.parametrize(
    "path", [ALL_MESSAGES, MESSAGES, FINALS], ids=["all", "messages", "finals"]
)


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    user = empty_site.user()
    fill(empty_site, user, [Filled(-500 + n, n, n % 3 == 0) for n in range(250)])
    empty_site.user("other@shop")
    empty_site.carrier()
    empty_site.run(_ended(empty_site, user))
    return empty_site


async def _ended(site: Site, user: UserRow) -> None:
    """One final status, so that each view has something to show."""
    now = site.centre.clock.wall_us()
    await site.centre.store.write(lambda tx: record(tx, [delivered("0" * 24, user.id)], now))


QUERIES = [
    LOGIN + b"&since=0",
    LOGIN + b"&since=%d" % (START - 400),
    LOGIN + b"&since=%d" % (START - 251),
    LOGIN + b"&since=%d" % START,
    b"since=0&" + LOGIN,
    b"username=anna%40shop&since=0&password=" + PASSWORD.encode(),
    b"username=anna@shop&password=" + PASSWORD.encode() + b"&since=0",
    LOGIN + b"&since=-5",
    LOGIN + b"&since=%2B5",
    LOGIN + b"&since=+5",
    LOGIN + b"&since=",
    LOGIN + b"&since",
    LOGIN,
    LOGIN + b"&since=1_0",
    LOGIN + b"&since=0x1",
    LOGIN + b"&since=%D9%A3",
    LOGIN + b"&since=000000000000000005",
    LOGIN + b"&since=00000000000000000005",
    LOGIN + b"&since=" + b"9" * 30,
    LOGIN + b"&since=%d" % (START + DAY + 1),
    LOGIN + b"&since=0&since=%d" % START,
    LOGIN + b"&since=%d&since=0" % START,
    LOGIN + b"&%73ince=5&since=0",
    LOGIN + b"&Since=5&since=0",
    LOGIN + b"&xsince=5&since=0",
    LOGIN + b"&since=0&username=other%40shop",
    b"username=other%40shop&" + LOGIN + b"&since=0",
    LOGIN + b"&since=0&wait=0",
    LOGIN + b"&since=0&wait=60",
    LOGIN + b"&since=0&wait=61",
    LOGIN + b"&since=0&wait=-1",
    LOGIN + b"&since=0&wait=",
    LOGIN + b"&since=0&wait=%ff",
    LOGIN + b"&since=0&more=%00",
    LOGIN + b"&since=0&more=%zz",
    LOGIN + b"&since=0" + b"&a=1" * 97,
    LOGIN + b"&since=0" + b"&a=1" * 98,
    LOGIN + b"&since=0#username=other%40shop",
    LOGIN + b"&since=0&pad=" + b"x" * 5000,
    LOGIN + b"&since=0&pad=" + b"x" * 70_000,
    b"username=anna%40shop&password=" + WRONG_PASSWORD.encode() + b"&since=0",
    b"username=an%20na%40shop&password=x&since=0",
    b"username=nobody&password=x&since=0",
    b"since=0",
    b"",
]


def seen(reply: Reply) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in reply.headers.items() if name not in ("date", "connection")}
    return reply.http_status, reply.body, headers


@each_view
def test_every_way_in_gives_the_same_answer(site: Site, path: str) -> None:
    for query in QUERIES:
        closing = site.request("GET", path, query, headers={"Connection": "close"})
        ways = [site.request("GET", path, query) for _ in range(3)]
        # What is after a "#" is no part of a query; a body has no such end.
        ways.append(site.request("POST", path, query.partition(b"#")[0]))
        for answer in ways:
            assert seen(answer) == seen(closing), query[:120]


def test_the_client_that_repeats_its_head_is_not_parsed_and_still_gets_every_change(fresh_site: Site) -> None:
    fresh_site.user()
    query = LOGIN + b"&since=%d" % START
    ask = lambda: fresh_site.request("GET", MESSAGES, query).code  # noqa: E731
    assert [ask() for _ in range(3)] == [0, 0, 0]
    for change, code in (
        ("blocked = TRUE", 4),
        ("blocked = FALSE, disabled = TRUE", 3),
        ("disabled = FALSE", 0),
        ("allow_ip = '192.0.2.1'", 3),
        ("allow_ip = ''", 0),
        ("password_hash = 'another'", 3),
    ):
        fresh_site.sql(f"UPDATE user_account SET {change}")
        fresh_site.changed()
        assert [ask() for _ in range(2)] == [code, code], change


def test_a_user_that_was_let_in_does_not_open_the_door_for_another_password(site: Site) -> None:
    good, bad = LOGIN + b"&since=0", LOGIN + b"x&since=0"
    for _ in range(3):
        assert site.request("GET", MESSAGES, good).code == 0
        assert site.request("GET", MESSAGES, bad).code == 3


def answers(site: Site, pieces: list[bytes], expected: int) -> list[bytes]:
    """The bodies that come back for these writes on one connection."""
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        stream, bodies = connection.makefile("rb"), []
        for _ in range(expected):
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            lines = list(iter(stream.readline, b"\r\n"))
            (length,) = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
            bodies.append(stream.read(length))
    return bodies


def request(path: str, query: bytes, method: bytes = b"GET", more: bytes = b"") -> bytes:
    return method + b" " + path.encode() + b"?" + query + b" HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n"


def test_requests_in_one_write_or_in_pieces_are_answered_each_in_its_turn(site: Site) -> None:
    empty, full = (
        request(ALL_MESSAGES, LOGIN + b"&since=%d" % START),
        request(ALL_MESSAGES, LOGIN + b"&since=0"),
    )
    post = request(ALL_MESSAGES, LOGIN + b"&since=0", b"POST", b"Content-Length: 0\r\n")
    (of_empty,), (of_full,) = answers(site, [empty], 1), answers(site, [full], 1)
    assert of_empty != of_full
    together = [empty, empty + full, full + empty + empty, post + empty, empty + post]
    for order in together:
        expected = [of_empty if one.endswith(b"since=%d" % START) else of_full for one in _targets(order)]
        assert answers(site, [empty, order], 1 + len(expected)) == [of_empty, *expected]
    for cut in range(1, len(empty), 7):
        assert answers(site, [empty, empty[:cut], empty[cut:], full], 3) == [of_empty, of_empty, of_full]


def _targets(order: bytes) -> list[bytes]:
    return [line.split(b" ")[1] for line in order.split(b"\r\n") if line.startswith((b"GET", b"POST"))]


def test_a_body_after_a_repeated_head_is_no_second_request(site: Site) -> None:
    empty = request(ALL_MESSAGES, LOGIN + b"&since=%d" % START)
    with_body = request(
        ALL_MESSAGES, LOGIN + b"&since=%d" % START, b"POST", b"Content-Length: %d\r\n" % len(empty)
    )
    with_body = with_body.replace(b"Host", b"Content-Type: application/x-www-form-urlencoded\r\nHost")
    (expected,) = answers(site, [empty], 1)
    # The body, sent by itself, looks like a poll that the connection knows.
    assert answers(site, [empty, with_body, empty, empty], 3) == [expected] * 3


def test_two_requests_in_one_write_are_two_also_where_the_first_ends_in_a_parameter_nobody_reads(
    site: Site,
) -> None:
    """Found by fuzzing: the second request was taken for the rest of the first one's last value."""
    poll = request(ALL_MESSAGES, b"since=%d&" % START + LOGIN + b"&more=1")
    balance = request(CREDIT_BALANCE, LOGIN)
    of_poll, of_balance = heard(site, [poll]) + heard(site, [balance])
    assert heard(site, [poll, poll + balance, balance], of_second=2) == [
        of_poll,
        of_poll,
        of_balance,
        of_balance,
    ]


KNOWN = b" HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "target",
    [
        LOGIN.replace(b"&", b"&a=b#&") + b"&since=0",
        b"since=0&" + LOGIN + b"&more=1 HTTP/1.1\r\nConnection: close\r\nX: y",
        b"since=0&" + LOGIN + b"&more=1 HTTP/1.1\r\nContent-Length: 5\r\nX: y",
        b"since=0&" + LOGIN + b"&more=1 HTTP/1.0\r\nX: y",
        b"since=0&" + LOGIN + b"&more=1 HTTP/1.1\r\nTransfer-Encoding: nonsense\r\nX: y",
        b"since=0&" + LOGIN + b"&more=\xff",
        b"since=0&" + LOGIN + b"&more=\0",
        b"since=0&" + LOGIN + b"&more=\x7f",
        b"since=0&" + LOGIN + b"&more=a b",
        b"since=0&" + LOGIN + b"&more=\n",
    ],
    ids=["fragment", "close", "length", "older", "encoding", "not-ascii", "nul", "delete", "blank", "line"],
)
def test_what_only_ends_like_a_known_head_is_answered_as_on_a_new_connection(
    site: Site, target: bytes
) -> None:
    """Found by fuzzing: bytes that are no target, and headers before the known ones, were not looked at."""
    known = request(ALL_MESSAGES, b"since=%d&" % START + LOGIN)
    assert known.endswith(KNOWN)
    strange = b"GET " + ALL_MESSAGES.encode() + b"?" + target + KNOWN
    then = request(CREDIT_BALANCE, LOGIN)
    assert heard(site, [known, known, strange, then])[2:] == heard(site, [strange, then])


def heard(site: Site, pieces: list[bytes], of_second: int = 1) -> list[tuple[bytes, bytes]]:
    """Status line and body of each answer; a piece is sent when what was said before is answered."""
    found: list[tuple[bytes, bytes]] = []
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), 10))
        stream = stack.enter_context(connection.makefile("rb"))
        for number, piece in enumerate(pieces):
            connection.sendall(piece)
            for _ in range(of_second if number == 1 else 1):
                status = stream.readline()
                lines = list(iter(stream.readline, b"\r\n"))
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                found.append((status, stream.read(length)))
                if b"connection: close\r\n" in lines:
                    assert stream.read() == b""
                    return found
    return found


def post(path: str, body: bytes, more: bytes = b"") -> bytes:
    head = (
        b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" % path.encode()
    )
    return head + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


BODIES = [
    LOGIN + b"&since=0",
    LOGIN + b"&since=%d" % START,
    LOGIN + b"&since=" + b"9" * 30,
    LOGIN[:-1] + b"X&since=0",
    b"",
    b"since=0",
    LOGIN + b"&since=0&pad=" + b"x" * 60_000,
    request(ALL_MESSAGES, LOGIN + b"&since=0"),
]


@each_view
def test_a_post_whose_head_is_known_is_answered_as_one_that_is_parsed(site: Site, path: str) -> None:
    parsed = [
        answers(site, [post(path, body, b"X-New: %d\r\n" % at)], 1)[0] for at, body in enumerate(BODIES)
    ]
    known = [post(path, body) for body in BODIES]
    for _ in range(3):
        assert answers(site, known, len(known)) == parsed
    for one, expected in zip(known, parsed, strict=True):
        for cut in (5, one.index(b"\r\n\r\n") + 2, one.index(b"\r\n\r\n") + 4, len(one) - 1):
            if cut < len(one):
                assert answers(site, [one, one[:cut], one[cut:], one], 3) == [expected] * 3, cut
        assert answers(site, [one, one + known[0], known[1]], 4) == [expected, expected, parsed[0], parsed[1]]


def test_a_post_that_a_known_head_promises_less_of_is_no_part_of_it(site: Site) -> None:
    body, longer = LOGIN + b"&since=0", LOGIN + b"&since=%d" % START
    whole = post(ALL_MESSAGES, body)
    # What stands behind the promised length is the next request, and no HTTP.
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        connection.sendall(whole)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(whole.replace(body, longer))
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b"HTTP/1.1 400 Bad Request" in got


def test_a_store_that_fails_is_told_alike_on_both_ways(fresh_site: Site) -> None:
    fresh_site.user()
    query = LOGIN + b"&since=0"
    assert [fresh_site.request("GET", MESSAGES, query).code for _ in range(3)] == [0, 0, 0]
    with store_fails(fresh_site, StoreUnavailable("away")):
        ways = [
            fresh_site.request("GET", MESSAGES, query),
            fresh_site.request("GET", MESSAGES, query, headers={"Connection": "close"}),
            fresh_site.request("POST", MESSAGES, query),
        ]
    assert [seen(way) for way in ways] == [seen(ways[0])] * 3
    assert (ways[0].http_status, ways[0].headers["retry-after"]) == (503, "1")
    assert fresh_site.request("GET", MESSAGES, query).code == 0


@pytest.mark.parametrize(
    "garbage", [b"\0", b"GET nowhere\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_what_follows_a_request_and_is_no_http_is_answered_after_it_not_in_its_place(
    site: Site, method: bytes, garbage: bytes
) -> None:
    """Found by fuzzing: a request that was carried out was answered 400, which belonged to the bytes behind it."""
    asked = [(ALL_MESSAGES, b"since=0&" + LOGIN), (CREDIT_BALANCE, LOGIN)]
    for pieces in (asked[:1], asked[1:], asked, asked * 2):
        requests = [
            request(path, query, method, b"Content-Length: 0\r\n" if method == b"POST" else b"")
            for path, query in pieces
        ]
        expected = [heard(site, [one])[0] for one in requests]
        *answered, last = heard(
            site, [b"GET /healthz HTTP/1.1\r\n\r\n", b"".join(requests) + garbage], len(pieces) + 1
        )
        assert answered[1:] == expected
        assert last[0] == b"HTTP/1.1 400 Bad Request\r\n"


def test_a_body_that_looks_like_a_head_teaches_nothing_about_that_head(site: Site) -> None:
    """Whoever knew the head of another client could make the server take that client's calls for something else."""
    body = b"since=%d&" % START + LOGIN + b"&more=" + b"x" * 300
    head = f"POST {ALL_MESSAGES} HTTP/1.1\r\nHost: known\r\nContent-Type: {FORM}\r\n".encode()
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    (expected,) = heard(site, [head + body])
    strange = head.replace(b"known", b"other").replace(b"Content-Type", b"Content-Kind")
    victim = head.replace(b"known", b"wrong")
    part = (len(body) - len(victim)) // 2
    rest = b"y" * (len(body) - len(victim) - part)
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        connection.sendall(strange + b"y" * part)
        # Another connection's answer comes after that was read: what follows comes by itself.
        assert heard(site, [head + body]) == [expected]
        connection.sendall(victim + rest)
        assert b"415" in connection.recv(65_536)
    assert heard(site, [victim + body]) == [expected]
