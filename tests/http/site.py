"""A message centre behind a real socket, and a client that sends bytes as they are given.

The server runs in a thread with an event loop of its own; tests are plain functions. No worker runs and the
clock stands still: what a carrier or time does, a test does itself through `site.run(site.centre....)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote_plus

import uvloop
from argon2 import PasswordHasher

from rejoinder.app import Service, _http
from rejoinder.clock import ManualClock
from rejoinder.config import load
from rejoinder.flow.ports import UserRow
from rejoinder.store import open_store
from tests.centre import START, Centre

T = TypeVar("T")

REST = "/services/rest"
ALL_MESSAGES = f"{REST}/user/allMessages"
MESSAGES = f"{REST}/user/messages"
FINALS = f"{REST}/user/unreadFinalStatuses"
CREDIT_BALANCE = f"{REST}/user/creditBalance"
SEND = f"{REST}/message/sendSingle2"
STATUS = f"{REST}/message/status"
SEND_MULTIPLE = f"{REST}/message/sendMultiple"
CANCEL = f"{REST}/message/cancel"

FORM = "application/x-www-form-urlencoded"
PASSWORD = "correct-horse-battery"
# Cheap, so that tables of wrong passwords take no minutes: a hash says itself what it costs.
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
WRONG_PASSWORD = "canary-of-a-password"
POOL = ("61500079987", "61500079988")
RICH = 10**12
# Tables of wrong passwords must not throttle each other; test_logins.py has the limits as they are.
UNTHROTTLED = {"failed_logins_per_user": 1_000_000, "failed_logins_per_address": 1_000_000}


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; header names in lower case."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body's object; its keys in the order in which they came, and none of them twice."""
        return json.loads(self.body, object_pairs_hook=_once)  # type: ignore[no-any-return]

    @property
    def code(self) -> object:
        """The number (or string) of the answer's family."""
        return self.json["messageStatus" if "messageStatus" in self.json else "status"]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), "a field stands there twice"
    return found


def encoded(params: Mapping[str, str | bytes]) -> bytes:
    """A query or form; a value in bytes is taken as it stands, so that it can be broken."""
    pieces = []
    for name, value in params.items():
        raw = value if isinstance(value, bytes) else quote_plus(value).encode()
        pieces.append(name.encode() + b"=" + raw)
    return b"&".join(pieces)


def until(true: Callable[[], bool]) -> None:
    """Looks again every few milliseconds until something has come about in the server's thread."""
    ending = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ending, "it did not come about"
        threading.Event().wait(0.005)


class Client:
    """Sends requests byte for byte to one port; `request` keeps its connection while the server does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._kept: socket.socket | None = None

    def exchange(self, request: bytes, method: str = "GET") -> Reply:
        """Writes these bytes on a connection of their own and reads one answer."""
        with self._connected() as connection:
            return _answered(connection, request, method)

    def request(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request; without `body` it has neither Content-Length nor Content-Type."""
        target = path.encode() + (b"?" + query if query else b"")
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: centre.example"]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}".encode())
        lines += [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
        connection, self._kept = self._kept or self._connected(), None
        keep = False
        try:
            reply = _answered(connection, b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""), method)
            # After a refusal before its end a body may still be on its way.
            keep = reply.headers.get("connection") != "close" and reply.http_status != 413
        finally:
            if not keep:
                connection.close()
        self._kept = connection if keep else None
        return reply

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def get(self, path: str, params: Mapping[str, str | bytes] | None = None) -> Reply:
        return self.request("GET", path, encoded(params or {}))

    def post(self, path: str, params: Mapping[str, str | bytes] | None = None) -> Reply:
        return self.request("POST", path, b"", encoded(params or {}), {"Content-Type": FORM})


def _answered(connection: socket.socket, request: bytes, method: str) -> Reply:
    # A server that has seen enough of an oversize body may answer and close before its end.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
    answer = http.client.HTTPResponse(connection, method=method)
    try:
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read())
    finally:
        answer.close()


