"""The polls of callers who were here a moment ago: no parameters are parsed, no log-in is made anew.

What a poll's query holds beside `since` is known by a keyed hash, so that no password is kept, and stands for a user
whose log-in was found good and quiet. Refuses whatever is not of that kind (None): it goes the way of all calls.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Coroutine
from typing import Any

import msgspec
from prometheus_client import Counter

from rejoinder.clock import Clock
from rejoinder.endpoints.http.params import MOST, SIZE, parse
from rejoinder.endpoints.http.responses import Response
from rejoinder.endpoints.http.views import VIEWS, View, wait_of
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.mailbox import MailboxPolls, Poll
from rejoinder.flow.ports import UserRow
from rejoinder.observe import HTTP_ANSWERS

# Bounds memory: about 15 MB.
KEPT = 50_000
# More digits than a timestamp has; longer ones are judged elsewhere.
_DIGITS = 18
_AMPERSAND = ord("&")


class _Caller(msgspec.Struct):
    """Whom a query's credentials stand for, while the account is unchanged and its log-ins are quiet.

    `stirred`: the guard's count of attempts when that was last looked at.
    """

    user: UserRow
    username: str
    wait: int
    until: float
    stirred: int


class ShortWay:
    """Answers for the protocol class, before a request's task is made."""

    def __init__(self, accounts: Accounts, polls: MailboxPolls, clock: Clock) -> None:
        self._accounts = accounts
        self._polls = polls
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._callers: dict[bytes, _Caller] = {}
        self.views: dict[bytes, View] = {view.path.encode(): view for view in VIEWS}
        # Each path's count of answers, looked up once: a counter's labels() costs more than the count.
        self._counts: dict[str, Counter] = {v.path: HTTP_ANSWERS.labels(v.path, "200") for v in VIEWS}

    def take(self, path: bytes, query: bytes, address: str) -> bytes | Coroutine[Any, Any, Response] | None:
        """The body of a 200, or what comes to the answer; None: the call goes its normal way, from the start.

        What comes to the answer may raise: then too.
        """
        if len(query) > SIZE:
            return None
        at = query.find(b"since=")
        end = query.find(b"&", at)
        digits = query[at + 6 :] if end < 0 else query[at + 6 : end]
        if at < 0 or (at and query[at - 1] != _AMPERSAND) or not digits.isdigit() or len(digits) > _DIGITS:
            return None
        caller = self._recognise(query[:at] if end < 0 else query[:at] + query[end:], address)
        if caller is None:
            return None
        view = self.views[path]
        poll = view.poll(caller.user.id, int(digits))
        if self._polls.at_once:
            try:
                answer = self._polls.poll_now(poll)
            except Exception:  # noqa: BLE001  # met again on the normal way, which answers and logs it
                return None
            if answer is not None and (answer.page.newest or not caller.wait):
                self._counts[view.path].inc()
                return view.body(answer)
        return self._later(view, poll, caller.wait)

    async def _later(self, view: View, poll: Poll, seconds: int) -> Response:
        answer = await (self._polls.wait(poll, seconds) if seconds else self._polls.poll(poll))
        self._counts[view.path].inc()
        return Response(view.body(answer))

    def _recognise(self, rest: bytes, address: str) -> _Caller | None:
        # A blank stands neither in an address nor in a query.
        key = hashlib.blake2b(address.encode() + b" " + rest, key=self._key, digest_size=16).digest()
        caller = self._callers.get(key)
        if (
            caller is not None
            and self._clock.monotonic() < caller.until
            and self._accounts.remembers(caller.username, caller.user)
        ):
            guard = self._accounts.guard
            if caller.stirred == guard.stirred:
                return caller
            if guard.is_quiet(caller.username, address):
                caller.stirred = guard.stirred
                return caller
        return self._learn(key, rest, address)

    def _learn(self, key: bytes, rest: bytes, address: str) -> _Caller | None:
        """Whether these parameters are a good log-in by memory alone, and nothing that has to be judged."""
        if rest.count(_AMPERSAND) >= MOST - 2:
            return None
        try:
            params = parse(rest)
            username, password = params["username"] or "", params["password"] or ""
            login = self._accounts.login_now(username, password, address)
            if "since" in params or login is None or login.user is None:
                return None
            wait = wait_of(params)
        except Exception:  # noqa: BLE001  # met again on the normal way, which answers it
            return None
        until = self._accounts.passwords.remembered_until(login.user.id)
        caller = _Caller(login.user, username, wait, until, self._accounts.guard.stirred)
        if len(self._callers) >= KEPT:
            del self._callers[next(iter(self._callers))]
        self._callers[key] = caller
        return caller
