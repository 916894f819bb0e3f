"""What the contract says of every operation: its methods and parameters, and values that lead deep into it.

Written from the contract, not from the descriptions: a new operation needs its row here.
"""

from __future__ import annotations

from tests.centre import HANDSET
from tests.http.resellers import (
    ACTIVATE,
    ADD_CREDITS,
    BALANCE,
    CREATE_BOTH,
    CREATE_CUSTOMER,
    CREATE_USER,
    SEND_CODE,
)
from tests.http.site import (
    ALL_MESSAGES,
    CANCEL,
    CREDIT_BALANCE,
    FINALS,
    MESSAGES,
    PASSWORD,
    SEND,
    SEND_MULTIPLE,
    STATUS,
    login,
)

OPERATIONS = {
    ALL_MESSAGES: {"get", "post"},
    MESSAGES: {"get", "post"},
    FINALS: {"get", "post"},
    CREDIT_BALANCE: {"get", "post"},
    SEND: {"get", "post"},
    SEND_MULTIPLE: {"post"},
    CANCEL: {"get", "post"},
    STATUS: {"get", "post"},
    ADD_CREDITS: {"post"},
    BALANCE: {"get", "post"},
    CREATE_BOTH: {"post"},
    CREATE_CUSTOMER: {"post"},
    CREATE_USER: {"post"},
    ACTIVATE: {"post"},
    SEND_CODE: {"post"},
    "/carriers/{name}/inbound": {"post"},
    "/carriers/{name}/receipt": {"post"},
    "/healthz": {"get", "head"},
    "/readyz": {"get", "head"},
    "/metrics": {"get"},
    "/openapi.json": {"get"},
    "/docs": {"get"},
}
# Contract §§2 to 10 and 13: each call's parameters, those in capitals required.
PARAMETERS = {
    ALL_MESSAGES: "USERNAME PASSWORD SINCE wait",
    MESSAGES: "USERNAME PASSWORD SINCE wait",
    FINALS: "USERNAME PASSWORD SINCE wait",
    CREDIT_BALANCE: "USERNAME PASSWORD",
    SEND: "USERNAME PASSWORD TEXT RECIPIENT sender replyTo rotation encoding clientRef validity scheduleAt",
    SEND_MULTIPLE: "USERNAME PASSWORD TEXT RECIPIENT sender replyTo rotation encoding clientRef validity scheduleAt",
    CANCEL: "USERNAME PASSWORD DOCUMENTID",
    STATUS: "USERNAME PASSWORD DOCUMENTID",
    ADD_CREDITS: "RESELLER PASSWORD CUSTOMER CREDITSTOADD",
    BALANCE: "RESELLER PASSWORD CUSTOMER",
    CREATE_BOTH: "RESELLERNAME RESELLERPASSWORD USERNAME PASSWORD CUSTOMER APPLYFREECREDITS contactName email"
    " phoneNumber",
    CREATE_CUSTOMER: "RESELLERNAME RESELLERPASSWORD NAME integrationId rotationAlgorithm billingType",
    CREATE_USER: "RESELLERNAME RESELLERPASSWORD USERNAME PASSWORD CUSTOMERID EMAIL PHONENUMBER sourceAddress"
    " swappingSourceAddressAllowed finalStatusPush",
    ACTIVATE: "USERNAME ACTIVATIONCODE",
    SEND_CODE: "USERNAME",
}
# The values of required parameters with which a call succeeds; `documentId` is the caller's own message, `customerId`
# its customer.
GOOD = {
    **login(),
    "since": "0",
    "text": "Hello",
    "recipient": HANDSET,
    "reseller": "acme",
    "resellerName": "acme",
    "resellerPassword": PASSWORD,
    "customer": "shop",
    "creditsToAdd": "1",
    "applyFreeCredits": "false",
    "email": "a@b.example",
    "phoneNumber": "+61 1",
}
# Those of one call alone, where they differ.
GOOD_FOR: dict[str, dict[str, str]] = {
    CREATE_BOTH: {"username": "first@acme", "customer": "first"},
    CREATE_CUSTOMER: {"name": "second"},
    CREATE_USER: {"username": "second@acme"},
    ACTIVATE: {"username": "coded@shop", "activationCode": "123456"},
    SEND_CODE: {"username": "coming@shop"},
}


def calls_with(*methods: str) -> list[tuple[str, str]]:
    """(path, method) of each call of a customer's program that takes one of these methods."""
    return [(path, method) for path in PARAMETERS for method in sorted(OPERATIONS[path]) if method in methods]
