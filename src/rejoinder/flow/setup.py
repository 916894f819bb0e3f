"""What the operator has set up, as the journeys see it: pool, routes, carriers; at most a second old.

Refuses to hold what grows with the number of accounts: users are looked up when they call (accounts.py).
"""

from __future__ import annotations

from collections.abc import Callable

from rejoinder.flow.health import Health
from rejoinder.flow.ports import CarrierRow, Store
from rejoinder.flow.route import RoutingTable


class Setup:
    """Pool, routes and carriers, with listeners who are told of changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = (-1, -1)
        self._listeners: list[Callable[[], None]] = []
        self._clock_listeners: list[Callable[[], None]] = []
        # Not set up by anybody: what the lanes know of their carriers, kept where the journeys look for routes.
        self.health = Health()
        self.pool: tuple[str, ...] = ()
        self.routes = RoutingTable(())
        # Carriers that send one receipt for all parts of a message.
        self.speak_once: frozenset[int] = frozenset()
        # Whether any handset has ever opted out of anything: while none has, nobody asks.
        self.opt_outs = False
        # Whether any reseller has rates: while none has, nobody reads them.
        self.rated = False
        self.carriers: dict[int, CarrierRow] = {}
        self.carriers_by_name: dict[str, CarrierRow] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """The listener is called after every change, also of accounts."""
        self._listeners.append(listener)

    def on_clock_accepted(self, listener: Callable[[], None]) -> None:
        """The listener is called after `rejoinder clock accept`."""
        self._clock_listeners.append(listener)

    async def refresh(self) -> bool:
        """Looks whether anything changed, and if so reads it and tells the listeners."""
        seen = await self._store.read.directory.version()
        if seen == self._seen:
            return False
        directory = self._store.read.directory
        self.pool = tuple(await directory.pool())
        self.routes = RoutingTable(await directory.routes())
        self.opt_outs = self.opt_outs or await self._store.read.opt_outs.any_standing()
        self.rated = await self._store.read.rates.any()
        self.carriers = {row.id: row for row in await directory.carriers()}
        self.carriers_by_name = {row.name: row for row in self.carriers.values()}
        self.speak_once = frozenset(
            row.id for row in self.carriers.values() if row.settings.get("receipts_per") == "message"
        )
        accepted = self._seen[1] not in (-1, seen[1])
        self._seen = seen
        for listener in self._listeners:
            listener()
        if accepted:
            for listener in self._clock_listeners:
                listener()
        return True
