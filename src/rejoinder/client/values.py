"""What the calls answer, as values. Times are whole Unix seconds UTC, numbers are digits, ids 24 hex digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from rejoinder.message.status import FINAL

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message that was accepted: it is on disk and charged. `status`: 10, or that of the first with this clientRef."""

    document_id: str
    recipient: str
    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one recipient of many. Accepted: `document_id` is there. Refused: `error` says why."""

    document_id: str | None
    recipient: str
    status: int
    error: str | None

    @property
    def accepted(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class Received:
    """A text from a handset. `origin_document_id` is the message that it answers, None where it answers none."""

    document_id: str
    text: str
    timestamp: int
    sender: str
    recipient: str
    origin_document_id: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that was sent."""

    document_id: str
    text: str
    timestamp: int
    recipient: str


Message = Received | Sent


@dataclass(frozen=True, slots=True)
class FinalStatus:
    """What finally became of a message. `charged` in credits."""

    document_id: str
    recipient: str
    status: int
    timestamp: int
    parts: int
    charged: Decimal


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One answer of a poll. `since` is where to go on once its items are safe; `more`: ask again at once."""

    items: Sequence[Item]
    since: int
    more: bool


def is_final(status: int) -> bool:
    """Whether a status never changes again; refusals (below 0) are final too."""
    return status < 0 or status in FINAL
