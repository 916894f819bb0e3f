"""The polls' parameters and answers: which box each reads, and how its page is written (contract §2 to §4, §8, §13).

The bodies are joined from the fragments that were encoded when the entries were stored. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rejoinder.endpoints.http.params import Params
from rejoinder.flow.mailbox import Answer, Poll
from rejoinder.flow.refusals import CallRefused
from rejoinder.message.codes import AccountCode

_SINCE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_INT64 = 2**63
_USER = "/services/rest/user"
REQUIRED = ("username", "password", "since")
LONGEST_WAIT = 60


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


def wait_of(params: Params) -> int:
    """`wait`: how many seconds an empty answer may take (contract §13); 0 when absent. Raises CallRefused 2."""
    value = params.get("wait", "0")
    if value is not None and _SINCE.fullmatch(value) and 0 <= int(value) <= LONGEST_WAIT:
        return int(value)
    raise CallRefused(AccountCode.INVALID_VALUE, f"wait must be a number of seconds from 0 to {LONGEST_WAIT}")


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
