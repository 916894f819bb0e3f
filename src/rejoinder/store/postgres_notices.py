"""What other processes store in boxes, heard over LISTEN and NOTIFY, so that polls that wait here are woken (§13).

Refuses to be relied on: a notice may be lost with its connection. Whenever one was, or may have been, any box may
have changed; a look every few seconds tells whether the connection still lives.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from typing import Any

import asyncpg

from rejoinder.store.postgres_hosts import connect
from rejoinder.store.postgres_session import AWAY
from rejoinder.waits import woken

CHANNEL = "rejoinder_boxes"
SEND = f"SELECT pg_notify('{CHANNEL}', $1)"
# PostgreSQL's limit for a notice is 8,000 bytes.
_LONGEST = 7_900
LOOK_SECONDS = 5.0
AGAIN_SECONDS = 0.5


class Notices:
    """One process's ear. `heard`: boxes that got entries elsewhere; None: any may have."""

    def __init__(self, url: str, heard: Callable[[Collection[int] | None], None]) -> None:
        self._url = url
        self._heard = heard
        # Our own notices come back to us; they were told at the commit.
        self._name = secrets.token_hex(4)
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def of(self, boxes: Collection[int]) -> str:
        """What is sent of boxes that got entries."""
        text = f"{self._name}:{','.join(map(str, boxes))}"
        return text if len(text) < _LONGEST else f"{self._name}:"

    def start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self) -> None:
        while True:
            try:
                await self._one_connection()
            except (*AWAY, asyncpg.PostgresError):
                await asyncio.sleep(AGAIN_SECONDS)

    async def _one_connection(self) -> None:
        connection = await connect(self._url, timeout=10, server_settings={"application_name": "rejoinder"})
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        try:
            await connection.add_listener(CHANNEL, self._take)
            self._heard(None)
            while not self._lost.is_set():
                await connection.fetchval("SELECT 1", timeout=LOOK_SECONDS)
                await woken(self._lost, LOOK_SECONDS)
        finally:
            connection.terminate()

    def _take(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        name, _, boxes = str(payload).partition(":")
        if name != self._name:
            self._heard([int(box) for box in boxes.split(",")] if boxes else None)
