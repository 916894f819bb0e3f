"""The calls of contract §§2 to 7 and their kin, each with one good request: what rules for every call are tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.centre import HANDSET
from tests.http.site import (
    ALL_MESSAGES,
    CANCEL,
    CREDIT_BALANCE,
    FINALS,
    MESSAGES,
    SEND,
    STATUS,
    Client,
    Reply,
    login,
)

UNKNOWN_ID = "5175000000000000000000ff"
_MISSING = {"username": -101, "password": -102, "documentId": -103, "recipient": -104, "text": -106}


@dataclass(frozen=True)
class Call:
    """A path, good parameters, the good answer's number, and what an invalid value answers."""

    path: str
    good: Mapping[str, str]
    ok: object
    word: str
    invalid: int
    internal: int
    params: tuple[str, ...]

    def invalid_in(self, param: str) -> int:
        """The code of a value of this parameter that is no text (contract §1 "text")."""
        return {"recipient": -104, "sender": -105}.get(param, self.invalid)

    def missing(self, param: str) -> int:
        """The code of a call without this parameter, or with an empty one."""
        return 1 if self.word == "status" else _MISSING[param]

    def with_(self, **changed: str | bytes) -> dict[str, str | bytes]:
        return {**self.good, **changed}

    def judged(self, reply: Reply) -> object:
        """The answer's number, after a look at what holds for every answer of this family."""
        body = reply.json
        assert self.word in body, body
        assert ({"status", "messageStatus"} & set(body)) == {self.word}
        return body[self.word]


def _account(path: str, ok: object, *params: str, **good: str) -> Call:
    return Call(path, {**login(), **good}, ok, "status", 2, 9999, ("username", "password", *params))


def _message(path: str, ok: object, *params: str, **good: str) -> Call:
    return Call(path, {**login(), **good}, ok, "messageStatus", -110, -999, ("username", "password", *params))


SEND_PARAMS = (
    "text",
    "recipient",
    "sender",
    "replyTo",
    "rotation",
    "encoding",
    "clientRef",
    "validity",
    "scheduleAt",
)
CALLS = (
    _account(ALL_MESSAGES, 0, "since", since="0"),
    _account(MESSAGES, 0, "since", since="0"),
    _account(FINALS, 0, "since", since="0"),
    _account(CREDIT_BALANCE, "0"),
    _message(SEND, 10, *SEND_PARAMS, text="Hello mommy", recipient=HANDSET),
    _message(STATUS, "0", "documentId", documentId=UNKNOWN_ID),
    _message(CANCEL, 0, "documentId", documentId=UNKNOWN_ID),
)
BY_PATH = {call.path: call for call in CALLS}
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.path.rpartition("/")[2])


def _each(names: Callable[[Call], Iterable[str]]) -> pytest.MarkDecorator:
    cases = [(call, name) for call in CALLS for name in names(call)]
    ids = [f"{call.path.rpartition('/')[2]}-{name}" for call, name in cases]
    return pytest.mark.parametrize(("call", "param"), cases, ids=ids)


each_param = _each(lambda call: call.params)
each_required = _each(lambda call: call.good)
each_method = pytest.mark.parametrize("method", ["get", "post"])


def ask(client: Client, method: str, path: str, params: Mapping[str, str | bytes]) -> Reply:
    return client.get(path, params) if method == "get" else client.post(path, params)


def is_error(body: dict[str, Any], word: str) -> bool:
    """Whether this is an error answer of the family: a number that isn't 0, and a sentence."""
    number, sentence = body.get(word), body.get("error")
    return type(number) is int and number != 0 and isinstance(sentence, str) and bool(sentence.strip())


def assert_headers(reply: Reply) -> None:
    """What every answer bears, errors included (contract §1 "answer")."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
