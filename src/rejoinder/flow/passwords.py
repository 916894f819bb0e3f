"""Passwords as argon2id hashes: 19 MiB, two passes, one lane (24 ms of one core).

Slow on purpose: run it in a thread where anybody else waits. Refuses nothing; whether a password is one is
decided where it is given.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
# What nobody's password is: checking one against it takes as long as against a user's. Salt and hash are zeros.
NOBODYS_HASH = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"


@cache
def _hasher() -> PasswordHasher:
    # Imported late: most commands of the command line hash nothing and should start fast.
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_password(password: str) -> str:
    """The hash to be stored, with its own salt and parameters ("$argon2id$…")."""
    return _hasher().hash(password)


def verify_password(stored: str, password: str) -> bool:
    """Whether `password` is the one that was hashed. False also for what is no hash at all."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
