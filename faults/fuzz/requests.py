"""HTTP requests to every operation that the server describes, with plausible and wild values, and what spoils them.

A script is what one connection says: some requests that are right in their framing, whatever stands in them, and at its
end perhaps octets that are no longer. Everything follows from the random source that is handed in. Refuses to judge.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote_plus

from faults.fuzz.wild import (
    CHUNKS,
    HEADERS,
    LENGTHS,
    LIES,
    LINES,
    METHODS,
    NO_METHODS,
    RAW,
    TARGETS,
    WILD,
)
from faults.server import CARRIER, TOKEN

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"
HOST = b"Host: centre.example\r\n"
POLLS = tuple(f"/services/rest/user/{name}" for name in ("allMessages", "messages", "unreadFinalStatuses"))
# Those whose answers cost much (a page, a password's hash, a message that goes its way) are asked for seldom.
_DEAR = ("/metrics", "/docs", "/openapi.json", "/services/rest/customer-user/", "/services/rest/user/create")
_MESSAGES = ("/services/rest/message/send", "/carriers/")


@dataclass(frozen=True, slots=True)
class Request:
    """One request whose framing is right, and its method."""

    octets: bytes
    method: bytes


@dataclass(frozen=True, slots=True)
class Script:
    """What one connection says: each of `requests` after the answer before it, then `spoiled`, if there is any."""

    requests: Sequence[Request]
    spoiled: bytes = b""

    @property
    def units(self) -> int:
        return len(self.requests) + bool(self.spoiled)


@dataclass(frozen=True, slots=True)
class Twins:
    """A poll that this connection knows the head of, and what ends like it, whatever it is."""

    known: bytes
    strange: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """A call as the server's description has it."""

    path: str
    method: bytes
    names: Sequence[str]
    json: bool


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All calls of an OpenAPI document."""
    found = []
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            if method not in ("get", "post"):
                continue
            names = {
                one["name"] for one in _resolved(document, said.get("parameters", ())) if one["in"] == "query"
            }
            content = said.get("requestBody", {}).get("content", {})
            for media in content.values():
                names |= set(_resolved(document, [media["schema"]])[0].get("properties", ()))
            found.append(
                Operation(path, method.upper().encode(), sorted(names), "application/json" in content)
            )
    return found


def _resolved(document: Mapping[str, Any], said: Sequence[Any]) -> list[Any]:
    return [_followed(document, one) for one in said]


def _followed(document: Mapping[str, Any], said: Any) -> Any:
    while "$ref" in said:
        place: Any = document
        for step in said["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        said = place
    return said


class RequestSource:
    """An endless row of scripts; `plausible`: for each parameter's name values that a caller might give."""

    def __init__(
        self,
        draw: random.Random,
        calls: Sequence[Operation],
        plausible: Mapping[str, Sequence[str]],
        still: str,
    ) -> None:
        self._draw = draw
        self._chance = draw.random
        self._plausible = plausible
        self._still = still
        self._calls = [call for call in calls for _ in range(_weight(call.path))]
        self._polls = [call for call in calls if call.path in POLLS] * 4

    def next(self) -> Script:
        """Up to eight requests, most of them strange, and in three of four cases something spoiled."""
        requests = [self.request() for _ in range(self.below(8))]
        spoiled = self.spoiled() if self._chance() < 0.75 or not requests else b""
        return Script(requests, spoiled)

    def plain(self) -> Script:
        """Calls as an honest program makes them."""
        return Script([self.request(wild=0.0) for _ in range(1 + self.below(4))])

    def twins(self) -> Twins:
        """A poll of a mailbox that stands still, and another that is spoiled while the rest of it stays the same."""
        path = self.one(POLLS).encode()
        head = self.one((b"", b"Accept: */*\r\n", b"Connection: keep-alive\r\n"))
        tail = b" HTTP/1.1\r\n" + HOST + head + b"\r\n"
        pieces = [
            *self._still.encode().split(b"&"),
            b"since=%d" % self.below(3),
            b"more=" + self.value("", 1.0),
        ]
        self._draw.shuffle(pieces)
        said = b"&".join(pieces)
        if self._chance() < 0.4:
            # The head of a POST is known by all its octets, its length among them.
            lines = b"Content-Type: " + FORM.encode() + b"\r\nContent-Length: %d\r\n" % len(said)
            post = b"POST " + path + b" HTTP/1.1\r\n" + HOST + head + lines + b"\r\n" + said
            return Twins(post, self._grown(bytearray(post), tail))
        known = b"GET " + path + b"?" + self._still.encode() + b"&since=0" + tail
        return Twins(known, b"GET " + self._grown(bytearray(path + b"?" + said), tail) + tail)

    def _grown(self, octets: bytearray, tail: bytes) -> bytes:
        """With something put in, up to twice, that may end it, or begin another request."""
        for _ in range(self.below(3)):
            at = self.below(len(octets) + 1)
            octets[at:at] = self.one(
                (
                    *(
                        b"#",
                        b" ",
                        b"\0",
                        b"\xff",
                        b"\x7f",
                        b"%",
                        b"&",
                        b"?",
                        b"=",
                        b"&since=5",
                        b"\r\n",
                        b"\n",
                        b"/",
                    ),
                    *(
                        b" HTTP/1.1\r\nContent-Length: 3\r\nX: ",
                        b" HTTP/1.1\r\nConnection: close\r\nX: ",
                        tail,
                    ),
                    *(
                        b" HTTP/1.0\r\nX: ",
                        tail + b"GET " + POLLS[0].encode() + b"?",
                        tail + b"GET /healthz?",
                    ),
                    *(
                        b"&username=other%40faults",
                        b"&wait=0",
                        b"%26since=7",
                        b" HTTP/1.1\r\nExpect: x\r\nX: ",
                    ),
                )
            )
        return bytes(octets)

    def request(self, wild: float = 0.35) -> Request:
        """One whose framing is right. `wild`: the share of values that nobody would give."""
        call = self.one(self._calls if self._chance() < 0.8 else self._polls)
        strange = wild > 0
        method = self.one(METHODS) if strange and self._chance() < 0.05 else call.method
        pairs = self._pairs(call, wild)
        path = call.path.replace(
            "{name}", self.one((CARRIER, CARRIER, "nobody")) if strange else CARRIER
        ).encode()
        body = b""
        if method == b"POST" and self._chance() < 0.9:
            body = self._json(pairs) if call.json and self._chance() < 0.5 else b"&".join(pairs)
            # Some of them stand in the query string too.
            pairs = pairs[: len(pairs) // 2] if strange and self._chance() < 0.03 else []
        query = b"&".join(pairs) if pairs else b""
        if strange and self._chance() < 0.01:
            pad = b"&pad=" + b"x" * self.one((5_000, 65_000, 66_000, 140_000))
            query, body = (query + pad, body) if method == b"GET" else (query, body + pad)
        lines = [method + b" " + path + (b"?" + in_url(query) if query else b"") + b" HTTP/1.1\r\n", HOST]
        if call.path.startswith("/carriers/"):
            lines.append(b"Authorization: Bearer " + self.one((TOKEN, TOKEN, "x")).encode() + b"\r\n")
        if strange:
            lines += [self.one(HEADERS) + b"\r\n" for _ in range(self.below(3))]
        if method == b"POST" or body:
            lines.append(b"Content-Length: %d\r\n" % len(body))
            kind = b"application/json" if body[:1] in b"{[" and call.json else FORM.encode()
            lines.append(
                b"Content-Type: "
                + (self.one((kind, b"text/plain")) if strange and self.below(20) == 0 else kind)
                + b"\r\n"
            )
        return Request(b"".join(lines) + b"\r\n" + body, method)

    def _pairs(self, call: Operation, wild: float) -> list[bytes]:
        names = list(call.names)
        if wild and self._chance() < 0.3:
            names = [name for name in names if self._chance() < 0.8]
            names += [self.one(call.names)] if call.names and self.below(2) else []
            self._draw.shuffle(names)
        # Whom a call is made for is mostly right, or nothing behind the log-in would be met.
        return [
            name.encode() + b"=" + self.value(name, wild if name not in _LOGINS else wild / 8)
            for name in names
            if wild or name in self._plausible
        ]

    def value(self, name: str, wild: float) -> bytes:
        """Percent-encoded as a caller would, or not."""
        if self._chance() >= wild and name in self._plausible:
            return quote_plus(self.one(self._plausible[name])).encode()
        chance = self._chance()
        if chance < 0.7:
            return self.one(WILD)
        if chance < 0.85:
            return b"%d" % (self._draw.getrandbits(70) - (1 << 69))
        return quote_plus(self._draw.randbytes(self.below(12))).encode()

    def _json(self, pairs: Sequence[bytes]) -> bytes:
        content: dict[str, Any] = {}
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            given = value.decode("latin-1")
            content[name.decode("latin-1")] = self.one(
                (given, given, given, 5, None, True, 1e300, [], {}, 10**30, "\ud800")
            )
        octets = json.dumps(content).encode()
        return self.one(
            (octets,) * 12
            + (
                b"[" * 5_000,
                b'{"a":' * 2_000,
                b"null",
                b'{"id":1e999}',
                octets[:-1],
                b'{"id": ' + b"9" * 5_000 + b"}",
            )
        )

    def spoiled(self) -> bytes:
        """Octets that began as one request or some, and what became of them."""
        octets = bytearray(b"".join(self.request().octets for _ in range(self.one((1, 1, 1, 2, 5)))))
        for _ in range(1 + self.below(3)):
            self.one(_SPOILERS)(self, octets)
        return bytes(octets)

    def below(self, number: int) -> int:
        return int(self._chance() * number)

    def one(self, choices: Sequence[T]) -> T:
        return choices[int(self._chance() * len(choices))]

    # What spoils a stream: each changes it in its place.

    def flip(self, octets: bytearray) -> None:
        for _ in range(1 + self.below(4)):
            if octets:
                octets[self.below(len(octets))] ^= 1 << self.below(8)

    def cut(self, octets: bytearray) -> None:
        del octets[self.below(len(octets) + 1) :]

    def cut_out(self, octets: bytearray) -> None:
        at = self.below(len(octets) + 1)
        del octets[at : at + 1 + self.below(8)]

    def insert(self, octets: bytearray) -> None:
        at = self.below(min(len(octets), 600) + 1)
        octets[at:at] = self.one((*RAW, *CHUNKS, *WILD, b"\r\n", b"\r\n\r\n", b"\n", b" HTTP/1.1\r\n"))

    def splice(self, octets: bytearray) -> None:
        other = self.request().octets
        octets[self.below(len(octets) + 1) :] = other[self.below(len(other)) :]

    def method(self, octets: bytearray) -> None:
        self._replace(octets, 0, octets.find(b" "), self.one((*METHODS, *NO_METHODS)))

    def target(self, octets: bytearray) -> None:
        start = octets.find(b" ") + 1
        self._replace(octets, start, octets.find(b" ", start), self.one(TARGETS))

    def line(self, octets: bytearray) -> None:
        self._replace(octets, octets.find(b" HTTP/1.1"), octets.find(b"\r\n"), self.one(LINES))

    def header(self, octets: bytearray) -> None:
        end = octets.find(b"\r\n")
        if end >= 0:
            octets[end:end] = b"\r\n" + self.one((*LIES, *HEADERS))

    def many_headers(self, octets: bytearray) -> None:
        end = octets.find(b"\r\n")
        if end >= 0:
            octets[end:end] = self.one(
                (b"\r\na: b", b"\r\nHost: x", b"\r\nCookie: " + b"c" * 90)
            ) * self.below(300)

    def length(self, octets: bytearray) -> None:
        at = octets.find(b"Content-Length: ")
        if at >= 0:
            self._replace(octets, at + 16, octets.find(b"\r\n", at), self.one(LENGTHS))
        else:
            end = octets.find(b"\r\n")
            octets[end:end] = b"\r\nContent-Length: " + self.one(LENGTHS)

    def chunked(self, octets: bytearray) -> None:
        end, behind = octets.find(b"\r\n"), octets.find(b"\r\n\r\n")
        if 0 <= end <= behind:
            del octets[behind + 4 :]
            octets += b"".join(self.one(CHUNKS) for _ in range(1 + self.below(3)))
            octets[end:end] = b"\r\nTransfer-Encoding: chunked"

    def bare_lines(self, octets: bytearray) -> None:
        octets[:] = octets.replace(b"\r\n", self.one((b"\n", b"\r", b"\r\r\n", b"\n\r")), 1 + self.below(5))

    def raw(self, octets: bytearray) -> None:
        """A query with octets that no URL holds."""
        at = octets.find(b"=")
        if at >= 0:
            octets[at + 1 : at + 1] = self.one(RAW)

    def before(self, octets: bytearray) -> None:
        octets[0:0] = self.one(
            (b"\r\n", b"\n", b" ", b"\0", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        )

    def nothing_but_junk(self, octets: bytearray) -> None:
        octets[:] = self._draw.randbytes(1 + self.below(300))

    def _replace(self, octets: bytearray, start: int, end: int, new: bytes) -> None:
        if 0 <= start <= end:
            octets[start:end] = new


def _weight(path: str) -> int:
    return 1 if path.startswith(_DEAR) else 8 if path.startswith(_MESSAGES) else 24


def in_url(raw: bytes) -> bytes:
    """With an escape for each octet that a URL can't hold; `%` stays, so that escapes may be broken."""
    if raw.isascii() and b" " not in raw and b"#" not in raw and raw.decode().isprintable():
        return raw
    return b"".join(b"%c" % octet if 32 < octet < 127 and octet != 35 else b"%%%02X" % octet for octet in raw)


_LOGINS = frozenset({"username", "password", "reseller", "resellerName", "resellerPassword", "customer"})
_SPOILERS: Sequence[Callable[[RequestSource, bytearray], None]] = (
    *(RequestSource.flip, RequestSource.flip, RequestSource.cut, RequestSource.cut_out, RequestSource.insert),
    *(
        RequestSource.insert,
        RequestSource.splice,
        RequestSource.method,
        RequestSource.target,
        RequestSource.line,
    ),
    *(RequestSource.header, RequestSource.header, RequestSource.many_headers, RequestSource.length),
    *(RequestSource.length, RequestSource.chunked, RequestSource.chunked, RequestSource.bare_lines),
    *(RequestSource.raw, RequestSource.before, RequestSource.nothing_but_junk),
)