@dataclass
class ServedCentre(Centre):
    """The centre of the other tests, standing on the parts of the real `Service`."""

    settings: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        service = Service(self.store, self.clock, load(None, self.settings), self.ids)
        self.service = service
        self.setup, self.accounts = service.setup, service.accounts
        self.submissions, self.polls = service.submissions, service.polls
        self.receipts, self.inbound, self.upkeep = service.receipts, service.inbound, service.upkeep
        self.releases, self.cancellations = service.releases, service.cancellations


class Site(Client):
    """A served centre with one event loop in one thread."""

    centre: ServedCentre

    def __init__(self, url: str, **settings: object) -> None:
        """`settings`: of the configuration, beside UNTHROTTLED."""
        super().__init__(0)
        self.url = url
        self._settings = {**UNTHROTTLED, **settings}
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="site")

    def __enter__(self) -> Site:
        self._thread.start()
        assert self._ready.wait(60), "the server did not come up"
        if self._failed:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not end"
        if self._failed:
            raise self._failed

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # the test's thread raises it
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        clock = ManualClock(START)
        self.centre = ServedCentre(
            await open_store(self.url, clock, serving=True), clock, settings=self._settings
        )
        await self.centre.setup.refresh()
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = listener.getsockname()[1]
        self.server = server = _http(self.centre.service)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has nothing to wait for
            await asyncio.sleep(0.005)
        self._ready.set()
        await self._ending.wait()
        server.should_exit = True
        await serving
        listener.close()
        await self.centre.service.stop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        return self.run(self.centre.sql(text, *values))

    def changed(self) -> None:
        self.run(self.centre.changed())

    def user(
        self,
        username: str = "anna@shop",
        customer: str = "shop",
        credits: int = RICH,  # noqa: A002  # 1/1000 credits, as Centre.account calls them
        billing: str = "pre_paid",
        **columns: bool | str,
    ) -> UserRow:
        """A user with PASSWORD; `columns` are those of its row, such as blocked=True."""
        user = self.run(self.centre.account(username, customer, credits, billing))
        self.sql("UPDATE user_account SET password_hash = $1 WHERE username = $2", PASSWORD_HASH, username)
        for name, value in columns.items():
            # Not as a literal: a hash may hold "$4", which is a mark.
            self.sql(f"UPDATE user_account SET {name} = $1 WHERE username = $2", value, username)
        self.changed()
        return user

    def carrier(self, name: str = "sim", prefix: str = "", priority: int = 0, **settings: str) -> int:
        """A carrier with one route; no link to it runs. Those of one prefix and priority share its messages."""
        carrier_id = self.run(self.centre.carrier(name, prefix, priority))
        self.sql("UPDATE carrier SET settings = $1 WHERE id = $2", json.dumps(settings), carrier_id)
        self.changed()
        return carrier_id

    def pool(self, *numbers: str) -> None:
        self.run(self.centre.pool(*numbers))


@contextlib.contextmanager
def patched(target: object, name: str, value: object) -> Iterator[None]:
    """An attribute replaced for the length of a block; slots and frozen values too."""
    before = getattr(target, name)
    object.__setattr__(target, name, value)
    try:
        yield
    finally:
        object.__setattr__(target, name, before)


class _Away:
    """Stands where the store's reads were: whatever is asked of it fails."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def __getattr__(self, _: str) -> object:
        raise self._fault


@contextlib.contextmanager
def store_fails(site: Site, fault: Exception) -> Iterator[None]:
    """Every read and write ends in this error; nothing that was read before is remembered."""

    async def write(*_: object) -> None:
        raise fault

    async def forget() -> None:
        site.centre.accounts.forget()

    site.run(forget())
    store = site.centre.store
    with patched(store, "read", _Away(fault)), patched(store, "write", write):
        yield


def login(username: str = "anna@shop", password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}
