"""What each operation is, in the contract's words: its parameters, the answers it may give, their codes.

Pure data for the OpenAPI document. Each parameter stands here once, for query and form alike; values may be
described narrower than they are taken (an empty optional parameter is an absent one). Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rejoinder.endpoints.http.responses import Family
from rejoinder.endpoints.http.shapes import Schema, text
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.status import Status


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a call, or a field of a carrier's delivery."""

    name: str
    meaning: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the two families. `answers` are named in shapes.py; `codes`: refusals with HTTP 200.

    `repeats_recipient`: a refusal says for whom the message was.
    """

    name: str
    summary: str
    family: Family
    parameters: Sequence[Parameter]
    answers: Sequence[str]
    codes: Sequence[int]
    example: Schema | None = None
    repeats_recipient: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a network posts to us, as form or JSON, with its carrier's token."""

    name: str
    summary: str
    fields: Sequence[Parameter]


@dataclass(frozen=True, slots=True)
class Look:
    """A path that operators and their machines look at: HTTP status to shape, and the media type of all."""

    name: str
    summary: str
    answers: Mapping[int, str]
    media_type: str = "application/json"


Description = Call | Delivery | Look

_LOGIN = (
    Parameter("username", "The user's name, without spaces.", text(pattern="^[^ ]+$"), True),
    Parameter("password", "The user's password.", text(minLength=1, format="password"), True),
)
_SINCE = Parameter(
    "since",
    "Everything with a greater timestamp. Seconds since 1970-01-01 UTC, a signed 64-bit integer in ASCII digits; "
    "a negative one means from the start. More than a day beyond everything there is: status 2.",
    {"type": "integer", "format": "int64"},
    True,
)
_DOCUMENT = Parameter("documentId", "The message's id, as the send answered it.", text(minLength=1), True)
_TEXT = Parameter(
    "text", "At most 10 parts (the operator may set another limit), else -107.", text(minLength=1), True
)
_RECIPIENT = Parameter(
    "recipient",
    "8 to 16 digits in international format. A leading + is accepted and dropped.",
    text(pattern=r"^\+?[0-9]{8,16}$"),
    True,
)
_SEND_OPTIONS = (
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
)

_A, _M = AccountCode, MessageError
# A blocked account answers 3 in allMessages, which has no 4 (contract §2).
_ALL_MESSAGES_CODES = (
    _A.PARAMETER_MISSING,
    _A.INVALID_VALUE,
    _A.AUTHENTICATION_FAILED,
    _A.NO_USER,
    _A.NOT_ACTIVATED,
)
_ACCOUNT_CODES = (*_ALL_MESSAGES_CODES, _A.BLOCKED)
_MESSAGE_CODES = (
    *(_M.NO_USERNAME, _M.NO_PASSWORD, _M.INVALID_RECIPIENT, _M.UNKNOWN_ENCODING),
    *(_M.LOGIN_FAILED, _M.USER_INACTIVE, _M.USER_BLOCKED, _M.PASSWORD_EXPIRED),
)
_SEND_CODES = (
    *_MESSAGE_CODES,
    *(_M.INVALID_SENDER, _M.TEXT_EMPTY, _M.TEXT_TOO_LONG, _M.UNKNOWN_ROTATION, _M.REPLY_TO_NOT_SUPPORTED),
    *(_M.CLIENT_REF_TAKEN, _M.NOT_ENOUGH_CREDITS, Status.NO_ROUTE, Status.SOURCE_NOT_ALLOWED),
)

# The values of the API's own example (contract §2).
_EXAMPLE: Schema = {
    "newestMessageTimestamp": 1366624802,
    "hasMoreMessages": False,
    "incomingMessages": [
        {
            "documentId": "51750a01e4b0d1406c9c5fdb",
            "text": " ggghhh",
            "timestamp": 1366624769,
            "from": "61555879987",
            "recipient": "61500079987",
            "originDocumentId": "517509fee4b0b1be3f128ef5",
        }
    ],
    "outgoingMessages": [
        {
            "documentId": "517509fee4b0b1be3f128ef5",
            "text": "Reply> ggghhh",
            "timestamp": 1366624766,
            "recipient": "61555879987",
        },
        {
            "documentId": "51750a22e4b0b1be3f128ef6",
            "text": "Hello mommy",
            "timestamp": 1366624802,
            "recipient": "61255588885",
        },
    ],
    "status": 0,
}

_WORD = {"type": ["string", "integer"], "minLength": 1}
_REF = Parameter("id", "The network's own id of it, up to 200 characters.", {**_WORD, "maxLength": 200}, True)
_MO_FIELDS = (
    Parameter("from", "The handset's number, or the name its network gives.", _WORD, True),
    Parameter("to", "The number it was sent to.", _WORD, True),
    Parameter("text", "May be empty.", {"type": ["string", "integer"], "maxLength": 20_000}, True),
    _REF,
)
_RECEIPT_FIELDS = (
    _REF,
    Parameter("status", "A word such as DELIVRD, or one of the carrier's `status_map`.", _WORD, True),
)

_REST = "/services/rest"
_ACCOUNT, _MESSAGE = Family.ACCOUNT, Family.MESSAGE
DESCRIPTIONS: Mapping[str, Description] = {
    f"{_REST}/user/allMessages": Call(
        "allMessages",
        "Everything a user sent and received since a moment",
        _ACCOUNT,
        (*_LOGIN, _SINCE),
        ("AllMessages",),
        _ALL_MESSAGES_CODES,
        _EXAMPLE,
    ),
    f"{_REST}/user/messages": Call(
        "messages",
        "What a user received since a moment",
        _ACCOUNT,
        (*_LOGIN, _SINCE),
        ("Messages",),
        _ACCOUNT_CODES,
    ),
    f"{_REST}/user/creditBalance": Call(
        "creditBalance", "The customer's credits", _ACCOUNT, _LOGIN, ("CreditBalance",), _ACCOUNT_CODES
    ),
    f"{_REST}/message/sendSingle2": Call(
        "sendSingle2",
        "Send a text to one recipient",
        _MESSAGE,
        (*_LOGIN, _TEXT, _RECIPIENT, *_SEND_OPTIONS),
        ("AcceptedMessage",),
        _SEND_CODES,
        repeats_recipient=True,
    ),
    f"{_REST}/message/status": Call(
        "status",
        "Where a message stands",
        _MESSAGE,
        (*_LOGIN, _DOCUMENT),
        ("KnownMessage", "UnknownMessage"),
        (*_MESSAGE_CODES, _M.NO_DOCUMENT_ID, _M.NOT_YOURS),
    ),
    "/carriers/{name}/inbound": Delivery(
        "inbound", "A text from a handset; the same id twice is stored once", _MO_FIELDS
    ),
    "/carriers/{name}/receipt": Delivery("receipt", "What became of a message", _RECEIPT_FIELDS),
    "/healthz": Look("healthz", "Whether the process answers", {200: "Alive"}),
    "/readyz": Look("readyz", "Whether database and migrations are right", {200: "Ready", 503: "NotReady"}),
    "/metrics": Look("metrics", "Figures for Prometheus", {200: "Metrics"}, "text/plain"),
    "/openapi.json": Look("openapi", "This document", {200: "OpenApi"}),
}
