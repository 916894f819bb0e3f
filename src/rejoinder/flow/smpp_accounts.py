"""Who binds over SMPP: a name and a password of their own, and the user they belong to.

Judged by the same guard and the same password checks as every other log-in (accounts.py). Refuses by verdicts; a
user's expired HTTP password is none of SMPP's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rejoinder.flow.accounts import FAILED, Accounts, Verdict, standing
from rejoinder.flow.logins import is_in
from rejoinder.flow.ports import SmppAccount, Store, UserRow
from rejoinder.flow.remembered import Remembered


@dataclass(frozen=True, slots=True)
class BindLogin:
    """A bind's verdict; account and user are there whenever the name exists."""

    verdict: Verdict
    account: SmppAccount | None = None
    user: UserRow | None = None


class SmppAccounts:
    """Looks up and authenticates those who bind."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._found = Remembered[str, SmppAccount]()

    def forget(self) -> None:
        """Accounts changed: look them up anew."""
        self._found.forget()

    async def login(self, system_id: str, password: str, address: str) -> BindLogin:
        """Checks name, address, password and state, in that order. Raises Throttled, Overloaded, StoreUnavailable."""
        passwords = self._accounts.passwords
        # No user's name has a blank: neither's failures are taken for the other's.
        with self._accounts.guard.attempt(
            f"smpp {system_id}", address, passwords.digest(password)
        ) as attempt:
            login = await self._judged(system_id, password, address)
            attempt.ended(login.verdict not in FAILED)
        return login

    async def _judged(self, system_id: str, password: str, address: str) -> BindLogin:
        passwords = self._accounts.passwords
        login = await self.standing(system_id, address)
        if login.account is None:
            await passwords.in_vain(password)
            return login
        if login.verdict is Verdict.ADDRESS_NOT_ALLOWED:
            await passwords.in_vain(password, login.account.password_hash)
            return login
        key = ("smpp", login.account.user_id)
        if not await passwords.matches(key, login.account.password_hash, password):
            return replace(login, verdict=Verdict.WRONG_PASSWORD)
        return login

    async def standing(self, system_id: str, address: str) -> BindLogin:
        """What this name may do now, its password aside; from memory when it was here lately."""
        account = await self._account(system_id)
        user = await self._accounts.user(account.username) if account else None
        if account is None or user is None:
            return BindLogin(Verdict.UNKNOWN_USER)
        if account.allow_ip and not is_in(address, account.allow_ip):
            return BindLogin(Verdict.ADDRESS_NOT_ALLOWED, account, user)
        if not account.enabled:
            return BindLogin(Verdict.DISABLED, account, user)
        return BindLogin(standing(user, over_http=False), account, user)

    async def _account(self, system_id: str) -> SmppAccount | None:
        directory = self._store.read.directory
        return await self._found.looked_up(system_id, lambda: directory.smpp_account(system_id))
