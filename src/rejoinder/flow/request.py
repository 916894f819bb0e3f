"""MT step 1a: what a customer asks for, judged by itself (contract §6). Pure: no account, no store.

Refuses with the message call's code and a sentence that names the parameter. Every door (HTTP, SMPP,
web) fills in a SendRequest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.errors import Refused
from rejoinder.flow.push_settings import check_url
from rejoinder.message import parts, phone, text
from rejoinder.message.codes import MessageError
from rejoinder.message.model import Rotation
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet

DEFAULT_VALIDITY = 172_800
# Contract §13: how far ahead a message may be scheduled.
FARTHEST_US = 30 * 86_400 * MICROSECONDS
_VALIDITY = range(60, DEFAULT_VALIDITY + 1)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_MAIL = re.compile(r"mailto:[^@\s,?&]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.IGNORECASE)
_TARGET_LIMIT = 2048


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits: parts per message, the reply window in seconds (contract §11), and whether a mail
    server takes what a `mailto:` replyTo asks for.
    """

    max_parts: int = 10
    reply_window: int = 7 * 86_400
    mail: bool = False


class MessageRefused(Refused):
    """A message that is not taken: the code of contract §1, a sentence, the parameter."""

    def __init__(self, code: int, sentence: str, parameter: str | None = None) -> None:
        super().__init__(sentence, parameter)
        self.code = int(code)


class SendRequest(msgspec.Struct, frozen=True, gc=False):
    """The parameters as they came; absent ones are empty. `broken`: names whose bytes were no text."""

    text: str = ""
    recipient: str = ""
    sender: str = ""
    reply_to: str = ""
    rotation: str = ""
    encoding: str = ""
    client_ref: str = ""
    validity: str = ""
    schedule_at: str = ""
    broken: frozenset[str] = frozenset()


class Concat(msgspec.Struct, frozen=True, gc=False):
    """Where a part stands in the customer's long message: its reference, its number from 1, how many there are."""

    reference: int
    number: int
    total: int


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A request that is right in itself. `text` is what the mailbox shows, `body` what the carrier gets.

    From a door that brings ready-made content (coded.py): `udh`, `octets` (both hex) and `flash` as in QueueRow,
    `concat` where this is one part of the customer's long message, `receipts` the bits of registered_delivery.
    `release_at`: microseconds UTC before which nothing is sent; 0: at once. `unlisted`: a message of the platform's own
    about the user (activation.py): in no mailbox, and no user's; who pays is the order's credit account.
    `service_type`: as a customer's session gave it; None: it came by another door.
    """

    recipient: str
    sender: str
    text: str
    body: str
    alphabet: str
    parts: int
    reply_to: str | None
    rotation: str | None
    client_ref: str
    validity: int
    udh: str = ""
    octets: str = ""
    flash: bool = False
    concat: Concat | None = None
    receipts: int = 0
    release_at: int = 0
    unlisted: bool = False
    service_type: str | None = None

    def user_data(self) -> bytes:
        """What goes to the carrier, as octets without a header (message/parts.py `Part.octets`)."""
        return bytes.fromhex(self.octets) if self.octets else parts.encode(self.body, Alphabet(self.alphabet))

    def written(self) -> str:
        """The draft as JSON; `Draft.read` gives it back."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def read(written: str) -> Draft:
        return msgspec.json.decode(written, type=Draft)

    def digest(self) -> str:
        """What must be the same when a clientRef comes again."""
        return hashlib.blake2b(f"{self.recipient}\0{self.text}".encode(), digest_size=16).hexdigest()


def draft(request: SendRequest, limits: Limits, now: int) -> Draft:
    """Judges a request in the contract's order: -104, -106, -107, -105, -109, -110, -240, -111, -112.

    `now`: microseconds UTC.
    """
    recipient = checked_recipient("" if "recipient" in request.broken else request.recipient)
    body, alphabet, count, fault = _text(request, limits)
    sender = checked_sender(None if "sender" in request.broken else request.sender)
    rotation = _rotation(request)
    if fault is not None:
        raise fault
    _no_broken(request)
    schedule_at = _schedule_at(request)
    return Draft(
        recipient=recipient,
        sender=sender,
        text=request.text,
        body=body,
        alphabet=alphabet,
        parts=count,
        client_ref=_client_ref(request),
        validity=_validity(request),
        reply_to=_reply_to(request, limits),
        release_at=checked_release(schedule_at * MICROSECONDS, now) if schedule_at is not None else 0,
        rotation=rotation,
    )


def checked_recipient(value: str) -> str:
    """The digits of a recipient. Raises MessageRefused: -104."""
    found = phone.recipient(value)
    if found is None:
        raise MessageRefused(
            MessageError.INVALID_RECIPIENT,
            "recipient must be 8 to 16 digits in international format",
            "recipient",
        )
    return found


