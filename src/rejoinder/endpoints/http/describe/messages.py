"""Sending, taking back, the status of a message, and the balance that pays for it (contract §5 to §7, §13)."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.common import (
    ACCOUNT_CODES,
    DIGITS,
    DOCUMENT,
    ID,
    LOGIN,
    MESSAGE_CODES,
    REST,
)
from rejoinder.endpoints.http.describe.schema import (
    Call,
    Description,
    Parameter,
    Schema,
    closed,
    meanings,
    text,
)
from rejoinder.endpoints.http.responses import Family
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status

TEXT = Parameter(
    "text",
    "At most 10 parts (the operator may set another limit), else -107.",
    text(minLength=1, examples=["Coffee at ten?"]),
    True,
)
RECIPIENT = Parameter(
    "recipient",
    "8 to 16 digits in international format. A leading + is accepted and dropped.",
    text(pattern=r"^\+?[0-9]{8,16}$", examples=["61255588885"]),
    True,
)
SEND_OPTIONS = (
    Parameter(
        "sender",
        "Own number, or alphanumeric name the customer may use. Absent or empty: the user's sourceAddress if set, "
        "else a number of the reply pool, and replies find this message.",
        text(pattern=r"^(\+?[0-9]{3,16}|[A-Za-z0-9]{2,11})$"),
    ),
    Parameter(
        "replyTo",
        "`log`: replies wait in the mailbox. `http(s)://…`: also GET that URL, with {{from}}, {{text}} and the other "
        "MO names filled in. `mailto:addr`. Only effective when the pool chose the sender.",
        text(default="log", maxLength=2048),
    ),
    Parameter(
        "rotation",
        "How the pool's number is chosen, any case. Default: the customer's setting.",
        text(enum=["max_rotation", "conversation"]),
    ),
    Parameter(
        "encoding",
        "Any case. `gsm` replaces what GSM 03.38 lacks with its nearest character, else `?`.",
        text(enum=["auto", "gsm", "utf-16", "iso-8859-1"], default="auto"),
    ),
    Parameter(
        "clientRef",
        "The same reference of the same user within 24 hours answers the first message's documentId and status "
        "again; nothing is sent or charged twice.",
        text(minLength=1, maxLength=64),
    ),
    Parameter(
        "validity",
        "Seconds that networks may try.",
        {"type": "integer", "minimum": 60, "maximum": 172_800, "default": 172_800},
    ),
    Parameter(
        "scheduleAt",
        "Unix seconds, up to 30 days ahead: when it is sent. It is accepted and charged now; it appears in allMessages, "
        "and its validity begins, when it is sent. `cancel` takes it back before.",
        {"type": "integer", "format": "int64"},
    ),
)
RECIPIENTS = Parameter(
    "recipient",
    "Up to 1,000 numbers as in sendSingle2, repeated or separated by commas; one that comes twice counts once.",
    {
        "type": "array",
        "items": text(minLength=1),
        "minItems": 1,
        "maxItems": 1000,
        "examples": [["61255588885", "61255588886"]],
    },
    True,
    of="sendMultiple",
)

SEND_CODES = (
    *MESSAGE_CODES,
    *(
        MessageError.INVALID_SENDER,
        MessageError.TEXT_EMPTY,
        MessageError.TEXT_TOO_LONG,
        MessageError.UNKNOWN_ROTATION,
        MessageError.REPLY_TO_NOT_SUPPORTED,
        MessageError.SCHEDULED_IN_PAST,
        MessageError.SCHEDULED_TOO_FAR,
    ),
    *(
        MessageError.CLIENT_REF_TAKEN,
        MessageError.OPTED_OUT,
        MessageError.NOT_ENOUGH_CREDITS,
        Status.NO_ROUTE,
        Status.SOURCE_NOT_ALLOWED,
    ),
)

_ACCEPTED = {
    "type": "integer",
    "enum": [int(status) for status in Status if status is not Status.UNKNOWN],
    "description": "10: message, charge and mailbox entry are on disk. Another one is the status of the first message "
    "with this clientRef.",
}
_ONE_OF_MANY = closed({"documentId": ID, "recipient": DIGITS, "messageStatus": _ACCEPTED})
_REFUSED_OF_MANY = closed(
    {
        "recipient": text(description="As it was given."),
        "messageStatus": {
            "type": "integer",
            "enum": [int(code) for code in SEND_CODES],
            "description": meanings(SEND_CODES),
        },
        "error": text(minLength=1, description="One English sentence naming the parameter and the fault."),
    }
)

KNOWN = [status for status in Status if status is not Status.UNKNOWN]
SHAPES: Mapping[str, Schema] = {
    "CreditBalance": closed(
        {
            "creditBalance": text(
                pattern=r"^-?[0-9]+(\.[0-9]{3})?$",
                description="The customer's, in whole credits without decimals, else with three. "
                "A post-paid customer answers what it has used, negative.",
            ),
            "status": text(const="0", description="A string on success; an error is a number."),
        }
    ),
    "AcceptedMessage": closed(
        {
            "documentId": ID,
            "recipient": DIGITS,
            "messageStatus": _ACCEPTED,
        }
    ),
    "ManyMessages": closed(
        {
            "messages": {
                "type": "array",
                "items": {"oneOf": [_ONE_OF_MANY, _REFUSED_OF_MANY]},
                "minItems": 1,
                "maxItems": 1000,
                "description": "One for each recipient, in the order in which they were given.",
            },
            "status": {"type": "integer", "const": 0},
        }
    ),
    "Cancellation": closed(
        {
            "documentId": text(minLength=1, description="As it was given."),
            "messageStatus": {
                "type": "integer",
                "enum": [int(status) for status in Status],
                "description": "4: it was taken back, and its charge given back. Another one: too late, and the "
                "status as it is. " + meanings(Status),
            },
        }
    ),
    "KnownMessage": closed(
        {
            "documentId": ID,
            "recipient": DIGITS,
            "messageStatus": text(enum=[str(int(status)) for status in KNOWN], description=meanings(KNOWN)),
        }
    ),
    "UnknownMessage": closed(
        {
            "documentId": text(minLength=1, description="As it was given."),
            "messageStatus": text(const="0", description=meanings([Status.UNKNOWN])),
        }
    ),
}

DESCRIPTIONS: Mapping[str, Description] = {
    f"{REST}/user/creditBalance": Call(
        "creditBalance",
        "The customer's credits",
        Family.ACCOUNT,
        LOGIN,
        ("CreditBalance",),
        ACCOUNT_CODES,
    ),
    f"{REST}/message/sendSingle2": Call(
        "sendSingle2",
        "Send a text to one recipient",
        Family.MESSAGE,
        (*LOGIN, TEXT, RECIPIENT, *SEND_OPTIONS),
        ("AcceptedMessage",),
        SEND_CODES,
        repeats_recipient=True,
    ),
    f"{REST}/message/sendMultiple": Call(
        "sendMultiple",
        "Send a text to many recipients, each judged by itself",
        Family.MESSAGE,
        (*LOGIN, TEXT, RECIPIENTS, *SEND_OPTIONS),
        ("ManyMessages",),
        MESSAGE_CODES,
    ),
    f"{REST}/message/cancel": Call(
        "cancel",
        "Take back a message of which no carrier has anything yet",
        Family.MESSAGE,
        (*LOGIN, DOCUMENT),
        ("Cancellation",),
        (*MESSAGE_CODES, MessageError.NO_DOCUMENT_ID, MessageError.NOT_YOURS),
    ),
    f"{REST}/message/status": Call(
        "status",
        "Where a message stands",
        Family.MESSAGE,
        (*LOGIN, DOCUMENT),
        ("KnownMessage", "UnknownMessage"),
        (*MESSAGE_CODES, MessageError.NO_DOCUMENT_ID, MessageError.NOT_YOURS),
    ),
}
