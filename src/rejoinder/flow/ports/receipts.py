"""Carriers' ids, and receipts that wait for theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from rejoinder.message.model import Receipt


class KnownRef(msgspec.Struct, frozen=True, gc=False):
    """A part that a carrier's id may mean, how it stands, and the handset its message went to."""

    key: str
    ref: str
    mt_id: str
    number: int
    status: int
    recipient: str


class KeptReceipt(msgspec.Struct, frozen=True, gc=False):
    """A receipt that waits for its part."""

    id: int
    key: str
    ref: str
    status: int
    sender: str | None = None
    recipient: str | None = None


class Receipts(Protocol):
    """Carriers' ids and receipts that wait for theirs."""

    async def lock_carriers(self, carrier_ids: Collection[int]) -> None:
        """Serialises "store an id, look for its receipt" with "look for an id, keep the receipt"."""

    async def by_ref(self, carrier_id: int, keys: Collection[str]) -> list[KnownRef]:
        """The parts under these folded ids, the newest message's first."""

    async def keep(self, rows: Sequence[tuple[Receipt, str]]) -> None: ...

    async def kept(self, carrier_id: int, keys: Collection[str]) -> list[KeptReceipt]: ...

    async def kept_to(self, carrier_id: int, recipient: str, since: int) -> list[KeptReceipt]: ...

    async def drop(self, ids: Collection[int]) -> None: ...

    async def forget(self, before: int, most: int) -> int: ...