def _text(request: SendRequest, limits: Limits) -> tuple[str, str, int, MessageRefused | None]:
    """Body, alphabet and parts; a fault that ranks behind the sender's (-110) is handed back, not raised."""
    fault = None
    if "text" in request.broken:
        return (
            "",
            "",
            1,
            MessageRefused(MessageError.UNKNOWN_ENCODING, "text is not valid UTF-8 text", "text"),
        )
    if not request.text:
        raise MessageRefused(MessageError.TEXT_EMPTY, "text is missing or empty", "text")
    encoding = request.encoding.lower() or "auto"
    try:
        if encoding not in text.ENCODINGS or "encoding" in request.broken:
            raise text.UnsuitableText("encoding must be auto, gsm, utf-16 or iso-8859-1")
        body, alphabet = text.for_carrier(request.text, encoding)
    except text.UnsuitableText as unsuitable:
        fault = MessageRefused(MessageError.UNKNOWN_ENCODING, str(unsuitable), "encoding")
        body, alphabet = text.for_carrier(request.text, "auto")
    count = parts.count(body, alphabet)
    checked_length(count, limits)
    return body, alphabet.value, count, fault


def checked_length(parts_needed: int, limits: Limits) -> None:
    """Raises MessageRefused for more parts than a message may have: -107."""
    if parts_needed > limits.max_parts:
        raise MessageRefused(
            MessageError.TEXT_TOO_LONG,
            f"text needs {parts_needed} parts; {limits.max_parts} are the most",
            "text",
        )


def checked_sender(value: str | None) -> str:
    """A sender in its one form, empty for none given. Raises MessageRefused: -105, also for one that is no text."""
    if value == "":
        return ""
    found = None if value is None else phone.sender(value)
    if found is None:
        raise MessageRefused(
            MessageError.INVALID_SENDER,
            "sender must be 2 to 11 letters and digits, or 3 to 16 digits",
            "sender",
        )
    return found


def _rotation(request: SendRequest) -> str | None:
    if not request.rotation or "rotation" in request.broken:
        return None
    try:
        return Rotation(request.rotation.lower()).value
    except ValueError:
        raise MessageRefused(
            MessageError.UNKNOWN_ROTATION, "rotation must be max_rotation or conversation", "rotation"
        ) from None


def _no_broken(request: SendRequest) -> None:
    if request.broken:
        name = min(request.broken)
        raise MessageRefused(MessageError.UNKNOWN_ENCODING, f"{name} is not valid UTF-8 text", name)


def _client_ref(request: SendRequest) -> str:
    if len(request.client_ref) > 64:
        raise MessageRefused(
            MessageError.UNKNOWN_ENCODING, "clientRef must be 1 to 64 characters", "clientRef"
        )
    return request.client_ref


def _validity(request: SendRequest) -> int:
    if not request.validity:
        return DEFAULT_VALIDITY
    if _INTEGER.fullmatch(request.validity) and int(request.validity) in _VALIDITY:
        return int(request.validity)
    raise MessageRefused(MessageError.UNKNOWN_ENCODING, "validity must be 60 to 172800 seconds", "validity")


def _schedule_at(request: SendRequest) -> int | None:
    if not request.schedule_at:
        return None
    if _INTEGER.fullmatch(request.schedule_at):
        return int(request.schedule_at)
    raise MessageRefused(
        MessageError.UNKNOWN_ENCODING, "scheduleAt must be an integer number of Unix seconds", "scheduleAt"
    )


def checked_release(at: int, now: int) -> int:
    """The time of a scheduled message, in microseconds. Raises MessageRefused: -111, -112."""
    if at < now - now % MICROSECONDS:
        raise MessageRefused(MessageError.SCHEDULED_IN_PAST, "scheduleAt lies in the past", "scheduleAt")
    if at > now + FARTHEST_US:
        raise MessageRefused(
            MessageError.SCHEDULED_TOO_FAR, "scheduleAt is more than 30 days ahead", "scheduleAt"
        )
    return at


def _reply_to(request: SendRequest, limits: Limits) -> str | None:
    target = request.reply_to
    if not target or target.lower() == "log":
        return None
    if len(target) <= _TARGET_LIMIT and _MAIL.fullmatch(target):
        if limits.mail:
            return target
        raise _reply_to_refused("replyTo can't be mailto: no mail server is configured here")
    try:
        check_url(target)
    except ValueError:
        raise _reply_to_refused("replyTo must be log, an http(s) URL or mailto:address") from None
    return target


def _reply_to_refused(sentence: str) -> MessageRefused:
    return MessageRefused(MessageError.REPLY_TO_NOT_SUPPORTED, sentence, "replyTo")


def opted_out() -> MessageRefused:
    return MessageRefused(MessageError.OPTED_OUT, "the recipient wants nothing more from you", "recipient")


def not_routed(barred: bool = False) -> MessageRefused:
    why = "this customer may not send to this recipient" if barred else "no route leads to this recipient"
    return MessageRefused(Status.NO_ROUTE, why, "recipient")


def sender_not_allowed() -> MessageRefused:
    why = "the customer may not use this sender: ask the operator to allow it"
    return MessageRefused(Status.SOURCE_NOT_ALLOWED, why, "sender")


def no_pool_number() -> MessageRefused:
    return MessageRefused(Status.SOURCE_NOT_ALLOWED, "the reply pool has no number to send from", "sender")
