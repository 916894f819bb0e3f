"""Which receipt an SMPP customer asked for with a submit, as `mt.receipts` keeps it. Pure.

Refuses nothing: bits that mean no receipt here are dropped before.
"""

from __future__ import annotations

from typing import NamedTuple

from rejoinder.message.status import Status

# registered_delivery, bits 0 and 1 (SMPP 3.4 §5.2.17).
FINAL, ON_FAILURE = 1, 2
_BITS = 8


class Wish(NamedTuple):
    """The kind of receipt, and the user_message_reference that is given back with it."""

    kind: int
    reference: int | None = None

    def stored(self) -> int:
        """One number: the kind in the low 8 bits, the reference plus 1 above them."""
        return self.kind | (0 if self.reference is None else (self.reference + 1) << _BITS)

    @classmethod
    def read(cls, stored: int) -> Wish:
        """What `stored` made."""
        reference = stored >> _BITS
        return cls(stored & (1 << _BITS) - 1, reference - 1 if reference else None)

    def wants(self, status: int) -> bool:
        """Whether a message that ended so is to be reported."""
        return self.kind == FINAL or (self.kind == ON_FAILURE and status != Status.DELIVERED)
