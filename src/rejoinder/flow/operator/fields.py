"""What can be set of each kind of record, and how: `KEY=VALUE` in, columns and values out.

Refuses unknown keys with the list of the known ones. Keys are taken in camelCase and snake_case alike, because
the contract's parameters are written in the one and our own settings in the other. Keys that concern more than
their record's own columns (billing, owner, inbox, a carrier's settings) are passed on under their key; the
journey that changes the record knows what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rejoinder.errors import Refused
from rejoinder.flow.operator import values
from rejoinder.flow.operator.pushes import PUSH_KEYS, STATUS_PUSH_KEYS
from rejoinder.flow.operator.values import Parse
from rejoinder.flow.passwords import hash_password
from rejoinder.flow.ports import Kind
from rejoinder.message.model import State

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")

_RESELLER_STATE = values.state(frozenset({State.ACTIVE, State.BLOCKED, State.DISABLED}))
_USER_STATE = values.state(frozenset(State))


def _password(key: str, value: str) -> Mapping[str, object]:
    # A new password is never an expired one.
    return {"password_hash": hash_password(values.password(key, value))}


def _user_password(key: str, value: str) -> Mapping[str, object]:
    return {**_password(key, value), "password_expired": False}


def _username(key: str, value: str) -> Mapping[str, object]:
    return {"username": values.name(key, value)}


def _reference(key: str, value: str) -> str:
    """As it was typed, for the journey to look up or check; empty for none."""
    return value


_MO_PUSH: Mapping[str, Parse] = dict.fromkeys(PUSH_KEYS, _reference)
_STATUS_PUSH: Mapping[str, Parse] = dict.fromkeys(STATUS_PUSH_KEYS, _reference)

_FIELDS: Mapping[Kind, Mapping[str, Parse]] = {
    "reseller": {
        "name": values.reseller_name,
        "password": _password,
        "billing": values.billing,
        "free_credits": values.credit_allowance,
        "default_customer_billing": values.billing,
        "require_activation": values.flag,
        "state": _RESELLER_STATE,
        "blocked": values.flag,
        "disabled": values.flag,
    },
    "customer": {
        "name": values.name,
        "billing": values.billing,
        "rotation": values.rotation,
        "prefixes": values.prefixes,
        "integration_id": values.text,
        "contact_name": values.text,
        "email": values.email,
        "phone_number": values.phone_number,
        **_MO_PUSH,
        "state": _RESELLER_STATE,
        "blocked": values.flag,
        "disabled": values.flag,
    },
    "user": {
        "username": _username,
        "password": _user_password,
        "password_expired": values.flag,
        "source_address": values.source_address,
        "swapping_source_address_allowed": values.flag,
        "email": values.email,
        "phone_number": values.phone_number,
        "idempotent_reference": values.flag,
        "allow_ip": values.networks,
        **_MO_PUSH,
        **_STATUS_PUSH,
        "state": _USER_STATE,
        "activated": values.flag,
        "blocked": values.flag,
        "disabled": values.flag,
    },
    "smpp_account": {},
    "number": {
        "owner": _reference,
        "customer": _reference,
        "user": _reference,
        "inbox": _reference,
        **_MO_PUSH,
    },
    "sender": {},
    "carrier": {"name": values.carrier_name},
    "route": {
        "priority": values.integer,
        "weight": values.weight,
        "on_unknown": values.on_unknown,
        "sender": values.source_address,
    },
}
# Other words for the same, as the contract's calls and the commands' options have them.
_ALIASES: Mapping[tuple[Kind, str], str] = {
    ("customer", "rotation_algorithm"): "rotation",
    ("customer", "billing_type"): "billing",
    ("reseller", "billing_type"): "billing",
    ("reseller", "reseller_name"): "name",
    ("user", "name"): "username",
    ("number", "username"): "user",
    ("user", "final_status_push"): "status_push",
}


def settable(kind: Kind) -> tuple[str, ...]:
    """The keys that can be set of a kind (of a carrier its own settings besides)."""
    return tuple(_FIELDS[kind])


def snake_case(key: str) -> str:
    """sourceAddress, source-address and source_address are one key."""
    return _CAPITAL.sub(r"_\1", key).replace("-", "_").lower()


def changes(kind: Kind, pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Columns and new values (and the keys that are passed on) for what was typed.

    A carrier's other keys are its settings, passed on together as `settings`, under the names its kind has.
    Raises Refused for an unknown key, a key given twice, or a value that is none. Hashes passwords: slow.
    """
    found: dict[str, object] = {}
    settings: dict[str, str] = {}
    seen: set[str] = set()
    for given, value in pairs:
        key = snake_case(given)
        key = _ALIASES.get((kind, key), key)
        parse = _FIELDS[kind].get(key)
        if parse is None and kind != "carrier":
            raise Refused(f"a {kind} has no setting {given}; known are {', '.join(settable(kind))}", given)
        if key in seen:
            raise Refused(f"{given} is given twice", given)
        seen.add(key)
        if parse is None:
            settings[key] = value
            continue
        parsed = parse(given, value)
        found.update(parsed if isinstance(parsed, Mapping) else {key: parsed})
    return found | {"settings": settings} if settings else found
