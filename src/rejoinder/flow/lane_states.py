"""How carriers stand, told to those who ask: the metrics, and a row a carrier for the command line.

Written by the process that serves, once a second where something changed and every five seconds where nothing did.
Refuses nothing; a store that is away is tried again in a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rejoinder.clock import Clock
from rejoinder.errors import RejoinderError
from rejoinder.flow.dispatch import CarrierLane
from rejoinder.flow.ports import CarrierState, Store
from rejoinder.observe import CARRIER_INFO, CARRIER_RATE, CARRIER_UNDER_WAY, CARRIER_WINDOW, log

LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0


class LaneStates:
    """Looks at the lanes of this process."""

    def __init__(self, store: Store, clock: Clock, lanes: Mapping[int, CarrierLane]) -> None:
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._taken: dict[int, tuple[int, float]] = {}
        self._written: dict[int, tuple[CarrierState, float]] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self, word: str | None = None) -> None:
        """One look; `word` says instead of the carriers how they stand: at the end."""
        now = self._clock.monotonic()
        states = [self._state(lane, now, word) for lane in self._lanes.values()]
        CARRIER_INFO.clear()
        for lane, state in zip(self._lanes.values(), states, strict=True):
            name = lane.row.name
            CARRIER_INFO.labels(name, state.state, state.last_error).set(1)
            CARRIER_WINDOW.labels(name).set(state.window)
            CARRIER_UNDER_WAY.labels(name).set(state.in_flight)
            CARRIER_RATE.labels(name).set(state.rate)
        due = [state for state in states if self._is_due(state, now)]
        if not due:
            return
        try:
            await self._store.write(lambda tx: tx.directory.put_states(due, self._clock.wall_us()))
        except RejoinderError as error:
            log.warning("carrier_states_wait", sentence=error.sentence)
            return
        self._written.update((state.carrier_id, (state, now)) for state in due)

    def _is_due(self, state: CarrierState, now: float) -> bool:
        written = self._written.get(state.carrier_id)
        return written is None or written[0] != state or now - written[1] >= HEARTBEAT_SECONDS

    def _state(self, lane: CarrierLane, now: float, word: str | None) -> CarrierState:
        before, at = self._taken.get(lane.row.id, (lane.taken, now))
        self._taken[lane.row.id] = (lane.taken, now)
        return CarrierState(
            carrier_id=lane.row.id,
            state=word or lane.carrier.state(),
            window=lane.window(),
            in_flight=lane.under_way(),
            rate=round((lane.taken - before) / (now - at), 1) if now > at else 0.0,
            last_error=lane.carrier.last_error(),
        )
