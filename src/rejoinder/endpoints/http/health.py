"""What operators and their machines ask: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from prometheus_client import generate_latest

from rejoinder.clock import Clock
from rejoinder.endpoints.http.responses import Response, encode
from rejoinder.endpoints.http.server import RawOperation, Request
from rejoinder.errors import StoreUnavailable
from rejoinder.flow.ports import PushCounts, Store
from rejoinder.flow.setup import Setup
from rejoinder.observe import CARRIER_UP, PUSH_BREAKERS, PUSHES_QUEUED, QUEUE, REGISTRY, TASKS

# Load balancers ask with either.
_ASKED = ("GET", "HEAD")

States = Callable[[], Mapping[int, str]]


class HealthCalls:
    """`states` gives each running carrier's word by its id."""

    def __init__(self, store: Store, setup: Setup, clock: Clock, states: States) -> None:
        self._store = store
        self._clock = clock
        self._setup = setup
        self._states = states

    def operations(self) -> list[RawOperation]:
        return [
            RawOperation("/healthz", self.alive, _ASKED),
            RawOperation("/readyz", self.ready, _ASKED),
            RawOperation("/metrics", self.metrics),
        ]

    async def alive(self, _request: Request) -> Response:
        """200 while the process answers at all."""
        return Response(encode({"status": "ok"}))

    async def ready(self, _request: Request) -> Response:
        """200 when database and migrations are right. Carriers stand in the body and don't change it."""
        carriers = {
            row.name: self._states().get(row.id, "not started") for row in self._setup.carriers.values()
        }
        try:
            await self._store.check()
        except StoreUnavailable as error:
            return Response(
                encode({"status": "not ready", "database": error.sentence, "carriers": carriers}), 503
            )
        return Response(encode({"status": "ready", "database": "ok", "carriers": carriers}))

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format; the queue's lengths are counted when asked for."""
        states = self._states()
        try:
            lengths = await self._store.read.outbox.lengths()
            pushes = await self._store.read.pushes.counts(self._clock.wall_us())
        except StoreUnavailable:
            lengths, pushes = {}, PushCounts(0, 0, 0, 0)
        for row in self._setup.carriers.values():
            QUEUE.labels(row.name).set(lengths.get(row.id, 0))
            CARRIER_UP.labels(row.name).set(1 if states.get(row.id) == "up" else 0)
        for state, count in (
            ("waiting", pushes.waiting),
            ("parked", pushes.parked),
            ("pulled", pushes.pulled),
        ):
            PUSHES_QUEUED.labels(state).set(count)
        PUSH_BREAKERS.set(pushes.open_breakers)
        TASKS.set(len(asyncio.all_tasks()))
        return Response(generate_latest(REGISTRY), content_type=b"text/plain; version=0.0.4; charset=utf-8")
