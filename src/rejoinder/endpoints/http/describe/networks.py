"""What carriers' networks post to us: MOs and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rejoinder.endpoints.http.describe.common import ACCOUNT_OK
from rejoinder.endpoints.http.describe.schema import Delivery, Description, Parameter, Schema, closed


def _word(example: str) -> dict[str, Any]:
    return {"type": ["string", "integer"], "minLength": 1, "examples": [example]}


_REF = Parameter(
    "id", "The network's own id of it, up to 200 characters.", {**_word("c81f"), "maxLength": 200}, True
)
_MO_FIELDS = (
    Parameter("from", "The handset's number, or the name its network gives.", _word("61255588885"), True),
    Parameter("to", "The number it was sent to.", _word("61500079987"), True),
    Parameter(
        "text",
        "May be empty.",
        {"type": ["string", "integer"], "maxLength": 20_000, "examples": ["Yes please!"]},
        True,
    ),
    _REF,
)
_RECEIPT_FIELDS = (
    _REF,
    Parameter(
        "status", "A word such as DELIVRD, or one of the carrier's `status_map`.", _word("DELIVRD"), True
    ),
)

SHAPES: Mapping[str, Schema] = {"Stored": closed({"status": ACCOUNT_OK})}

DESCRIPTIONS: Mapping[str, Description] = {
    "/carriers/{name}/inbound": Delivery(
        "inbound", "A text from a handset; what comes twice is stored once", _MO_FIELDS
    ),
    "/carriers/{name}/receipt": Delivery("receipt", "What became of a message", _RECEIPT_FIELDS),
}
