"""What other processes store in boxes, heard over LISTEN and NOTIFY, so that polls that wait here are woken (§13).

Refuses to be relied on: a notice may be lost with its connection, or with the process that was about to send it. Whenever
one was lost on its way, or may have been, any box may have changed; a look every few seconds tells whether the connection
still lives. Notices are sent after the commits they tell of, many in one: PostgreSQL lets no two transactions commit at
once that notify.
"""

from __future__ import annotations

import asyncio
import contextlib
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
# Between two notices: what is stored meanwhile goes with the next.
GATHER_SECONDS = 0.02
# More boxes than a notice can name: any may have changed.
_MOST = 1_000


class Notices:
    """One process's ear and mouth. `heard`: boxes that got entries elsewhere; None: any may have."""

    def __init__(self, url: str, heard: Callable[[Collection[int] | None], None]) -> None:
        self._url = url
        self._heard = heard
        # Our own notices come back to us; they were told at the commit.
        self._name = secrets.token_hex(4)
        self._untold: set[int] = set()
        self._wake = asyncio.Event()
        self._lost = False
        self._task: asyncio.Task[None] | None = None

    async def tell(self, boxes: Collection[int], connection: Any) -> None:
        """Boxes that got entries just now. Without a task of its own (a command's process) it is said on `connection`."""
        if self._task is None:
            with contextlib.suppress(*AWAY):
                await connection.fetch(SEND, self._text(boxes))
        elif len(self._untold) <= _MOST:
            self._untold.update(boxes)
            self._wake.set()

    def _text(self, boxes: Collection[int]) -> str:
        text = f"{self._name}:{','.join(map(str, boxes))}"
        return text if len(boxes) <= _MOST and len(text) < _LONGEST else f"{self._name}:"

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await self._one_connection()
            except (*AWAY, asyncpg.PostgresError):
                await asyncio.sleep(AGAIN_SECONDS)

    async def _one_connection(self) -> None:
        connection = await connect(self._url, timeout=10, server_settings={"application_name": "rejoinder"})
        self._lost = False
        connection.add_termination_listener(lambda _: self._end())
        try:
            await connection.add_listener(CHANNEL, self._take)
            self._heard(None)
            while not self._lost:
                await self._say(connection)
                if not await woken(self._wake, LOOK_SECONDS):
                    await connection.fetchval("SELECT 1", timeout=LOOK_SECONDS)
        finally:
            connection.terminate()

    def _end(self) -> None:
        self._lost = True
        self._wake.set()

    async def _say(self, connection: Any) -> None:
        """What was stored since the last notice; what could not be said is said on the next connection."""
        self._wake.clear()
        boxes, self._untold = self._untold, set()
        if not boxes:
            return
        try:
            await connection.fetch(SEND, self._text(boxes), timeout=LOOK_SECONDS)
        except BaseException:
            self._untold |= boxes
            raise
        await asyncio.sleep(GATHER_SECONDS)

    def _take(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        name, _, boxes = str(payload).partition(":")
        if name != self._name:
            self._heard([int(box) for box in boxes.split(",")] if boxes else None)
