"""MOs on their way to a mailbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from rejoinder.message.model import InboundPart, Mo


class ParkedMo(msgspec.Struct, frozen=True, gc=False):
    """An MO that nobody could take, with the reason."""

    id: str
    mo: Mo
    reason: str


class KeptPart(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a part of a long MO: see `InboundPart`."""

    text: str
    octets: str
    alphabet: str
    received_at: int


class Unconfirmed(msgspec.Struct, frozen=True, gc=False):
    """An MO that is stored, while its carrier is not known to have read our answer: over which of its links it came,
    as the how-manieth, and a digest of all of it.
    """

    carrier_id: int
    link: int
    number: int
    digest: int


class Inbound(Protocol):
    """MOs on their way to a mailbox."""

    async def note_seen(self, rows: Sequence[tuple[int, str, int]]) -> set[tuple[int, str]]:
        """(carrier, id, at): remembers them, gives back those that are new."""

    async def forget_seen(self, before: int, most: int) -> int: ...

    async def note_unconfirmed(self, rows: Sequence[tuple[Unconfirmed, int]]) -> set[tuple[int, int, int]]:
        """Each with the time of its arrival; gives back (carrier, link, number) of those that were not noted yet."""

    async def lose(self, carrier_id: int, links: Collection[int] | None) -> None:
        """These links of a carrier are no more; None: all that there ever were."""

    async def lost(self, contents: Collection[tuple[int, int]]) -> list[Unconfirmed]:
        """What lost links have brought of a (carrier, digest), the oldest first."""

    async def take_lost(self, rows: Sequence[Unconfirmed]) -> set[tuple[int, int, int]]:
        """Takes out; gives back (carrier, link, number) of those that were still there."""

    async def confirm(self, carrier_id: int, link: int, upto: int) -> None:
        """The carrier has read our answers to that link's deliveries, up to this number."""

    async def forget_unconfirmed(self, before: int, most: int) -> int:
        """Of both: gives back the greater number, `most` where there may be more."""

    async def lock_long(self, parts: Sequence[InboundPart]) -> None:
        """Nobody else joins or releases the long MOs of these parts meanwhile; before all other locks."""

    async def keep_part(self, part: InboundPart) -> None: ...

    async def kept_parts(self, part: InboundPart) -> dict[int, KeptPart]:
        """By number, what is here of the long MO this part belongs to."""

    async def drop_parts(self, part: InboundPart) -> None: ...

    async def stale(self, before: int, most: int) -> list[InboundPart]: ...

    async def bring_forward(self, ahead: int, now: int, most: int) -> int:
        """Parts that came later than `ahead` came now; says how many."""

    async def park(self, parked: Sequence[ParkedMo]) -> None: ...

    async def parked(self, after: str, most: int) -> list[ParkedMo]: ...

    async def take_parked(self, parked_id: str) -> ParkedMo | None: ...
