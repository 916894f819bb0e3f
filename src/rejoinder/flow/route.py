"""MT step 2: which carriers may take a message, in order. Pure rules over the operator's routes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rejoinder.flow.ports import RouteRow


@dataclass(frozen=True, slots=True)
class Candidate:
    """A carrier that may take a message; `resend`: an unknown outcome is resent once, else it fails."""

    carrier_id: int
    resend: bool


class RoutingTable:
    """Routes by longest prefix. Only the longest matching prefix counts; its carriers by ascending priority."""

    def __init__(self, routes: Iterable[RouteRow]) -> None:
        self._by_prefix: dict[str, tuple[Candidate, ...]] = {}
        for route in sorted(routes, key=lambda r: (r.prefix, r.priority, r.carrier_id)):
            candidate = Candidate(route.carrier_id, route.on_unknown == "resend")
            self._by_prefix[route.prefix] = (*self._by_prefix.get(route.prefix, ()), candidate)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def candidates(self, recipient: str) -> tuple[Candidate, ...]:
        """Carriers for a number, the first choice first; empty when no route fits."""
        for length in self._lengths:
            found = self._by_prefix.get(recipient[:length])
            if found is not None:
                return found
        return ()

    def next(self, recipient: str, tried: str) -> Candidate | None:
        """The first carrier that has not refused yet; `tried` is the queue row's list of ids."""
        refused = set(tried.split())
        for candidate in self.candidates(recipient):
            if str(candidate.carrier_id) not in refused:
                return candidate
        return None
