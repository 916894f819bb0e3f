"""What can happen to a link of an SMPP carrier: each of these does one thing to it and gives back its name.

Refuses to wait for the link to come back: that is the scenarios' (links.py).
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable

from faults.smpp_network import WINDOW, CentreLink, SmppNetwork, frame
from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.pdu import BindTransceiver, DeliverSm, DeliverSmResp, GenericNack, SubmitSm, SubmitSmResp

# Within so many seconds a link that broke is up again and messages go: the time-outs are shortened (faults/points.py).
BACK_SECONDS = 15.0
ANSWER_TIMEOUT = 1.0
_LINGER_NONE = struct.pack("ii", 1, 0)

Unit = Callable[[SmppNetwork, CentreLink], Awaitable[str]]
"""Does one thing to the link; gives back its name."""


# Cuts


def _cut(link: CentreLink, draw: random.Random) -> None:
    """With a FIN, or with a RST that throws away what is on its way."""
    assert link.transport is not None
    sock = link.transport.get_extra_info("socket")
    # The other side may have been quicker: then there is nothing left to cut.
    if draw.random() < 0.5 and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    link.abort()


async def _cut_anywhere(network: SmppNetwork, link: CentreLink) -> None:
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _cut_in_a_delivery(network: SmppNetwork, link: CentreLink) -> None:
    octets = frame(DeliverSm(source_addr="6125", destination_addr="6150", short_message=b"half"), 0x7000)
    link.raw(octets[: network.draw.randrange(1, len(octets))])
    await asyncio.sleep(network.draw.random() * 0.02)
    _cut(link, network.draw)


async def _cut_in_what_comes(network: SmppNetwork, link: CentreLink) -> None:
    link.cut_inside = True
    await _until(link.session.ended)


async def _cut_unread(network: SmppNetwork, link: CentreLink) -> None:
    link.unread = True
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _cut_before_answers(network: SmppNetwork, link: CentreLink) -> None:
    link.held = True
    await _until(lambda: bool(link.waiting))
    _cut(link, network.draw)


async def _cut_with_a_full_window(network: SmppNetwork, link: CentreLink) -> None:
    link.held = True
    await _until(lambda: len(link.waiting) >= WINDOW)
    _cut(link, network.draw)


async def _cut_before_acknowledgements(network: SmppNetwork, link: CentreLink) -> None:
    link.deaf = True
    await asyncio.sleep(network.draw.random() * 0.1)
    _cut(link, network.draw)


async def _until(reached: Callable[[], bool], seconds: float = 2.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:  # noqa: ASYNC110  # the link sets no event
        await asyncio.sleep(0.005)


CUTS = (
    _cut_anywhere,
    _cut_in_a_delivery,
    _cut_in_what_comes,
    _cut_unread,
    _cut_before_answers,
    _cut_with_a_full_window,
    _cut_before_acknowledgements,
)


async def cut(network: SmppNetwork, link: CentreLink) -> str:
    """The connection is cut, at one of the moments that matter."""
    way = network.draw.choice(CUTS)
    await way(network, link)
    if not link.session.ended():
        _cut(link, network.draw)
    return way.__name__.removeprefix("_cut_")


# Stalls


async def stall(network: SmppNetwork, link: CentreLink) -> str:
    """The centre stops reading, or answering, or both: mostly longer than our time-outs, then it goes on."""
    short = network.draw.random() < 0.25
    seconds = network.draw.uniform(0.2, 0.6) * ANSWER_TIMEOUT if short else ANSWER_TIMEOUT * 2.2
    way = network.draw.choice(("reading", "answering", "both"))
    assert link.transport is not None
    link.held = way != "reading"
    if way != "answering":
        link.transport.pause_reading()
    await asyncio.sleep(seconds)
    if way != "answering" and not link.transport.is_closing():
        link.transport.resume_reading()
    # What was written meanwhile is read now; its answers may find nobody.
    await asyncio.sleep(0.05)
    link.release()
    return f"{way}{' for a moment' if short else ''}"


# Half-open links


async def vanish(network: SmppNetwork, link: CentreLink) -> str:
    """The centre is gone and nobody says so; a new link is taken as ever."""
    binds = network.binds
    link.vanish()
    await _until(lambda: network.binds > binds, min(BACK_SECONDS, network.patience / 2))
    link.abort()
    return "vanished" if network.binds > binds else "not noticed"


# Garbage


def _random_octets(draw: random.Random) -> bytes:
    return draw.randbytes(draw.randrange(1, 400))


def _absurd_length(draw: random.Random) -> bytes:
    length = draw.choice((0, 1, 15, 65_537, 0x7FFFFFFF, 0xFFFFFFFF))
    return struct.pack(">IIII", length, 0x5, 0, 1) + draw.randbytes(20)


def _broken_body(draw: random.Random) -> bytes:
    body = draw.randbytes(draw.randrange(0, 80))
    return struct.pack(">IIII", 16 + len(body), draw.choice((0x5, 0x103, 0x4)), 0, 77) + body


def _unknown_command(draw: random.Random) -> bytes:
    return struct.pack(">IIII", 16, draw.choice((0x0, 0x77, 0x111, 0x7FFFFFFF)), 0, 78)


def _out_of_turn(draw: random.Random) -> bytes:
    return frame(BindTransceiver("we", "no"), 79)


def _answer_to_nothing(draw: random.Random) -> bytes:
    kind = draw.choice((SubmitSmResp("ghost"), DeliverSmResp(), GenericNack()))
    return frame(kind, draw.randrange(1, 2**31), draw.choice((0, 8)))


def _truncated(draw: random.Random) -> bytes:
    octets = frame(DeliverSm(source_addr="6125", destination_addr="6150", short_message=b"half"), 80)
    return octets[: draw.randrange(1, len(octets))]


_GARBAGE = (
    _random_octets,
    _absurd_length,
    _broken_body,
    _unknown_command,
    _out_of_turn,
    _answer_to_nothing,
    _truncated,
)


def _wrong_sequence(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    return frame(SubmitSmResp(network.take(pdu)), sequence ^ 0x40000000)


def _wrong_kind(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    return frame(DeliverSmResp(), sequence)


def _twice(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    return frame(SubmitSmResp(network.take(pdu)), sequence) * 2


def _nack(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.refuse(pdu)
    return frame(GenericNack(), sequence, int(CommandStatus.ESME_RINVCMDLEN))


def _without_an_id(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    network.message(pdu).nameless = True
    return struct.pack(">IIII", 16, 0x80000004, 0, sequence)


def _body_of_garbage(network: SmppNetwork, sequence: int, pdu: SubmitSm) -> bytes:
    network.take(pdu)
    network.message(pdu).nameless = True
    body = network.draw.randbytes(network.draw.randrange(1, 100))
    return struct.pack(">IIII", 16 + len(body), 0x80000004, 0, sequence) + body


_WRONG_ANSWERS = (_wrong_sequence, _wrong_kind, _twice, _nack, _without_an_id, _body_of_garbage)


async def garbage(network: SmppNetwork, link: CentreLink) -> str:
    """Octets that are no SMPP, PDUs that are none, or an answer that is wrong."""
    if network.draw.random() < 0.5:
        make = network.draw.choice(_GARBAGE)
        link.raw(make(network.draw))
        await asyncio.sleep(network.draw.random() * 0.2)
        if make is _truncated:
            # What follows would be read as the rest of it.
            _cut(link, network.draw)
        return make.__name__.removeprefix("_")
    wrong = network.draw.choice(_WRONG_ANSWERS)
    done = asyncio.Event()

    def answer(at: CentreLink, sequence: int, pdu: SubmitSm) -> bytes | None:
        if done.is_set() or at is not link:
            return None
        done.set()
        return wrong(network, sequence, pdu)

    network.wrong_answer = answer
    await _until(done.is_set)
    done.set()
    return wrong.__name__.removeprefix("_")


# A sample of all


async def anything(network: SmppNetwork, link: CentreLink) -> str:
    """For the tests: each way of breaking a link in turn."""
    ways = (
        _cut_before_acknowledgements,
        _cut_with_a_full_window,
        stall,
        vanish,
        garbage,
        _cut_unread,
        _cut_in_what_comes,
    )
    way = ways[network.binds % len(ways)]
    await way(network, link)
    if not link.session.ended():
        _cut(link, network.draw)
    return way.__name__.lstrip("_")
