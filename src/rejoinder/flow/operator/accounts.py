"""Resellers, customers and users: made, changed and read, each inside the caller's transaction.

The operator's commands and the resellers' calls (flow/reselling.py) both come here. Refuses names that are taken and
a post-paid customer under a pre-paid reseller. Run it in `changing`, which lets one change of the directory in at a
time: what was looked at stays true until it is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from rejoinder.errors import Refused
from rejoinder.flow import ledger
from rejoinder.flow.operator import lookup
from rejoinder.flow.operator.pushes import with_columns
from rejoinder.flow.ports import Kind, Record, Store, Tx
from rejoinder.message.model import Billing, Rotation

T = TypeVar("T")


async def changing(store: Store, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Runs a change of the directory in one transaction and tells running servers of it."""

    async def change(tx: Tx) -> T:
        # First, not last: the row it updates is the lock that lets one change in at a time.
        await tx.directory.changed()
        return await work(tx)

    return await store.write(change)


class Taken(Refused):
    """A name that is there already (contract 201, 301)."""

    def __init__(self, kind: Kind, name: str) -> None:
        super().__init__(f"{kind} {name!r} exists already", "name")
        self.kind = kind


class BillingClash(Refused):
    """A post-paid customer under a pre-paid reseller (contract 321)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReseller:
    """A reseller to be made; `credits` come from the operator's account."""

    name: str
    password_hash: str
    billing: str = Billing.PRE_PAID
    credits: int = 0
    free_credits: int = 0
    default_customer_billing: str = Billing.PRE_PAID
    require_activation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """A customer to be made; `credits` come from the operator's account, free ones from the reseller's."""

    name: str
    billing: str = Billing.PRE_PAID
    credits: int = 0
    free_credits: bool = False
    rotation: str = Rotation.MAX_ROTATION
    integration_id: str = ""
    contact_name: str = ""
    email: str = ""
    phone_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user to be made, with its mailbox."""

    username: str
    password_hash: str
    activated: bool = True
    source_address: str = ""
    swapping_source_address_allowed: bool = False
    final_status_push: str = ""
    email: str = ""
    phone_number: str = ""


async def add_reseller(tx: Tx, new: NewReseller, at: int) -> Record:
    """`at`: now, in microseconds. Raises Refused."""
    _check_default_billing(new.billing, new.default_customer_billing)
    account = await tx.credits.open("reseller", new.billing)
    fields = {
        "name": new.name,
        "password_hash": new.password_hash,
        "credit_account_id": account,
        "free_credits": new.free_credits,
        "default_customer_billing": new.default_customer_billing,
        "require_activation": new.require_activation,
        "created_at": at,
    }
    await _add(tx, "reseller", new.name, fields)
    await ledger.grant(tx, account, new.credits, at)
    return await _only(tx, "reseller", {"name": new.name})


async def add_customer(tx: Tx, reseller: Record, new: NewCustomer, at: int) -> Record:
    """`at`: now, in microseconds. Raises Refused, in the contract's order: Taken, BillingClash, InsufficientCredits."""
    account = await tx.credits.open("customer", new.billing)
    fields = {
        "reseller_id": reseller["id"],
        "name": new.name,
        "credit_account_id": account,
        "rotation": new.rotation,
        "integration_id": new.integration_id,
        "contact_name": new.contact_name,
        "email": new.email,
        "phone_number": new.phone_number,
        "created_at": at,
    }
    await _add(tx, "customer", new.name, fields)
    _check_customer_billing(reseller["billing"], new.billing)
    await ledger.grant(tx, account, new.credits, at)
    if new.free_credits:
        giver = reseller["credit_account_id"]
        await ledger.grant(tx, account, reseller["free_credits"], at, giver, "free_credits")
    return await _only(tx, "customer", {"reseller_id": reseller["id"], "name": new.name})


async def add_user(tx: Tx, customer: Record, new: NewUser, at: int) -> Record:
    """`at`: now, in microseconds. Raises Taken."""
    fields = {
        "customer_id": customer["id"],
        "username": new.username,
        "password_hash": new.password_hash,
        "activated": new.activated,
        "source_address": new.source_address,
        "swapping_source_address_allowed": new.swapping_source_address_allowed,
        "final_status_push": new.final_status_push,
        "email": new.email,
        "phone_number": new.phone_number,
        "created_at": at,
    }
    await _add(tx, "user", new.username, fields)
    user = await _only(tx, "user", {"username": new.username})
    await tx.registry.open_boxes([user["id"]])
    return user


async def change_reseller(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    """`changes` are columns and values (fields.py), billing among them. Raises NotFound, Refused."""
    reseller = await lookup.one(tx, "reseller", name)
    billing = str(changes.get("billing", reseller["billing"]))
    default = changes.get("default_customer_billing", reseller["default_customer_billing"])
    _check_default_billing(billing, str(default))
    if billing != reseller["billing"]:
        if billing == Billing.PRE_PAID:
            post_paid = {"reseller_id": reseller["id"], "billing": str(Billing.POST_PAID)}
            for customer in (await tx.registry.find("customer", post_paid))[:1]:
                _check_customer_billing(billing, customer["billing"])
        await ledger.set_billing(tx, reseller["credit_account_id"], billing)
    return await _change(tx, "reseller", reseller, changes)


async def change_customer(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    """As `change_reseller`."""
    customer = await lookup.one(tx, "customer", name)
    billing = str(changes.get("billing", customer["billing"]))
    if billing != customer["billing"]:
        reseller = await _only(tx, "reseller", {"id": customer["reseller_id"]})
        _check_customer_billing(reseller["billing"], billing)
        await ledger.set_billing(tx, customer["credit_account_id"], billing)
    return await _change(tx, "customer", customer, changes)


async def change_user(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    """`changes` are columns and values (fields.py). Raises NotFound, Refused."""
    return await _change(tx, "user", await lookup.one(tx, "user", name), changes)


def _check_customer_billing(resellers: str, customers: str) -> None:
    if resellers == Billing.PRE_PAID and customers == Billing.POST_PAID:
        raise BillingClash("a pre-paid reseller has no post-paid customers: billing types clash", "billing")


def _check_default_billing(resellers: str, default: str) -> None:
    if resellers == Billing.PRE_PAID and default == Billing.POST_PAID:
        raise Refused(
            "default_customer_billing can't be post_paid while the reseller itself is pre_paid",
            "default_customer_billing",
        )


async def _add(tx: Tx, kind: Kind, name: str, fields: Record) -> None:
    if not await tx.registry.add(kind, fields):
        raise Taken(kind, name)


async def _only(tx: Tx, kind: Kind, where: Record) -> Record:
    (record,) = await tx.registry.find(kind, where)
    return record


async def _change(tx: Tx, kind: Kind, record: Record, changes: Mapping[str, object]) -> Record:
    """Writes the columns; a new name must be free (for a customer, within its reseller)."""
    # Billing stands in the credit account, and is there by now.
    columns = with_columns(record, {key: value for key, value in changes.items() if key != "billing"})
    key = "username" if kind == "user" else "name"
    if columns.get(key, record[key]) != record[key]:
        where = {key: columns[key]}
        if kind == "customer":
            where["reseller_id"] = record["reseller_id"]
        if await tx.registry.find(kind, where):
            raise Taken(kind, str(columns[key]))
    await tx.registry.change(kind, record, columns)
    return await _only(tx, kind, {"id": record["id"]})
