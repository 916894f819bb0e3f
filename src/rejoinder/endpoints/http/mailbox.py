"""allMessages, messages, unreadFinalStatuses: what a user's boxes hold since a moment (contract §2 to §4, §8, §13).

The way of every call that is not answered on the short one; both end in the same `MailboxPolls`.
"""

from __future__ import annotations

from functools import partial

from rejoinder.endpoints.http.logins import account_user, require
from rejoinder.endpoints.http.params import Params
from rejoinder.endpoints.http.responses import Family, Response, fault
from rejoinder.endpoints.http.server import Operation
from rejoinder.endpoints.http.views import REQUIRED, VIEWS, View, since_of, wait_of
from rejoinder.errors import Refused
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.mailbox import Answer, MailboxPolls
from rejoinder.flow.refusals import CallRefused
from rejoinder.message.codes import AccountCode


class MailboxCalls:
    """The polls."""

    def __init__(self, accounts: Accounts, polls: MailboxPolls) -> None:
        self._accounts = accounts
        self._polls = polls

    def operations(self) -> list[Operation]:
        return [
            Operation(view.path, Family.ACCOUNT, partial(self.answer, view), waits=True) for view in VIEWS
        ]

    async def answer(self, view: View, params: Params) -> Response:
        """What a poll answers, in words of the contract."""
        try:
            return Response(view.body(await self._poll(view, params)))
        except CallRefused as refused:
            status = view.blocked if refused.status == AccountCode.BLOCKED else refused.status
            return fault(Family.ACCOUNT, status, refused.sentence)

    async def _poll(self, view: View, params: Params) -> Answer:
        require(params, REQUIRED)
        since, seconds = since_of(params), wait_of(params)
        user = await account_user(params, self._accounts)
        poll = view.poll(user.id, since)
        try:
            return await (self._polls.wait(poll, seconds) if seconds else self._polls.poll(poll))
        except Refused as refused:
            raise CallRefused(AccountCode.INVALID_VALUE, refused.sentence) from None
