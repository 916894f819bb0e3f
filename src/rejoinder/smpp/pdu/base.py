"""What all PDUs share. Refuses nothing: the codec judges when it writes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rejoinder.smpp.constants import Command

TlvValue = int | str | bytes | None
Tlvs = tuple[tuple[int, TlvValue], ...]


class Pdu(msgspec.Struct, frozen=True, gc=False):
    """What all PDUs share: their command, and the class that answers them (None: nothing answers)."""

    command: ClassVar[Command]
    response: ClassVar[type[Pdu] | None] = None

    def tlv(self, tag: int) -> TlvValue:
        """The first TLV of this tag; None where there is none."""
        for known, value in self.tlvs:  # type: ignore[attr-defined]  # every class below has them, last of its fields
            if known == tag:
                return value  # type: ignore[no-any-return]  # as above
        return None
