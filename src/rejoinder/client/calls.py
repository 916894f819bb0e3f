"""Every call as a value: its path, its form, how its answer is read, and whether it may be repeated blindly.

Knows no network: `blocking` and `waiting` carry these. Source: contract §2 to §9 and §13.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from rejoinder.client.errors import AnswerNotUnderstood, Refused
from rejoinder.client.values import Answered, FinalStatus, Message, Page, Received, Sent, Submitted

T = TypeVar("T")
Fields = Mapping[str, Any]
Credits = Decimal | int | str


class Box(Enum):
    """What a poll reads: texts that came in, all texts, or what finally became of the sent ones."""

    RECEIVED = "messages"
    ALL = "allMessages"
    STATUSES = "unreadFinalStatuses"


class Effect(Enum):
    """What carrying a call out twice would do."""

    NONE = "it only reads"
    SAME = "the same as once"
    TWICE = "it would be done twice"


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """One call. `seconds`: how long the answer may be held back on purpose (a long poll)."""

    path: str
    form: Mapping[str, str]
    read: Callable[[Fields], T]
    effect: Effect = Effect.NONE
    seconds: int = 0

    def body(self, login: Mapping[str, str]) -> bytes:
        form = {**login, **{name: value for name, value in self.form.items() if value}}
        # What is no text goes out as it is: the API refuses it, with its code and a sentence.
        return urlencode(form, errors="surrogatepass").encode()


@dataclass(frozen=True, slots=True)
class Options:
    """The optional parameters of a send; empty ones are left to the server. `schedule_at`: Unix seconds."""

    sender: str = ""
    reply_to: str = ""
    rotation: str = ""
    encoding: str = ""
    client_ref: str = ""
    validity: int | None = None
    schedule_at: int | None = None

    def repeatable(self) -> Options:
        """With a clientRef of our own where there is none, so that a repetition sends nothing twice."""
        return self if self.client_ref else replace(self, client_ref=uuid.uuid4().hex)

    def form(self) -> dict[str, str]:
        named = {
            "sender": self.sender,
            "replyTo": self.reply_to,
            "rotation": self.rotation,
            "encoding": self.encoding,
            "clientRef": self.client_ref,
        }
        numbers = {"validity": self.validity, "scheduleAt": self.schedule_at}
        return {**named, **{name: str(value) for name, value in numbers.items() if value is not None}}


def answer_of(ask: Ask[T], http_status: int, body: bytes) -> T:
    """The call's value. Raises Refused, AnswerNotUnderstood."""
    try:
        fields = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise AnswerNotUnderstood(http_status, "the answer is no JSON") from None
    if not isinstance(fields, dict) or not fields.keys() & {"status", "messageStatus"}:
        raise AnswerNotUnderstood(http_status, "the answer is not one of this API")
    if "error" in fields or http_status != 200:
        raise _refusal(http_status, fields)
    try:
        return ask.read(fields)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise AnswerNotUnderstood(http_status, "the answer has another shape than documented") from None


def _refusal(http_status: int, fields: Fields) -> Refused | AnswerNotUnderstood:
    code = fields.get("messageStatus", fields.get("status"))
    if isinstance(code, int) and http_status != 404:
        return Refused(code, str(fields.get("error", "")))
    return AnswerNotUnderstood(http_status, str(fields.get("error", "")))


def _effect(options: Options) -> Effect:
    return Effect.SAME if options.client_ref else Effect.TWICE


def send(recipient: str, text: str, options: Options) -> Ask[Submitted]:
    form = {"recipient": recipient, "text": text, **options.form()}
    return Ask("message/sendSingle2", form, _submitted, _effect(options))


def send_multiple(recipients: Sequence[str], text: str, options: Options) -> Ask[Sequence[Answered]]:
    form = {"recipient": ",".join(recipients), "text": text, **options.form()}
    return Ask("message/sendMultiple", form, _answers, _effect(options))


def status(document_id: str) -> Ask[int]:
    return Ask("message/status", {"documentId": document_id}, _message_status)


def cancel(document_id: str) -> Ask[int]:
    return Ask("message/cancel", {"documentId": document_id}, _message_status, Effect.SAME)


def balance() -> Ask[Decimal]:
    return Ask("user/creditBalance", {}, lambda fields: Decimal(fields["creditBalance"]))


def page(box: Box, since: int, wait: int) -> Ask[Page[Any]]:
    """A page of a box: of Received, of Message, or of FinalStatus."""
    form = {"since": str(since), "wait": str(wait) if wait else ""}
    return Ask(f"user/{box.value}", form, _PAGES[box], seconds=wait)


def add_credits(customer: str, credits_: Credits) -> Ask[Decimal]:
    # Decimals may be written with an exponent, which the API doesn't take.
    amount = f"{credits_:f}" if isinstance(credits_, Decimal) else str(credits_)
    form = {"customer": customer, "creditsToAdd": amount}
    return Ask("admin/addCredits", form, _credits, Effect.TWICE)


def customer_balance(customer: str) -> Ask[Decimal]:
    return Ask("admin/balance", {"customer": customer}, _credits)


def create(path: str, form: Mapping[str, str], answer: str = "") -> Ask[str]:
    """A new account; `answer` names the field that holds its id, if it has one."""
    return Ask(path, form, lambda fields: str(fields[answer]) if answer else "", Effect.TWICE)


def activation(path: str, form: Mapping[str, str]) -> Ask[None]:
    return Ask(path, form, lambda _: None, Effect.TWICE)


def _submitted(fields: Fields) -> Submitted:
    return Submitted(fields["documentId"], fields["recipient"], int(fields["messageStatus"]))


def _answers(fields: Fields) -> Sequence[Answered]:
    return [
        Answered(one.get("documentId"), one["recipient"], int(one["messageStatus"]), one.get("error"))
        for one in fields["messages"]
    ]


def _message_status(fields: Fields) -> int:
    return int(fields["messageStatus"])


def _credits(fields: Fields) -> Decimal:
    return Decimal(fields["credits"])


def _received(one: Fields) -> Received:
    return Received(
        one["documentId"],
        one["text"],
        one["timestamp"],
        one["from"],
        one["recipient"],
        one["originDocumentId"],
    )


def _received_page(fields: Fields) -> Page[Message]:
    items = [_received(one) for one in fields["messages"]]
    return Page(items, fields["newestMessageTimestamp"], fields["hasMoreMessages"])


def _whole_page(fields: Fields) -> Page[Message]:
    items: list[Message] = [_received(one) for one in fields["incomingMessages"]]
    items += [
        Sent(one["documentId"], one["text"], one["timestamp"], one["recipient"])
        for one in fields["outgoingMessages"]
    ]
    items.sort(key=lambda one: (one.timestamp, one.document_id))
    return Page(items, fields["newestMessageTimestamp"], fields["hasMoreMessages"])


def _status_page(fields: Fields) -> Page[FinalStatus]:
    items = [
        FinalStatus(
            one["documentId"],
            one["recipient"],
            int(one["messageStatus"]),
            one["timestamp"],
            one["numberOfParts"],
            Decimal(one["chargedAmount"]),
        )
        for one in fields["statuses"]
    ]
    return Page(items, fields["newestStatusTimestamp"], fields["hasMoreStatuses"])


_PAGES: Mapping[Box, Callable[[Fields], Page[Any]]] = {
    Box.RECEIVED: _received_page,
    Box.ALL: _whole_page,
    Box.STATUSES: _status_page,
}
