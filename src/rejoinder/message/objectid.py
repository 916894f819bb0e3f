"""Ids as the API shows them: ObjectIds of 24 lower-case hex digits whose first 4 bytes are a timestamp.

A message's is made here, with its timestamp; a customer's or user's is written from the second in which it was made
and its number in the store. Refuses timestamps that do not fit 32 bits and, when reading, anything that is not such
an id. Source: contract §1 "ids".
"""

from __future__ import annotations

import itertools
import re
import secrets

_OBJECT_ID = re.compile("[0-9a-f]{24}")
_MAX_TIMESTAMP = 2**32 - 1
_MAX_UNIQUE = 2**64 - 1


class ObjectIds:
    """A source of ids: the timestamp, then one 64-bit integer that counts up by one for each id.

    The integer starts as 5 random bytes and 3 random counter bytes, the top bit 0. A carry out of the counter
    runs into the random bytes, so that ids of one second from one source always sort in the order they were
    made; from the random start it takes at least 2**63 ids to wrap. One source belongs to one process: a fork
    would repeat ids.
    """

    __slots__ = ("_next",)

    def __init__(self, unique: int | None = None) -> None:
        """`unique` (0 to 2**64 - 1) is the integer of the first id; without it a random one. ValueError
        outside.
        """
        if unique is None:
            unique = secrets.randbits(63)
        if not 0 <= unique <= _MAX_UNIQUE:
            raise ValueError(f"unique must be 0 to 2**64 - 1, not {unique}")
        # itertools.count steps atomically under the interpreter's lock: two threads never get the same id.
        self._next = itertools.count(unique)

    def make(self, timestamp: int) -> str:
        """The next id, for a message of `timestamp` (Unix seconds, 0 to 2**32 - 1, else ValueError)."""
        if not 0 <= timestamp <= _MAX_TIMESTAMP:
            raise ValueError(f"timestamp must be 0 to 2**32 - 1, not {timestamp}")
        return f"{timestamp:08x}{next(self._next) & _MAX_UNIQUE:016x}"


def of_account(made: int, number: int) -> str:
    """The id of a customer or user: when it was made (Unix seconds), then its number (0 to 2**64 - 1)."""
    return f"{made:08x}{number:016x}"


def account_number(object_id: str) -> int:
    """The number inside such an id. ValueError when it is none."""
    if not is_object_id(object_id):
        raise ValueError("not an id of 24 lower-case hex digits")
    return int(object_id[8:], 16)


def timestamp_of(object_id: str) -> int:
    """The Unix second inside an id. ValueError when it is not one."""
    if not is_object_id(object_id):
        raise ValueError("not an id of 24 lower-case hex digits")
    return int(object_id[:8], 16)


def is_object_id(value: str) -> bool:
    """Whether `value` is written as ids are: exactly 24 lower-case hex digits."""
    return _OBJECT_ID.fullmatch(value) is not None
