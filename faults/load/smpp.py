"""submit_sm over a few binds, pipelined as SMPP customers do; octets in, octets out.

Refuses nothing; what is neither ESME_ROK nor a refusal that means "later" (ESME_RTHROTTLED, ESME_RMSGQFUL) is wrong.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from typing import cast

from faults.load.tally import Tally
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.pdu import BindTransceiver, SubmitSm

_HEADER = struct.Struct(">IIII")
_BIND_RESP, _SUBMIT_RESP, _DELIVER, _ENQUIRE = 0x8000_0009, 0x8000_0004, 5, 0x15
_LATER = frozenset({int(S.ESME_RTHROTTLED), int(S.ESME_RMSGQFUL)})
_MARK = "61400000000"
FIRST_RECIPIENT = 61_410_000_000


class _Link(asyncio.Protocol):
    """One bind."""

    def __init__(self, customers: SmppCustomers) -> None:
        self._customers = customers
        self._rest = b""
        self._sequences = itertools.count(2)
        self.transport: asyncio.Transport | None = None
        self.bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting: dict[int, tuple[float, Tally]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(encode(BindTransceiver(*self._customers.credentials), 1))

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        for _, tally in self.waiting.values():
            tally.broken += 1
        self.waiting.clear()

    def submit(self, due: float, tally: Tally) -> None:
        if self.transport is None:
            tally.broken += 1
            return
        sequence = next(self._sequences)
        self.waiting[sequence] = (due, tally)
        self.transport.write(self._customers.submit_sm(sequence))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        at, end, now = 0, len(data), time.monotonic()
        while end - at >= 16:
            length, command, status, sequence = _HEADER.unpack_from(data, at)
            if at + length > end:
                break
            if command == _SUBMIT_RESP:
                self._answered(status, sequence, data[at + 16 : at + length - 1], now)
            elif command == _BIND_RESP:
                self.bound.set_result(status)
            elif command in (_DELIVER, _ENQUIRE) and self.transport is not None:
                body = b"\0" if command == _DELIVER else b""
                self.transport.write(_HEADER.pack(16 + len(body), command | 0x8000_0000, 0, sequence) + body)
                self._customers.delivered += command == _DELIVER
            at += length
        self._rest = data[at:]

    def _answered(self, status: int, sequence: int, message_id: bytes, now: float) -> None:
        due, tally = self.waiting.pop(sequence)
        if status == 0:
            tally.accept(now - due, message_id.decode())
        elif status in _LATER:
            tally.refused.add(now - due)
        else:
            tally.wrong[f"status {status:#x}"] += 1
        self._customers.answered(self)


class SmppCustomers:
    """Binds of one account. `sender`: a number of the user's own. `delivered`: deliver_sm that came, with `receipts`."""

    def __init__(self, port: int, credentials: tuple[str, str], sender: str, receipts: bool = False) -> None:
        self._port = port
        self.credentials = credentials
        self.delivered = 0
        self._links: list[_Link] = []
        self._next = 0
        self._closed_loop: Tally | None = None
        self.saturated = Tally()
        self._recipient = FIRST_RECIPIENT
        text = b"Coffee at ten past six?"
        pdu = SubmitSm(
            source_addr=sender,
            destination_addr=_MARK,
            short_message=text,
            registered_delivery=int(receipts),
        )
        self._before, _, self._after = encode(pdu, 0)[16:].partition(_MARK.encode())
        self._length = 16 + len(self._before) + len(_MARK) + len(self._after)

    def submit_sm(self, sequence: int) -> bytes:
        self._recipient += 1
        head = _HEADER.pack(self._length, 4, 0, sequence)
        return b"%b%b%d%b" % (head, self._before, self._recipient, self._after)

    async def open(self, count: int) -> None:
        """Binds so often more. Raises RuntimeError when a bind is refused."""
        for _ in range(count):
            _, link = await asyncio.get_running_loop().create_connection(
                lambda: _Link(self), "127.0.0.1", self._port
            )
            if await link.bound:
                raise RuntimeError(f"the bind was answered {link.bound.result():#x}")
            self._links.append(link)

    def most_open(self, _short: bool) -> int:
        """None more: a bind carries any number of requests."""
        return 0

    def send(self, due: float, tally: Tally) -> None:
        """Sends one now, over the binds in turn."""
        self._next = (self._next + 1) % len(self._links)
        self._links[self._next].submit(due, tally)

    def answered(self, link: _Link) -> None:
        if self._closed_loop is not None:
            link.submit(time.monotonic(), self._closed_loop)

    async def saturate(self, window: int, seconds: float) -> float:
        """Closed loop: as many under way as `window` says, over all binds; acceptances a second."""
        self._closed_loop = self.saturated = tally = Tally()
        begun = time.monotonic()
        for _ in range(window):
            self.send(begun, tally)
        await asyncio.sleep(seconds)
        rate = tally.accepted.count / (time.monotonic() - begun)
        self._closed_loop = None
        await self.settled()
        return rate

    async def settled(self, seconds: float = 30.0) -> None:
        """Until every request is answered, for so long at most; what is not is counted as wrong."""
        deadline = time.monotonic() + seconds
        while any(link.waiting for link in self._links) and time.monotonic() < deadline:  # noqa: ASYNC110  # answers set no event
            await asyncio.sleep(0.02)
        for link in self._links:
            for _, tally in link.waiting.values():
                tally.wrong["no answer"] += 1
            link.waiting.clear()

    def close(self) -> None:
        for link in self._links:
            link.waiting.clear()
            if link.transport is not None:
                link.transport.abort()
