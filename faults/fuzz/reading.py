"""What must hold whatever a PDU is: asked of the codec, of what reads texts and receipts, and of the session.

Raises Wrong, or lets through what the product raised: both are findings. Refuses to make PDUs (pdus.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from faults.fuzz.pdus import Frame
from rejoinder.endpoints.smpp import submits
from rejoinder.endpoints.smpp.statuses import PduRefused
from rejoinder.flow.coded import coded_draft
from rejoinder.flow.ports import SmppAccount
from rejoinder.flow.request import Limits, MessageRefused
from rejoinder.message.text import is_text
from rejoinder.smpp import codec
from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import RESPONSE, Command, CommandStatus
from rejoinder.smpp.content import read_content
from rejoinder.smpp.errors import Malformed, NotAllowed, Unwritable
from rejoinder.smpp.events import Event, Requested
from rejoinder.smpp.frames import Frames
from rejoinder.smpp.receipt_text import read_receipt
from rejoinder.smpp.session import Session
from rejoinder.smpp.states import Side
from rejoinder.smpp.style import DefaultAlphabet, Style

STYLES = tuple(Style(alphabet) for alphabet in DefaultAlphabet)
ACCOUNT = SmppAccount(1, "fuzz", "fuzz", "", True, True, 4, 100, 0, "", "parts", "gsm", 0)
LIMITS = Limits()
NOW = 1_700_000_000_000_000
BINDS = (p.BindReceiver, p.BindTransmitter, p.BindTransceiver)
QUICK = (int(Command.SUBMIT_SM), int(Command.DELIVER_SM))
# Most streams are cut at the right places, or nothing behind the first lie would be looked at.
TORN = 0.1


class Wrong(AssertionError):
    """Something that must hold does not; the sentence says what."""


def examine(frame: Frame) -> None:
    """One PDU by itself: read or refused, written and read back alike, and its text read in every style."""
    try:
        read = codec.decode(frame.octets)
    except Malformed as malformed:
        if frame.good:
            raise Wrong(f"what the codec wrote is refused: {malformed.sentence}") from None
        _same_by_the_table(frame.octets, malformed)
        return
    _same_by_the_table(frame.octets, read.pdu)
    try:
        written = codec.encode(read.pdu, read.sequence, read.status)
    except Unwritable as unwritable:
        if frame.good:
            raise Wrong(f"what the codec wrote can't be written: {unwritable.sentence}") from None
    else:
        if frame.good and written != frame.octets:
            raise Wrong("a PDU of ours is written otherwise the second time")
        if codec.decode(written) != read:
            raise Wrong("a PDU is not read back as it was written")
    if isinstance(read.pdu, (p.SubmitSm, p.DeliverSm, p.DataSm, p.SubmitMulti)):
        _read_texts(read.pdu)


def _same_by_the_table(octets: bytes, quick: p.Pdu | Malformed) -> None:
    """The quick reader of submits and deliveries says what the table of fields says."""
    command = int.from_bytes(octets[4:8], "big")
    if command not in QUICK or (isinstance(quick, Malformed) and quick.fatal):
        return
    try:
        slow = codec._LAYOUTS[command].read(octets, 16, len(octets))
    except Malformed as malformed:
        # Of what a network brings the text is kept, where only what stands behind it is spoilt.
        kept = command == Command.DELIVER_SM and malformed.status == CommandStatus.ESME_RINVOPTPARSTREAM
        same = isinstance(quick, Malformed) and quick.status == malformed.status
        if not same and not kept:
            raise Wrong("the quick reader takes what the table refuses, or for another reason") from None
        return
    if slow != quick:
        raise Wrong("the quick reader and the table read two different PDUs")


def _read_texts(pdu: p.SubmitSm | p.DeliverSm | p.DataSm | p.SubmitMulti) -> None:
    for style in STYLES:
        content = read_content(pdu, style)
        if not is_text(content.text().replace("\0", "")):
            raise Wrong("a text has half a pair in it")
        content.reference()
        if isinstance(pdu, (p.DeliverSm, p.DataSm)):
            read_receipt(pdu, style, by_text=True)
    if not isinstance(pdu, p.DeliverSm):
        try:
            coded_draft(submits.coded(pdu, "61255588885", ACCOUNT, NOW), LIMITS, NOW)
        except (PduRefused, MessageRefused):
            return


def converse(frames: Sequence[Frame], draw: random.Random) -> None:
    """A stream of them at either end of a session in some state: only events, and every request has one answer."""
    if draw.random() > TORN:
        frames = [frame for frame in frames if frame.whole]
    stream = b"".join(frame.octets for frame in frames)
    side = Side.CENTRE if draw.random() < 0.6 else Side.ESME
    session = _session(side, draw)
    before = len(session.contexts())
    expected = _requests(stream)
    answered = 0
    at = 0
    while at < len(stream):
        end = at + 1 + int(draw.random() ** 2 * 4 * len(stream))
        answered += _take(session, session.receive(stream[at:end], 1.0), draw)
        at = end
        if session.ended():
            break
    session.tick(2.0)
    session.next_deadline()
    answered += _answers(session)
    if len(session.contexts()) > before:
        raise Wrong("the window has grown by what the peer sent")
    if not session.ended() and (answered != expected or session.unanswered):
        raise Wrong(f"{expected} requests got {answered} answers")


def _session(side: Side, draw: random.Random) -> Session:
    """New, asked to bind, or bound: a client has five submits under way where it may."""
    session = Session(side, 0.0)
    if draw.random() < 0.2:
        return session
    kind = BINDS[int(draw.random() * 3)]
    if side is Side.CENTRE:
        session.receive(codec.encode(kind(interface_version=0x33 if draw.random() < 0.2 else 0x34), 1), 0.0)
        session.respond(1, kind.response(), 0)
    else:
        session.send_request(kind(), 0.0)
        session.receive(codec.encode(kind.response(), 1), 0.0)
        try:
            for number in range(5):
                session.send_request(p.SubmitSm(), 0.0, number)
        except NotAllowed:  # a receiver may not
            pass
    session.bytes_to_send()
    return session


def _take(session: Session, events: Sequence[Event], draw: random.Random) -> int:
    """Answers what was asked; how many answers left, or were not wanted."""
    silent = 0
    for event in events:
        if not isinstance(event, Event):
            raise Wrong("what came of a stream is no event")
        if isinstance(event, Requested):
            if event.pdu.response is None:
                silent += 1
                continue
            status = 0 if draw.random() < 0.7 else 8
            session.respond(event.sequence, event.pdu.response(), status)
    return silent + _answers(session)


def _answers(session: Session) -> int:
    """How many answers the session has to send: all of it must be PDUs."""
    octets, frames = (cutter := Frames()).cut(session.bytes_to_send())
    if cutter.wrong is not None or (frames and frames[-1][4] != len(octets)):
        raise Wrong("what a session sends is not cut into PDUs")
    for _, _, _, at, end in frames:
        codec.decode(octets[at - 16 : end])
    return sum(bool(frame[0] & RESPONSE) for frame in frames)


def _requests(stream: bytes) -> int:
    """How many requests stand whole in the stream, up to the first impossible length."""
    _, frames = Frames().cut(stream)
    return sum(not frame[0] & RESPONSE for frame in frames)
