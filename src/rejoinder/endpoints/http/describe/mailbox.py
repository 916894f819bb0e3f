"""The polls: allMessages and messages (contract §2 to §4)."""

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
    text,
)
from rejoinder.endpoints.http.responses import Family

SINCE = Parameter(
    "since",
    "Everything with a greater timestamp. Seconds since 1970-01-01 UTC, a signed 64-bit integer in ASCII digits; "
    "a negative one means from the start. More than a day beyond everything there is: status 2.",
    {"type": "integer", "format": "int64", "examples": [0]},
    True,
)

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

DESCRIPTIONS: Mapping[str, Description] = {
    f"{REST}/user/allMessages": Call(
        "allMessages",
        "Everything a user sent and received since a moment",
        Family.ACCOUNT,
        (*LOGIN, SINCE),
        ("AllMessages",),
        CODES_WITHOUT_BLOCKED,
        _EXAMPLE,
    ),
    f"{REST}/user/messages": Call(
        "messages",
        "What a user received since a moment",
        Family.ACCOUNT,
        (*LOGIN, SINCE),
        ("Messages",),
        ACCOUNT_CODES,
    ),
}
