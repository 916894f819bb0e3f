"""How one peer writes and reads texts where SMPP leaves it open: a carrier's or a customer's settings as values.

Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class DefaultAlphabet(StrEnum):
    """What data_coding 0 means to the peer: "SMSC default alphabet" (3.4 §5.2.19) is its own choice."""

    GSM = "gsm"
    """GSM 03.38, a septet an octet."""
    GSM_PACKED = "gsm-packed"
    """GSM 03.38, 8 septets in 7 octets."""
    LATIN1 = "iso-8859-1"
    ASCII = "ascii"


class Long(StrEnum):
    """How a long text is written. All four are read, whichever is written."""

    UDH = "udh"
    """Parts under a user data header with a reference of 8 bits."""
    UDH16 = "udh16"
    """The same with 16 bits, where the text takes no more parts that way; else 8."""
    SAR = "sar"
    """Parts numbered by the sar_* parameters."""
    PAYLOAD = "payload"
    """In one piece as message_payload; the peer cuts it."""


class Flash(StrEnum):
    """How a message that is shown at once is marked."""

    DATA_CODING = "data_coding"
    """Message class 0 in data_coding (3GPP TS 23.038 §4)."""
    SUBUNIT = "dest_addr_subunit"
    """dest_addr_subunit 1, the display (3.4 §5.3.2.1)."""


@dataclass(frozen=True, slots=True)
class Style:
    """All of it together."""

    default: DefaultAlphabet = DefaultAlphabet.GSM
    long: Long = Long.UDH
    flash: Flash = Flash.DATA_CODING

    def without_parameters(self) -> Style:
        """The same for a peer of 3.3: what optional parameters would say stands in header and data_coding."""
        long = Long.UDH if self.long is Long.SAR else self.long
        return replace(self, long=long, flash=Flash.DATA_CODING)
