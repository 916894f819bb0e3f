"""What a submit_sm, data_sm, submit_multi, cancel_sm or replace_sm asks for, as flow takes it (flow/coded.py). Pure.

Refuses (PduRefused) what the fields themselves cannot mean: two texts, a time that is none, a receipt of a reserved
kind. What may be sent is judged in flow.
"""

from __future__ import annotations

from functools import cache

from rejoinder.endpoints.smpp import times
from rejoinder.endpoints.smpp.statuses import PduRefused
from rejoinder.flow.coded import CodedRequest, header_of
from rejoinder.flow.ports import SmppAccount, SubmittedPair
from rejoinder.flow.replacing import Replacement
from rejoinder.flow.request import Draft, checked_recipient, checked_sender
from rejoinder.flow.smpp_receipts import Wish
from rejoinder.message import parts
from rejoinder.message.text import Alphabet, is_gsm
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import DataCoding, EsmClass, RegisteredDelivery, Tag
from rejoinder.smpp.content import Content, read_content
from rejoinder.smpp.pdu import CancelSm, DataSm, ReplaceSm, SubmitMulti, SubmitSm
from rejoinder.smpp.style import DefaultAlphabet, Long, Style

Submit = SubmitSm | DataSm | SubmitMulti

_MOST_PRIORITY = 3
_CODED_AS = {Alphabet.UCS2: DataCoding.UCS2, Alphabet.BINARY: DataCoding.OCTETS_8BIT}
_SECOND_US = 1_000_000


def style_of(account: SmppAccount) -> Style:
    """How the customer's programs write and read texts."""
    return _style(account.default_alphabet, account.long_mo)


@cache
def _style(default_alphabet: str, long_mo: str) -> Style:
    return Style(DefaultAlphabet(default_alphabet), Long.PAYLOAD if long_mo == "payload" else Long.UDH)


def coded(pdu: Submit, recipient: str, account: SmppAccount, now: int) -> CodedRequest:
    """The request for one destination. `now`: microseconds, for times that count from it. Raises PduRefused."""
    _check_flags(pdu)
    _check_text(pdu)
    content = _content(pdu, account)
    release_at, validity = _times(pdu, now)
    reference = pdu.tlv(Tag.USER_MESSAGE_REFERENCE)
    number = reference if isinstance(reference, int) else None
    return CodedRequest(
        recipient=recipient,
        sender=pdu.source_addr,
        octets=content.octets,
        alphabet=content.alphabet,
        udh=content.udh,
        part=content.part,
        flash=content.flash,
        receipts=Wish(pdu.registered_delivery & RegisteredDelivery.RECEIPT_MASK, number).stored(),
        validity=validity,
        release_at=release_at,
        reference=str(number) if number is not None and account.idempotent_reference else "",
        service_type=pdu.service_type,
    )


def pair_of(pdu: CancelSm) -> SubmittedPair:
    """Whose messages are to be taken back (§4.9): the addresses as a submit bears them. Raises MessageRefused."""
    recipient = checked_recipient(pdu.destination_addr)
    return SubmittedPair(recipient, checked_sender(pdu.source_addr), pdu.service_type)


def replacement(pdu: ReplaceSm, old: Draft, account: SmppAccount, now: int) -> Replacement:
    """What a replace_sm asks for: empty fields leave what stands (§4.10.1). Raises PduRefused.

    It bears no data_coding: the text is coded as the message's was, or, where that was text of 7 or 8 bits, in the
    account's default alphabet.
    """
    if pdu.sm_default_msg_id:
        raise PduRefused(S.ESME_RINVDFTMSGID, "there are no predefined messages here")
    if pdu.source_addr and pdu.source_addr != old.sender:
        raise PduRefused(S.ESME_RREPLACEFAIL, "the message has another source address")
    release_at, _ = read_times(pdu.schedule_delivery_time, "", now)
    _, validity = read_times("", pdu.validity_period, release_at or old.release_at)
    kind = pdu.registered_delivery & RegisteredDelivery.RECEIPT_MASK
    receipts = Wish(kind, Wish.read(old.receipts).reference).stored()
    as_submitted = SubmitSm(
        data_coding=_CODED_AS.get(Alphabet(old.alphabet), 0), short_message=pdu.short_message, tlvs=pdu.tlvs
    )
    _check_text(as_submitted)
    content = _content(as_submitted, account)
    if not content.octets:
        return Replacement(validity=validity, release_at=release_at or None, receipts=receipts)
    return Replacement(content.octets, content.alphabet, validity, release_at or None, receipts)


