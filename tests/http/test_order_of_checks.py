"""The order of checks of account calls (contract §1), generated: of any two faults the earlier one is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import cast

import pytest

from tests.http.resellers import (
    ADD_CREDITS,
    BALANCE,
    CREATE_BOTH,
    CREATE_CUSTOMER,
    CREATE_USER,
    CREDIT,
    Trade,
    good,
)
from tests.http.site import WRONG_PASSWORD, Site

# Contract §1: 1 for every missing parameter, then 2, then 200/400, then 3, then 4/220, then as they stand here.
ORDER = (1, 2, 400, 3, 4, 201, 301, 300, 420, 321, 421, 320)
FOREIGN = "the id of another's customer"


@dataclass(frozen=True)
class Fault:
    """What makes a good request wrong, and where its code stands in the order. `code`: where it is another one."""

    rank: int
    changes: dict[str, str | None]
    code: int = field(default=0)

    @property
    def answered(self) -> int:
        return self.code or self.rank


def _faults(required: str, invalid: dict[str, str], *own: Fault) -> list[Fault]:
    missing = [Fault(1, {name: None}) for name in required.split()]
    return [*missing, *(Fault(2, {name: value}) for name, value in invalid.items()), *own]


def _admin(*own: Fault) -> list[Fault]:
    return [
        *own,
        Fault(400, {"reseller": "nobody"}),
        Fault(3, {"password": WRONG_PASSWORD}),
        Fault(4, {"reseller": "blocked"}),
        Fault(300, {"customer": "nobodys"}),
        Fault(420, {"customer": "theirs"}),
    ]


def _creating(blocked: int, *own: Fault) -> list[Fault]:
    return [
        *own,
        Fault(400, {"resellerName": "nobody"}),
        Fault(3, {"resellerPassword": WRONG_PASSWORD}),
        Fault(4, {"resellerName": "blocked"}, blocked),
    ]


FAULTS: dict[str, list[Fault]] = {
    ADD_CREDITS: _faults(
        "reseller password customer creditsToAdd",
        {"reseller": "a b", "customer": "a b", "creditsToAdd": "much"},
        *_admin(
            Fault(321, {"customer": "clash"}),
            Fault(421, {"reseller": "later", "customer": "billed"}),
            Fault(320, {"creditsToAdd": "99999999"}),
        ),
    ),
    BALANCE: _faults("reseller password customer", {"reseller": "a@b", "customer": "a b"}, *_admin()),
    CREATE_BOTH: _faults(
        "username password customer resellerName resellerPassword applyFreeCredits",
        {
            "username": "a b",
            "password": "x" * 256,
            "customer": "a b",
            "resellerName": "a b",
            "applyFreeCredits": "perhaps",
            "contactName": "\n",
            "email": "none",
            "phoneNumber": "none",
        },
        *_creating(
            3,
            Fault(201, {"username": "taken@acme"}),
            Fault(301, {"customer": "taken"}),
            Fault(320, {"applyFreeCredits": "true"}),
        ),
    ),
    CREATE_CUSTOMER: _faults(
        "name resellerName resellerPassword",
        {
            "name": "a b",
            "resellerName": "a b",
            "integrationId": "\n",
            "rotationAlgorithm": "RANDOM",
            "billingType": "NEVER",
        },
        *_creating(4, Fault(301, {"name": "taken"}), Fault(321, {"billingType": "POST_PAID"})),
    ),
    CREATE_USER: _faults(
        "username password resellerName resellerPassword customerId email phoneNumber",
        {
            "username": "a b",
            "password": "x" * 256,
            "resellerName": "a b",
            "email": "none",
            "phoneNumber": "none",
            "sourceAddress": "?",
            "swappingSourceAddressAllowed": "perhaps",
        },
        *_creating(
            4,
            Fault(201, {"username": "taken@acme"}),
            Fault(300, {"customerId": "f" * 24}),
            Fault(420, {"customerId": FOREIGN}),
        ),
    ),
}


@pytest.fixture(scope="module")
def trade(empty_site: Site) -> Trade:
    trade = Trade(empty_site)
    trade.reseller("acme", credits=100 * CREDIT, free_credits=1_000 * CREDIT)
    trade.reseller("blocked")
    trade.reseller("later", billing="post_paid")
    trade.customer("shop")
    for owner in ("acme", "blocked"):
        trade.customer("taken", owner)
    trade.customer("theirs", "later")
    trade.customer("billed", "later", billing="post_paid")
    trade.customer("clash")
    account = "(SELECT credit_account_id FROM customer WHERE name = 'clash')"
    trade.site.sql(f"UPDATE credit_account SET billing = 'post_paid' WHERE id = {account}")
    trade.user("taken@acme", "acme/taken")
    trade.set("reseller", "blocked", blocked=True)
    return trade


def pairs(path: str) -> Iterator[tuple[Fault, Fault]]:
    """All pairs that one request can have, the earlier first."""
    for one, other in combinations(FAULTS[path], 2):
        if all(
            one.changes[name] == other.changes[name] for name in one.changes.keys() & other.changes.keys()
        ):
            yield cast(
                "tuple[Fault, Fault]", tuple(sorted((one, other), key=lambda fault: ORDER.index(fault.rank)))
            )


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.split("/", 3)[3])
def test_of_any_two_faults_the_earlier_one_is_answered(trade: Trade, path: str) -> None:
    """And each fault alone by its own code, so that no pair proves nothing."""
    request, foreign = good(trade, path), trade.customer_id("later/theirs")

    def answered(*faults: Fault) -> object:
        sent = dict(request)
        for fault in faults:
            sent |= {name: foreign if value == FOREIGN else value for name, value in fault.changes.items()}
        return trade.post(path, sent).code

    for fault in FAULTS[path]:
        assert answered(fault) == fault.answered, fault
    found = list(pairs(path))
    assert len(found) > len(FAULTS[path])
    wrong = [(one, other) for one, other in found if answered(one, other) != one.answered]
    assert wrong == []
    assert answered() == 0
