"""Arbitrary bytes over a socket: never a server's error, a hang or a traceback, and the server lives on.

Two kinds: requests whose framing is right and whose every part is arbitrary, which must be answered; and
streams of bytes that may be anything, of which only their connection may suffer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rejoinder.endpoints.http.describe import DESCRIPTIONS, Call, Delivery
from rejoinder.endpoints.http.responses import Response
from tests.centre import HANDSET
from tests.http.site import ALL_MESSAGES, FORM, PASSWORD, STATUS, Reply, Site
from tests.schema.conftest import TOKEN

# How long an answer may take before it counts as a hang.
PATIENCE = 20
JUNK = st.one_of(
    st.binary(max_size=40), st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
NAMES = sorted(
    {
        one.name.encode()
        for said in DESCRIPTIONS.values()
        for one in (
            said.parameters if isinstance(said, Call) else said.fields if isinstance(said, Delivery) else ()
        )
    }
)
VALUES = st.one_of(
    JUNK,
    st.sampled_from(
        [
            b"anna@shop",
            b"0",
            b"-1",
            HANDSET.encode(),
            b"log",
            b"gsm",
            b"utf-16",
            b"DELIVRD",
        ]
    ),
    st.integers(-(2**70), 2**70).map(lambda number: str(number).encode()),
    st.sampled_from(
        [
            b"%",
            b"%0",
            b"%zz",
            b"%00",
            b"%ff",
            b"%ed%a0%80",
            b"%c0%80",
            b"+",
            b"%2B5",
            b"\xed\xa0\x80",
            b"[]",
            b"null",
        ]
    ),
)
KNOWN_LOGIN = b"username=anna%40shop&password=" + PASSWORD.encode()


def pairs() -> st.SearchStrategy[bytes]:
    """A query or form: known and unknown names, values of any bytes, often with a log-in that exists."""
    name = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES), JUNK)
    pair = st.builds(lambda name, value: name + b"=" + value, name, VALUES)
    listed = st.lists(st.one_of(pair, JUNK), max_size=8).map(b"&".join)
    login = st.sampled_from([b"", KNOWN_LOGIN + b"&", KNOWN_LOGIN + b"&since=0&"])
    return st.builds(bytes.__add__, login, listed)


def in_url(raw: bytes) -> bytes:
    """With an escape for each byte that a URL can't hold; `%` stays, so that escapes may be broken."""
    return b"".join(b"%c" % byte if 32 < byte < 127 else b"%%%02X" % byte for byte in raw)


def in_line(raw: bytes) -> bytes:
    """Without the bytes that a header's value can't hold."""
    return bytes(byte for byte in raw if byte >= 32 and byte != 127)


JSON = st.one_of(
    st.sampled_from(
        [b"{}", b"[]", b"null", b"1e999", b'"', b"{", b"[" * 9_000, b'{"a":' * 3_000, b'{"id":"\\ud800"}']
    ),
    st.dictionaries(
        st.sampled_from(["from", "to", "text", "id", "status", "x"]),
        st.one_of(
            st.text(), st.integers(), st.none(), st.booleans(), st.floats(), st.lists(st.none(), max_size=2)
        ),
    ).map(lambda content: json.dumps(content).encode()),
)
PATHS = [path.replace("{name}", "sim").encode() for path in DESCRIPTIONS]
CALLS = [path for path in PATHS if b"/services/" in path or b"/carriers/" in path]
TARGETS = st.one_of(
    *[st.sampled_from(CALLS)] * 6,
    st.sampled_from(PATHS),
    st.builds(lambda path, junk: path + junk, st.sampled_from([*PATHS, b"/", b"/carriers/"]), JUNK),
    st.builds(
        lambda junk, kind: b"/carriers/" + junk + b"/" + kind, JUNK, st.sampled_from([b"inbound", b"receipt"])
    ),
    st.sampled_from([b"*", b"/%", b"/%00", b"/%ff", b"//", b"/../..", b"http://other.example/healthz"]),
)
METHODS = st.sampled_from(
    [b"GET", b"POST"] * 6 + [b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"get", b"FOO"]
)
TYPES = st.one_of(
    st.sampled_from([FORM.encode(), FORM.encode(), b"application/json", b"text/plain", b""]), JUNK
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(st.just(b"Authorization"), st.one_of(st.just(b"Bearer " + TOKEN.encode()), JUNK)),
        st.tuples(st.sampled_from([b"Accept", b"Cookie", b"X-Forwarded-For", b"Upgrade", b"Origin"]), JUNK),
        st.tuples(st.text("abcXYZ-_!09", min_size=1, max_size=8).map(str.encode), JUNK),
    ),
    max_size=4,
)
EXAMPLES = settings(max_examples=400)


