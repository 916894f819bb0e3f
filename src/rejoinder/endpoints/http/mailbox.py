"""allMessages, messages, unreadFinalStatuses: what a user's boxes hold since a moment (contract §2 to §4, §8).

The bodies are joined from the fragments that were encoded when the messages were stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rejoinder.endpoints.http.logins import account_user, require
from rejoinder.endpoints.http.params import Params, parse
from rejoinder.endpoints.http.protocol import AtOnce
from rejoinder.endpoints.http.responses import Family, Response, fault
from rejoinder.endpoints.http.server import Operation
from rejoinder.errors import Refused
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.mailbox import Answer, MailboxPolls, Poll
from rejoinder.flow.refusals import CallRefused
from rejoinder.message.codes import AccountCode

_SINCE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_INT64 = 2**63
_USER = "/services/rest/user"
_REQUIRED = ("username", "password", "since")


def since_of(params: Params) -> int:
    """`since` as a signed 64-bit integer in ASCII digits (contract §2). Raises CallRefused 2."""
    value = params["since"]
    if value is not None and _SINCE.fullmatch(value):
        number = int(value)
        if -_INT64 <= number < _INT64:
            return number
    raise CallRefused(
        AccountCode.INVALID_VALUE, "since must be an integer number of seconds since 1970-01-01 UTC"
    )


_BOOL = (b"false", b"true")


def all_messages_body(answer: Answer) -> bytes:
    """Contract §2: both lists, always present, oldest first."""
    page = answer.page
    return (
        b'{"newestMessageTimestamp":%d,"hasMoreMessages":%b,"incomingMessages":[%b],"outgoingMessages":[%b],"status":0}'
        % (answer.newest, _BOOL[page.more], page.received, page.sent)
    )


def messages_body(answer: Answer) -> bytes:
    """Contract §4: received messages only."""
    page = answer.page
    return b'{"newestMessageTimestamp":%d,"hasMoreMessages":%b,"messages":[%b],"status":0}' % (
        answer.newest,
        _BOOL[page.more],
        page.received,
    )


def statuses_body(answer: Answer) -> bytes:
    """Contract §8: final statuses, oldest first."""
    page = answer.page
    return b'{"newestStatusTimestamp":%d,"hasMoreStatuses":%b,"statuses":[%b],"status":0}' % (
        answer.newest,
        _BOOL[page.more],
        page.sent,
    )


@dataclass(frozen=True, slots=True)
class View:
    """One of the polls: which of the user's boxes it reads, what of it, and how the answer is written."""

    path: str
    body: Callable[[Answer], bytes]
    received: bool = False
    statuses: bool = False
    # What a blocked account is answered: contract §2 has no 4 among the statuses of allMessages.
    blocked: int = AccountCode.BLOCKED

    def poll(self, user_id: int, since: int) -> Poll:
        return Poll(-user_id if self.statuses else user_id, since, self.received)


VIEWS = (
    View(f"{_USER}/allMessages", all_messages_body, blocked=AccountCode.AUTHENTICATION_FAILED),
    View(f"{_USER}/messages", messages_body, received=True),
    View(f"{_USER}/unreadFinalStatuses", statuses_body, statuses=True),
)


class MailboxCalls:
    """The polls."""

    def __init__(self, accounts: Accounts, polls: MailboxPolls) -> None:
        self._accounts = accounts
        self._polls = polls

    def operations(self) -> list[Operation]:
        return [Operation(view.path, Family.ACCOUNT, partial(self.answer, view)) for view in VIEWS]

    def at_once(self) -> dict[bytes, AtOnce]:
        """The paths whose usual answer is made without a task, where the store reads without waiting."""
        return {view.path.encode(): partial(self.now, view) for view in VIEWS}

    async def answer(self, view: View, params: Params) -> Response:
        """What a poll answers, in words of the contract."""
        try:
            return Response(view.body(await self._poll(view, params)))
        except CallRefused as refused:
            status = view.blocked if refused.status == AccountCode.BLOCKED else refused.status
            return fault(Family.ACCOUNT, status, refused.sentence)

    def now(self, view: View, query: bytes, address: str) -> Response | None:
        """The usual answer of a GET, made without a task: the log-in is remembered, nothing has to be sealed.

        None, for whatever is not usual: the call then goes its normal way, with all checks from the start.
        """
        try:
            params = parse(query)
            require(params, _REQUIRED)
            since = since_of(params)
            login = self._accounts.login_now(params["username"] or "", params["password"] or "", address)
            if login is None or login.user is None:
                return None
            answer = self._polls.poll_now(view.poll(login.user.id, since))
        except Exception:  # noqa: BLE001  # met again on the normal way, which answers and logs it
            return None
        return None if answer is None else Response(view.body(answer))

    async def _poll(self, view: View, params: Params) -> Answer:
        require(params, _REQUIRED)
        since = since_of(params)
        user = await account_user(params, self._accounts)
        try:
            return await self._polls.poll(view.poll(user.id, since))
        except Refused as refused:
            raise CallRefused(AccountCode.INVALID_VALUE, refused.sentence) from None
