"""What a customer's session is told: receipts and MOs as deliver_sm. Pure.

Refuses nothing that a mailbox can hold; a text that is no longer kept gives no MO (an empty list).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.endpoints.smpp.statuses import state_of
from rejoinder.endpoints.smpp.submits import style_of
from rejoinder.flow.ports import Push, QueuedPush, SmppAccount
from rejoinder.flow.pulled_pushes import Pulled
from rejoinder.flow.push_queue import STATUS
from rejoinder.message import parts
from rejoinder.message.nearest import nearest
from rejoinder.message.objectid import timestamp_of
from rejoinder.message.parts import Part
from rejoinder.message.text import Alphabet, is_gsm
from rejoinder.smpp.constants import EsmClass, Npi, Tag, Ton
from rejoinder.smpp.pdu import DeliverSm, Tlvs
from rejoinder.smpp.receipt_text import WORDS, write_receipt
from rejoinder.smpp.style import DefaultAlphabet, Long, Style
from rejoinder.smpp.translate import Coded, code_part

# Longer texts go as message_payload (translate.py knows the limit of parts).
_SHORT = 254
_MOST_PARTS = 255
# 3.4 §5.2.8, without the NUL.
_LONGEST_ADDRESS = 20
_ASCII = frozenset(map(chr, range(0x20, 0x7F)))


def pdus(pulled: Pulled, account: SmppAccount) -> list[DeliverSm]:
    """The deliver_sm of a push, in the order in which they are to be acknowledged."""
    queued = pulled.push.queued
    shown: dict[str, Any] = msgspec.json.decode(pulled.shown) if pulled.shown else {}
    if queued.kind == STATUS:
        return [_receipt(queued, str(shown.get("text", "")))]
    return _mo(pulled.push, shown, account) if shown else []


def _receipt(queued: QueuedPush, text: str) -> DeliverSm:
    """3.4 appendix B in the text, and the same in TLVs."""
    state = state_of(queued.status)
    tlvs: Tlvs = ((Tag.RECEIPTED_MESSAGE_ID, queued.message_id), (Tag.MESSAGE_STATE, int(state)))
    if queued.address:
        tlvs = (*tlvs, (Tag.USER_MESSAGE_REFERENCE, int(queued.address)))
    submitted = timestamp_of(queued.message_id)
    line = write_receipt(
        queued.message_id,
        WORDS[state],
        _minute(submitted),
        _minute(queued.queued_at // MICROSECONDS),
        text=text,
    )
    return _deliver(queued.handset, queued.sender, Coded(1, line, 0, EsmClass.RECEIPT, tlvs))


def _minute(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%y%m%d%H%M")


def _mo(push: Push, shown: dict[str, Any], account: SmppAccount) -> list[DeliverSm]:
    queued, style = push.queued, style_of(account)
    text = str(shown["text"])
    alphabet = _alphabet(text, style)
    if style.long is Long.PAYLOAD or not text or parts.count(text, alphabet) > _MOST_PARTS:
        octets = parts.encode(text, alphabet)
        pieces = [Part(1, 1, 0, text, octets, b"")]
    else:
        pieces = parts.split(text, alphabet, push.id & 0xFF)
    # Only where it was asked for: some programs fail over a parameter they do not know (smpplib 2.2.4 does).
    answers: Tlvs = ()
    if queued.mt_id and account.origin_tag:
        answers = ((account.origin_tag, queued.mt_id.encode()),)
    return [
        _deliver(
            queued.handset, str(shown["recipient"]), _fitting(code_part(piece, alphabet, style), answers)
        )
        for piece in pieces
    ]


def _alphabet(text: str, style: Style) -> Alphabet:
    """One that loses nothing on the way to this customer."""
    if style.default is not DefaultAlphabet.LATIN1:
        return Alphabet.GSM if is_gsm(text) else Alphabet.UCS2
    if any(ord(char) > 0xFF for char in text):
        return Alphabet.UCS2
    return Alphabet.GSM if is_gsm(text) else Alphabet.LATIN1


def _fitting(coded: Coded, more: Tlvs) -> Coded:
    if len(coded.octets) <= _SHORT:
        return msgspec.structs.replace(coded, tlvs=(*coded.tlvs, *more))
    payload: Tlvs = ((Tag.MESSAGE_PAYLOAD, coded.octets),)
    return msgspec.structs.replace(coded, octets=b"", tlvs=(*payload, *coded.tlvs, *more))


def _deliver(source: str, destination: str, coded: Coded) -> DeliverSm:
    source, destination = _writable(source), _writable(destination)
    source_ton, source_npi = _kind(source)
    dest_ton, dest_npi = _kind(destination)
    return DeliverSm(
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=source,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=destination,
        esm_class=coded.esm_class,
        data_coding=coded.data_coding,
        short_message=coded.octets,
        tlvs=coded.tlvs,
    )


def _writable(address: str) -> str:
    """An address field is ASCII (3.4 §3.1): a name that a handset's network gave goes with the nearest letters."""
    return nearest(address, _ASCII)[:_LONGEST_ADDRESS]


def _kind(address: str) -> tuple[int, int]:
    """Numbers here are international ones; what is no number is a name."""
    if address.isdigit():
        return Ton.INTERNATIONAL, Npi.ISDN
    return Ton.ALPHANUMERIC, Npi.UNKNOWN
