"""What the contract says of every operation: its methods and parameters, and values that lead deep into it.

Written from the contract, not from the descriptions: a new operation needs its row here.
"""

from __future__ import annotations

from tests.centre import HANDSET
from tests.http.site import ALL_MESSAGES, CREDIT_BALANCE, MESSAGES, SEND, STATUS, login

OPERATIONS = {
    ALL_MESSAGES: {"get", "post"},
    MESSAGES: {"get", "post"},
    CREDIT_BALANCE: {"get", "post"},
    SEND: {"get", "post"},
    STATUS: {"get", "post"},
    "/carriers/{name}/inbound": {"post"},
    "/carriers/{name}/receipt": {"post"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
    "/openapi.json": {"get"},
    "/docs": {"get"},
}
# Contract §§2 to 10 and 13: each call's parameters, those in capitals required.
PARAMETERS = {
    ALL_MESSAGES: "USERNAME PASSWORD SINCE",
    MESSAGES: "USERNAME PASSWORD SINCE",
    CREDIT_BALANCE: "USERNAME PASSWORD",
    SEND: "USERNAME PASSWORD TEXT RECIPIENT sender replyTo rotation encoding clientRef validity",
    STATUS: "USERNAME PASSWORD DOCUMENTID",
}
# The values of required parameters with which a call succeeds; `documentId` is the caller's own message.
GOOD = {**login(), "since": "0", "text": "Hello", "recipient": HANDSET}
# Those of one call alone, where they differ.
GOOD_FOR: dict[str, dict[str, str]] = {}


def calls_with(*methods: str) -> list[tuple[str, str]]:
    """(path, method) of each call of a customer's program that takes one of these methods."""
    return [(path, method) for path in PARAMETERS for method in sorted(OPERATIONS[path]) if method in methods]
