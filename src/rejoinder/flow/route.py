"""MT step 2: which carriers may take a message, in order. Pure rules over the operator's routes.

A prefix may have several carriers: the lowest priority number is tried first, equals share by weight, and a carrier
that is down is passed over while another one is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rejoinder.flow.ports import RouteRow

NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A carrier that may take a message; `resend`: an unknown outcome is resent once, else it fails.

    `sender` stands for the user's own, where the user allows that; empty: it has none.
    """

    carrier_id: int
    resend: bool
    priority: int = 0
    weight: int = 1
    sender: str = ""


class RoutingTable:
    """Routes by longest prefix. Only the longest matching prefix counts; its carriers by ascending priority."""

    def __init__(self, routes: Iterable[RouteRow]) -> None:
        self._by_prefix: dict[str, tuple[Candidate, ...]] = {}
        for route in sorted(routes, key=lambda r: (r.prefix, r.priority, r.carrier_id)):
            candidate = Candidate(
                route.carrier_id, route.on_unknown == "resend", route.priority, route.weight, route.sender
            )
            self._by_prefix[route.prefix] = (*self._by_prefix.get(route.prefix, ()), candidate)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)
        self._shared = {
            candidate.carrier_id
            for candidates in self._by_prefix.values()
            if len(candidates) > 1
            for candidate in candidates
        }

    def candidates(self, recipient: str) -> tuple[Candidate, ...]:
        """Carriers for a number by priority; empty when no route fits."""
        for length in self._lengths:
            found = self._by_prefix.get(recipient[:length])
            if found is not None:
                return found
        return ()

    def first(self, recipient: str, chance: float, down: Collection[int] = NOBODY) -> Candidate | None:
        """The carrier a new message goes to: one that is down only when all are.

        `chance` in [0, 1) decides among equals.
        """
        found = self.candidates(recipient)
        if len(found) == 1:
            return found[0]
        return _chosen([it for it in found if it.carrier_id not in down] or found, chance)

    def next(self, recipient: str, tried: str, chance: float = 0.0) -> Candidate | None:
        """The first carrier that has not refused yet; `tried` is the queue row's list of ids."""
        refused = set(tried.split())
        return _chosen([it for it in self.candidates(recipient) if str(it.carrier_id) not in refused], chance)

    def instead(self, recipient: str, tried: str, down: Collection[int], chance: float) -> Candidate | None:
        """Another carrier for a message whose own is down: one that is up and has not refused it."""
        refused = set(tried.split())
        return _chosen(
            [
                it
                for it in self.candidates(recipient)
                if it.carrier_id not in down and str(it.carrier_id) not in refused
            ],
            chance,
        )

    def has_others(self, carrier_id: int) -> bool:
        """Whether any prefix of this carrier has another carrier too."""
        return carrier_id in self._shared


def _chosen(candidates: Sequence[Candidate], chance: float) -> Candidate | None:
    """One of those with the lowest priority number, by weight."""
    if not candidates:
        return None
    equals = [it for it in candidates if it.priority == candidates[0].priority]
    place = chance * sum(it.weight for it in equals)
    for candidate in equals:
        place -= candidate.weight
        if place < 0:
            return candidate
    return equals[-1]
