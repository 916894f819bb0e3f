"""MT step 1a for doors that bring ready-made content (SMPP): octets, their alphabet, a user data header. Pure.

Shares its checks with request.py and refuses by the same codes: -104, -106, -107, -105, -110, -111, -112. A part of
a customer's long message is a message of its own; what joins its text in the mailbox is joining.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec

from rejoinder.flow.request import (
    DEFAULT_VALIDITY,
    Concat,
    Draft,
    Limits,
    MessageRefused,
    checked_length,
    checked_recipient,
    checked_release,
    checked_sender,
)
from rejoinder.message import parts
from rejoinder.message.codes import MessageError
from rejoinder.message.parts import Concatenation
from rejoinder.message.text import Alphabet

# A reference of 16 bits is another than the same one of 8 bits (3GPP TS 23.040 §9.2.3.24.8).
_WIDE = 1 << 16
_NUL = str.maketrans({"\0": "\ufffd"})


class CodedRequest(msgspec.Struct, frozen=True, gc=False):
    """A message as the customer's own program coded it.

    `octets`: user data without its header, septets of GSM one to an octet; `udh`: the header with its length octet;
    `part`: what SAR parameters say, where no header says it; `validity` in seconds (None: the longest); `release_at`
    in microseconds UTC; `reference`: what makes a repetition within 24 hours known (empty: every one is new);
    `service_type`: by which, with its addresses, it may be called back (cancel.py).
    """

    recipient: str
    sender: str
    octets: bytes
    alphabet: Alphabet
    udh: bytes = b""
    part: Concatenation | None = None
    flash: bool = False
    receipts: int = 0
    validity: int | None = None
    release_at: int = 0
    reference: str = ""
    service_type: str | None = None


def coded_draft(request: CodedRequest, limits: Limits, now: int) -> Draft:
    """Judges a coded message in the contract's order at a moment (microseconds). Raises MessageRefused."""
    recipient = checked_recipient(request.recipient)
    part, udh = _part(request), header_of(request.udh, request.part)
    count = _parts(request, udh, limits)
    sender = checked_sender(request.sender)
    if udh and (len(udh) < 2 or udh[0] != len(udh) - 1):
        raise MessageRefused(
            MessageError.UNKNOWN_ENCODING, "the user data header does not fit its own length", "udh"
        )
    text = parts.decode(request.octets, request.alphabet).translate(_NUL)
    return Draft(
        recipient=recipient,
        sender=sender,
        text=text,
        body=text,
        alphabet=request.alphabet.value,
        parts=count,
        reply_to=None,
        rotation=None,
        client_ref=_reference(request, udh, recipient, sender),
        validity=_validity(request),
        udh=udh.hex(),
        octets="" if _says_all(text, request) else request.octets.hex(),
        flash=request.flash,
        concat=_concat(part),
        receipts=request.receipts,
        release_at=checked_release(request.release_at, now) if request.release_at else 0,
        service_type=request.service_type,
    )


def header_of(udh: bytes, part: Concatenation | None) -> bytes:
    """The header it goes out with: the customer's, else one made from the SAR parameters.

    Its reference has 8 bits: beside the longer one of 16 a full part would not fit.
    """
    if udh or part is None or part.total < 2:
        return udh
    return parts.header(replace(part, reference=part.reference & 0xFF, wide=False))


def _part(request: CodedRequest) -> Concatenation | None:
    """Which part this is."""
    found, _ = parts.read_udh(request.udh)
    return found or request.part


def _parts(request: CodedRequest, udh: bytes, limits: Limits) -> int:
    """How many messages it takes: one where the customer wrote a header, which no second one can follow."""
    if not request.octets and not udh:
        raise MessageRefused(MessageError.TEXT_EMPTY, "text is missing or empty", "text")
    if not udh:
        count = parts.pieces(request.octets, request.alphabet)
        checked_length(count, limits)
        return count
    if len(request.octets) > parts.room(request.alphabet, len(udh)):
        raise MessageRefused(
            MessageError.TEXT_TOO_LONG, "text does not fit one message beside its user data header", "text"
        )
    return 1


def _says_all(text: str, request: CodedRequest) -> bool:
    """Whether the text alone gives back the customer's octets: not where a pair was cut between two parts."""
    try:
        return parts.encode(text, request.alphabet) == request.octets
    except ValueError:
        return False


def _concat(part: Concatenation | None) -> Concat | None:
    if part is None or part.total < 2:
        return None
    return Concat(part.reference + (_WIDE if part.wide else 0), part.number, part.total)


def _validity(request: CodedRequest) -> int:
    """Seconds; what is longer than networks may try at all is cut to that."""
    if request.validity is None:
        return DEFAULT_VALIDITY
    if request.validity < 1:
        raise MessageRefused(MessageError.UNKNOWN_ENCODING, "the validity period is over already", "validity")
    return min(request.validity, DEFAULT_VALIDITY)


def _reference(request: CodedRequest, udh: bytes, recipient: str, sender: str) -> str:
    """The reference with a digest of what must be the same beside it: another message under it is a new message.

    Longer than any clientRef may be, so that the two never meet.
    """
    if not request.reference:
        return ""
    same = b"\0".join((recipient.encode(), sender.encode(), udh.hex().encode(), request.octets))
    return f"reference:{hashlib.blake2b(same, digest_size=32).hexdigest()}:{request.reference}"
