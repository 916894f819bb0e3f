"""Credit accounts and the append-only ledger (contract §12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from rejoinder.flow.ports import OPERATOR_ACCOUNT, USAGE_ACCOUNT, Funds, Movement, Transfer
from rejoinder.message.model import Billing
from rejoinder.store.dialect import queries
from rejoinder.store.session import Session

_SQL = queries("credits")
# Every transfer in or out of the system meets these; their balances are what the ledger sums to.
_NOT_KEPT = frozenset({OPERATOR_ACCOUNT, USAGE_ACCOUNT})


class CreditTables:
    """See flow/ports `Credits`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock(self, account_ids: Collection[int]) -> dict[int, Funds]:
        keys = [(account_id,) for account_id in sorted(set(account_ids))]
        rows = await self._session.bulk(_SQL["lock_credits"], keys)
        return {row[0]: Funds(row[0], row[1] == Billing.PRE_PAID, row[2]) for row in rows}

    async def transfer(self, transfers: Sequence[Transfer], at: int) -> None:
        """Moves balances, once per account, and appends one ledger entry per transfer."""
        change: dict[int, int] = defaultdict(int)
        for transfer in transfers:
            change[transfer.payer_id] -= transfer.amount
            change[transfer.payee_id] += transfer.amount
        kept = sorted((account, by) for account, by in change.items() if account not in _NOT_KEPT and by)
        await self._session.bulk(_SQL["add_balances"], kept)
        await self._session.bulk(
            _SQL["insert_ledger"],
            [(t.payer_id, t.payee_id, t.amount, t.reason, t.message_id) for t in transfers],
            at,
        )

    async def balance(self, account_id: int) -> Funds:
        ((billing, balance),) = await self._session.rows(_SQL["read_balance"], account_id)
        return Funds(account_id, billing == Billing.PRE_PAID, balance)

    async def open(self, owner: str, billing: str) -> int:
        ((account_id,),) = await self._session.rows(_SQL["insert_credit_account"], owner, billing)
        return int(account_id)

    async def set_billing(self, account_id: int, billing: str) -> None:
        await self._session.rows(_SQL["set_billing"], billing, account_id)

    async def differences(self) -> list[tuple[int, str, int, int]]:
        rows = await self._session.rows(_SQL["ledger_differences"])
        return [(account, owner, kept, computed) for account, owner, kept, computed in rows]

    async def overcharges(self) -> list[str]:
        return [row[0] for row in await self._session.rows(_SQL["ledger_overcharges"])]

    async def counts(self) -> tuple[int, int]:
        ((transfers, accounts),) = await self._session.rows(_SQL["ledger_counts"])
        return transfers, accounts

    async def balance_before(self, account_id: int, moment: int) -> int:
        ((balance,),) = await self._session.rows(_SQL["balance_before"], account_id, moment)
        return int(balance)

    async def movements(
        self, account_id: int, after: tuple[int, int], before: int, most: int
    ) -> list[Movement]:
        rows = await self._session.rows(_SQL["movements"], account_id, *after, before, most)
        return [Movement(*row) for row in rows]
