"""Time and chance of the real world, for the two clients."""

from __future__ import annotations

import random
import time


class RealTime:
    """The machine's monotonic clock, sleep, and chance."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def chance(self) -> float:
        return random.random()  # noqa: S311  # spreads retries; nothing secret hangs on it
