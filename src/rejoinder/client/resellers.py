"""What a reseller can do: customers, their users, their credits. Blocking and awaiting, one method a call.

Refuses to repeat by itself what would be done twice: raises OutcomeUnknown where the connection broke.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Self

from rejoinder.client import calls
from rejoinder.client.blocking import PATIENCE, Line, SleepingTime
from rejoinder.client.calls import Ask, Credits
from rejoinder.client.waiting import AsyncLine, AwaitingTime

# Beside customers the reseller is called `reseller`, with `password`; beside users these are the user's.
Login = Mapping[str, str]


def _admin(name: str, password: str) -> Login:
    return {"reseller": name, "password": password}


def _owner(name: str, password: str) -> Login:
    return {"resellerName": name, "resellerPassword": password}


def _new_customer(name: str, more: Mapping[str, str]) -> Ask[str]:
    return calls.create("customer/create", {"name": name, **more}, "customerId")


def _new_user(username: str, password: str, customer_id: str, more: Mapping[str, str]) -> Ask[str]:
    form = {"username": username, "password": password, "customerId": customer_id, **more}
    return calls.create("user/create", form, "userId")


def _new_both(customer: str, username: str, password: str, more: Mapping[str, str]) -> Ask[str]:
    form = {"customer": customer, "username": username, "password": password, "applyFreeCredits": "false"}
    return calls.create("customer-user/create", {**form, **more})


class Reseller:
    """The reseller's calls. `more` takes each call's other parameters by the API's own names."""

    def __init__(
        self,
        url: str,
        name: str,
        password: str,
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        *,
        timing: SleepingTime | None = None,
    ) -> None:
        self._admin = Line(url, _admin(name, password), patience, context, timing)
        self._owner = Line(url, _owner(name, password), patience, context, timing)
        self._nobody = Line(url, {}, patience, context, timing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in (self._admin, self._owner, self._nobody):
            line.close()

    def add_credits(self, customer: str, credits_: Credits) -> Decimal:
        """Moves credits to the customer, or back when negative; answers what it has then."""
        return self._admin.run(calls.add_credits(customer, credits_))

    def balance(self, customer: str) -> Decimal:
        """What the customer has."""
        return self._admin.run(calls.customer_balance(customer))

    def create_customer(self, name: str, **more: str) -> str:
        """A new customer's id. `more`: integrationId, rotationAlgorithm, billingType."""
        return self._owner.run(_new_customer(name, more))

    def create_user(self, username: str, password: str, customer_id: str, **more: str) -> str:
        """A new user's id. `more`: email and phoneNumber (both required), sourceAddress and others."""
        return self._owner.run(_new_user(username, password, customer_id, more))

    def create_customer_user(self, customer: str, username: str, password: str, **more: str) -> None:
        """A customer and its first user. `more`: applyFreeCredits, contactName, email, phoneNumber."""
        self._owner.run(_new_both(customer, username, password, more))

    def send_activation_code(self, username: str) -> None:
        """Has six digits sent to the user's phone; they open the account."""
        self._nobody.run(calls.activation("user/sendActivationCode", {"username": username}))

    def activate(self, username: str, code: str) -> None:
        """Opens the account with the code that came by SMS."""
        self._nobody.run(calls.activation("user/activate", {"username": username, "activationCode": code}))


class AsyncReseller:
    """As `Reseller`, awaited."""

    def __init__(
        self,
        url: str,
        name: str,
        password: str,
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        *,
        timing: AwaitingTime | None = None,
    ) -> None:
        self._admin = AsyncLine(url, _admin(name, password), patience, context, timing)
        self._owner = AsyncLine(url, _owner(name, password), patience, context, timing)
        self._nobody = AsyncLine(url, {}, patience, context, timing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in (self._admin, self._owner, self._nobody):
            await line.close()

    async def add_credits(self, customer: str, credits_: Credits) -> Decimal:
        """As `Reseller.add_credits`."""
        return await self._admin.run(calls.add_credits(customer, credits_))

    async def balance(self, customer: str) -> Decimal:
        """As `Reseller.balance`."""
        return await self._admin.run(calls.customer_balance(customer))

    async def create_customer(self, name: str, **more: str) -> str:
        """As `Reseller.create_customer`."""
        return await self._owner.run(_new_customer(name, more))

    async def create_user(self, username: str, password: str, customer_id: str, **more: str) -> str:
        """As `Reseller.create_user`."""
        return await self._owner.run(_new_user(username, password, customer_id, more))

    async def create_customer_user(self, customer: str, username: str, password: str, **more: str) -> None:
        """As `Reseller.create_customer_user`."""
        await self._owner.run(_new_both(customer, username, password, more))

    async def send_activation_code(self, username: str) -> None:
        """As `Reseller.send_activation_code`."""
        await self._nobody.run(calls.activation("user/sendActivationCode", {"username": username}))

    async def activate(self, username: str, code: str) -> None:
        """As `Reseller.activate`."""
        form = {"username": username, "activationCode": code}
        await self._nobody.run(calls.activation("user/activate", form))
