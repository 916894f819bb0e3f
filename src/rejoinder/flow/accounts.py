"""Credentials to account: who calls, and whether it may (contract §1).

Refuses to keep a password: a verified one is remembered for five minutes as a keyed hash, and forgotten
with any change of the stored one. At most two argon2 computations run at once; each takes 19 MiB.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

from rejoinder.clock import Clock
from rejoinder.flow.passwords import verify_password
from rejoinder.flow.ports import Store, UserRow

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED_SECONDS = 300.0
# Bounds memory whatever the number of accounts: about 60 MB when both are full.
USERS_KEPT = 50_000


class Verdict(StrEnum):
    """What became of a log-in, in the order in which faults are looked for."""

    UNKNOWN_USER = "unknown user"
    WRONG_PASSWORD = "wrong password"  # noqa: S105  # a word for a fault
    PASSWORD_EXPIRED = "password expired"  # noqa: S105  # the same
    DISABLED = "disabled"
    BLOCKED = "blocked"
    NOT_ACTIVATED = "not activated"
    OK = "ok"


class Login(msgspec.Struct, frozen=True):
    """A log-in's verdict; `user` is there whenever the name exists."""

    verdict: Verdict
    user: UserRow | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    stored: str
    digest: bytes
    until: float


class Accounts:
    """Looks up and authenticates users."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._users: dict[str, UserRow] = {}
        self._verified: dict[int, _Remembered] = {}
        self._senders: dict[tuple[int, int, str], bool] = {}
        self._verifying: dict[tuple[int, bytes], asyncio.Task[bool]] = {}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")

    def forget(self) -> None:
        """Accounts changed: look them up anew. Verified passwords stay while the stored hash is the same."""
        self._users.clear()
        self._senders.clear()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def user(self, username: str) -> UserRow | None:
        """A user by name, from memory when it was here lately."""
        found = self._users.get(username)
        if found is None:
            found = await self._store.read.directory.user(username)
            if found is not None:
                _remember(self._users, username, found)
        return found

    async def login(self, username: str, password: str) -> Login:
        """Checks name, password and state, in that order."""
        user = await self.user(username)
        if user is None:
            return Login(Verdict.UNKNOWN_USER, None)
        if not await self._matches(user, password):
            return Login(Verdict.WRONG_PASSWORD, user)
        return Login(_standing(user), user)

    def login_now(self, username: str, password: str) -> Login | None:
        """The same from memory alone, for a user who may go on; None: it takes a `login`."""
        user = self._users.get(username)
        if user is None or not self._remembers(user, self._digest(password)):
            return None
        login = Login(_standing(user), user)
        return login if login.verdict is Verdict.OK else None

    async def _matches(self, user: UserRow, password: str) -> bool:
        digest = self._digest(password)
        if self._remembers(user, digest):
            return True
        if not await self._verify_once(user, password, digest):
            return False
        until = self._clock.monotonic() + REMEMBERED_SECONDS
        _remember(self._verified, user.id, _Remembered(user.password_hash, digest, until))
        return True

    def _digest(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode(), key=self._key, digest_size=16).digest()

    def _remembers(self, user: UserRow, digest: bytes) -> bool:
        known = self._verified.get(user.id)
        return (
            known is not None
            and known.stored == user.password_hash
            and self._clock.monotonic() < known.until
            and hmac.compare_digest(known.digest, digest)
        )

    async def _verify_once(self, user: UserRow, password: str, digest: bytes) -> bool:
        """Callers who bring the same password at the same time wait for one computation."""
        key = (user.id, digest + user.password_hash.encode())
        running = self._verifying.get(key)
        if running is None:
            running = asyncio.create_task(self._in_thread(user.password_hash, password))
            self._verifying[key] = running
            running.add_done_callback(lambda _: self._verifying.pop(key, None))
        return await asyncio.shield(running)

    async def _in_thread(self, stored: str, password: str) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, verify_password, stored, password
        )

    async def may_send_as(self, user: UserRow, sender: str) -> bool:
        """Whether the user may use this sender: its own number, its customer's, or an allowed name."""
        key = (user.id, user.customer_id, sender)
        allowed = self._senders.get(key)
        if allowed is None:
            allowed = await self._store.read.directory.may_send_as(*key)
            _remember(self._senders, key, allowed)
        return allowed


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    """Keeps an entry; the oldest leaves a full memory."""
    if len(kept) >= USERS_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


def _standing(user: UserRow) -> Verdict:
    if user.disabled:
        return Verdict.DISABLED
    if user.password_expired:
        return Verdict.PASSWORD_EXPIRED
    if user.blocked:
        return Verdict.BLOCKED
    if not user.activated:
        return Verdict.NOT_ACTIVATED
    return Verdict.OK
