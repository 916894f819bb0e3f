"""Which of our answers to deliveries a centre has read. PURE.

A centre reads in order: its answer to a request of ours proves that it has read all we wrote before that request. What is
not proven when a link breaks may be brought again over another. Refuses to take silence for a proof.
"""

from __future__ import annotations

# No centre leaves more deliveries unanswered at once (smpp_link.MOST_DELIVERIES): an older one has its answer.
MOST_IN_DOUBT = 1_000


class Proofs:
    """One link's deliveries, by number, from 1."""

    __slots__ = ("_answered", "_last", "_mark", "_marked", "_open")

    def __init__(self) -> None:
        self._last = 0
        self._open: set[int] = set()
        self._answered: list[int] = []
        # The request whose answer proves the marked ones.
        self._mark: int | None = None
        self._marked: list[int] = []

    def begin(self) -> int:
        """A delivery has come; gives its number."""
        self._last += 1
        self._open.add(self._last)
        if len(self._open) > 2 * MOST_IN_DOUBT:
            oldest = self._last - MOST_IN_DOUBT
            self._open = {number for number in self._open if number > oldest}
            self._answered = [number for number in self._answered if number > oldest]
        return self._last

    def answered(self, number: int) -> None:
        """Our answer was written."""
        self._answered.append(number)

    def sent(self, sequence: int) -> None:
        """A request of ours was written."""
        if self._mark is None and self._answered:
            self._mark, self._marked, self._answered = sequence, self._answered, []

    def came(self, sequence: int) -> None:
        """A request of ours was answered, whatever with."""
        if sequence == self._mark:
            self._open.difference_update(self._marked)
            self._mark, self._marked = None, []

    def lapsed(self, sequence: int) -> None:
        """That request will not be answered any more: another one has to prove it."""
        if sequence == self._mark:
            self._answered = self._marked + self._answered
            self._mark, self._marked = None, []

    def parted(self) -> None:
        """Both sides said good-bye: all that was answered was read."""
        self._open.difference_update(self._marked, self._answered)

    def wanted(self) -> bool:
        """Whether something was answered that no request under way will prove."""
        return self._mark is None and bool(self._answered)

    def proven(self) -> int:
        """Every delivery up to this number has its answer."""
        return max(min(self._open, default=self._last + 1) - 1, self._last - MOST_IN_DOUBT)
