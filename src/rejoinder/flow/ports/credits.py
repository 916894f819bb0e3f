"""Balances and the append-only ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

# Credit accounts that every store has: what the operator gives comes from the one, what is used goes to the other.
OPERATOR_ACCOUNT = 1


USAGE_ACCOUNT = 2


class Funds(msgspec.Struct, frozen=True, gc=False):
    """A credit account under lock. Pre-paid ones never fall below 0."""

    account_id: int
    prepaid: bool
    balance: int


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One double entry: `amount` moves from payer to payee."""

    payer_id: int
    payee_id: int
    amount: int
    reason: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One transfer as one of its accounts sees it: `amount` is below 0 where it paid."""

    at: int
    id: int
    amount: int
    reason: str
    message_id: str | None


class Credits(Protocol):
    """Balances and the append-only ledger."""

    async def lock(self, account_ids: Collection[int]) -> dict[int, Funds]: ...

    async def transfer(self, transfers: Sequence[Transfer], at: int) -> None: ...

    async def balance(self, account_id: int) -> Funds: ...

    async def open(self, owner: str, billing: str) -> int: ...

    async def set_billing(self, account_id: int, billing: str) -> None: ...

    async def differences(self) -> list[tuple[int, str, int, int]]:
        """(account, owner, kept, computed) where they differ."""

    async def overcharges(self) -> list[str]: ...

    async def counts(self) -> tuple[int, int]:
        """Transfers, accounts."""

    async def balance_before(self, account_id: int, moment: int) -> int:
        """What the account's movements before a moment sum to."""

    async def movements(
        self, account_id: int, after: tuple[int, int], before: int, most: int
    ) -> list[Movement]:
        """Those after a place (at, id) and before a moment, in order of time."""
