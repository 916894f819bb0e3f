"""SMPP carriers for tests that need one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rejoinder.carriers import smpp_client
from rejoinder.carriers.registry import make
from rejoinder.carriers.smpp_client import SmppCarrier
from rejoinder.clock import Clock, SystemClock
from rejoinder.flow.ports import CarrierRow
from tests.carrier_events import Collected
from tests.smpp_carriers import Build
from tests.smsc import Smsc


@pytest.fixture
async def carriers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Build]:
    """Makes carriers to a centre, and stops them all in the end. Links that broke are made anew without a pause."""
    monkeypatch.setattr(smpp_client, "FIRST_SECONDS", 0.001)
    made: list[SmppCarrier] = []

    def build(
        smsc: Smsc, events: Collected | None = None, clock: Clock | None = None, **settings: str
    ) -> SmppCarrier:
        given = {"host": "127.0.0.1", "port": str(smsc.port), "system_id": "we", "password": "secret"}
        carrier = make(
            CarrierRow(5, "c", "smpp", given | settings), events or Collected(), clock or SystemClock()
        )
        assert isinstance(carrier, SmppCarrier)
        made.append(carrier)
        return carrier

    yield build
    for carrier in made:
        await carrier.stop()
    # A TLS connection that is given up in its handshake says good-bye over some turns of the loop.
    for _ in range(100):
        await asyncio.sleep(0)
