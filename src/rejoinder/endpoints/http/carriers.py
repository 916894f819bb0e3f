"""The inbound side of carriers: MOs and receipts that a network delivers over HTTP.

`POST /carriers/NAME/inbound` (from, to, text, id) and `POST /carriers/NAME/receipt` (id, status), as form
or JSON, with the carrier's token. 200 only after the commit. Refuses carriers without a token.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from rejoinder.clock import Clock
from rejoinder.endpoints.http.params import TooManyParameters, parse
from rejoinder.endpoints.http.responses import Family, Response, encode, fault, not_found, wrong_type
from rejoinder.endpoints.http.server import FORM, RawOperation, Request
from rejoinder.flow.carrier_words import receipt_status
from rejoinder.flow.inbound import MoIntake
from rejoinder.flow.ports import CarrierRow
from rejoinder.flow.receipts import ReceiptIntake
from rejoinder.flow.setup import Setup
from rejoinder.message import phone
from rejoinder.message.codes import AccountCode
from rejoinder.message.model import InboundPart, Receipt

PREFIX = "/carriers/"
_ID_LIMIT = 200
_TEXT_LIMIT = 20_000
_FIELDS = ("from", "to", "text", "id", "status")
_NO_TEXT = re.compile("[\0\ud800-\udfff\ufffd]")
_OK = encode({"status": 0})


class _Bad(Exception):
    """The delivery is not understood: 400 with this sentence."""


class CarrierCalls:
    """What networks call."""

    def __init__(self, setup: Setup, inbound: MoIntake, receipts: ReceiptIntake, clock: Clock) -> None:
        self._setup = setup
        self._inbound = inbound
        self._receipts = receipts
        self._clock = clock

    def operations(self) -> list[RawOperation]:
        return [RawOperation(PREFIX, self.deliver, ("POST",), prefix=True)]

    async def deliver(self, request: Request) -> Response:
        """Answers both paths: 200 after commit, 400 with a sentence, 401, 404, 415; 503 comes from the server."""
        name, _, kind = request.path.removeprefix(PREFIX).rpartition("/")
        if kind not in ("inbound", "receipt"):
            return not_found()
        carrier = self._setup.carriers_by_name.get(name)
        if carrier is None:
            return not_found("carrier")
        if not _authorised(request, carrier):
            return _unauthorised()
        if request.body and request.content_type not in (FORM, b"application/json"):
            return wrong_type(Family.ACCOUNT, "application/x-www-form-urlencoded or application/json")
        try:
            fields = _fields(request)
            if kind == "inbound":
                await self._inbound.take(self._part(carrier, fields))
            else:
                await self._receipts.take(self._receipt(carrier, fields))
        except _Bad as bad:
            return fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, str(bad), 400)
        return Response(_OK)

    def _part(self, carrier: CarrierRow, fields: Mapping[str, str]) -> InboundPart:
        for name in ("from", "to", "id"):
            if not fields.get(name):
                raise _Bad(f"{name} is missing or empty")
        if "text" not in fields:
            raise _Bad("text is missing")
        if len(fields["text"]) > _TEXT_LIMIT:
            raise _Bad(f"text may have {_TEXT_LIMIT} characters")
        sender, recipient = phone.handset(fields["from"]), phone.handset(fields["to"])
        if sender is None or recipient is None:
            raise _Bad(f"{'from' if sender is None else 'to'} is not a number")
        return InboundPart(
            carrier.id, sender, recipient, fields["text"], self._clock.wall_us(), carrier_ref=_id(fields)
        )

    def _receipt(self, carrier: CarrierRow, fields: Mapping[str, str]) -> Receipt:
        for name in ("id", "status"):
            if not fields.get(name):
                raise _Bad(f"{name} is missing or empty")
        status = receipt_status(fields["status"], carrier.settings.get("status_map", ""))
        if status is None:
            raise _Bad("status is neither a receipt word such as DELIVRD nor in the carrier's status_map")
        return Receipt(carrier.id, _id(fields), int(status), self._clock.wall_us())


def _id(fields: Mapping[str, str]) -> str:
    if len(fields["id"]) > _ID_LIMIT:
        raise _Bad(f"id may have {_ID_LIMIT} characters")
    return fields["id"]


def _authorised(request: Request, carrier: CarrierRow) -> bool:
    token = carrier.settings.get("token", "")
    scheme, _, given = (request.header(b"authorization") or b"").partition(b" ")
    # Compared in constant time; a carrier without a token takes nobody's word.
    return bool(token) and scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode())


def _unauthorised() -> Response:
    body = encode(
        {"status": int(AccountCode.AUTHENTICATION_FAILED), "error": "this carrier's token is needed"}
    )
    return Response(body, 401, [(b"www-authenticate", b"Bearer")])


def _fields(request: Request) -> dict[str, str]:
    if request.content_type == b"application/json":
        return _from_json(request.body)
    try:
        params = parse(request.query, request.body)
    except TooManyParameters:
        raise _Bad("a delivery may have 100 parameters") from None
    # A text with broken bytes is still what the handset sent: nothing of an MO is dropped.
    if params.get("text", "") is None:
        params["text"] = _salvaged_text(request)
    for name, value in params.items():
        if value is None:
            raise _Bad(f"{name} is not valid UTF-8 text")
    return {name: value for name, value in params.items() if value is not None}


def _salvaged_text(request: Request) -> str:
    """The text with U+FFFD where its bytes are none; NUL is replaced where the MO is stored."""
    both = b"&".join(source for source in (request.query, request.body) if source).decode("utf-8", "replace")
    return next(
        value for name, value in parse_qsl(both, keep_blank_values=True, errors="replace") if name == "text"
    )


def _from_json(body: bytes) -> dict[str, str]:
    content = _decoded(body)
    if not isinstance(content, dict):
        raise _Bad("the body must be a JSON object")
    fields = {}
    for name, value in content.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            if name in _FIELDS:
                raise _Bad(f"{name} must be a text or a whole number")
            continue
        fields[name] = str(value)
    # Two ids whose bytes are broken would become one, and the second MO would be taken for a repetition.
    for name in _FIELDS:
        if name != "text" and _NO_TEXT.search(fields.get(name, "")):
            raise _Bad(f"{name} is not valid UTF-8 text")
    return fields


def _decoded(body: bytes) -> object:
    """The JSON in a body, also where only the bytes of a text are broken: nothing of an MO is dropped.

    Broken bytes become U+FFFD here; lone surrogates and NUL, where the MO is stored.
    """
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body)
    try:
        return json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise _Bad("the body is not JSON") from None
