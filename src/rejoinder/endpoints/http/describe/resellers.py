"""The calls of resellers, and the activation of their users (contract §9)."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.common import ACCOUNT_OK, HEX_ID, REST
from rejoinder.endpoints.http.describe.schema import Call, Description, Parameter, Schema, closed, text
from rejoinder.endpoints.http.responses import Family
from rejoinder.message.codes import AccountCode

_NAME = text(pattern=r"^\S+$", maxLength=255)
_RESELLER_NAME = text(pattern=r"^[^\s@]+$", maxLength=255, examples=["acme"])
_SECRET = text(minLength=1, format="password", examples=["secret1"])


def _named(name: str, meaning: str, example: str, of: str = "") -> Parameter:
    return Parameter(name, meaning, {**_NAME, "examples": [example]}, True, of)


_ADMIN = (
    Parameter("reseller", "The reseller's name. `resellerName` is taken as well.", _RESELLER_NAME, True),
    Parameter("password", "The reseller's password.", _SECRET, True, "reseller"),
    _named("customer", "The name of one of its customers. `customerName` is taken as well.", "shop"),
)
_AMOUNT = Parameter(
    "creditsToAdd",
    "Credits with up to three decimals, from the reseller to the customer; a negative number takes them away.",
    text(pattern=r"^[+-]?[0-9]{1,12}(\.[0-9]{1,3})?$", examples=["12.5"]),
    True,
)
_RESELLER = (
    Parameter("resellerName", "The reseller's name. `reseller` is taken as well.", _RESELLER_NAME, True),
    Parameter("resellerPassword", "The reseller's password.", _SECRET, True),
)
_NEW_USER = (
    _named("username", "The new user's name; usually `number@reseller`.", "1234322@acme", "new"),
    Parameter(
        "password",
        "The new user's password.",
        text(minLength=1, maxLength=255, format="password", examples=["secret3"]),
        True,
        "new",
    ),
)
_EMAIL = text(pattern=r"^[^\s@]+@[^\s@]+$", maxLength=255, examples=["desk@shop.example"])
_PHONE = text(pattern=r"^[+ 0-9]*$", maxLength=255, examples=["+61 255 588 885"])
_OF_CUSTOMER_USER = (
    *_NEW_USER,
    _named("customer", "The new customer's name. `customerName` is taken as well.", "store", "new"),
    *_RESELLER,
    Parameter(
        "applyFreeCredits",
        "`true` grants the reseller's free credits, from its own.",
        text(pattern="^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$", examples=["false"]),
        True,
    ),
    Parameter("contactName", "Whom to ask for at the customer.", text(maxLength=255)),
    Parameter("email", "The customer's address.", _EMAIL, of="customer"),
    Parameter("phoneNumber", "The customer's number: +, blanks and digits.", _PHONE, of="customer"),
)
_OF_CUSTOMER = (
    _named("name", "The new customer's name.", "store"),
    *_RESELLER,
    Parameter("integrationId", "Your own name for it; shown to the operator.", text(maxLength=255)),
    Parameter(
        "rotationAlgorithm",
        "How reply numbers are chosen for its messages, any case.",
        text(enum=["CONVERSATION", "MAX_ROTATION"], default="MAX_ROTATION"),
    ),
    Parameter(
        "billingType",
        "Any case. A pre-paid reseller answers POST_PAID with 321.",
        text(enum=["PRE_PAID", "POST_PAID"], default="POST_PAID"),
    ),
)
_OF_USER = (
    *_NEW_USER,
    *_RESELLER,
    Parameter(
        "customerId",
        "As `customer/create` answered it.",
        text(pattern=HEX_ID, examples=["656f4d000000000000000001"]),
        True,
    ),
    Parameter("email", "The user's address.", _EMAIL, True, "user"),
    Parameter(
        "phoneNumber",
        "The user's number: +, blanks and digits. Activation codes go there.",
        _PHONE,
        True,
        "user",
    ),
    Parameter(
        "finalStatusPush",
        "Where the final status of each of the user's messages is pushed to (docs/api/pushes.md): JSON with the type "
        "URL. `method` POST, with one or two `secrets`, is ours.",
        text(examples=['{"type": "URL", "data": {"url": "https://shop.example/status"}}'], maxLength=4096),
    ),
    Parameter(
        "sourceAddress",
        "What the user's messages go out from: a number of 3 to 16 digits, or 2 to 11 letters and digits. It has to "
        "be the user's or customer's own, else sending answers 13.",
        text(pattern=r"^(\+?[0-9]{3,16}|[A-Za-z0-9]{2,11})$"),
    ),
    Parameter(
        "swappingSourceAddressAllowed",
        "Whether a route may replace the sender.",
        text(enum=["true", "false"], default="false"),
    ),
)

_USERNAME = _named("username", "The user's name.", "1234322@acme", "inactive")
_CODE = Parameter(
    "activationCode",
    "The six digits that the user's phone got. Ten wrong tries void them, and an hour.",
    text(pattern="^[0-9]{6}$", examples=["123456"]),
    True,
)
_OF_ACTIVATION = (
    AccountCode.PARAMETER_MISSING,
    AccountCode.INVALID_VALUE,
    AccountCode.NO_USER,
)

_FAULTS = (
    AccountCode.PARAMETER_MISSING,
    AccountCode.INVALID_VALUE,
    AccountCode.AUTHENTICATION_FAILED,
    AccountCode.NO_RESELLER,
)
_OF_CUSTOMERS = (*_FAULTS, AccountCode.BLOCKED, AccountCode.NO_CUSTOMER, AccountCode.NO_RIGHTS)
_CREDITS: Schema = {
    "type": "number",
    "description": "What the customer has: whole, or with up to three decimals. A post-paid one has used what is "
    "below 0.",
}
_ACCOUNT_ID = text(pattern=HEX_ID, description="24 lower-case hex digits; the first 8 are when it was made.")

SHAPES: Mapping[str, Schema] = {
    "Credits": closed({"credits": _CREDITS, "status": ACCOUNT_OK}),
    "Done": closed({"status": ACCOUNT_OK}),
    "NewCustomer": closed({"customerId": _ACCOUNT_ID, "status": ACCOUNT_OK}),
    "NewUser": closed({"userId": _ACCOUNT_ID, "status": ACCOUNT_OK}),
}

DESCRIPTIONS: Mapping[str, Description] = {
    f"{REST}/admin/addCredits": Call(
        "addCredits",
        "Move credits between a reseller and a customer",
        Family.ACCOUNT,
        (*_ADMIN, _AMOUNT),
        ("Credits",),
        (
            *_OF_CUSTOMERS,
            AccountCode.INSUFFICIENT_CREDITS,
            AccountCode.BILLING_CLASH,
            AccountCode.CUSTOMER_IS_POST_PAID,
        ),
    ),
    f"{REST}/admin/balance": Call(
        "balance",
        "What a customer has",
        Family.ACCOUNT,
        _ADMIN,
        ("Credits",),
        _OF_CUSTOMERS,
    ),
    f"{REST}/customer-user/create": Call(
        "createCustomerUser",
        "Make a customer and its first user",
        Family.ACCOUNT,
        _OF_CUSTOMER_USER,
        ("Done",),
        (*_FAULTS, AccountCode.USER_TAKEN, AccountCode.CUSTOMER_TAKEN, AccountCode.INSUFFICIENT_CREDITS),
    ),
    f"{REST}/customer/create": Call(
        "createCustomer",
        "Make a customer",
        Family.ACCOUNT,
        _OF_CUSTOMER,
        ("NewCustomer",),
        (*_FAULTS, AccountCode.BLOCKED, AccountCode.CUSTOMER_TAKEN, AccountCode.BILLING_CLASH),
    ),
    f"{REST}/user/create": Call(
        "createUser",
        "Make a user of a customer",
        Family.ACCOUNT,
        _OF_USER,
        ("NewUser",),
        (
            *_FAULTS,
            AccountCode.BLOCKED,
            AccountCode.USER_TAKEN,
            AccountCode.NO_CUSTOMER,
            AccountCode.NO_RIGHTS,
        ),
    ),
    f"{REST}/user/activate": Call(
        "activate",
        "Activate a user with the code its phone got",
        Family.ACCOUNT,
        (_USERNAME, _CODE),
        ("Done",),
        _OF_ACTIVATION,
    ),
    f"{REST}/user/sendActivationCode": Call(
        "sendActivationCode",
        "Send an activation code to a user's phone, five a day; the reseller pays for it",
        Family.ACCOUNT,
        (_USERNAME,),
        ("Done",),
        (*_OF_ACTIVATION, AccountCode.INSUFFICIENT_CREDITS),
    ),
}
