"""Records as `show` and `list` give them: the fields that can be set, and what else a person wants to know.

Refuses to show secrets: a password's hash is left out, and of a carrier's settings what its kind calls secret,
or what is named or written like one, is "***".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from rejoinder.clock import MICROSECONDS, written
from rejoinder.flow.operator.pushes import without_secrets
from rejoinder.flow.ports import Kind, Record
from rejoinder.message import money, objectid
from rejoinder.message.model import State

HIDDEN = "***"
_SECRET_KEY = re.compile(r"passw|pwd|secret|token|api_?key|header|auth", re.IGNORECASE)
# `user:password@` of a URL (up to its last @), or what stands there alone.
_USERINFO = re.compile(r"(://(?:[^/?#@\s:]*:)?)[^/?#\s]+(?=@)")
# `password=…`, `"token": "…"` or `<key>…<` in a URL or a body, each to its own end; templates stay readable.
_PAIR = re.compile(
    r"""((?:pass|pwd|pw|secret|token|key|auth)[\w-]*["']?\s*)"""
    r"""(?:(>\s*)[^<\s{][^<]*"""
    r"""|([=:]\s*(["']))(?!\{\{\s*\w+\s*\}\}\4)(?:(?!\4)[^\\]|\\.)+"""
    r"""|([=:]\s*)[^&<"'\s{}](?:(?!\{\{)[^&<"\s}])*)""",
    re.IGNORECASE,
)
_RENAMED = {"balance": "credits", "mo_push": "push", "final_status_push": "status_push"}
# Columns that are of no use to anybody outside.
_LEFT_OUT = frozenset(
    {
        "password_hash",
        "credit_account_id",
        "reseller_id",
        "customer_id",
        "user_id",
        "inbox_user_id",
        "carrier_id",
    }
)

# What the resellers' calls name these by.
_API_IDS: Mapping[Kind, str] = {"customer": "customerId", "user": "userId"}


def account_id(record: Record) -> str:
    """A customer's or user's id as the API shows it."""
    return objectid.of_account(record["created_at"] // MICROSECONDS, record["id"])


def state(record: Record) -> State:
    """An account's own state, the gravest word that holds."""
    if record["disabled"]:
        return State.DISABLED
    if record["blocked"]:
        return State.BLOCKED
    return State.ACTIVE if record.get("activated", True) else State.INACTIVE


def _setting(key: str, value: str, secret: Collection[str]) -> str:
    # `number.61500000001.reply` is called `reply` by its kind.
    if key in secret or key.rpartition(".")[2] in secret or _SECRET_KEY.search(key):
        return HIDDEN
    return _PAIR.sub(rf"\1\2\3\5{HIDDEN}", _USERINFO.sub(rf"\1{HIDDEN}", value))


def _value(key: str, value: object, secret: Collection[str]) -> object:
    if value is None:
        return None
    if key in {"created_at", "seen_at"}:
        assert isinstance(value, int)
        return written(value)
    if key in {"balance", "free_credits"}:
        assert isinstance(value, int)
        return money.to_number(value)
    if key in {"mo_push", "final_status_push"}:
        return _setting("url", without_secrets(str(value)), ())
    if isinstance(value, Mapping):
        return {name: _setting(name, text, secret) for name, text in value.items()}
    return value


# A running server writes how its carriers stand every five seconds (flow/lane_states.py).
_STALE_US = 15_000_000
_STANDING = ("state", "window", "in_flight", "rate")


def standing(record: Record, now: int) -> Record:
    """A carrier's record with how it stands: where no server said so in the last 15 s it stands nowhere."""
    fields = {"window" if key == "window_size" else key: value for key, value in record.items()}
    seen = record["seen_at"]
    if seen is None or now - seen > _STALE_US:
        return {**fields, **dict.fromkeys(_STANDING), "state": "no server running"}
    return fields


def shown(kind: Kind, record: Record, secret_settings: Collection[str] = ()) -> dict[str, object]:
    """The fields of `show`: at least `id` and `name`, values as JSON has them, credits in whole ones."""
    fields: dict[str, object] = {}
    for key, value in record.items():
        if key in _LEFT_OUT:
            continue
        fields[_RENAMED.get(key, key)] = _value(key, value, secret_settings)
        if key == "name" and "blocked" in record:
            fields["state"] = str(state(record))
        if key == "name" and kind in _API_IDS:
            fields[_API_IDS[kind]] = account_id(record)
        if key == "number" and kind == "number":
            fields["owner"] = _owner(record)
    if kind == "number":
        fields["user"] = fields.pop("username")
    return fields


def _owner(record: Record) -> str:
    if record["user_id"] is not None:
        return "user"
    return "pool" if record["customer_id"] is None else "customer"
