"""Which carriers are down, as this process sees it. Pure: seconds are monotonic and handed in.

A carrier is down when its link has been, or when it has answered nothing but "later", for ten seconds. Refuses nothing.
"""

from __future__ import annotations

PATIENCE_SECONDS = 10.0
# A carrier that answers "later" is tried again after so long: nothing else would tell that it is back.
PROBE_SECONDS = 60.0


class Health:
    """What lanes see of their carriers, for those who choose among them."""

    def __init__(self) -> None:
        self._down_since: dict[int, float] = {}
        self._later_until: dict[int, float] = {}
        self._broken: set[int] = set()

    def link(self, carrier_id: int, up: bool, now: float) -> None:
        """How the carrier's link stands at this moment."""
        if not up:
            self._broken.add(carrier_id)
        elif carrier_id in self._broken:
            # A new link says nothing yet of what the old one answered.
            self._broken.discard(carrier_id)
            self._later_until.pop(carrier_id, None)
        if up and now >= self._later_until.get(carrier_id, now):
            self._down_since.pop(carrier_id, None)
        else:
            self._down_since.setdefault(carrier_id, now)

    def answered(self, carrier_id: int, took: bool, now: float) -> None:
        """A message got an answer: "later", a fault that passes, or anything else (`took`)."""
        if took:
            self._later_until.pop(carrier_id, None)
        else:
            self._later_until[carrier_id] = now + PROBE_SECONDS

    def forget(self, carrier_id: int) -> None:
        """The carrier was removed, or is made anew."""
        self._down_since.pop(carrier_id, None)
        self._later_until.pop(carrier_id, None)
        self._broken.discard(carrier_id)

    def down(self, now: float) -> frozenset[int]:
        """Carriers that have been down long enough to be passed over."""
        if not self._down_since:
            return frozenset()
        return frozenset(
            carrier_id for carrier_id, since in self._down_since.items() if now - since >= PATIENCE_SECONDS
        )
