"""What resellers do over the API: make customers and users, and move credits to and from them (contract §9).

Every change is one transaction; customers and users are made by the functions the operator's commands use. Refuses,
by the contract's codes and in its order (201, 301, 300, 420, 321, 421, 320), names that are taken, customers that
exist nowhere or only under another reseller, and credits that are not there.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from rejoinder.clock import Clock
from rejoinder.errors import Refused
from rejoinder.flow import ledger
from rejoinder.flow.operator import accounts
from rejoinder.flow.operator.accounts import BillingClash, NewCustomer, NewUser, Taken, changing
from rejoinder.flow.operator.shown import account_id
from rejoinder.flow.ports import Kind, Record, ResellerRow, Store, Tables, Tx
from rejoinder.flow.refusals import CallRefused
from rejoinder.message import objectid
from rejoinder.message.codes import AccountCode
from rejoinder.message.model import Billing

T = TypeVar("T")


class Reselling:
    """The resellers' journeys; who calls was judged before."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def balance(self, reseller: ResellerRow, customer: str) -> int:
        """What a customer has, in 1/1000 credits. Raises CallRefused 300, 420."""
        found = await _customer_of(self._store.read, reseller, customer)
        return int(found["balance"])

    async def add_credits(self, reseller: ResellerRow, customer: str, amount: int) -> int:
        """Moves credits between reseller and customer; a negative amount takes them away. Gives the customer's
        balance afterwards. Raises CallRefused 300, 420, 321, 421, 320, and 2 for more than an account can hold.
        """
        now = self._clock.wall_us()

        async def work(tx: Tx) -> int:
            found = await _customer_of(tx, reseller, customer)
            owner = await _by_id(tx, "reseller", reseller.id)
            _check_pays_ahead(owner, found)
            account = found["credit_account_id"]
            await ledger.grant(tx, account, amount, now, owner["credit_account_id"])
            return (await tx.credits.balance(account)).balance

        return await _coded(self._store.write(work))

    async def create_customer(self, reseller: ResellerRow, new: NewCustomer) -> str:
        """Makes a customer and gives its customerId. Raises CallRefused 301, 321."""
        now = self._clock.wall_us()

        async def work(tx: Tx) -> Record:
            owner = await _by_id(tx, "reseller", reseller.id)
            return await accounts.add_customer(tx, owner, new, now)

        return account_id(await _coded(changing(self._store, work)))

    async def create_customer_user(self, reseller: ResellerRow, new: NewCustomer, user: NewUser) -> None:
        """Makes a customer, billed as the reseller's customers are by default, and its first user. Raises
        CallRefused 201, 301, 320.
        """
        now = self._clock.wall_us()

        async def work(tx: Tx) -> None:
            await _check_free(tx, user.username)
            owner = await _by_id(tx, "reseller", reseller.id)
            billed = replace(new, billing=owner["default_customer_billing"])
            customer = await accounts.add_customer(tx, owner, billed, now)
            await accounts.add_user(tx, customer, _started(owner, user), now)

        await _coded(changing(self._store, work))

    async def create_user(self, reseller: ResellerRow, customer_id: str, user: NewUser) -> str:
        """Makes a user of one of the reseller's customers and gives its userId. Raises CallRefused 201, 300, 420."""
        now = self._clock.wall_us()

        async def work(tx: Tx) -> Record:
            await _check_free(tx, user.username)
            customer = await _customer_by_id(tx, customer_id)
            if customer["reseller_id"] != reseller.id:
                raise _no_rights("customerId")
            owner = await _by_id(tx, "reseller", reseller.id)
            return await accounts.add_user(tx, customer, _started(owner, user), now)

        return account_id(await _coded(changing(self._store, work)))


def _started(owner: Record, user: NewUser) -> NewUser:
    """The user as it starts: inactive where its reseller wants phones confirmed first."""
    return replace(user, activated=not owner["require_activation"])


async def _coded(journey: Awaitable[T]) -> T:
    """The journey, with its refusals in the contract's codes."""
    try:
        return await journey
    except CallRefused:
        raise
    except Taken as error:
        code = AccountCode.USER_TAKEN if error.kind == "user" else AccountCode.CUSTOMER_TAKEN
        raise CallRefused(code, error.sentence, error.parameter) from error
    except BillingClash as error:
        raise CallRefused(AccountCode.BILLING_CLASH, error.sentence, error.parameter) from error
    except ledger.InsufficientCredits as error:
        raise CallRefused(AccountCode.INSUFFICIENT_CREDITS, error.sentence, error.parameter) from error
    except Refused as error:
        raise CallRefused(AccountCode.INVALID_VALUE, error.sentence, error.parameter) from error


async def _by_id(tables: Tables, kind: Kind, number: int) -> Record:
    (found,) = await tables.registry.find(kind, {"id": number})
    return found


async def _check_free(tx: Tx, username: str) -> None:
    if await tx.registry.find("user", {"username": username}):
        raise Taken("user", username)


def _no_rights(parameter: str) -> CallRefused:
    return CallRefused(
        AccountCode.NO_RIGHTS, f"{parameter}: that customer belongs to another reseller", parameter
    )


def _no_customer(parameter: str) -> CallRefused:
    return CallRefused(AccountCode.NO_CUSTOMER, f"{parameter}: there is no such customer", parameter)


async def _customer_of(tables: Tables, reseller: ResellerRow, name: str) -> Record:
    """The reseller's customer of that name; whether another has one makes the difference of 300 and 420."""
    found = await tables.registry.find("customer", {"reseller_id": reseller.id, "name": name})
    if found:
        return found[0]
    elsewhere = await tables.registry.find("customer", {"name": name})
    raise _no_rights("customer") if elsewhere else _no_customer("customer")


async def _customer_by_id(tables: Tables, customer_id: str) -> Record:
    try:
        number = objectid.account_number(customer_id)
    except ValueError:
        raise _no_customer("customerId") from None
    # The store's numbers have 63 bits; what is no number of its can't be asked for.
    found = await tables.registry.find("customer", {"id": number}) if number < 2**63 else []
    if not found or account_id(found[0]) != customer_id:
        raise _no_customer("customerId")
    return found[0]


def _check_pays_ahead(owner: Record, customer: Record) -> None:
    """Only pre-paid customers hold credits: 321 where it should not even be post-paid, 421 where it may."""
    if customer["billing"] == Billing.PRE_PAID:
        return
    if owner["billing"] == Billing.PRE_PAID:
        raise CallRefused(
            AccountCode.BILLING_CLASH, "customer: a post-paid customer under a pre-paid reseller", "customer"
        )
    raise CallRefused(
        AccountCode.CUSTOMER_IS_POST_PAID,
        "customer: credits can't be moved to or from a post-paid customer",
        "customer",
    )
