"""The resellers' calls: credits and balances of their customers, new customers, new users (contract §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rejoinder.endpoints.http.forms import Field, account_call, as_given, read, truth, word
from rejoinder.endpoints.http.params import Params
from rejoinder.endpoints.http.responses import Family, Response, encode
from rejoinder.endpoints.http.server import Operation
from rejoinder.flow.accounts import Accounts, Verdict
from rejoinder.flow.operator import values
from rejoinder.flow.operator.accounts import NewCustomer, NewUser
from rejoinder.flow.ports import ResellerRow
from rejoinder.flow.refusals import CallRefused
from rejoinder.flow.reselling import Reselling
from rejoinder.message import money
from rejoinder.message.codes import AccountCode
from rejoinder.message.model import Billing, Rotation

_REST = "/services/rest"

# Beside customers the reseller is called `reseller`, with `password`; beside users these are the user's.
_ADMIN = (
    Field("reseller", values.reseller_name, older="resellerName"),
    Field("password", as_given),
    Field("customer", values.name, older="customerName"),
)
_CREDITS = (*_ADMIN, Field("creditsToAdd", values.credit_amount))
_RESELLER = (
    Field("resellerName", values.reseller_name, older="reseller"),
    Field("resellerPassword", as_given),
)
_NEW_USER = (Field("username", values.name), Field("password", values.password))
_CUSTOMER_USER = (
    *_NEW_USER,
    Field("customer", values.name, older="customerName"),
    *_RESELLER,
    Field("applyFreeCredits", truth),
    Field("contactName", values.text, required=False),
    Field("email", values.email, required=False),
    Field("phoneNumber", values.phone_number, required=False),
)
_CUSTOMER = (
    Field("name", values.name),
    *_RESELLER,
    Field("integrationId", values.text, required=False),
    Field("rotationAlgorithm", word("MAX_ROTATION", "CONVERSATION"), "", False, Rotation.MAX_ROTATION),
    Field("billingType", word("PRE_PAID", "POST_PAID"), "", False, Billing.POST_PAID),
)
_USER = (
    *_NEW_USER,
    *_RESELLER,
    Field("customerId", as_given),
    Field("email", values.email),
    Field("phoneNumber", values.phone_number),
    Field("finalStatusPush", values.final_status_push, required=False),
    Field("sourceAddress", values.sender, required=False),
    Field("swappingSourceAddressAllowed", truth, required=False, default=False),
)
_LOGIN: Mapping[Verdict, tuple[AccountCode, str]] = {
    Verdict.WRONG_PASSWORD: (AccountCode.AUTHENTICATION_FAILED, "the reseller's password is wrong"),
    Verdict.DISABLED: (AccountCode.AUTHENTICATION_FAILED, "the reseller is disabled"),
    Verdict.BLOCKED: (AccountCode.BLOCKED, "the reseller is blocked"),
}


def _ok(**fields: object) -> Response:
    return Response(encode({**fields, "status": 0}))


class ResellerCalls:
    """The five calls."""

    def __init__(self, accounts: Accounts, reselling: Reselling) -> None:
        self._accounts = accounts
        self._reselling = reselling

    def operations(self) -> list[Operation]:
        calls = {
            "admin/addCredits": self.add_credits,
            "customer-user/create": self.create_customer_user,
            "customer/create": self.create_customer,
            "user/create": self.create_user,
        }
        posted = [
            Operation(f"{_REST}/{path}", Family.ACCOUNT, account_call(call), ("POST",))
            for path, call in calls.items()
        ]
        return [Operation(f"{_REST}/admin/balance", Family.ACCOUNT, account_call(self.balance)), *posted]

    async def add_credits(self, params: Params) -> Response:
        given = read(params, _CREDITS)
        reseller = await self._calling(params, given, _ADMIN)
        balance = await self._reselling.add_credits(reseller, given["customer"], given["creditsToAdd"])
        return _ok(credits=money.to_number(balance))

    async def balance(self, params: Params) -> Response:
        given = read(params, _ADMIN)
        reseller = await self._calling(params, given, _ADMIN)
        return _ok(credits=money.to_number(await self._reselling.balance(reseller, given["customer"])))

    async def create_customer_user(self, params: Params) -> Response:
        given = read(params, _CUSTOMER_USER)
        try:
            reseller = await self._calling(params, given, _RESELLER)
        except CallRefused as refused:
            # 4 is not among this call's codes, as in allMessages (contract §2).
            if refused.status == AccountCode.BLOCKED:
                raise CallRefused(AccountCode.AUTHENTICATION_FAILED, refused.sentence) from refused
            raise
        customer = NewCustomer(
            name=given["customer"],
            free_credits=given["applyFreeCredits"],
            contact_name=given["contactName"],
            email=given["email"],
            phone_number=given["phoneNumber"],
        )
        await self._reselling.create_customer_user(reseller, customer, await self._new_user(given))
        return _ok()

    async def create_customer(self, params: Params) -> Response:
        given = read(params, _CUSTOMER)
        reseller = await self._calling(params, given, _RESELLER)
        new = NewCustomer(
            name=given["name"],
            integration_id=given["integrationId"],
            rotation=given["rotationAlgorithm"],
            billing=given["billingType"],
        )
        return _ok(customerId=await self._reselling.create_customer(reseller, new))

    async def create_user(self, params: Params) -> Response:
        given = read(params, _USER)
        reseller = await self._calling(params, given, _RESELLER)
        user = await self._new_user(given)
        return _ok(userId=await self._reselling.create_user(reseller, given["customerId"], user))

    async def _calling(
        self, params: Params, given: Mapping[str, Any], fields: Sequence[Field]
    ) -> ResellerRow:
        """The calling reseller; its name and password are the first two fields. Raises CallRefused 400, 3, 4."""
        name, password = fields[:2]
        login = await self._accounts.reseller_login(given[name.name], given[password.name], params.address)
        if login.verdict is Verdict.OK and login.reseller is not None:
            return login.reseller
        if login.verdict is Verdict.UNKNOWN_USER:
            parameter, _ = name.given(params)
            raise CallRefused(AccountCode.NO_RESELLER, f"{parameter}: there is no such reseller", parameter)
        raise CallRefused(*_LOGIN[login.verdict])

    async def _new_user(self, given: Mapping[str, Any]) -> NewUser:
        return NewUser(
            username=given["username"],
            password_hash=await self._accounts.passwords.hashed(given["password"]),
            source_address=given.get("sourceAddress", ""),
            final_status_push=given.get("finalStatusPush", ""),
            swapping_source_address_allowed=given.get("swappingSourceAddressAllowed", False),
            email=given["email"],
            phone_number=given["phoneNumber"],
        )
