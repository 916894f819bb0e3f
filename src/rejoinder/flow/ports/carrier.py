"""Links to networks, and where they hand in what comes from there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from rejoinder.message.model import InboundPart, Outcome, Outgoing, Receipt


class CarrierEvents(Protocol):
    """Where carriers hand in what comes from networks. Returns after it is on disk."""

    async def receipt(self, receipt: Receipt) -> None: ...

    async def inbound(self, part: InboundPart) -> None: ...

    async def confirmed(self, carrier_id: int, link: int, upto: int) -> None:
        """The carrier is known to have read our answers to what this link brought, up to that number (`Brought`)."""

    async def lost(self, carrier_id: int, links: Collection[int] | None) -> None:
        """These links are no more, and all they brought is stored; None: all that there ever were."""


class Carrier(Protocol):
    """A link to a network. `whole`: it takes long texts in one piece, as part number 0."""

    whole: bool
    window: int

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Hands over the parts named in `message.numbers`; one outcome each. Never raises for a network's fault."""

    def state(self) -> str:
        """A word for the operator: up, down, or what is wrong."""

    def ready(self) -> bool:
        """Whether a message could leave now; until then nothing is claimed for it."""

    def last_error(self) -> str:
        """What went wrong last, in words without secrets; empty when nothing did."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...
