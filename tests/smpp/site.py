"""A message centre that customers bind to: real sockets in the test's own event loop, a clock that stands still.

No carrier's worker runs: what networks do, a test does itself through `site.centre`.
"""

from __future__ import annotations

from typing import Any

from rejoinder.clock import ManualClock
from rejoinder.endpoints.listen import listen
from rejoinder.flow.operator import smpp
from rejoinder.flow.operator.accounts import changing
from rejoinder.flow.passwords import hash_password
from rejoinder.flow.ports import UserRow
from rejoinder.store import open_store
from tests.centre import START
from tests.http.site import ServedCentre
from tests.smpp.esme import SECRET, Esme, Judge, acknowledge

SECRET_HASH = hash_password(SECRET)
NUMBER = "61500079987"
HANDSET = "61255588885"


class SmppSite:
    """One server; `port` is where it listens."""

    centre: ServedCentre

    def __init__(self, url: str, tls: Any = None, **settings: object) -> None:
        self._url = url
        self._tls = tls
        self._settings = settings
        self.carrier_id = 0

    async def __aenter__(self) -> SmppSite:
        clock = ManualClock(START)
        store = await open_store(self._url, clock, serving=True)
        self.centre = ServedCentre(store, clock, settings=self._settings)
        self.service = self.centre.service
        self.clock = clock
        await self.centre.setup.refresh()
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        await self.service.smpp.start(listener, self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.service.stop()

    async def shop(self, username: str = "anna@shop", system_id: str = "shop", **account: object) -> UserRow:
        """A user with an own number who may bind with SECRET, and a carrier for everything."""
        if not self.carrier_id:
            self.carrier_id = await self.centre.carrier()
        user = await self.centre.account(username, customer=username.partition("@")[2] + username[:1])
        await self.account(username, system_id=system_id, password_hash=SECRET_HASH, **account)
        return user

    async def account(self, username: str = "anna@shop", **columns: object) -> None:
        """Makes or changes an SMPP account, as the operator does."""
        await changing(self.centre.store, lambda tx: smpp.put_account(tx, username, columns))
        await self.centre.setup.refresh()

    async def number(self, user: UserRow, number: str = NUMBER) -> None:
        await self.centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", number, user.id)
        await self.centre.changed()

    def esme(self, judge: Judge = acknowledge, **more: Any) -> Esme:
        return Esme(self.port, judge, **more)

    def look(self) -> None:
        """Every connection's timer rings now, as after `clock.pass_seconds`."""
        for connection in self.service.smpp.binds.connections():
            connection.look()
