"""The polls: allMessages, messages, unreadFinalStatuses (contract §2 to §4, §8)."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.common import (
    ACCOUNT_CODES,
    ACCOUNT_OK,
    CODES_WITHOUT_BLOCKED,
    DIGITS,
    HEX_ID,
    ID,
    LOGIN,
    REST,
    TIMESTAMP,
)
from rejoinder.endpoints.http.describe.schema import (
    Call,
    Description,
    Parameter,
    Schema,
    closed,
    list_of,
    meanings,
    text,
)
from rejoinder.endpoints.http.responses import Family
from rejoinder.message.status import Status, is_final

SINCE = Parameter(
    "since",
    "Everything with a greater timestamp. Seconds since 1970-01-01 UTC, a signed 64-bit integer in ASCII digits; "
    "a negative one means from the start. More than a day beyond everything there is: status 2.",
    {"type": "integer", "format": "int64", "examples": [0]},
    True,
)
WAIT = Parameter(
    "wait",
    "How many seconds the answer may wait for something to show; it comes as soon as there is, or empty after them. "
    "0, the default: at once.",
    {"type": "integer", "minimum": 0, "maximum": 60},
    False,
)

_FINAL = [status for status in Status if is_final(status)]
_OLDEST_FIRST = "Oldest first (timestamp, then id)."
_CURSOR: Mapping[str, Schema] = {
    "newestMessageTimestamp": {"type": "integer", "description": "Pass it back as the next `since`."},
    "hasMoreMessages": {"type": "boolean", "description": "True when more are waiting: call again at once."},
}

SHAPES: Mapping[str, Schema] = {
    "IncomingMessage": closed(
        {
            "documentId": ID,
            "text": text(description="Exactly what was typed, leading and trailing blanks included."),
            "timestamp": TIMESTAMP,
            "from": text(minLength=1, description="The handset: digits, or the name its network gives."),
            "recipient": text(minLength=1, description="The number it was sent to."),
            "originDocumentId": {
                "type": ["string", "null"],
                "pattern": HEX_ID,
                "description": "documentId of the MT that this MO answers; null when it answers none.",
            },
        }
    ),
    "OutgoingMessage": closed(
        {
            "documentId": ID,
            "text": text(description="Exactly what was sent, leading and trailing blanks included."),
            "timestamp": TIMESTAMP,
            "recipient": DIGITS,
        }
    ),
    "AllMessages": closed(
        {
            **_CURSOR,
            "incomingMessages": list_of("IncomingMessage", _OLDEST_FIRST),
            "outgoingMessages": list_of("OutgoingMessage", _OLDEST_FIRST),
            "status": ACCOUNT_OK,
        }
    ),
    "Messages": closed(
        {**_CURSOR, "messages": list_of("IncomingMessage", _OLDEST_FIRST), "status": ACCOUNT_OK}
    ),
    "FinalStatus": closed(
        {
            "documentId": ID,
            "recipient": DIGITS,
            "messageStatus": {
                "type": "integer",
                "enum": [int(code) for code in _FINAL],
                "description": meanings(_FINAL),
            },
            "timestamp": {
                **TIMESTAMP,
                "description": "When the status became final: the cursor of this call.",
            },
            "numberOfParts": {"type": "integer", "minimum": 1},
            "chargedAmount": {
                "type": "number",
                "minimum": 0,
                "description": "What the message cost in the end, in credits, written with three decimals; "
                "0.000 where it was refunded.",
            },
        }
    ),
    "FinalStatuses": closed(
        {
            "newestStatusTimestamp": _CURSOR["newestMessageTimestamp"],
            "hasMoreStatuses": _CURSOR["hasMoreMessages"],
            "statuses": list_of("FinalStatus", _OLDEST_FIRST),
            "status": ACCOUNT_OK,
        }
    ),
}

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

_STATUSES_EXAMPLE: Schema = {
    "newestStatusTimestamp": 1366624771,
    "hasMoreStatuses": False,
    "statuses": [
        {
            "documentId": "517509fee4b0b1be3f128ef5",
            "recipient": "61555879987",
            "messageStatus": 2,
            "timestamp": 1366624771,
            "numberOfParts": 1,
            "chargedAmount": 1.0,
        }
    ],
    "status": 0,
}

DESCRIPTIONS: Mapping[str, Description] = {
    f"{REST}/user/allMessages": Call(
        "allMessages",
        "Everything a user sent and received since a moment",
        Family.ACCOUNT,
        (*LOGIN, SINCE, WAIT),
        ("AllMessages",),
        CODES_WITHOUT_BLOCKED,
        _EXAMPLE,
    ),
    f"{REST}/user/messages": Call(
        "messages",
        "What a user received since a moment",
        Family.ACCOUNT,
        (*LOGIN, SINCE, WAIT),
        ("Messages",),
        ACCOUNT_CODES,
    ),
    f"{REST}/user/unreadFinalStatuses": Call(
        "unreadFinalStatuses",
        "Which messages reached their final status since a moment; reading consumes nothing",
        Family.ACCOUNT,
        (*LOGIN, SINCE, WAIT),
        ("FinalStatuses",),
        ACCOUNT_CODES,
        _STATUSES_EXAMPLE,
    ),
}
