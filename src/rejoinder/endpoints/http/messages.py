"""Sending, taking back, message/status and creditBalance (contract §5 to §7, §13)."""

from __future__ import annotations

from rejoinder.endpoints.http.logins import account_user, message_user, require
from rejoinder.endpoints.http.params import Params
from rejoinder.endpoints.http.responses import Family, Response, encode, fault
from rejoinder.endpoints.http.server import Operation
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.cancel import Cancellations
from rejoinder.flow.desk import Accepted
from rejoinder.flow.ports import Store
from rejoinder.flow.refusals import CallRefused
from rejoinder.flow.request import MessageRefused, SendRequest
from rejoinder.flow.submit import Submissions
from rejoinder.message import money
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status

_REST = "/services/rest"
# Parameter name to field of SendRequest.
_SEND = {
    "text": "text",
    "recipient": "recipient",
    "sender": "sender",
    "replyTo": "reply_to",
    "rotation": "rotation",
    "encoding": "encoding",
    "clientRef": "client_ref",
    "validity": "validity",
    "scheduleAt": "schedule_at",
}
SEND_MULTIPLE = f"{_REST}/message/sendMultiple"
CANCEL = f"{_REST}/message/cancel"


def send_request(params: Params) -> SendRequest:
    """The send parameters as flow takes them; absent ones are empty, those that are no text are named."""
    fields: dict[str, str] = {}
    broken: list[str] = []
    for name, value in params.items():
        field = _SEND.get(name)
        if field is not None:
            fields[field] = value or ""
            if value is None:
                broken.append(name)
    return SendRequest(**fields, broken=frozenset(broken))


class MessageCalls:
    """The calls about single messages and the balance that pays for them."""

    def __init__(
        self, accounts: Accounts, submissions: Submissions, cancellations: Cancellations, store: Store
    ) -> None:
        self._accounts = accounts
        self._submissions = submissions
        self._cancellations = cancellations
        self._store = store

    def operations(self) -> list[Operation]:
        return [
            Operation(f"{_REST}/user/creditBalance", Family.ACCOUNT, self.credit_balance),
            Operation(f"{_REST}/message/sendSingle2", Family.MESSAGE, self.send_single),
            Operation(
                SEND_MULTIPLE, Family.MESSAGE, self.send_multiple, ("POST",), repeatable=("recipient",)
            ),
            Operation(CANCEL, Family.MESSAGE, self.cancel),
            Operation(f"{_REST}/message/status", Family.MESSAGE, self.message_status),
        ]

    async def send_single(self, params: Params) -> Response:
        try:
            user = await message_user(params, self._accounts)
            accepted = await self._submissions.submit(user, send_request(params))
        except MessageRefused as refused:
            body = {"recipient": params.get("recipient") or "", "messageStatus": refused.code}
            return Response(encode({**body, "error": refused.sentence}))
        return Response(
            encode(
                {
                    "documentId": accepted.id,
                    "recipient": accepted.recipient,
                    "messageStatus": int(accepted.status),
                }
            )
        )

    async def send_multiple(self, params: Params) -> Response:
        """Contract §13: one answer for each recipient, each judged by itself."""
        try:
            user = await message_user(params, self._accounts)
            outcomes = await self._submissions.submit_multiple(user, send_request(params))
        except MessageRefused as refused:
            return fault(Family.MESSAGE, refused.code, refused.sentence)
        return Response(encode({"messages": [_outcome(*one) for one in outcomes.items()], "status": 0}))

    async def cancel(self, params: Params) -> Response:
        """Contract §13: 4 when it was taken back, else the status as it is."""
        try:
            user = await message_user(params, self._accounts, document=True)
            found = await self._cancellations.cancel(user, _document(params))
        except MessageRefused as refused:
            return fault(Family.MESSAGE, refused.code, refused.sentence)
        return Response(encode({"documentId": found.document_id, "messageStatus": int(found.status)}))

    async def message_status(self, params: Params) -> Response:
        try:
            user = await message_user(params, self._accounts, document=True)
            document = _document(params)
            known = await self._store.read.messages.status(document)
            if known is None:
                return Response(encode({"documentId": document, "messageStatus": str(int(Status.UNKNOWN))}))
            owner, recipient, status = known
            if owner != user.id:
                raise MessageRefused(
                    MessageError.NOT_YOURS, "that document belongs to somebody else", "documentId"
                )
        except MessageRefused as refused:
            return fault(Family.MESSAGE, refused.code, refused.sentence)
        return Response(
            encode({"documentId": document, "recipient": recipient, "messageStatus": str(status)})
        )

    async def credit_balance(self, params: Params) -> Response:
        try:
            require(params, ("username", "password"))
            user = await account_user(params, self._accounts)
        except CallRefused as refused:
            return fault(Family.ACCOUNT, refused.status, refused.sentence)
        funds = await self._store.read.credits.balance(user.credit_account_id)
        # Contract §5: both are strings on success, the status too.
        return Response(encode({"creditBalance": money.to_text(funds.balance), "status": "0"}))


def _document(params: Params) -> str:
    """The documentId, which is there. Raises MessageRefused: -110."""
    document = params["documentId"]
    if document is None:
        raise MessageRefused(
            MessageError.UNKNOWN_ENCODING, "documentId is not valid UTF-8 text", "documentId"
        )
    return document


def _outcome(recipient: str, outcome: Accepted | MessageRefused) -> dict[str, object]:
    if isinstance(outcome, MessageRefused):
        return {"recipient": recipient, "messageStatus": outcome.code, "error": outcome.sentence}
    return {"documentId": outcome.id, "recipient": recipient, "messageStatus": int(outcome.status)}
