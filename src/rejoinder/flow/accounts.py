"""Credentials to account: who calls, and whether it may (contract §1).

Refuses to hold more than a bounded number of users; passwords are judged in password_checks.py.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial

import msgspec

from rejoinder.clock import Clock
from rejoinder.flow.logins import LoginGuard, LoginLimits, is_in
from rejoinder.flow.password_checks import PasswordChecks
from rejoinder.flow.ports import ResellerRow, Store, UserRow
from rejoinder.flow.remembered import Remembered
from rejoinder.waits import carried_out


class Verdict(StrEnum):
    """What became of a log-in, in the order in which faults are looked for."""

    UNKNOWN_USER = "unknown user"
    # Whether the password is right is not told to an address that may not log in.
    ADDRESS_NOT_ALLOWED = "address not allowed"
    WRONG_PASSWORD = "wrong password"  # noqa: S105  # a word for a fault
    PASSWORD_EXPIRED = "password expired"  # noqa: S105  # the same
    DISABLED = "disabled"
    BLOCKED = "blocked"
    NOT_ACTIVATED = "not activated"
    OK = "ok"


# What counts as a failed log-in.
FAILED = frozenset({Verdict.UNKNOWN_USER, Verdict.ADDRESS_NOT_ALLOWED, Verdict.WRONG_PASSWORD})


class Login(msgspec.Struct, frozen=True):
    """A log-in's verdict; `user` is there whenever the name exists."""

    verdict: Verdict
    user: UserRow | None


class ResellerLogin(msgspec.Struct, frozen=True):
    """The same of a reseller, who is activated from the start and whose password doesn't expire."""

    verdict: Verdict
    reseller: ResellerRow | None


class Accounts:
    """Looks up and authenticates users and resellers."""

    def __init__(self, store: Store, clock: Clock, limits: LoginLimits | None = None) -> None:
        self._store = store
        self.guard = LoginGuard(clock, limits)
        self.passwords = PasswordChecks(clock)
        self._users = Remembered[str, UserRow]()
        self._resellers = Remembered[str, ResellerRow]()
        self._senders = Remembered[tuple[int, int, str], bool]()

    def forget(self) -> None:
        """Accounts changed: look them up anew. Verified passwords stay while the stored hash is the same."""
        self._users.forget()
        self._resellers.forget()
        self._senders.forget()

    def close(self) -> None:
        self.passwords.close()

    async def user(self, username: str) -> UserRow | None:
        """A user by name, from memory when it was here lately."""
        return await self._users.looked_up(username, lambda: self._store.read.directory.user(username))

    async def login(self, username: str, password: str, address: str) -> Login:
        """Checks name, password and state, in that order. `address`: the caller's, to be on the user's list where
        there is one. Raises Throttled, before anything is looked up, and Overloaded.
        """
        # Who hangs up has guessed all the same.
        return await carried_out(self._attempted(username, password, address))

    async def _attempted(self, username: str, password: str, address: str) -> Login:
        with self.guard.attempt(username, address, self.passwords.digest(password)) as attempt:
            login = await self._judged(username, password, address)
            attempt.ended(login.verdict not in FAILED)
        return login

    async def _judged(self, username: str, password: str, address: str) -> Login:
        user = await self.user(username)
        if user is None:
            await self.passwords.in_vain(password)
            return Login(Verdict.UNKNOWN_USER, None)
        if not _may_come_from(user, address):
            await self.passwords.in_vain(password, user.password_hash)
            return Login(Verdict.ADDRESS_NOT_ALLOWED, user)
        if not await self.passwords.matches(user.id, user.password_hash, password):
            return Login(Verdict.WRONG_PASSWORD, user)
        return Login(standing(user), user)

    def remembers(self, username: str, user: UserRow) -> bool:
        """Whether this row is still what is known of the name: nothing about accounts has changed since."""
        return self._users.get(username) is user

    def login_now(self, username: str, password: str, address: str) -> Login | None:
        """The same from memory alone, for a user who may go on; None: it takes a `login`."""
        user = self._users.get(username)
        if user is None or not self.guard.is_quiet(username, address):
            return None
        if not self.passwords.remembers(user.id, user.password_hash, password):
            return None
        if standing(user) is not Verdict.OK or not _may_come_from(user, address):
            return None
        self.guard.worked(username, address)
        return Login(Verdict.OK, user)

    async def reseller(self, name: str) -> ResellerRow | None:
        """A reseller by name, from memory when it was here lately."""
        return await self._resellers.looked_up(name, lambda: self._store.read.directory.reseller(name))

    async def reseller_login(self, name: str, password: str, address: str) -> ResellerLogin:
        """Checks name, password and state, in that order. Raises Throttled, before anything is looked up, and
        Overloaded.
        """
        # No user's name has a blank: neither's failures are taken for the other's.
        with self.guard.attempt(f"reseller {name}", address, self.passwords.digest(password)) as attempt:
            login = await self._judged_reseller(name, password)
            attempt.ended(login.verdict not in FAILED)
        return login

    async def _judged_reseller(self, name: str, password: str) -> ResellerLogin:
        reseller = await self.reseller(name)
        if reseller is None:
            await self.passwords.in_vain(password)
            return ResellerLogin(Verdict.UNKNOWN_USER, None)
        if not await self.passwords.matches(("reseller", reseller.id), reseller.password_hash, password):
            return ResellerLogin(Verdict.WRONG_PASSWORD, reseller)
        if reseller.disabled:
            return ResellerLogin(Verdict.DISABLED, reseller)
        return ResellerLogin(Verdict.BLOCKED if reseller.blocked else Verdict.OK, reseller)

    async def may_send_as(self, user: UserRow, sender: str) -> bool:
        """Whether the user may use this sender: its own number, its customer's, or an allowed name."""
        key = (user.id, user.customer_id, sender)
        look = partial(self._store.read.directory.may_send_as, *key)
        return bool(await self._senders.looked_up(key, look))


def _may_come_from(user: UserRow, address: str) -> bool:
    return not user.allow_ip or is_in(address, user.allow_ip)


def standing(user: UserRow, over_http: bool = True) -> Verdict:
    """What the user may do, its password aside. One that has expired is none of SMPP's business."""
    if user.disabled:
        return Verdict.DISABLED
    if over_http and user.password_expired:
        return Verdict.PASSWORD_EXPIRED
    if user.blocked:
        return Verdict.BLOCKED
    if not user.activated:
        return Verdict.NOT_ACTIVATED
    return Verdict.OK
