"""The shapes of all answers as JSON Schema (2020-12), closed: a field that is not named here is never sent.

Pure data for the OpenAPI document. Refuses nothing itself: tests hold every answer of the server against it.
Source: contract §1, §2, §4 to §7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rejoinder.endpoints.http.responses import Family
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.status import TABLE, Status

Schema = Mapping[str, Any]


def closed(properties: Mapping[str, Schema], optional: Collection[str] = ()) -> dict[str, Any]:
    """The schema of an object with these fields and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(**more: Any) -> dict[str, Any]:
    """The schema of a string."""
    return {"type": "string", **more}


def meanings(codes: Iterable[int]) -> str:
    """Each code with what it means, for a reader."""
    return "; ".join(f"{int(code)}: {_meaning(code)}" for code in codes)


def _meaning(code: int) -> str:
    return code.meaning if isinstance(code, AccountCode | MessageError) else TABLE[code].word


def refusal(family: Family, codes: Collection[int], recipient: bool = False) -> dict[str, Any]:
    """The family's error answer with one of these codes (contract §1 "error text").

    `recipient`: a send's, which repeats it, unless the request was not read as far as that.
    """
    shape: dict[str, Schema] = {
        family.value: {
            "type": "integer",
            "enum": [int(code) for code in codes],
            "description": meanings(codes),
        },
        "error": text(minLength=1, description="One English sentence naming the parameter and the fault."),
    }
    if recipient:
        shape = {"recipient": text(description="As it was given, or empty."), **shape}
    return closed(shape, optional=("recipient",))


_HEX_ID = "^[0-9a-f]{24}$"
_ID = text(pattern=_HEX_ID, description="24 lower-case hex digits (a BSON ObjectId).")
_DIGITS = text(pattern="^[0-9]{8,16}$", description="International format, digits only.")
_TIMESTAMP = {"type": "integer", "description": "Unix seconds, UTC."}
_KNOWN = [status for status in Status if status is not Status.UNKNOWN]
_CARRIERS = {"type": "object", "additionalProperties": text(description="up, down, or what is wrong")}
_CURSOR: Mapping[str, Schema] = {
    "newestMessageTimestamp": {"type": "integer", "description": "Pass it back as the next `since`."},
    "hasMoreMessages": {"type": "boolean", "description": "True when more are waiting: call again at once."},
}


def _list_of(name: str) -> Schema:
    items = {"$ref": f"#/components/schemas/{name}"}
    return {"type": "array", "items": items, "description": "Oldest first (timestamp, then id)."}


_MAILBOX: Mapping[str, Schema] = {
    "IncomingMessage": closed(
        {
            "documentId": _ID,
            "text": text(description="Exactly what was typed, leading and trailing blanks included."),
            "timestamp": _TIMESTAMP,
            "from": text(minLength=1, description="The handset: digits, or the name its network gives."),
            "recipient": text(minLength=1, description="The number it was sent to."),
            "originDocumentId": {
                "type": ["string", "null"],
                "pattern": _HEX_ID,
                "description": "documentId of the MT that this MO answers; null when it answers none.",
            },
        }
    ),
    "OutgoingMessage": closed(
        {
            "documentId": _ID,
            "text": text(description="Exactly what was sent, leading and trailing blanks included."),
            "timestamp": _TIMESTAMP,
            "recipient": _DIGITS,
        }
    ),
    "AllMessages": closed(
        {
            **_CURSOR,
            "incomingMessages": _list_of("IncomingMessage"),
            "outgoingMessages": _list_of("OutgoingMessage"),
            "status": {"type": "integer", "const": 0},
        }
    ),
    "Messages": closed(
        {**_CURSOR, "messages": _list_of("IncomingMessage"), "status": {"type": "integer", "const": 0}}
    ),
}

_SINGLE: Mapping[str, Schema] = {
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
            "documentId": _ID,
            "recipient": _DIGITS,
            "messageStatus": {
                "type": "integer",
                "enum": [int(status) for status in _KNOWN],
                "description": "10: message, charge and mailbox entry are on disk. Another one is the status of the "
                "first message with this clientRef.",
            },
        }
    ),
    "KnownMessage": closed(
        {
            "documentId": _ID,
            "recipient": _DIGITS,
            "messageStatus": text(enum=[str(int(status)) for status in _KNOWN], description=meanings(_KNOWN)),
        }
    ),
    "UnknownMessage": closed(
        {
            "documentId": text(minLength=1, description="As it was given."),
            "messageStatus": text(const="0", description=meanings([Status.UNKNOWN])),
        }
    ),
}

_MACHINES: Mapping[str, Schema] = {
    "Stored": closed({"status": {"type": "integer", "const": 0}}),
    "Alive": closed({"status": text(const="ok")}),
    "Ready": closed({"status": text(const="ready"), "database": text(const="ok"), "carriers": _CARRIERS}),
    "NotReady": closed(
        {
            "status": text(const="not ready"),
            "database": text(minLength=1, description="What is wrong, in a sentence."),
            "carriers": _CARRIERS,
        }
    ),
    "Metrics": text(description="Prometheus' text format 0.0.4."),
    "OpenApi": {"type": "object", "required": ["openapi", "info", "paths"]},
}

SHAPES: Mapping[str, Schema] = {**_MAILBOX, **_SINGLE, **_MACHINES}
"""By name, as the document's components."""
