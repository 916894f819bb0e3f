"""What carriers do otherwise than SMPP 3.4 says, as data: one profile per way of being different.

Refuses nothing. A new quirk is a field here and one place that reads it; a carrier's own name never stands in the code.
How ids in receipts are written needs no profile: it is learnt (flow/receipts.py); `ids` is for those whose ids are
too short to leave no doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rejoinder.smpp.constants import CommandStatus as S


class Ids(StrEnum):
    """How a receipt names the id that the submit was answered with."""

    SAME = "same"
    DECIMAL = "decimal"
    """Answered in hex, receipts in decimal."""
    HEX = "hex"
    """Answered in decimal, receipts in hex."""


_PASSING = frozenset({S.ESME_RSYSERR, S.ESME_RINVBNDSTS, S.ESME_RX_T_APPN, S.ESME_RSERTYPUNAVAIL})


@dataclass(frozen=True, slots=True)
class Profile:
    """How a carrier differs. The statuses are those of submit answers; what is in no set refuses the message."""

    about: str
    interface_version: int = 0x34
    # Receipts that esm_class does not mark: known by a text that begins like one.
    receipts_by_text: bool = False
    ids: Ids = Ids.SAME
    # The link is too fast for it, or its queue is full: slower, and the same message again at once.
    throttled: frozenset[int] = frozenset({S.ESME_RTHROTTLED, S.ESME_RMSGQFUL})
    # A fault that passes: again later.
    later: frozenset[int] = _PASSING


STANDARD = "standard"
PROFILES: Mapping[str, Profile] = {
    STANDARD: Profile("as SMPP 3.4 says"),
    # Centres of the 3.3 time, and those that kept their ways: no TLVs, ids counted in hex and told in decimal.
    "smpp-3.3": Profile("binds as 3.3; ids answered in hex, receipts in decimal", 0x33, ids=Ids.DECIMAL),
    "hex-receipts": Profile("ids answered in decimal, receipts in hex", ids=Ids.HEX),
    "decimal-receipts": Profile("ids answered in hex, receipts in decimal", ids=Ids.DECIMAL),
    "unmarked-receipts": Profile("receipts are marked by nothing but their text", receipts_by_text=True),
    # Some answer every passing trouble of their own network with "submit failed" and take the message minutes later.
    "submitfail-passes": Profile(
        "ESME_RSUBMITFAIL is a passing fault",
        later=_PASSING | {S.ESME_RSUBMITFAIL},
    ),
    # 0x400 to 0x4FF are a centre's own; several use the first for "too fast".
    "vendor-throttle": Profile(
        "0x00000400 means too fast", throttled=frozenset({S.ESME_RTHROTTLED, S.ESME_RMSGQFUL, 0x400})
    ),
}


def as_answered(ref: str, ids: Ids) -> str:
    """A receipt's id in the form in which the submit was answered; what can't be converted stays as it is."""
    try:
        if ids is Ids.DECIMAL:
            return format(int(ref, 10), "x")
        if ids is Ids.HEX:
            return str(int(ref, 16))
    except ValueError:
        return ref
    return ref
