"""Who wrote to which handset from which number (contract §11), and client references."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec


class Pair(msgspec.Struct, frozen=True, gc=False):
    """The latest message from a number to a handset; `reply_to`: where else its reply goes."""

    handset: str
    number: str
    user_id: int
    mt_id: str
    conversation: bool
    used_at: int
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class MoPush:
    """Which MO push settings there are, of those that may count; `smpp`: the user has an SMPP account."""

    user: bool = False
    customer: bool = False
    number: bool = False
    smpp: bool = False


NO_MO_PUSH = MoPush()


@dataclass(frozen=True, slots=True)
class Match:
    """What a reply on a pair answers; `push`: the settings of its user and that one's customer."""

    user_id: int
    customer_id: int
    mt_id: str
    reply_to: str | None
    push: MoPush = NO_MO_PUSH


@dataclass(frozen=True, slots=True)
class NumberOwner:
    """Whose a number is; neither customer nor user: the reply pool's. `inbox` takes unprovoked MOs.

    `taker_customer_id` is the customer of the user who takes them, `push` their settings and the number's own.
    """

    customer_id: int | None
    user_id: int | None
    inbox_user_id: int | None
    taker_customer_id: int | None = None
    push: MoPush = NO_MO_PUSH


class Earlier(msgspec.Struct, frozen=True, gc=False):
    """A message sent before under the same clientRef."""

    mt_id: str
    digest: str
    recipient: str
    status: int


class Replies(Protocol):
    """Who wrote to which handset from which number (contract §11), and client references."""

    async def lock_handsets(self, handsets: Collection[str]) -> None:
        """Serialises the choice of pool numbers for these handsets."""

    async def pairs(self, handsets: Collection[str]) -> list[Pair]: ...

    async def conversations(self, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """(user_id, handset) -> number."""

    async def put(self, pairs: Sequence[Pair], talks: Sequence[Pair]) -> None:
        """Pairs written on, and conversations (with their latest message)."""

    async def matches(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Match]: ...

    async def owners(self, numbers: Collection[str]) -> dict[str, NumberOwner]: ...

    async def references(
        self, keys: Collection[tuple[int, str]], since: int
    ) -> dict[tuple[int, str], Earlier]: ...

    async def put_references(self, rows: Sequence[tuple[int, str, str, str]], at: int) -> None:
        """(user_id, reference, mt_id, digest)."""

    async def forget_references(self, before: int, most: int) -> int: ...

    async def forget_pairs(self, before: int, most: int) -> int: ...

    async def forget_conversations(self, before: int, most: int) -> int: ...
