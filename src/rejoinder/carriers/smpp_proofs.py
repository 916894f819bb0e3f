"""Which of our answers to deliveries a centre has read, and which links' deliveries it may bring again. PURE.

A centre reads in order: its answer to a request of ours proves that it has read all we wrote before that request. What is
not proven when a link breaks may be brought again over another. Refuses to take silence for a proof.
"""

from __future__ import annotations

# No centre leaves more deliveries unanswered at once (smpp_link.MOST_DELIVERIES): an older one has its answer.
MOST_IN_DOUBT = 1_000
# So long after a link began or ended a centre may bring what it has no answer to; it does so at once or within minutes.
DOUBTFUL_SECONDS = 3_600.0


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


class Living:
    """The links of one carrier in this process: which live, and whether one began or ended lately."""

    __slots__ = ("_since", "names")

    def __init__(self, now: float) -> None:
        self._since = now
        self.names: frozenset[int] = frozenset()

    def began(self, link: int, now: float) -> None:
        self.names |= {link}
        self._since = now

    def ended(self, link: int, now: float) -> None:
        self.names -= {link}
        self._since = now

    def doubtful(self, now: float) -> bool:
        """Whether a delivery may repeat what a link that is no more has brought."""
        return now - self._since < DOUBTFUL_SECONDS
