"""What was answered how fast. Latencies count from the moment a request was due, not from when it was written: a load
generator that waits for the server hides the very waiting it is there to measure.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_LONGEST_MS = 60_000


class Histogram:
    """Latencies by the millisecond, so that millions of them take no memory. Longer ones than a minute count as that."""

    def __init__(self) -> None:
        self._counts = [0] * (_LONGEST_MS + 1)
        self.count = 0

    def add(self, seconds: float) -> None:
        self._counts[min(_LONGEST_MS, max(0, math.ceil(seconds * 1000)))] += 1
        self.count += 1

    def quantile_ms(self, share: float) -> int:
        """So many ms were enough for this share of them; 0 when there are none."""
        wanted, seen = math.ceil(self.count * share), 0
        for milliseconds, count in enumerate(self._counts):
            seen += count
            if seen >= wanted > 0:
                return milliseconds
        return 0

    def __iadd__(self, other: Histogram) -> Histogram:
        self._counts = [one + more for one, more in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        return self


@dataclass
class Tally:
    """Of one phase of a run. `late`: how late arrivals were sent, measured against the clock they keep."""

    accepted: Histogram = field(default_factory=Histogram)
    refused: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    # Answers that are neither, by their first word; and requests whose connection broke.
    wrong: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    # Arrivals for which there was no connection left.
    unsent: int = 0
    ids: set[str] = field(default_factory=set)

    def accept(self, seconds: float, message_id: str) -> None:
        self.accepted.add(seconds)
        self.ids.add(message_id)

    @property
    def answered(self) -> int:
        return self.accepted.count + self.refused.count + self.wrong.total() + self.broken

    def shown(self) -> dict[str, Any]:
        """For a result."""
        return {
            "accepted": self.accepted.count,
            "refused": self.refused.count,
            "accepted_p50_ms": self.accepted.quantile_ms(0.5),
            "accepted_p99_ms": self.accepted.quantile_ms(0.99),
            "refused_p99_ms": self.refused.quantile_ms(0.99),
            "refused_longest_ms": self.refused.quantile_ms(1.0),
            "wrong": dict(self.wrong),
            "broken": self.broken,
        }


def slope(points: list[tuple[float, float]]) -> float:
    """The slope of the line that fits best (least squares), in units of y for one of x."""
    n = len(points)
    if n < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
