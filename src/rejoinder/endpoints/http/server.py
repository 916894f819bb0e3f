"""The HTTP API as one ASGI callable: path to call, parameters in, answer out.

Refuses oversized, mistyped and unknown requests before any call sees them; turns every error into the
answer of the call's own family; never lets a traceback, text or password out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from rejoinder.endpoints.http import responses
from rejoinder.endpoints.http.addresses import Addresses
from rejoinder.endpoints.http.params import SIZE, Params, TooManyParameters, parse
from rejoinder.endpoints.http.responses import Family, Response
from rejoinder.errors import Overloaded, RejoinderError, Throttled, UnknownCommit
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.observe import HTTP_ANSWERS, log

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Looked up once: a counter's labels() costs more than the count.
_series = cache(HTTP_ANSWERS.labels)

FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """What a raw operation gets: the bytes and headers (names in lower case), and the path's last names."""

    path: str
    query: bytes
    body: bytes
    content_type: bytes
    headers: Sequence[tuple[bytes, bytes]]

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of the API: its path, methods, family, and what answers it from its parameters."""

    path: str
    family: Family
    answer: Callable[[Params], Awaitable[Response]]
    methods: tuple[str, ...] = ("GET", "POST")
    # The answer may take as long as `wait` says: then the caller's going away ends it.
    waits: bool = False
    # Parameters that may come several times, each value counting (params.py).
    repeatable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawOperation:
    """A path that reads its request itself (carriers' inbound side, health, metrics)."""

    path: str
    answer: Callable[[Request], Awaitable[Response]]
    methods: tuple[str, ...] = ("GET",)
    # The path is a beginning; the rest of it belongs to the operation.
    prefix: bool = False
    family: Family = Family.ACCOUNT


class Calls(Protocol):
    """A group of calls: what it takes from the network, each with what answers it."""

    def operations(self) -> Sequence[Operation | RawOperation]: ...


class _Refuse(Exception):
    """The request ends here, with this answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Api:
    """Answers HTTP requests from the table of operations."""

    def __init__(
        self, operations: Sequence[Operation | RawOperation], addresses: Addresses | None = None
    ) -> None:
        self._addresses = addresses or Addresses()
        self._exact = {op.path: op for op in operations if not (isinstance(op, RawOperation) and op.prefix)}
        self._prefixes = [op for op in operations if isinstance(op, RawOperation) and op.prefix]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is served here")
        response = await self.reply(scope, receive)
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers()})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def reply(self, scope: Scope, receive: Receive) -> Response:
        """The answer to a request, whatever it is, counted."""
        operation = self._find(scope["path"])
        response = await self._respond(operation, scope, receive)
        _series(operation.path if operation else "other", str(response.status)).inc()
        return response

    def _find(self, path: str) -> Operation | RawOperation | None:
        found = self._exact.get(path)
        if found is None:
            found = next((op for op in self._prefixes if path.startswith(op.path)), None)
        return found

    async def _respond(
        self, operation: Operation | RawOperation | None, scope: Scope, receive: Receive
    ) -> Response:
        if operation is None:
            return responses.not_found()
        try:
            return await self._answer(operation, scope, receive)
        except _Refuse as refusal:
            return refusal.response
        except Throttled as error:
            return responses.throttled(operation.family, error.sentence, error.seconds)
        except Exception as error:  # noqa: BLE001  # the request's outermost line
            return _failed(operation, error)

    async def _answer(self, operation: Operation | RawOperation, scope: Scope, receive: Receive) -> Response:
        family, method = operation.family, scope["method"]
        if method not in operation.methods:
            raise _Refuse(responses.method_not_allowed(family, operation.methods))
        query: bytes = scope["query_string"]
        if len(query) > SIZE:
            raise _Refuse(responses.too_large(family))
        body = b"" if method == "GET" else await _body(scope, receive, family)
        if isinstance(operation, RawOperation):
            kind = _content_type(scope)
            return await operation.answer(Request(scope["path"], query, body, kind, scope["headers"]))
        if body and _content_type(scope) != FORM:
            raise _Refuse(responses.wrong_type(family, FORM.decode()))
        try:
            address = self._addresses.of(scope["client"], scope["headers"])
            params = parse(query, body, operation.repeatable, address)
        except TooManyParameters:
            raise _Refuse(_too_many(family)) from None
        # A plain GET's protocol looks itself whether its caller is there (under_way.py).
        plain_get = method == "GET" and "body" in scope
        if operation.waits and "wait" in params and not plain_get:
            return await _while_there(operation.answer(params), receive)
        return await operation.answer(params)


async def _while_there(answer: Awaitable[Response], receive: Receive) -> Response:
    """An answer that may take long, given up when its caller goes away."""
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise _Refuse(responses.fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the caller left", 400))
        return answering.result()
    finally:
        answering.cancel()
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _failed(operation: Operation | RawOperation, error: Exception) -> Response:
    """What went wrong is the operator's to read; the caller hears whether to try again."""
    if isinstance(error, RejoinderError) and error.retryable:
        if not (isinstance(error, Overloaded) and error.said):
            log.warning("answered_unavailable", path=operation.path, sentence=error.sentence)
        return responses.unavailable(operation.family, in_doubt=isinstance(error, UnknownCommit))
    log.error("call_failed", path=operation.path, exc_info=error)
    return responses.internal_error(operation.family)


def _too_many(family: Family) -> Response:
    code: int = AccountCode.INVALID_VALUE if family is Family.ACCOUNT else MessageError.INVALID_RECIPIENT
    return responses.fault(family, code, "a call may have 100 parameters")


def _content_type(scope: Mapping[str, Any]) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value == FORM:
                return FORM
            kind: bytes = value.split(b";", 1)[0].strip().lower()
            return kind
    return b""


async def _body(scope: Scope, receive: Receive, family: Family) -> bytes:
    """The whole body; an oversized one is refused as soon as that is known. Of a plain request it is there already."""
    if "body" in scope:
        body: bytes = scope["body"]
        return body
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if len(declared) > 9 or int(declared or b"0") > SIZE:
        raise _Refuse(responses.too_large(family))
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refuse(responses.fault(family, AccountCode.INVALID_VALUE, "the request was cut off", 400))
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > SIZE:
            raise _Refuse(responses.too_large(family))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