@dataclass(frozen=True)
class Framed:
    """A request whose length and lines are right, whatever stands in them."""

    method: bytes
    target: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    content_type: bytes
    body: bytes
    # Bytes of padding behind query and body: as numbers they are easier to read.
    query_pad: int
    body_pad: int
    # Whether the connection is to stay: only then polls are answered at once.
    stays: bool

    def __bytes__(self) -> bytes:
        query, body = self.query + b"x" * self.query_pad, self.body + b"x" * self.body_pad
        target = in_url(self.target + b"?" + query if query else self.target)
        lines = [self.method + b" " + target + b" HTTP/1.1"]
        lines += [b"Host: centre.example", b"Connection: keep-alive" if self.stays else b"Connection: close"]
        lines += [name + b": " + in_line(value) for name, value in self.headers]
        if body:
            lines += [b"Content-Length: %d" % len(body), b"Content-Type: " + in_line(self.content_type)]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


PADS = st.one_of(st.just(0), st.just(0), st.just(0), st.integers(60_000, 140_000))
requests = st.builds(
    Framed,
    METHODS,
    TARGETS,
    st.one_of(st.just(b""), pairs()),
    HEADERS,
    TYPES,
    st.one_of(st.just(b""), pairs(), JSON),
    PADS,
    PADS,
    st.booleans(),
)


@dataclass(frozen=True)
class Edited:
    """A request with bytes written over, cut out or put in: its frame suffers too."""

    request: Framed
    # Where, how many bytes go, what comes instead.
    edits: list[tuple[int, int, bytes]]

    def __bytes__(self) -> bytes:
        whole = bytearray(bytes(self.request))
        for at, gone, instead in self.edits:
            whole[at : at + gone] = instead
        return bytes(whole)


