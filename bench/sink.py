"""`python -m bench.sink`: a network over SMPP that takes everything at once, sends receipts, and delivers MOs when told.

It listens on a port of the system's choice, prints it, and after SIGUSR1 delivers `--mos` MOs with a window of 100; when
all are acknowledged it prints their number and the seconds they took. It refuses nothing; an MO refused ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
import time

import uvloop

from rejoinder.smpp.events import Answered, Ended, Event, Requested
from rejoinder.smpp.pdu import Bind, DeliverSm, SubmitSm
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.window import Timers

WINDOW = 100
HANDSETS = 61_400_000_000
MO_SENT = "mo"
RECEIPT = "id:{} sub:001 dlvrd:001 submit date:2611240900 done date:2611240900 stat:DELIVRD err:000 text:"


class Link(asyncio.Protocol):
    """One bind of the centre that is measured."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._session = Session(Side.CENTRE, time.monotonic(), Timers(), WINDOW)
        self._transport: asyncio.Transport | None = None
        self._receipts: list[DeliverSm] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are none by class
        self._network.links.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._network.links.remove(self)

    def data_received(self, data: bytes) -> None:
        for event in self._session.receive(data, time.monotonic()):
            self._meet(event)
        self.go_on()

    def _meet(self, event: Event) -> None:
        if isinstance(event, Requested):
            self._requested(event)
        elif isinstance(event, Answered):
            self._network.acknowledged(event)
        elif isinstance(event, Ended) and self._transport is not None:
            self._transport.write(self._session.bytes_to_send())  # the answer to an unbind
            self._transport.close()

    def _requested(self, event: Requested) -> None:
        pdu = event.pdu
        if isinstance(pdu, Bind):
            self._session.respond(event.sequence, pdu.response("sink"))
        elif isinstance(pdu, SubmitSm):
            ref = self._network.taken()
            self._session.respond(event.sequence, pdu.response(ref))
            if self._network.receipts and pdu.registered_delivery:
                self._receipts.append(
                    DeliverSm(
                        source_addr=pdu.destination_addr,
                        destination_addr=pdu.source_addr,
                        esm_class=4,
                        short_message=RECEIPT.format(ref).encode(),
                    )
                )

    def go_on(self) -> None:
        """Fills the window with receipts, then with MOs, and writes."""
        if self._session.ended():
            return
        room = WINDOW - len(self._session.contexts())
        while room > 0 and (self._receipts or self._network.mos_left):
            if self._receipts:
                self._session.send_request(self._receipts.pop(), time.monotonic(), "")
            else:
                self._session.send_request(self._network.next_mo(), time.monotonic(), MO_SENT)
            room -= 1
        if self._transport is not None:
            self._transport.write(self._session.bytes_to_send())


class Network:
    """What all links share."""

    def __init__(self, receipts: bool, mos: int, number: str) -> None:
        self.receipts = receipts
        self.links: list[Link] = []
        self.mos_left = 0
        self._mos, self._number = mos, number
        self._refs, self._handsets = itertools.count(1), itertools.count(HANDSETS)
        self._missing, self._begun = 0, 0.0
        self._first = True

    def taken(self) -> str:
        """The id of a message that was just taken; says when the first one came."""
        if self._first:
            self._first = False
            print(f"first {time.time()}", flush=True)
        return f"k{next(self._refs):08x}"

    def deliver(self) -> None:
        """Begins to deliver the MOs."""
        self.mos_left = self._missing = self._mos
        self._begun = time.monotonic()
        for link in self.links:
            link.go_on()

    def next_mo(self) -> DeliverSm:
        self.mos_left -= 1
        handset = str(next(self._handsets))
        return DeliverSm(
            source_addr=handset, destination_addr=self._number, short_message=b"Yes, at ten past six"
        )

    def acknowledged(self, event: Answered) -> None:
        if event.context != MO_SENT:
            return
        if event.status:
            raise SystemExit(f"an MO was answered {event.status}")
        self._missing -= 1
        if not self._missing:
            print(f"delivered {self._mos} {time.monotonic() - self._begun:.4f}", flush=True)


async def serve(network: Network) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, network.deliver)
    server = await loop.create_server(lambda: Link(network), "127.0.0.1", 0)
    print(f"smpp on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A network over SMPP that takes everything at once.")
    parser.add_argument("--no-receipts", action="store_true")
    parser.add_argument("--mos", type=int, default=0, help="how many it delivers after SIGUSR1")
    parser.add_argument("--number", default="61480000001", help="the number that MOs are sent to")
    told = parser.parse_args()
    uvloop.run(serve(Network(not told.no_receipts, told.mos, told.number)))


if __name__ == "__main__":
    main()
