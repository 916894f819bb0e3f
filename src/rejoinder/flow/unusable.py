"""A carrier in place of one that can't be started: what waits for it may go to others, and who asks is told why.

Refuses to take a message.
"""

from __future__ import annotations

from rejoinder.message.model import Fate, Outcome, Outgoing


class Unusable:
    """A `Carrier` whose link is never up. `sentence`: what is wrong with its settings."""

    whole, window = False, 1

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to stop."""

    def state(self) -> str:
        return "not started"

    def ready(self) -> bool:
        return False

    def last_error(self) -> str:
        return self._sentence

    async def send(self, message: Outgoing) -> list[Outcome]:
        return [Outcome(number, Fate.UNSENT, reason=self._sentence) for number in message.numbers]
