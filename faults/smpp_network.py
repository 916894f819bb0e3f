"""The network behind an SMPP carrier: a message centre that logs what it took and brings receipts and MOs until each is
acknowledged. What breaks, and how: faults/scenarios/breaking.py.

Over SMPP neither a message's id nor the mark of a possible duplicate travels: messages are known by their text, and which
of them are marked says the server's own disk (`look`). Refuses to judge: that is faults/checker.py.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from faults import books
from faults.crowd import OWN_HANDSETS
from faults.network import Network
from faults.seen import Seen
from faults.server import CARRIER, WiredCarrier
from rejoinder.message.status import Status
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import EsmClass
from rejoinder.smpp.events import Answered, Ended, Event, Requested
from rejoinder.smpp.pdu import Bind, DeliverSm, Pdu, SubmitSm
from rejoinder.smpp.receipt_text import write_receipt
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.window import Timers

WINDOW = 10
# How many deliveries a link leaves unanswered, as centres limit it.
DELIVERIES = 20
# Of some messages no receipt ever comes; then nothing but the lease ends what is in doubt.
RECEIPTED = 0.9
LONG_REPLIES = 0.1
DATE = "2611240830"
_REFERENCE = re.compile(rb"message (\d+-\d+)\b")


class Cut(Exception):
    """The link is gone, and with it the answer."""


@dataclass
class Message:
    """One text as the network knows it. `arrivals`: of each part; `told`: parts whose receipt was acknowledged."""

    receipted: bool
    arrivals: Counter[int] = field(default_factory=Counter)
    told: set[int] = field(default_factory=set)
    parts: int = 1
    refused: bool = False
    nameless: bool = False  # it was answered without an id: no receipt can be matched


class CentreLink(asyncio.Protocol):
    """One connection, with the places where it may break.

    `gone`: what comes is dropped and nothing leaves, and nobody is told. `unread`: submits are not taken. `held`:
    submits are taken, their answers wait. `deaf`: what comes is dropped, while what leaves still arrives.
    """

    def __init__(self, network: SmppNetwork) -> None:
        self.network = network
        self.session = Session(Side.CENTRE, 0.0, Timers(), DELIVERIES)
        self.transport: asyncio.Transport | None = None
        self.name = ""
        self.gone = self.unread = self.held = self.deaf = self.cut_inside = False
        self.waiting: list[tuple[int, Pdu, int]] = []
        self.room = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._drop()

    def data_received(self, data: bytes) -> None:
        if self.gone or self.deaf:
            return
        if self.cut_inside:
            data = data[: self.network.draw.randrange(len(data))]
        for event in self.session.receive(data, 0.0):
            self._meet(event)
        self.flush()
        if self.cut_inside:
            self.abort()

    def flush(self) -> None:
        octets = self.session.bytes_to_send()
        if not self.gone:
            self.raw(octets)

    def raw(self, octets: bytes) -> None:
        """Writes octets as they are."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(octets)

    def abort(self) -> None:
        """Cuts the connection; what was not written yet is lost."""
        if self.transport is not None:
            self.transport.abort()
        self._drop()

    def release(self) -> None:
        """Gives the answers that waited."""
        self.held = False
        waiting, self.waiting = self.waiting, []
        for sequence, answer, status in waiting:
            self.session.respond(sequence, answer, status)
        self.flush()

    def vanish(self) -> None:
        """The centre is not there any more, and no FIN says so; for the network this link is lost."""
        self.gone = True
        self._drop()

    async def bring(self, pdu: Pdu) -> int:
        """A request of the centre's; gives the status of its answer. Raises Cut."""
        while not self.session.room():
            self.room.clear()
            await self.room.wait()
            if self.session.ended():
                raise Cut
        if self.session.ended() or self.gone:
            raise Cut
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.session.send_request(pdu, 0.0, answer)
        self.flush()
        return await answer

    def _drop(self) -> None:
        for answer in self.session.contexts():
            if not answer.done():
                answer.set_exception(Cut())
        self.session.lost()
        self.room.set()
        self.network.lost(self)

    def _meet(self, event: Event) -> None:
        if isinstance(event, Requested):
            self._requested(event.sequence, event.pdu)
        elif isinstance(event, Answered):
            self.room.set()
            if not event.context.done():
                event.context.set_result(event.status)
        elif isinstance(event, Ended):
            self.flush()
            if self.transport is not None:
                self.transport.close()

    def _requested(self, sequence: int, pdu: Pdu) -> None:
        if isinstance(pdu, Bind):
            self.name = pdu.system_id
            self.session.respond(sequence, pdu.response("centre"))  # type: ignore[misc, call-arg]  # a bind has one
            self.network.bound(self)
        elif isinstance(pdu, SubmitSm) and not self.unread:
            self._submitted(sequence, pdu)

    def _submitted(self, sequence: int, pdu: SubmitSm) -> None:
        octets = self.network.wrong_answer(self, sequence, pdu)
        if octets is not None:
            self.flush()
            self.raw(octets)
            return
        status = self.network.judge(self, pdu)
        answer = SubmitSm.response("" if status else self.network.take(pdu, self.name))  # type: ignore[misc, call-arg]
        if self.held:
            self.waiting.append((sequence, answer, status))
        else:
            self.session.respond(sequence, answer, status)


