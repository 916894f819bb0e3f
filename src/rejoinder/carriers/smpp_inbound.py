"""What a carrier delivers over SMPP: receipts and MOs, handed in and then answered.

Answered with success only after it is on disk; with a passing error when that failed, so that the centre brings it
again. Refuses nothing that a handset can send. Texts and numbers are never logged.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from rejoinder.carriers.smpp_losses import Losses
from rejoinder.carriers.smpp_plan import Arrival
from rejoinder.carriers.smpp_profiles import as_answered
from rejoinder.carriers.smpp_settings import SmppSettings
from rejoinder.clock import Clock
from rejoinder.errors import RejoinderError, UnknownCommit
from rejoinder.flow.ports import CarrierEvents, CarrierRow
from rejoinder.message import phone, status_map
from rejoinder.message.model import Brought, InboundPart, Receipt
from rejoinder.message.status import FINAL, Status
from rejoinder.observe import log
from rejoinder.smpp.constants import CommandStatus, Tag
from rejoinder.smpp.content import read_content
from rejoinder.smpp.pdu import DataSm, DeliverSm
from rejoinder.smpp.receipt_text import ReceiptWord, read_receipt

_LONGEST_REF = 200
_LONGEST_NUMBER = 20
_LONGEST_WORD = 16
_NOBODY = "unknown"
_encode = msgspec.msgpack.encode


class SmppDeliveries:
    """Takes what one carrier delivers."""

    def __init__(self, row: CarrierRow, settings: SmppSettings, events: CarrierEvents, clock: Clock) -> None:
        self.losses = Losses(row.id, events, clock)
        self._row = row
        self._settings = settings
        self._style = settings.style
        self._events = events
        self._clock = clock

    async def take(self, pdu: DeliverSm | DataSm, arrival: Arrival) -> int:
        """Stores a delivery; gives the command status to answer it with."""
        said = read_receipt(pdu, self._style, by_text=self._settings.quirks.receipts_by_text)
        try:
            if said is not None:
                await self._events.receipt(self._receipt(pdu, said))
            else:
                arrival.kept = True
                await self.losses.known(arrival.link)
                await self._inbound(pdu, arrival)
        except RejoinderError as error:
            log.warning("delivery_put_off", carrier=self._row.name, sentence=error.sentence)
            return int(CommandStatus.ESME_RX_T_APPN)
        return int(CommandStatus.ESME_ROK)

    async def confirm(self, link: int, upto: int) -> bool:
        """The centre has read our answers to a link's deliveries; whether that is on disk now."""
        try:
            await self._events.confirmed(self._row.id, link, upto)
        except RejoinderError:
            return False
        return True

    async def _inbound(self, pdu: DeliverSm | DataSm, arrival: Arrival) -> None:
        """Stores an MO. What may be stored although we could not say so keeps its number when it comes again."""
        digest = _digest(pdu)
        arrival.repeats = arrival.doubts.settles(digest)
        arrival.in_doubt = arrival.repeats is not None
        brought = Brought(arrival.link, arrival.known_as(), digest, self.losses.doubtful())
        try:
            await self._events.inbound(self._part(pdu, brought))
            arrival.in_doubt = False
        except UnknownCommit:
            arrival.in_doubt = True
            raise
        finally:
            if arrival.in_doubt:
                arrival.doubts.arose(digest, arrival.known_as(), self._clock.monotonic())

    def _receipt(self, pdu: DeliverSm | DataSm, said: ReceiptWord) -> Receipt:
        # A receipt goes the other way: from the handset to the number the message came from.
        return Receipt(
            carrier_id=self._row.id,
            ref=as_answered(_printable(said.ref)[:_LONGEST_REF], self._settings.quirks.ids),
            status=self._status(said),
            received_at=self._clock.wall_us(),
            recipient=phone.handset(pdu.source_addr),
            sender=phone.handset(pdu.destination_addr),
        )

    def _status(self, said: ReceiptWord) -> int:
        """What the word means; an unknown one, and any of an intermediate notification, ends nothing."""
        found = status_map.look_up(said.word, self._settings.status_map)
        if found is None:
            log.warning("receipt_word_unknown", carrier=self._row.name, reason=_word(said.word))
            return int(Status.SENT)
        return int(found) if said.final or found not in FINAL else int(Status.SENT)

    def _part(self, pdu: DeliverSm | DataSm, brought: Brought) -> InboundPart:
        content = read_content(pdu, self._style)
        part = content.part
        return InboundPart(
            carrier_id=self._row.id,
            sender=_address(pdu.source_addr),
            recipient=_address(pdu.destination_addr),
            text=content.text(),
            received_at=self._clock.wall_us(),
            reference=content.reference(),
            number=part.number if part else 1,
            total=part.total if part else 1,
            octets=content.octets.hex() if part else "",
            alphabet=content.alphabet.value if part else "",
            brought=brought,
        )


def _digest(pdu: DeliverSm | DataSm) -> int:
    """Of all that a repetition has in common with what it repeats: everything but how many more wait behind it."""
    tlvs = tuple(tlv for tlv in pdu.tlvs if tlv[0] != Tag.MORE_MESSAGES_TO_SEND)
    octets = _encode(msgspec.structs.astuple(msgspec.structs.replace(pdu, tlvs=tlvs)))
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big", signed=True)


def _address(value: str) -> str:
    """A handset or a number of ours; whatever a network writes there is kept as far as it can be."""
    return phone.handset(value) or _printable(value)[:_LONGEST_NUMBER] or _NOBODY


def _word(value: str) -> str:
    """What may be logged of an unknown state: letters alone, since a carrier may write a number or a text there."""
    return value if len(value) <= _LONGEST_WORD and value.isascii() and value.isalpha() else "no word"


def _printable(value: str) -> str:
    return "".join(char for char in value if char.isprintable()).strip()
