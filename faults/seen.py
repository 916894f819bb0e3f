"""What everybody around a server saw of it: the material that faults/checker.py judges. Holds, and refuses nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Seen:
    """Ids are documentIds; `arrivals`: whether each arrival at the network was marked as a possible duplicate.

    `gave_up`: messages that never came whole to the network, and whose senders are told so by their final status.
    `unfinished`: messages whose receipts the server took, and which have no final status for all that.
    `parts`: of how many parts a text is, where that is more than one. `refunded`: parts whose charge went back.
    """

    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)  # clientRef -> (user, id)
    ids_of_reference: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    arrivals: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    gave_up: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    parts: dict[str, int] = field(default_factory=dict)  # clientRef -> how many
    refunded: int = 0
    replies: dict[str, str] = field(default_factory=dict)  # text -> id of the MT that it answers
    polled: list[tuple[str, Counter[str]]] = field(default_factory=list)  # user, how often each id was shown
    texts: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # shown MO: id -> (text, origin)
    acknowledged_at: list[tuple[str, float]] = field(default_factory=list)

    def missing(self) -> set[str]:
        """Accepted messages that are not at the network, and whose senders don't know better."""
        return {mt for _, mt in self.accepted.values()} - set(self.arrivals) - self.gave_up

    def handed_over(self) -> bool:
        """Whether there is none."""
        return not self.missing()

    def charge(self) -> int:
        """What all accepted messages cost, in parts."""
        return sum(self.parts.get(reference, 1) for reference in self.accepted) - self.refunded
