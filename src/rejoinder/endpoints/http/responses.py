"""Answers as bytes: status, headers, JSON body; and the two families' shapes of an error (contract §1)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from rejoinder.message.codes import AccountCode, MessageError

Headers = list[tuple[bytes, bytes]]
encode = msgspec.json.encode


class Family(StrEnum):
    """Which key an answer's code stands under."""

    ACCOUNT = "status"
    MESSAGE = "messageStatus"


class Response(msgspec.Struct, frozen=True):
    """What is sent back."""

    body: bytes
    status: int = 200
    extra: Sequence[tuple[bytes, bytes]] = ()
    content_type: bytes | None = None
    cache: bytes = b"no-store"

    def is_usual(self) -> bool:
        """JSON that was asked for and may not be kept, with nothing beside it: its head is always the same."""
        return (
            self.status == 200 and not self.extra and self.content_type is None and self.cache == b"no-store"
        )

    def headers(self) -> Headers:
        kind = (b"content-type", self.content_type or b"application/json")
        # A 304 has no body, and its length would be taken for that of the one that the browser has.
        length = [] if self.status == 304 else [(b"content-length", str(len(self.body)).encode())]
        return [kind, (b"cache-control", self.cache), *length, *self.extra]


_INTERNAL = {Family.ACCOUNT: AccountCode.INTERNAL_ERROR, Family.MESSAGE: MessageError.INTERNAL_ERROR}
_STRANGER = {Family.ACCOUNT: AccountCode.AUTHENTICATION_FAILED, Family.MESSAGE: MessageError.LOGIN_FAILED}
_INVALID = {Family.ACCOUNT: AccountCode.INVALID_VALUE, Family.MESSAGE: MessageError.UNKNOWN_ENCODING}


def fault(family: Family, code: int, sentence: str, status: int = 200) -> Response:
    """An error in the family's own shape: the code and one sentence."""
    return Response(encode({family.value: int(code), "error": sentence}), status)


def unavailable(family: Family, in_doubt: bool = False) -> Response:
    """503 with Retry-After: overloaded, or the database is away. `in_doubt`: what was asked for may have been done."""
    sentence, extra = "try again: the service can't take this right now", [(b"retry-after", b"1")]
    if in_doubt:
        # Who may not repeat it blindly (credits, new accounts) has to be told.
        sentence = "the database went away while this was stored: it may have been done"
        extra.append((b"rejoinder-outcome", b"unknown"))
    return Response(encode({family.value: int(_INTERNAL[family]), "error": sentence}), 503, extra)


def throttled(family: Family, sentence: str, seconds: int) -> Response:
    """429 with Retry-After: too many failed log-ins."""
    body = encode({family.value: int(_STRANGER[family]), "error": f"{sentence}: try again in {seconds} s"})
    return Response(body, 429, [(b"retry-after", str(seconds).encode())])


def internal_error(family: Family) -> Response:
    return fault(family, _INTERNAL[family], "internal error", 500)


def not_found(what: str = "path") -> Response:
    return fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, f"there is no such {what}", 404)


def method_not_allowed(family: Family, allowed: Sequence[str]) -> Response:
    allow = ", ".join(allowed)
    body = encode({family.value: int(_INVALID[family]), "error": f"this path takes {allow}"})
    return Response(body, 405, [(b"allow", allow.encode())])


def too_large(family: Family) -> Response:
    return fault(family, _INVALID[family], "query string and body may have 65536 bytes each", 413)


def wrong_type(family: Family, wanted: str) -> Response:
    return fault(family, _INVALID[family], f"the body must be {wanted}", 415)
