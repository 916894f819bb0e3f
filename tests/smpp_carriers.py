"""Steps that tests of SMPP carriers share: until one is up, until something holds, what became of parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rejoinder.carriers.smpp_client import SmppCarrier
from rejoinder.message.model import Fate, Outcome

Build = Callable[..., SmppCarrier]


async def up(carrier: SmppCarrier) -> SmppCarrier:
    await carrier.start()
    return await ready(carrier)


async def ready(carrier: SmppCarrier) -> SmppCarrier:
    await until(carrier.ready)
    return carrier


async def until(holds: Callable[[], object]) -> None:
    """Waits for what happens on real sockets."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the carrier has no event for tests
            await asyncio.sleep(0.001)


def fates(outcomes: list[Outcome]) -> list[Fate]:
    return [outcome.fate for outcome in outcomes]
