"""`python -m faults.fuzz.planted NAME serve …`: the server with a bug put in from outside, for negative controls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from rejoinder.endpoints.http import protocol, server
from rejoinder.endpoints.http.brakes import BrakingProtocol
from rejoinder.endpoints.smpp.connection import Connection
from rejoinder.endpoints.smpp.requests import Requests
from rejoinder.smpp.pdu import QuerySm, SubmitMulti
from rejoinder.smpp.session import Session

_LEAK = 1 << 18
_leaked: list[bytes] = []


def _leaking(owner: Any) -> None:
    right = owner.data_received

    def data_received(self: Any, data: bytes) -> None:
        _leaked.append(b"x" * _LEAK)
        right(self, data)

    owner.data_received = data_received


def _http_raises() -> None:
    """A value that is no text is met by a call that did not think of it."""
    right = server.parse

    def parse(*values: Any) -> Any:
        params = right(*values)
        if None in params.values():
            raise KeyError("no text")
        return params

    server.parse = parse  # type: ignore[assignment]  # the bug


def _http_hangs() -> None:
    """A method that nobody offers is waited for."""
    right = server.Api.reply

    async def reply(self: Any, scope: Any, receive: Any) -> Any:
        if scope["method"] not in ("GET", "POST"):
            await asyncio.Event().wait()
        return await right(self, scope, receive)

    server.Api.reply = reply  # type: ignore[method-assign]  # the bug


def _http_confuses() -> None:
    """What ends like a known head is taken for that request, whatever stands before it."""
    protocol._IN_TARGETS = bytes(range(256))


def _smpp_raises() -> None:
    """A query of a message that is not there fails, and a submit_multi too."""
    right = Requests.answer

    async def answer(self: Any, asker: Any, pdu: Any) -> Any:
        if isinstance(pdu, (QuerySm, SubmitMulti)):
            raise KeyError("nothing")
        return await right(self, asker, pdu)

    Requests.answer = answer  # type: ignore[method-assign]  # the bug


def _smpp_forgets() -> None:
    """Every other refusal is not sent."""
    right: Callable[..., None] = Session._refuse

    def refuse(self: Any, command: int, sequence: int, status: int) -> None:
        if sequence % 2:
            right(self, command, sequence, status)

    Session._refuse = refuse  # type: ignore[method-assign]  # the bug


PLANTS: dict[str, dict[str, Callable[[], None]]] = {
    "fuzz-http": {
        "raises": _http_raises,
        "confuses": _http_confuses,
        "hangs": _http_hangs,
        "leaks": lambda: _leaking(BrakingProtocol),
    },
    "fuzz-smpp": {
        "raises": _smpp_raises,
        "forgets": _smpp_forgets,
        "leaks": lambda: _leaking(Connection),
    },
}


def main() -> None:
    harness, _, plant = sys.argv[1].partition(":")
    PLANTS[harness][plant]()
    from rejoinder.cli import main as rejoinder

    sys.argv = ["rejoinder", *sys.argv[2:]]
    rejoinder()


if __name__ == "__main__":
    main()
