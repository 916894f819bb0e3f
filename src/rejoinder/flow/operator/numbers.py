"""Numbers and senders: whose they are, and who takes what arrives there unasked.

A number belongs to a user, to a customer, or to the reply pool. Refuses an inbox for any but a customer's number,
and an inbox user of another customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rejoinder.errors import Refused
from rejoinder.flow.operator import lookup
from rejoinder.flow.operator.pushes import PUSH_KEYS, with_columns
from rejoinder.flow.ports import Record, Tx

# The columns that say whose a number is; all of them empty: the pool's.
_POOL: Mapping[str, object] = {"customer_id": None, "user_id": None, "inbox_user_id": None}
_OWNERS = ("owner", "customer", "user")


async def add_number(tx: Tx, number: str, customer: str | None = None, user: str | None = None) -> Record:
    """A number of a customer's, of a user's, or (neither) of the pool. Raises NotFound, Refused."""
    owner = _POOL
    if customer is not None:
        owner = await _owned_by(tx, "customer", customer)
    elif user is not None:
        owner = await _owned_by(tx, "user", user)
    if not await tx.registry.add("number", {**owner, "number": number}):
        raise Refused("this number is there already", "number")
    (added,) = await tx.registry.find("number", {"number": number})
    return added


async def change_number(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    """`changes`: owner (pool, customer:NAME, user:NAME), or customer or user; inbox. Raises NotFound, Refused."""
    record = await lookup.one(tx, "number", name)
    columns: dict[str, object] = {}
    given = [key for key in _OWNERS if key in changes]
    if len(given) > 1:
        raise Refused(f"{' and '.join(given)} say the same: give one of them", given[1])
    for key in given:
        columns = dict(await _owner(tx, key, str(changes[key])))
        if columns["customer_id"] is not None and columns["customer_id"] == record["customer_id"]:
            columns["inbox_user_id"] = record["inbox_user_id"]
    if "inbox" in changes:
        owner = columns.get("customer_id", record["customer_id"])
        columns["inbox_user_id"] = await _inbox(tx, owner, str(changes["inbox"]))
    if (
        columns.get("customer_id", 0) != record["customer_id"]
        or columns.get("user_id", 0) != record["user_id"]
    ):
        # What comes in now is somebody else's: it is not pushed to the owner before.
        columns |= {"mo_push": ""} if given else {}
    columns |= _push(record, columns, changes)
    await tx.registry.change("number", record, columns)
    (changed,) = await tx.registry.find("number", {"number": record["number"]})
    return changed


def _push(record: Record, columns: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """The column of the push that is set, where one is."""
    wanted = {key: value for key, value in changes.items() if key in PUSH_KEYS}
    if not wanted:
        return {}
    now = {**record, **columns}
    if now["customer_id"] is None and now["user_id"] is None:
        raise Refused("a number of the reply pool has no push: set one of the user or the customer", "push")
    return with_columns(now, wanted)


async def _owner(tx: Tx, key: str, name: str) -> Mapping[str, object]:
    """The columns for an owner as it is named under one of the keys above."""
    if key == "owner":
        key, _, name = name.partition(":")
        if (key, name) != ("pool", "") and (key not in {"customer", "user"} or not name):
            raise Refused("owner must be pool, customer:NAME or user:NAME", "owner")
    if not name:
        return _POOL
    return await _owned_by(tx, "customer" if key == "customer" else "user", name)


async def _owned_by(tx: Tx, kind: Literal["customer", "user"], name: str) -> Mapping[str, object]:
    """The columns for this owner. Raises NotFound."""
    return {**_POOL, f"{kind}_id": (await lookup.one(tx, kind, name))["id"]}


async def _inbox(tx: Tx, customer_id: object, username: str) -> int | None:
    if not username:
        return None
    if customer_id is None:
        raise Refused("only a customer's number has an inbox", "inbox")
    user = await lookup.one(tx, "user", username)
    if user["customer_id"] != customer_id:
        raise Refused("the inbox must be a user of the number's own customer", "inbox")
    found = user["id"]
    assert isinstance(found, int)
    return found


async def allow_sender(tx: Tx, name: str, customer: str) -> Record:
    """The customer may send under this name. Raises NotFound, Refused."""
    owner = await lookup.one(tx, "customer", customer)
    if not await tx.registry.add("sender", {"customer_id": owner["id"], "name": name}):
        raise Refused(f"customer {owner['name']!r} may send as {name!r} already", "name")
    (added,) = await tx.registry.find("sender", {"customer_id": owner["id"], "name": name})
    return added