def _check_flags(pdu: Submit) -> None:
    if pdu.registered_delivery & RegisteredDelivery.RECEIPT_MASK == RegisteredDelivery.RECEIPT_MASK:
        raise PduRefused(S.ESME_RINVREGDLVFLG, "registered_delivery asks for a reserved kind of receipt")
    if isinstance(pdu, DataSm):
        return
    if pdu.priority_flag > _MOST_PRIORITY:
        raise PduRefused(S.ESME_RINVPRTFLG, "priority_flag is 0 to 3")
    if pdu.sm_default_msg_id:
        raise PduRefused(S.ESME_RINVDFTMSGID, "there are no predefined messages here")


def _check_text(pdu: Submit) -> None:
    payload = pdu.tlv(Tag.MESSAGE_PAYLOAD)
    short = b"" if isinstance(pdu, DataSm) else pdu.short_message
    if short and payload:
        raise PduRefused(S.ESME_RINVMSGLEN, "the text stands in short_message and in message_payload")


def _content(pdu: Submit, account: SmppAccount) -> Content:
    """What it says. A header that does not fit its own lengths is none: it would go out as text."""
    content = read_content(pdu, style_of(account))
    if pdu.esm_class & EsmClass.UDHI and not content.udh:
        raise PduRefused(S.ESME_RINVESMCLASS, "the user data header does not fit its own lengths")
    return _suited(content)


def _suited(content: Content) -> Content:
    """ISO 8859-1 goes as GSM where that holds all characters and takes no more parts: every network takes it."""
    if content.alphabet is not Alphabet.LATIN1:
        return content
    text = content.text()
    if not is_gsm(text):
        return content
    octets = parts.encode(text, Alphabet.GSM)
    if not _fits(octets, content):
        return content
    return Content(octets, Alphabet.GSM, content.udh, content.part, content.sar, content.flash)


def _fits(septets: bytes, content: Content) -> bool:
    """Braces, brackets and the like are two septets each: a part has to stay one, a text as many as it was."""
    header = header_of(content.udh, content.part)
    if header:
        return len(septets) <= parts.room(Alphabet.GSM, len(header))
    return parts.pieces(septets, Alphabet.GSM) <= parts.pieces(content.octets, content.alphabet)


def _times(pdu: Submit, now: int) -> tuple[int, int | None]:
    """When it is to be released (0: now), and for how many seconds from then it is valid (None: as long as can be)."""
    if isinstance(pdu, DataSm):
        seconds = pdu.tlv(Tag.QOS_TIME_TO_LIVE)
        return 0, seconds if isinstance(seconds, int) else None
    return read_times(pdu.schedule_delivery_time, pdu.validity_period, now)


def read_times(schedule: str, validity: str, now: int) -> tuple[int, int | None]:
    """The same of the two fields. Raises PduRefused."""
    release_at = _moment(schedule, now, S.ESME_RINVSCHED) if schedule else 0
    if not validity:
        return release_at, None
    start = max(now, release_at)
    return release_at, (_moment(validity, start, S.ESME_RINVEXPIRY) - start) // _SECOND_US


def _moment(text: str, now: int, status: int) -> int:
    found = times.moment(text, now)
    if found is None:
        raise PduRefused(status, "a time is YYMMDDhhmmsstnnp (SMPP 3.4 §7.1.1)")
    return found
