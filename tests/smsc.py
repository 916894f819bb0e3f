"""A scripted SMPP centre for tests, on our own session: what it answers, delivers and breaks is the test's to say.

`async with Smsc() as smsc:` listens on a port of the system's choice. Without a script every submit is accepted under
ids counted from 1 with a letter before them.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

from rejoinder.smpp.constants import CommandStatus, Tag
from rejoinder.smpp.events import Answered, Ended, Event, Requested
from rejoinder.smpp.pdu import Bind, BindTransmitter, DataSm, DeliverSm, Pdu, SubmitSm
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.window import Timers

# A status, a message id, or None for silence.
Answer = int | str | None


class Smsc:
    """The centre. `answer` judges a submit; `bind_status` every bind; `mute`: nothing is ever said."""

    def __init__(
        self,
        answer: Callable[[SubmitSm], Answer] | None = None,
        *,
        bind_status: int = 0,
        mute: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._ids = itertools.count(1)
        self.answer = answer or (lambda _: f"m{next(self._ids)}")
        self.bind_status = bind_status
        self.mute = mute
        self.version: int | None = None
        """What it says that it speaks."""
        self.submits: list[SubmitSm] = []
        self.binds: list[Bind] = []
        self.links: list[SmscLink] = []
        self.made = 0
        """Connections since the start."""
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def listen(self) -> None:
        """Begins to take connections, on the same port when it did before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SmscLink(self), "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Takes no more connections and cuts those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Breaks every connection off without a word."""
        for link in list(self.links):
            link.abort()

    async def until(self, reached: Callable[[Smsc], bool]) -> None:
        """Waits until what happened makes `reached` true."""
        async with asyncio.timeout(10):
            while not reached(self):
                self._changed.clear()
                await self._changed.wait()

    def changed(self) -> None:
        self._changed.set()

    async def deliver(self, pdu: DeliverSm | DataSm) -> int:
        """Delivers on the first link that may receive; gives the status that the client answers with."""
        link = next(link for link in self.links if link.receives)
        return await link.request(pdu)

    async def receipt(self, ref: str, word: str = "DELIVRD", **more: object) -> int:
        """A receipt as appendix B has it."""
        text = f"id:{ref} sub:001 dlvrd:001 submit date:2611240830 done date:2611240831 stat:{word} err:000 text:"
        return await self.deliver(DeliverSm(esm_class=4, short_message=text.encode(), **more))  # type: ignore[arg-type]


class SmscLink(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._loop = asyncio.get_running_loop()
        self.session = Session(Side.CENTRE, 0.0, Timers(), 1_000)
        self.transport: asyncio.Transport | None = None
        self.receives = False
        self.waiting: list[int] = []
        """Sequence numbers of submits that got no answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # By class uvloop's transports are none.
        transport = cast(asyncio.Transport, transport)
        self.transport = transport
        self._smsc.links.append(self)
        self._smsc.made += 1
        self._smsc.changed()

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._smsc.links:
            self._smsc.links.remove(self)
        self._smsc.changed()

    def data_received(self, data: bytes) -> None:
        if self._smsc.mute:
            return
        self._meet(self.session.receive(data, 0.0))
        self.flush()
        self._smsc.changed()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def raw(self, octets: bytes) -> None:
        """Writes octets as they are."""
        assert self.transport is not None
        self.transport.write(octets)

    def flush(self) -> None:
        assert self.transport is not None
        self.transport.write(self.session.bytes_to_send())

    async def request(self, pdu: Pdu) -> int:
        """A request of the centre's; gives the status of its answer."""
        future: asyncio.Future[int] = self._loop.create_future()
        self.session.send_request(pdu, 0.0, future)
        self.flush()
        async with asyncio.timeout(10):
            return await future

    def answer_waiting(self, ref: str = "late") -> None:
        """Answers what got silence so far."""
        for number, sequence in enumerate(self.waiting):
            self.session.respond(sequence, SubmitSm.response(f"{ref}{number}"))  # type: ignore[misc]
        self.waiting.clear()
        self.flush()

    def _meet(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Requested):
                self._requested(event.sequence, event.pdu)
            elif isinstance(event, Answered):
                event.context.set_result(event.status)
            elif isinstance(event, Ended):
                self.flush()
                assert self.transport is not None
                self.transport.close()

    def _requested(self, sequence: int, pdu: Pdu) -> None:
        kind = pdu.response
        if kind is None:
            return
        if isinstance(pdu, Bind):
            self._smsc.binds.append(pdu)
            self.receives = not isinstance(pdu, BindTransmitter) and not self._smsc.bind_status
            version = self._smsc.version
            tlvs = () if version is None else ((int(Tag.SC_INTERFACE_VERSION), version),)
            self.session.respond(sequence, kind(tlvs=tlvs), self._smsc.bind_status)  # type: ignore[call-arg]  # all have them
        elif isinstance(pdu, SubmitSm):
            self._smsc.submits.append(pdu)
            answer = self._smsc.answer(pdu)
            if answer is None:
                self.waiting.append(sequence)
            elif isinstance(answer, int):
                self.session.respond(sequence, kind(), answer)
            else:
                self.session.respond(sequence, kind(answer))  # type: ignore[call-arg]  # a submit_sm_resp
        else:
            self.session.respond(sequence, kind(), CommandStatus.ESME_RINVCMDID)