Judge = Callable[[CentreLink, SubmitSm], int]
WrongAnswer = Callable[[CentreLink, int, SubmitSm], bytes | None]


class SmppNetwork(Network):
    """See the module. `judge`: the status that a submit gets; `wrong_answer`: octets instead of the right one.

    `ordered`: what goes to the senders' own handsets has a carrier of its own, whose window is 1: by then no message
    overtakes another, and `order` says in which they came.
    """

    def __init__(
        self,
        seen: Seen,
        draw: random.Random,
        settings: Mapping[str, str] | None = None,
        ordered: bool = False,
    ) -> None:
        super().__init__(seen, draw)
        self._settings = dict(settings or {})
        self._ordered = ordered
        self._refs = itertools.count(1)
        self._listener: asyncio.Server | None = None
        self._links: list[CentreLink] = []
        self._changed = asyncio.Event()
        self.messages: dict[str, Message] = {}
        self.order: dict[str, list[str]] = defaultdict(list)
        self.binds = 0
        self.taken = 0
        self.parts_left = 0
        self.judge: Judge = lambda link, pdu: 0
        self.wrong_answer: WrongAnswer = lambda link, sequence, pdu: None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: CentreLink(self), "127.0.0.1", 0)

    def carriers(self) -> list[WiredCarrier]:
        assert self._listener is not None
        port = self._listener.sockets[0].getsockname()[1]
        settings = {
            "host": "127.0.0.1",
            "port": str(port),
            "system_id": CARRIER,
            "password": "wired",
            "window": str(WINDOW),
            **self._settings,
        }
        wired = [WiredCarrier(CARRIER, "smpp", settings)]
        if self._ordered:
            narrow = settings | {"system_id": "narrow", "window": "1"}
            wired.append(WiredCarrier("narrow", "smpp", narrow, OWN_HANDSETS))
        return wired

    # links

    def bound(self, link: CentreLink) -> None:
        self._links.append(link)
        self.binds += 1
        self._changed.set()

    def lost(self, link: CentreLink) -> None:
        if link in self._links:
            self._links.remove(link)

    async def link(self, name: str = CARRIER) -> CentreLink:
        """A link that is bound under the name, as soon as there is one."""
        while True:
            for link in reversed(self._links):
                if link.name == name:
                    return link
            self._changed.clear()
            await self._changed.wait()

    async def bring(self, pdu: DeliverSm, name: str) -> None:
        """Until it is acknowledged, over whatever link of that name there is."""
        while True:
            try:
                if await (await self.link(name)).bring(pdu) == 0:
                    return
            except Cut:
                continue
            await asyncio.sleep(0.05)

    # messages

    def take(self, pdu: SubmitSm, name: str = CARRIER) -> str:
        """Notes a submit as taken, and what follows from it; gives back the id it is answered with."""
        reference, number, total = self.known(pdu)
        message = self.message(pdu)
        first = not message.arrivals
        message.parts = total
        message.arrivals[number] += 1
        self.taken += 1
        ref = f"n{next(self._refs)}"
        if pdu.destination_addr.startswith(OWN_HANDSETS):
            self.order[pdu.destination_addr].append(reference)
        elif first and self.answers():
            self.later(self._reply(pdu, reference, name))
        if message.receipted:
            self.later(
                self._receipt(
                    _delivery(pdu, write_receipt(ref, "DELIVRD", DATE, DATE), int(EsmClass.RECEIPT)),
                    message,
                    number,
                    name,
                )
            )
        return ref

    def message(self, pdu: SubmitSm) -> Message:
        """What is known of a submit's message."""
        reference = self.known(pdu)[0]
        if reference not in self.messages:
            self.messages[reference] = Message(self.draw.random() < RECEIPTED)
        return self.messages[reference]

    def refuse(self, pdu: SubmitSm) -> None:
        """Notes that a submit was not taken, and that the server was told so for good."""
        self.message(pdu).refused = True

    @staticmethod
    def known(pdu: SubmitSm) -> tuple[str, int, int]:
        """The message's clientRef, the part's number, and the number of parts."""
        octets, number, total = pdu.short_message, 1, 1
        if pdu.esm_class & EsmClass.UDHI:
            total, number, octets = octets[4], octets[5], octets[6:]
        found = _REFERENCE.search(octets)
        assert found is not None, "a text that nobody sent"
        return found[1].decode(), number, total

    async def _receipt(self, receipt: DeliverSm, message: Message, number: int, name: str) -> None:
        await self.bring(receipt, name)
        message.told.add(number)

    async def _reply(self, pdu: SubmitSm, reference: str, name: str) -> None:
        # The sender repeats until it is answered: the message's id is always learnt in the end.
        while reference not in self.seen.accepted:  # noqa: ASYNC110  # senders set no event
            await asyncio.sleep(0.02)
        origin = self.seen.accepted[reference][1]
        text = self.reply_text(origin)
        if self.draw.random() < LONG_REPLIES:
            text = f"{text} {'and more ' * 15}".strip()
            half = len(text) // 2
            header = (5, 0, 3, self.draw.randrange(256), 2)
            pieces = [bytes((*header, 1)) + text[:half].encode(), bytes((*header, 2)) + text[half:].encode()]
            self.draw.shuffle(pieces)
            await asyncio.gather(
                *(self.bring(_delivery(pdu, one, int(EsmClass.UDHI)), name) for one in pieces)
            )
        else:
            await self.bring(_delivery(pdu, text.encode(), 0), name)
        self.seen.replies[text] = origin

    # the books

    async def look(self, database: str) -> None:
        """Puts what came here beside what the server has on disk: marks, messages given up, statuses that lack."""
        query = (
            "SELECT id, status, resent, finished_at IS NULL FROM mt"
            f" WHERE resent OR finished_at IS NULL OR status <> {int(Status.DELIVERED)}"
        )
        rows = await asyncio.to_thread(books.rows, database, query)
        stands = {mt: (status, bool(again), bool(lacks)) for mt, status, again, lacks in rows}
        seen = self.seen
        seen.arrivals.clear()
        seen.gave_up.clear()
        seen.unfinished.clear()
        seen.refunded = 0
        for reference, (_, mt) in seen.accepted.items():
            message = self.messages.get(reference)
            status, again, lacks = stands.get(mt, (int(Status.DELIVERED), False, False))
            if message is not None and len(message.arrivals) == message.parts:
                times = max(message.arrivals.values())
                seen.arrivals[mt] = [False] + [again] * (times - 1)
                if lacks and len(message.told) == message.parts and not message.nameless:
                    seen.unfinished.add(mt)
            elif status == Status.UNDELIVERABLE and again:
                seen.gave_up.add(mt)  # in doubt twice
            elif message is not None and message.refused and status == Status.REJECTED:
                seen.gave_up.add(mt)
                seen.refunded += 0 if message.arrivals or again else seen.parts.get(reference, 1)
        ((self.parts_left,),) = await asyncio.to_thread(books.rows, database, "SELECT count(*) FROM mo_part")

    def told_of(self, reference: str) -> str:
        return str(self.messages.get(reference))

    def twice(self) -> int:
        """Messages that reached a handset twice."""
        return sum(max(message.arrivals.values(), default=0) > 1 for message in self.messages.values())

    async def stop(self) -> None:
        await super().stop()
        if self._listener is not None:
            self._listener.close()
        for link in list(self._links):
            link.abort()


def errors_in(log: Path) -> int:
    """Lines of a server's log that tell of what nobody foresaw."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return sum('"level": "error"' in line or line.startswith("Traceback") for line in lines)


def _delivery(pdu: SubmitSm, octets: bytes, esm_class: int) -> DeliverSm:
    """Back from the handset to the number the message came from."""
    return DeliverSm(
        source_addr=pdu.destination_addr,
        destination_addr=pdu.source_addr,
        esm_class=esm_class,
        short_message=octets,
    )


def frame(pdu: Pdu, sequence: int, status: int = 0) -> bytes:
    """A PDU's octets, for answers that no session would give."""
    return encode(pdu, sequence, status)
