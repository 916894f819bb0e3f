"""allMessages and messages: what a user sent and received since a moment (contract §2 to §4).

The bodies are joined from the fragments that were encoded when the messages were stored.
"""

from __future__ import annotations

import re

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
ALL_MESSAGES = "/services/rest/user/allMessages"
MESSAGES = "/services/rest/user/messages"
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


def all_messages_body(answer: Answer) -> bytes:
    """Contract §2: both lists, always present, oldest first."""
    incoming = ",".join([shown for _, inward, shown in answer.page.rows if inward])
    outgoing = ",".join([shown for _, inward, shown in answer.page.rows if not inward])
    more = "true" if answer.page.more else "false"
    return (
        f'{{"newestMessageTimestamp":{answer.newest},"hasMoreMessages":{more},'
        f'"incomingMessages":[{incoming}],"outgoingMessages":[{outgoing}],"status":0}}'
    ).encode()


def messages_body(answer: Answer) -> bytes:
    """Contract §4: received messages only."""
    shown = ",".join([shown for _, _, shown in answer.page.rows])
    more = "true" if answer.page.more else "false"
    return (
        f'{{"newestMessageTimestamp":{answer.newest},"hasMoreMessages":{more},"messages":[{shown}],"status":0}}'
    ).encode()


class MailboxCalls:
    """The two calls."""

    def __init__(self, accounts: Accounts, polls: MailboxPolls) -> None:
        self._accounts = accounts
        self._polls = polls

    def operations(self) -> list[Operation]:
        return [
            Operation(ALL_MESSAGES, Family.ACCOUNT, self.all_messages),
            Operation(MESSAGES, Family.ACCOUNT, self.messages),
        ]

    def at_once(self) -> dict[bytes, AtOnce]:
        """The paths whose usual answer is made without a task, where the store reads without waiting."""
        return {ALL_MESSAGES.encode(): self.now, MESSAGES.encode(): self.now}

    async def all_messages(self, params: Params) -> Response:
        try:
            return Response(all_messages_body(await self._poll(params, received=False)))
        except CallRefused as refused:
            # Contract §2 has no 4 among this call's statuses: a blocked account answers 3.
            blocked = refused.status == AccountCode.BLOCKED
            status = AccountCode.AUTHENTICATION_FAILED if blocked else refused.status
            return fault(Family.ACCOUNT, status, refused.sentence)

    async def messages(self, params: Params) -> Response:
        try:
            return Response(messages_body(await self._poll(params, received=True)))
        except CallRefused as refused:
            return fault(Family.ACCOUNT, refused.status, refused.sentence)

    def now(self, path: str, query: bytes, address: str) -> Response | None:
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
            received = path == MESSAGES
            answer = self._polls.poll_now(Poll(login.user.id, since, received))
        except Exception:  # noqa: BLE001  # met again on the normal way, which answers and logs it
            return None
        if answer is None:
            return None
        return Response(messages_body(answer) if received else all_messages_body(answer))

    async def _poll(self, params: Params, received: bool) -> Answer:
        require(params, _REQUIRED)
        since = since_of(params)
        user = await account_user(params, self._accounts)
        try:
            return await self._polls.poll(Poll(user.id, since, received))
        except Refused as refused:
            raise CallRefused(AccountCode.INVALID_VALUE, refused.sentence) from None
