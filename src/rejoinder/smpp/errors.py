"""What is wrong with bytes that came, and with values that were to be written.

Both carry a sentence without texts, numbers or passwords in it.
"""

from __future__ import annotations


class SmppError(Exception):
    """Root of what this package raises on purpose."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Malformed(SmppError):
    """Bytes that are no PDU, or not the one they claim. `status`: what the peer may be told.

    `fatal`: the length itself is wrong, so that nothing tells where the next PDU begins.
    """

    def __init__(self, status: int, sentence: str, *, fatal: bool = False) -> None:
        super().__init__(sentence)
        self.status = int(status)
        self.fatal = fatal


class Unwritable(SmppError, ValueError):
    """A PDU that the specification has no place for: too long, out of range, a NUL in a text."""


class NotAllowed(SmppError):
    """The session's state, or its full window, does not allow this now."""
