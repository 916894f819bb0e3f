"""Credits that people move: from the operator's or a reseller's account and back, by double entry (contract §9, §12).

Refuses to let a pre-paid account fall below 0. To a post-paid one, whose balance is what it has used, the operator
adds what was paid for. Charges and refunds of messages are not here: they belong to the message's own
transaction (submit.py, receipts.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from rejoinder.errors import Refused
from rejoinder.flow.ports import OPERATOR_ACCOUNT, Tables, Transfer, Tx
from rejoinder.message.model import Billing

# So that no sum of balances leaves 64 bits, whatever is moved: a thousand times less in 1/1000 credits.
MOST = 10**15


class InsufficientCredits(Refused):
    """A pre-paid account can't fall below 0 (contract 320)."""


async def grant(
    tx: Tx, account_id: int, amount: int, at: int, giver: int = OPERATOR_ACCOUNT, reason: str = "credits"
) -> None:
    """Moves credits from the giver to the account; a negative amount takes them back. Raises Refused."""
    if amount == 0:
        return
    payer, payee = (giver, account_id) if amount > 0 else (account_id, giver)
    change = {payer: -abs(amount), payee: abs(amount)}
    # The operator's account has no balance of its own, so there is nothing to lock.
    held = (await tx.credits.lock(change.keys() - {OPERATOR_ACCOUNT})).values()
    if any(funds.prepaid and funds.balance + change[funds.account_id] < 0 for funds in held):
        raise InsufficientCredits("insufficient credits: a pre-paid account can't fall below 0", "credits")
    if any(abs(funds.balance + change[funds.account_id]) > MOST for funds in held):
        raise Refused("that is more credits than an account can hold", "credits")
    await tx.credits.transfer([Transfer(payer, payee, abs(amount), reason)], at)


async def set_billing(tx: Tx, account_id: int, billing: str) -> None:
    """How an account pays from now on. Raises Refused for a pre-paid one that would start below 0."""
    funds = (await tx.credits.lock([account_id]))[account_id]
    if billing == Billing.PRE_PAID and funds.balance < 0:
        raise Refused(
            "an account below 0 can't become pre_paid: add credits or wait for its payment", "billing"
        )
    await tx.credits.set_billing(account_id, billing)


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `rejoinder ledger check` found. `differences`: (account, owner, kept, computed) in 1/1000 credits."""

    transfers: int
    accounts: int
    differences: list[tuple[int, str, int, int]]
    overcharged: list[str]

    @property
    def right(self) -> bool:
        """Whether every balance is what the ledger sums to and every message was paid once."""
        return not self.differences and not self.overcharged


async def check(tables: Tables) -> LedgerReport:
    """Compares every balance with the ledger, and every message's price with what was charged for it.

    Balances and ledger are compared in one statement each, so a running server doesn't disturb it.
    """
    transfers, accounts = await tables.credits.counts()
    return LedgerReport(
        transfers, accounts, await tables.credits.differences(), await tables.credits.overcharges()
    )
