"""Which of our answers to deliveries a centre has read. PURE.

A centre reads in order: its answer to a request of ours proves that it has read all we wrote before that request. What is
not proven when a link breaks may be brought again over another. Refuses to take silence, or a great number, for a proof.
"""

from __future__ import annotations


class Proofs:
    """One link's deliveries, by number, from 1."""

    __slots__ = ("_above", "_answered", "_last", "_mark", "_marked", "_proven")

    def __init__(self) -> None:
        self._last = 0
        # Up to which one all are answered, and those answered above that.
        self._answered = 0
        self._above: set[int] = set()
        # The request whose answer proves all up to the marked one.
        self._mark: int | None = None
        self._marked = 0
        self._proven = 0

    def begin(self) -> int:
        """A delivery has come; gives its number."""
        self._last += 1
        return self._last

    def answered(self, number: int) -> None:
        """Our answer was written."""
        self._above.add(number)
        while self._answered + 1 in self._above:
            self._answered += 1
            self._above.remove(self._answered)

    def sent(self, sequence: int) -> None:
        """A request of ours was written."""
        if self.wanted():
            self._mark, self._marked = sequence, self._answered

    def came(self, sequence: int) -> None:
        """A request of ours was answered, whatever with."""
        if sequence == self._mark:
            self._mark, self._proven = None, self._marked

    def lapsed(self, sequence: int) -> None:
        """That request will not be answered any more: another one has to prove it."""
        if sequence == self._mark:
            self._mark = None

    def parted(self) -> None:
        """Both sides said good-bye: all that was answered was read."""
        self._proven = self._answered

    def wanted(self) -> bool:
        """Whether something was answered that no request under way will prove."""
        return self._mark is None and self._answered > self._proven

    def proven(self) -> int:
        """The centre has read the answers to every delivery up to this number."""
        return self._proven
