"""The client that blocks, on the standard library alone. Refuses to be shared between threads: make one each."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar, overload
from urllib.parse import SplitResult, urlsplit

from rejoinder.client import calls
from rejoinder.client.calls import Ask, Box, Options
from rejoinder.client.cursor import CursorFile
from rejoinder.client.patience import Fault, Rest, Timing, Tries, fault_of
from rejoinder.client.timing import RealTime
from rejoinder.client.values import Answered, FinalStatus, Message, Page, Received, Submitted

T = TypeVar("T")
REST = "/services/rest/"
FORM = "application/x-www-form-urlencoded"
# Seconds that an answer may take beside the time it is held back on purpose, and that a call is tried for.
TIMEOUT = 10.0
PATIENCE = 30.0


def address(url: str) -> SplitResult:
    """Where a server is, in parts. Raises ValueError."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass  # a port that is none, or half an IPv6 address
    raise ValueError("url must be http://host:port or https://host:port, and may have a path")


class SleepingTime(Timing, Protocol):
    """A Timing that can also sleep."""

    def sleep(self, seconds: float) -> None: ...


class Line:
    """One connection to one server, made anew when it is lost; carries Asks with a log-in."""

    def __init__(
        self,
        url: str,
        login: Mapping[str, str],
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        timing: SleepingTime | None = None,
    ) -> None:
        parts = address(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""
        # Given always: http.client would look for one in an IPv6 address.
        self._port = parts.port or (443 if self._secure else 80)
        self._path = parts.path.rstrip("/") + REST
        self._login = login
        self._patience = patience
        self._context = context
        self.timing = timing or RealTime()
        self._connection: http.client.HTTPConnection | None = None

    def run(self, ask: Ask[T], patience: float | None = None) -> T:
        """The call's value. Raises ClientError."""
        tries = Tries(ask, self._patience if patience is None else patience, self.timing)
        while True:
            answer = self._once(ask)
            if not isinstance(answer, Fault):
                return tries.value(ask, *answer)
            self.timing.sleep(tries.pause(answer))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, ask: Ask[Any]) -> tuple[int, bytes] | Fault:
        # A kept connection may be closing just now, and nobody could tell whether the request was read.
        if ask.effect is calls.Effect.TWICE:
            self.close()
        left = False
        try:
            connection = self._connected(TIMEOUT + ask.seconds)
            left = True
            connection.request("POST", self._path + ask.path, ask.body(self._login), {"Content-Type": FORM})
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Fault(f"the connection failed ({type(error).__name__})", left)
        return fault_of(response.status, response.headers) or (response.status, body)

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        """The kept connection or a new one, with this time-out."""
        if self._connection is None:
            kind = http.client.HTTPConnection
            if self._secure:
                context = self._context or ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout, context=context
                )
            else:
                self._connection = kind(self._host, self._port, timeout=timeout)
        self._connection.timeout = timeout
        if self._connection.sock is None:
            self._connection.connect()
        else:
            self._connection.sock.settimeout(timeout)
        return self._connection


class Client:
    """All that a user can do. `url`: where the server is, `http://host:port`.

    `patience`: for how many seconds a call is tried before Unavailable. `context`: for https with an own
    certificate authority. Every method may raise `ClientError`; `Refused` has the API's code and sentence.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        *,
        timing: SleepingTime | None = None,
    ) -> None:
        self._username = username
        self._line = Line(url, {"username": username, "password": password}, patience, context, timing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; a later call makes a new one."""
        self._line.close()

    def send(self, recipient: str, text: str, options: Options | None = None) -> Submitted:
        """Sends one text. When this returns it is on disk and charged. `options`: sender, replyTo and the like."""
        return self._line.run(calls.send(recipient, text, (options or Options()).repeatable()))

    def send_multiple(
        self, recipients: Sequence[str], text: str, options: Options | None = None
    ) -> Sequence[Answered]:
        """Sends one text to up to 1,000 recipients; each is judged by itself, look at `accepted` and `error`."""
        return self._line.run(calls.send_multiple(recipients, text, (options or Options()).repeatable()))

    def status(self, document_id: str) -> int:
        """Where a message stands (`rejoinder.message.status.Status`); 0 for an unknown id."""
        return self._line.run(calls.status(document_id))

    def cancel(self, document_id: str) -> int:
        """Takes back what no carrier has yet. 4: cancelled and refunded; another status: it was too late; 0: unknown."""
        return self._line.run(calls.cancel(document_id))

    def balance(self) -> Decimal:
        """The customer's credits; a post-paid one has used what is below 0."""
        return self._line.run(calls.balance())

    @overload
    def page(self, box: Literal[Box.RECEIVED], since: int, wait: int = 0) -> Page[Received]: ...
    @overload
    def page(self, box: Literal[Box.ALL], since: int, wait: int = 0) -> Page[Message]: ...
    @overload
    def page(self, box: Literal[Box.STATUSES], since: int, wait: int = 0) -> Page[FinalStatus]: ...

    def page(self, box: Box, since: int, wait: int = 0) -> Page[Any]:
        """One answer of a poll. `wait`: up to 60 seconds the server may wait for something to come."""
        return self._line.run(calls.page(box, since, wait))

    def poll(
        self,
        cursor: str | os.PathLike[str],
        start: int = 0,
        wait: int = 30,
        once: bool = False,
    ) -> Iterator[Received]:
        """Every text that handsets send, as it comes, from one program run to the next.

        `cursor`: a file of this poller alone. An answer's cursor is saved when its last message has been dealt
        with, that is when you ask for the one after it: a crash or `break` before that brings that answer's
        messages again (at least once; `document_id` tells a repetition). `start`: Unix seconds to begin after
        where there is no file yet. `once`: ends when nothing is left, instead of waiting. Outages are waited out.
        """
        return self._kept(Box.RECEIVED, cursor, start, wait, once)

    def poll_all(
        self, cursor: str | os.PathLike[str], start: int = 0, wait: int = 30, once: bool = False
    ) -> Iterator[Message]:
        """As `poll`, with the user's sent texts among the received ones, oldest first."""
        return self._kept(Box.ALL, cursor, start, wait, once)

    def poll_statuses(
        self, cursor: str | os.PathLike[str], start: int = 0, wait: int = 30, once: bool = False
    ) -> Iterator[FinalStatus]:
        """As `poll`, for what finally became of the user's messages."""
        return self._kept(Box.STATUSES, cursor, start, wait, once)

    def pages(
        self, box: Box, since: int, wait: int = 30, once: bool = False, interval: float = 2.0
    ) -> Iterator[Page[Any]]:
        """Answers that bring something, for a program that keeps its own cursor.

        Exactly once: store a page's items and its `since` in one transaction, and begin there after a restart.
        `interval`: seconds between empty answers of a server that does not wait.
        """
        rest = Rest(interval, self._line.timing.monotonic)
        while True:
            rest.asked()
            # A poller outlives every outage; what is refused is raised.
            page = self._line.run(calls.page(box, since, 0 if once else wait), patience=float("inf"))
            if page.items or page.since != since:
                yield page
            since = page.since
            if once and not page.more:
                return
            if not page.items and not page.more:
                self._line.timing.sleep(rest.seconds())

    def _kept(
        self, box: Box, cursor: str | os.PathLike[str], start: int, wait: int, once: bool
    ) -> Iterator[Any]:
        file = CursorFile(cursor, self._username, box)
        for page in self.pages(box, file.read(start), wait, once):
            yield from page.items
            file.save(page.since)