FRAMES = st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"\nContent-Length: 5",
        b"\r\nTransfer-Encoding: chunked",
        b" HTTP/1.0\r\n",
        b"\r\nExpect: 100-continue",
    ]
)
EDITS = st.tuples(st.integers(0, 400), st.integers(0, 5), st.one_of(JUNK, FRAMES))
streams = st.one_of(
    st.binary(max_size=300), *[st.builds(Edited, requests, st.lists(EDITS, min_size=1, max_size=4))] * 4
)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing that ran in this test may have logged an error or printed a traceback."""
    # That what came was no HTTP is said each time, as a warning.
    caplog.set_level(logging.ERROR, "uvicorn.error")
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "call_failed" not in said


def answered(site: Site, request: Framed) -> Reply:
    """The answer, which must come and be none of a faulty server."""
    reply = site.exchange(bytes(request), request.method.decode())
    assert reply.http_status in {200, 400, 401, 404, 405, 413, 415}
    assert b"Traceback" not in reply.body
    assert PASSWORD.encode() not in reply.body
    return reply


def alive(site: Site) -> bool:
    """Whether the server answers a new connection."""
    return site.exchange(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").json == {
        "status": "ok"
    }


def test_a_request_of_any_bytes_is_answered(site: Site, quiet: None) -> None:
    statuses = set()

    @EXAMPLES
    @given(request=requests)
    def examples(request: Framed) -> None:
        statuses.add(answered(site, request).http_status)

    examples()
    assert alive(site)
    assert statuses >= {200, 404, 405}


def test_a_stream_of_any_bytes_harms_nobody(site: Site, quiet: None) -> None:
    @EXAMPLES
    @given(stream=streams)
    def examples(stream: bytes | Edited) -> None:
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
            heard = talk(connection, bytes(stream))
        assert not heard or heard.startswith(b"HTTP/1.1 ")
        assert b"HTTP/1.1 5" not in heard

    examples()
    assert alive(site)


def talk(connection: socket.socket, stream: bytes) -> bytes:
    """Says all and no more; gives back what is heard until the server hangs up, which it must."""
    heard = b""
    # The server may hang up, and so reset the connection, at any time; what counts is that it ends.
    with contextlib.suppress(ConnectionError):
        connection.sendall(stream)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65_536):
            heard += chunk
    return heard


# Requests that don't wait for the answer before them, some answered at once and some after a while.

POLL = Framed(b"GET", ALL_MESSAGES.encode(), KNOWN_LOGIN + b"&since=0", [], b"", b"", 0, 0, stays=True)
PIPELINED = st.lists(st.sampled_from(["poll", "poll", "status", "post", "wrong"]), min_size=2, max_size=12)


def one_of_many(kind: str, number: int) -> Framed:
    """A request whose answer can be told from its neighbours'."""
    named = KNOWN_LOGIN + b"&documentId=%d" % number
    match kind:
        case "status":
            return replace(POLL, target=STATUS.encode(), query=named)
        case "post":
            return replace(
                POLL,
                method=b"POST",
                target=STATUS.encode(),
                query=b"",
                body=named,
                content_type=FORM.encode(),
            )
        case "wrong":
            return replace(POLL, query=b"since=%d" % number)
        case _:
            return POLL


def right_for(kind: str, number: int, body: bytes) -> bool:
    answer = json.loads(body)
    if kind in ("status", "post"):
        return bool(answer == {"documentId": str(number), "messageStatus": "0"})
    return bool(answer["status"] == (1 if kind == "wrong" else 0))


def test_requests_in_a_row_are_answered_in_their_order(site: Site, quiet: None) -> None:
    @settings(max_examples=100)
    @given(kinds=PIPELINED)
    def examples(kinds: list[str]) -> None:
        sent = b"".join(bytes(one_of_many(kind, number)) for number, kind in enumerate(kinds))
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
            connection.sendall(sent)
            with connection.makefile("rb") as heard:
                for number, kind in enumerate(kinds):
                    assert right_for(kind, number, next_body(heard)), (kind, number)

    examples()


def next_body(heard: BinaryIO) -> bytes:
    """The body of the next answer on a connection that stays."""
    assert heard.readline() == b"HTTP/1.1 200 OK\r\n"
    headers = dict(line.lower().split(b": ", 1) for line in iter(heard.readline, b"\r\n"))
    return heard.read(int(headers[b"content-length"]))


# The negative control.


def test_an_operation_that_fails_for_one_byte_is_found(site: Site) -> None:
    table = site.centre.service.api._exact
    before = table[ALL_MESSAGES]

    async def answer(params: dict[str, str | None]) -> Response:
        assert not any(value is None for value in params.values())
        return Response(b"{}")

    table[ALL_MESSAGES] = replace(before, answer=answer)

    # Found is enough; making the example small would take a minute.
    @settings(max_examples=2000, phases=[Phase.generate])
    @given(request=requests)
    def examples(request: Framed) -> None:
        answered(site, replace(request, target=ALL_MESSAGES.encode()))

    try:
        with pytest.raises(AssertionError, match="500"):
            examples()
    finally:
        table[ALL_MESSAGES] = before
