"""What a push says: its names and values (contract §10), filled into a URL or signed as JSON. Pure.

Refuses to let a value leave its place: each is percent-encoded whole. The text comes from the mailbox; where
retention has taken it, it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from standardwebhooks import Webhook

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.ports import Push
from rejoinder.flow.push_queue import STATUS
from rejoinder.flow.push_settings import PLACE, PushSetting
from rejoinder.message import money, status

Value = str | int | None | msgspec.Raw
_TYPES = {"mo": "message.received", "status": "message.status"}
# RFC 3986 §2.2 and §2.3, and "%" of what is encoded already: these stay as the customer wrote them.
_KEPT = "!#$%&'()*+,/:;=?@[]~"
_SERVER = re.compile(r"[^:/?#]+://[^/?#]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class _Text(msgspec.Struct):
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A push ready to be brought. `id` stays the same over all tries; `address`: the setting's or the replyTo."""

    id: str
    channel: str
    kind: str
    at: int
    address: PushSetting
    values: Mapping[str, Value]


def parcel(push: Push, address: PushSetting, shown: str | None) -> Parcel:
    """`shown`: the mailbox entry's JSON, None where it is gone."""
    queued = push.queued
    text = msgspec.json.decode(shown, type=_Text).text if shown else ""
    at = queued.queued_at // MICROSECONDS
    values: dict[str, Value]
    if queued.kind == STATUS:
        values = {
            "status": status.word(queued.status),
            "statusCode": queued.status,
            "id": queued.message_id,
            "timestamp": at,
            "from": queued.sender,
            "to": queued.handset,
            "text": text,
            "chargedAmount": msgspec.Raw(money.with_decimals(queued.charge).encode()),
            "numberOfParts": queued.parts,
        }
    else:
        values = {
            "MTMessageId": queued.mt_id or None,
            "MOMessageId": queued.message_id,
            # The MO's own, by which the mailbox shows it.
            "timestamp": queued.entry_at,
            "from": queued.handset,
            "to": queued.sender,
            "text": text,
        }
    push_id = f"{queued.kind}_{queued.message_id}_{push.id}"
    return Parcel(
        push_id,
        queued.channel,
        queued.kind,
        queued.entry_at if queued.kind != STATUS else at,
        address,
        values,
    )


def plain(value: Value) -> str:
    """A value as a URL or a mail has it."""
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return "" if value is None else str(value)


def filled(url: str, values: Mapping[str, Value]) -> str:
    """The URL with each `{{name}}` replaced by its value, percent-encoded; without any, all are added to the query.

    Names that are none stay as they stand, encoded. A fragment is left out: it is never sent.
    """
    server, rest = _parted(url)
    return server + _filled(rest, values)


def _filled(rest: str, values: Mapping[str, Value]) -> str:
    encoded = {name: quote(plain(value), safe="") for name, value in values.items()}
    places = [match for match in PLACE.finditer(rest) if match[1] in values]
    if not places:
        base, separator = rest.partition("#")[0], "&" if "?" in rest.partition("#")[0] else "?"
        pairs = "&".join(f"{name}={value}" for name, value in encoded.items())
        return _clean(base) + (separator if not base.endswith(("?", "&")) else "") + pairs
    pieces: list[str] = []
    end = 0
    for place in places:
        pieces += (_clean(rest[end : place.start()]), encoded[place[1]])
        end = place.end()
    return ("".join(pieces) + _clean(rest[end:])).partition("#")[0]


def clean(url: str) -> str:
    """The URL with all of path and query encoded that no URL can hold."""
    server, rest = _parted(url)
    return server + _clean(rest)


def _parted(url: str) -> tuple[str, str]:
    """Scheme and server, and what follows. Letters of the server's name are not for percent signs but for the DNS."""
    found = _SERVER.match(url)
    end = found.end() if found else 0
    return url[:end], url[end:]


def _clean(literal: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", literal), safe=_KEPT)


def body(content: Parcel) -> bytes:
    """The JSON of a POST: type, timestamp and data, as Standard Webhooks recommend."""
    moment = datetime.fromtimestamp(content.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return msgspec.json.encode({"type": _TYPES[content.kind], "timestamp": moment, "data": content.values})


def signed(content: Parcel, data: bytes, now: int) -> dict[str, str]:
    """The headers of Standard Webhooks; `now`: seconds of this try. One signature for each secret."""
    moment = datetime.fromtimestamp(now, UTC)
    text = data.decode()
    signatures = [Webhook(secret).sign(content.id, moment, text) for secret in content.address.secrets]
    return {
        "webhook-id": content.id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(signatures),
    }
