"""SMPP accounts: the name and password a user binds with, and what its binds may do.

Refuses a name that another user has, an account without a password, and values out of range, each with a sentence
that names the key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.operator import lookup
from rejoinder.flow.ports import Record, Tables, Tx
from rejoinder.flow.push_queue import smpp_target

# What a new account has where nothing else was said. A window of 100 keeps a link across a continent (100 ms) busy
# at 1,000 messages a second.
DEFAULTS: Mapping[str, object] = {"max_binds": 4, "window_size": 100, "throughput": 0}
# SMPP 3.4 §5.2.1 and §5.2.2 say 15 and 8; most peers write more, so that long passwords are allowed (docs).
SYSTEM_ID = re.compile(r"[\x21-\x7e]{1,63}")
_PASSWORD = re.compile(r"[\x21-\x7e]{1,63}")
_RANGES = {"max_binds": (1, 100), "window_size": (1, 10_000), "throughput": (0, 100_000)}

LONG_MO = ("parts", "payload")
ALPHABETS = ("gsm", "iso-8859-1")


def system_id(key: str, value: str) -> str:
    """The name in a bind: printable ASCII without blanks."""
    if not SYSTEM_ID.fullmatch(value):
        raise Refused(f"{key} must be 1 to 63 printable ASCII characters without blanks", key)
    return value


def password(key: str, value: str) -> str:
    """A password as a bind can carry it."""
    if not _PASSWORD.fullmatch(value):
        raise Refused(f"{key} must be 1 to 63 printable ASCII characters without blanks", key)
    return value


def networks(key: str, given: Sequence[str]) -> str:
    """Networks or addresses as they are stored: each written once, separated by blanks."""
    try:
        found = [
            str(ipaddress.ip_network(one, strict=False))
            for word in given
            for one in word.replace(",", " ").split()
        ]
    except ValueError:
        raise Refused(f"{key} must be a network such as 192.0.2.0/24, or an address", key) from None
    return " ".join(dict.fromkeys(found))


def origin_tag(key: str, value: str) -> int:
    """A parameter of a centre's own (SMPP 3.4 §5.3.2), in hex or decimal; 0 for none."""
    try:
        tag = int(value, 0)
    except ValueError:
        tag = -1
    if tag and not 0x1400 <= tag <= 0x3FFF:
        raise Refused(f"{key} must be 0x1400 to 0x3FFF, or 0 for none", key)
    return tag


def within(column: str, key: str, value: int) -> int:
    """A whole number in the column's range."""
    low, high = _RANGES[column]
    if not low <= value <= high:
        raise Refused(f"{key} must be {low} to {high}", key)
    return value


async def account(tables: Tables, username: str) -> Record:
    """A user's SMPP account. Raises NotFound, for the user or for the account."""
    user = await lookup.one(tables, "user", username)
    found = await tables.registry.find("smpp_account", {"user_id": user["id"]})
    if not found:
        raise NotFound(f"user {username!r} has no SMPP account", "username")
    return found[0]


async def put_account(tx: Tx, username: str, changes: Mapping[str, object]) -> Record:
    """Makes a user's account or changes it; `changes` are columns and values. Raises NotFound, Refused."""
    user = await lookup.one(tx, "user", username)
    mine = {"user_id": user["id"]}
    there = await tx.registry.find("smpp_account", mine)
    if "system_id" in changes:
        holders = await tx.registry.find("smpp_account", {"system_id": changes["system_id"]})
        if any(holder["user_id"] != user["id"] for holder in holders):
            raise Refused("another user binds under this system_id", "system_id")
    if there:
        await tx.registry.change("smpp_account", there[0], changes)
    else:
        for column, option in (("system_id", "--system-id"), ("password_hash", "--password")):
            if column not in changes:
                raise Refused(f"a new SMPP account needs {option}", option)
        await tx.registry.add("smpp_account", {**DEFAULTS, **mine, **changes})
    return (await tx.registry.find("smpp_account", mine))[0]


async def remove_account(tx: Tx, username: str) -> Record:
    """Takes a user's account away; its binds end within a second. Raises NotFound."""
    found = await account(tx, username)
    await tx.registry.remove("smpp_account", found)
    await tx.pushes.forget_target(smpp_target(found["user_id"]))
    return found
