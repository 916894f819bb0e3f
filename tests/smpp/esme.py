"""A customer's program of our own: the session's other side over a real socket, scripted by the test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rejoinder.smpp import pdu as p
from rejoinder.smpp.events import Answered, Ended, Requested
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side

SECRET = "secret3"
BINDS = {"trx": p.BindTransceiver, "tx": p.BindTransmitter, "rx": p.BindReceiver}
Judge = Callable[[p.DeliverSm], int | None]
"""The status a deliver_sm is answered with; None: it stays without an answer."""


def acknowledge(_pdu: p.DeliverSm) -> int | None:
    return 0


@dataclass(eq=False)
class Esme:
    """One connection. `delivered`: every deliver_sm that came, answered or not; `judge` decides how."""

    port: int
    judge: Judge = acknowledge
    window: int = 1000
    tls: Any = None
    delivered: list[p.DeliverSm] = field(default_factory=list)
    ended: str = ""

    async def __aenter__(self) -> Esme:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)
        self.session = Session(Side.ESME, time.monotonic(), window=self.window)
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.writer.close()
        # A transport is closed in the loop's next round, and one with TLS after a word of the peer's.
        await asyncio.sleep(0)
        if self.tls is not None:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await self.writer.wait_closed()

    async def bind(
        self, system_id: str = "shop", password: str = SECRET, kind: str = "trx", version: int = 0x34
    ) -> int:
        """Binds; gives back the status."""
        pdu = BINDS[kind](system_id, password, interface_version=version)
        return (await self.ask(pdu)).status

    async def ask(self, pdu: p.Pdu) -> Answered:
        """Sends a request and waits for its answer."""
        return await self.put(pdu)

    def put(self, pdu: p.Pdu) -> asyncio.Future[Answered]:
        """Sends a request; the future is its answer."""
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.session.send_request(pdu, time.monotonic(), future)
        self._flush()
        return future

    async def submit(self, text: str = "Hello mommy", to: str = "61255588885", **more: Any) -> Answered:
        """A submit_sm in the GSM alphabet."""
        fields = {"source_addr": "61500079987", "short_message": text.encode(), **more}
        return await self.ask(p.SubmitSm(destination_addr=to, **fields))

    async def until(self, reached: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until something that came makes `reached` true."""
        async with asyncio.timeout(seconds):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    async def _read(self) -> None:
        while data := await self.reader.read(65_536):
            for event in self.session.receive(data, time.monotonic()):
                if isinstance(event, Answered):
                    if not event.context.done():
                        event.context.set_result(event)
                elif isinstance(event, Requested):
                    self._take(event)
                elif isinstance(event, Ended):
                    self.ended = event.reason
            self._flush()
            self._changed.set()
        self.ended = self.ended or "closed"
        for context in self.session.contexts():
            if not context.done():
                context.set_exception(ConnectionResetError())
        self._changed.set()

    def _take(self, event: Requested) -> None:
        assert isinstance(event.pdu, p.DeliverSm)
        self.delivered.append(event.pdu)
        status = self.judge(event.pdu)
        if status is not None:
            self.session.respond(event.sequence, p.DeliverSmResp(), status)

    def _flush(self) -> None:
        self.writer.write(self.session.bytes_to_send())
