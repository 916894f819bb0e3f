"""What carriers' networks post to us: MOs and receipts."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.common import ACCOUNT_OK
from rejoinder.endpoints.http.describe.schema import Delivery, Description, Parameter, Schema, closed

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

SHAPES: Mapping[str, Schema] = {"Stored": closed({"status": ACCOUNT_OK})}

DESCRIPTIONS: Mapping[str, Description] = {
    "/carriers/{name}/inbound": Delivery(
        "inbound", "A text from a handset; the same id twice is stored once", _MO_FIELDS
    ),
    "/carriers/{name}/receipt": Delivery("receipt", "What became of a message", _RECEIPT_FIELDS),
}
