"""A `CarrierEvents` of our own for tests: keeps what carriers hand in, and refuses it as long as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from rejoinder.message.model import InboundPart, Outgoing, Receipt


class Collected:
    """What came in, in order. `refuse`: errors to raise first; `hold`: an event to wait for before each."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.inbounds: list[InboundPart] = []
        self.losses: list[set[int] | None] = []
        self.confirmations: list[tuple[int, int]] = []
        self.order: list[Receipt | InboundPart] = []
        self.refuse: list[Exception] = []
        self.hold: asyncio.Event | None = None
        self.at_once = 0
        self.most_at_once = 0
        self._changed = asyncio.Event()

    async def receipt(self, receipt: Receipt) -> None:
        await self._take()
        self.receipts.append(receipt)
        self._note(receipt)

    async def inbound(self, part: InboundPart) -> None:
        await self._take()
        self.inbounds.append(part)
        self._note(part)

    async def confirmed(self, carrier_id: int, link: int, upto: int) -> None:
        self.confirmations.append((link, upto))
        self._changed.set()

    async def lost(self, carrier_id: int, links: Collection[int] | None) -> None:
        self.losses.append(links if links is None else set(links))

    async def _take(self) -> None:
        if self.refuse:
            raise self.refuse.pop(0)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.at_once -= 1

    def _note(self, item: Receipt | InboundPart) -> None:
        self.order.append(item)
        self._changed.set()

    async def until(self, reached: Callable[[Collected], bool]) -> None:
        """Waits until what came in makes `reached` true."""
        async with asyncio.timeout(10):
            while not reached(self):
                self._changed.clear()
                await self._changed.wait()


def outgoing(
    number: int = 1,
    *,
    recipient: str = "61455555555",
    sender: str = "61400000000",
    text: str = "See you at 5?",
    parts: int = 1,
    numbers: tuple[int, ...] = (1,),
    possible_duplicate: bool = False,
    alphabet: str = "gsm",
    udh: str = "",
    valid_until: int = 2_000_000_000_000_000,
) -> Outgoing:
    """A message as the dispatcher hands it to a carrier; `number` makes its id."""
    return Outgoing(
        id=f"{0x517509FE:08x}{number:016x}",
        recipient=recipient,
        sender=sender,
        text=text,
        alphabet=alphabet,
        udh=udh,
        parts=parts,
        numbers=numbers,
        valid_until=valid_until,
        possible_duplicate=possible_duplicate,
    )
