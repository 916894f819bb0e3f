"""Whether a password is the stored one, asked on every call and every bind.

Refuses to keep a password: a verified one is remembered for five minutes as a keyed hash, and forgotten with any
change of the stored one. At most two argon2 computations run at once; each takes 19 MiB. An unknown name costs one
as well (`in_vain`), so that the time of an answer doesn't tell which names exist.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rejoinder.clock import Clock
from rejoinder.errors import Overloaded
from rejoinder.flow.passwords import NOBODYS_HASH, hash_password, verify_password
from rejoinder.flow.remembered import remember

REMEMBERED_SECONDS = 300.0
# Six seconds of work for the two threads: who comes on top of that is told to try again.
MOST_WAITING = 500


@dataclass(frozen=True, slots=True)
class _Remembered:
    stored: str
    digest: bytes
    until: float


class PasswordChecks:
    """Checks passwords in threads and remembers those that were right. `whose` is any key of an account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._verified: dict[Hashable, _Remembered] = {}
        self._verifying: dict[tuple[Hashable, bytes], asyncio.Task[bool]] = {}
        self._hashing = 0
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def remembers(self, whose: Hashable, stored: str, password: str) -> bool:
        """Whether this password was found right lately, from memory alone."""
        return self._knows(whose, stored, self.digest(password))

    def remembered_until(self, whose: Hashable) -> float:
        """Until when (monotonic) an account's password is taken from memory."""
        known = self._verified.get(whose)
        return 0.0 if known is None else known.until

    async def matches(self, whose: Hashable, stored: str, password: str) -> bool:
        """Whether this is the password that `stored` was made from. Raises Overloaded."""
        digest = self.digest(password)
        if self._knows(whose, stored, digest):
            return True
        if not await self._verify_once(whose, stored, password, digest):
            return False
        until = self._clock.monotonic() + REMEMBERED_SECONDS
        remember(self._verified, whose, _Remembered(stored, digest, until))
        return True

    async def in_vain(self, password: str, stored: str = NOBODYS_HASH) -> None:
        """Takes as long as a check and tells nothing: for names that don't exist, or may not log in from there."""
        await self._verify_once(None, stored, password, self.digest(password))

    async def hashed(self, password: str) -> str:
        """What is stored of a new password. Raises Overloaded."""
        if self._hashing >= MOST_WAITING:
            raise Overloaded("too many passwords wait to be hashed")
        self._hashing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, password)
        finally:
            self._hashing -= 1

    def digest(self, password: str) -> bytes:
        """What stands for a password in memory; the key dies with the process."""
        return hashlib.blake2b(password.encode(), key=self._key, digest_size=16).digest()

    def _knows(self, whose: Hashable, stored: str, digest: bytes) -> bool:
        known = self._verified.get(whose)
        return (
            known is not None
            and known.stored == stored
            and self._clock.monotonic() < known.until
            and hmac.compare_digest(known.digest, digest)
        )

    async def _verify_once(self, whose: Hashable, stored: str, password: str, digest: bytes) -> bool:
        """Callers who bring the same password at the same time wait for one computation."""
        key = (whose, digest + stored.encode())
        running = self._verifying.get(key)
        if running is None:
            if len(self._verifying) >= MOST_WAITING:
                raise Overloaded("too many passwords wait to be checked")
            running = asyncio.create_task(self._in_thread(stored, password))
            self._verifying[key] = running
            running.add_done_callback(lambda _: self._verifying.pop(key, None))
        return await asyncio.shield(running)

    async def _in_thread(self, stored: str, password: str) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, verify_password, stored, password
        )
