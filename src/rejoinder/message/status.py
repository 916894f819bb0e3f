"""Message statuses: one table of code, priority, finality and word, and one table of the steps a status may
take.

Refuses codes that are not in the table (ValueError). A final status never changes. Source: contract §1
"messageStatus".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from rejoinder.message.codes import MessageError


class Status(IntEnum):
    """Where a message, or one part of it, stands. Its name is the word used in pushes."""

    UNKNOWN = 0
    REROUTING = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    REJECTED = 8
    SUBMITTED = 10
    SENT = 11
    NO_ROUTE = 12
    SOURCE_NOT_ALLOWED = 13
    CONTENT_BLOCKED = 14
    INVALID_CONTENT = 15


class Row(NamedTuple):
    """One line of the contract's table."""

    priority: int
    final: bool
    word: str


TABLE: Mapping[int, Row] = MappingProxyType(
    {
        Status.UNKNOWN: Row(1, False, "UNKNOWN"),
        Status.REROUTING: Row(8, False, "REROUTING"),
        Status.DELIVERED: Row(9, True, "DELIVERED"),
        Status.EXPIRED: Row(6, True, "EXPIRED"),
        Status.DELETED: Row(2, True, "DELETED"),
        Status.UNDELIVERABLE: Row(4, True, "UNDELIVERABLE"),
        Status.REJECTED: Row(5, True, "REJECTED"),
        Status.SUBMITTED: Row(7, False, "SUBMITTED"),
        Status.SENT: Row(8, False, "SENT"),
        Status.NO_ROUTE: Row(3, True, "NO_ROUTE"),
        Status.SOURCE_NOT_ALLOWED: Row(4, True, "SOURCE_NOT_ALLOWED"),
        Status.CONTENT_BLOCKED: Row(4, True, "CONTENT_BLOCKED"),
        Status.INVALID_CONTENT: Row(4, True, "INVALID_CONTENT"),
    }
)

FINAL: frozenset[int] = frozenset(status for status in Status if TABLE[status].final)

# From each status, those it may become. Any final one is open to every open status: a carrier's status map
# may turn a receipt into NO_ROUTE or CONTENT_BLOCKED too. SENT does not go to REROUTING: what a network took
# is never given to another.
STEPS: Mapping[int, frozenset[int]] = MappingProxyType(
    {
        Status.UNKNOWN: FINAL | {Status.SUBMITTED, Status.REROUTING, Status.SENT},
        Status.SUBMITTED: FINAL | {Status.REROUTING, Status.SENT},
        Status.REROUTING: FINAL | {Status.SENT},
        Status.SENT: FINAL,
        **{final: frozenset() for final in FINAL},
    }
)

# Receipt words of SMPP 3.4 appendix B and 5.0 §4.7.15, with the long spellings some networks write. What says
# only that the message is on its way, or that the network itself does not know, leaves it SENT: the 49 hours
# decide.
SMPP_WORDS: Mapping[str, Status] = MappingProxyType(
    {
        "DELIVRD": Status.DELIVERED,
        "DELIVERED": Status.DELIVERED,
        "EXPIRED": Status.EXPIRED,
        "DELETED": Status.DELETED,
        "UNDELIV": Status.UNDELIVERABLE,
        "UNDELIVERABLE": Status.UNDELIVERABLE,
        "UNDELIVERED": Status.UNDELIVERABLE,
        "SKIPPED": Status.UNDELIVERABLE,
        "REJECTD": Status.REJECTED,
        "REJECTED": Status.REJECTED,
        "ACCEPTD": Status.SENT,
        "ACCEPTED": Status.SENT,
        "ENROUTE": Status.SENT,
        "SCHEDULED": Status.SENT,
        "UNKNOWN": Status.SENT,
    }
)

_ERRORS = frozenset(int(error) for error in MessageError)


def _row(code: int) -> Row:
    try:
        return TABLE[code]
    except KeyError:
        raise ValueError(f"{code} is not a message status") from None


def is_final(code: int) -> bool:
    """Whether `code` can never change again. The errors below 0 are final too. ValueError for a code of
    neither.
    """
    return code in _ERRORS or _row(code).final


def priority(code: int) -> int:
    """The status's priority number: of several parts the lowest decides. ValueError for a code outside the
    table.
    """
    return _row(code).priority


def word(code: int) -> str:
    """The word pushes use for the status. ValueError for a code outside the table."""
    return _row(code).word


def combine(codes: Iterable[int]) -> Status:
    """The message's status from its parts': the lowest priority number, of equal ones the smaller code.

    {delivered, sent} is sent; {delivered, expired} is expired. ValueError without parts or for a code outside
    the table.
    """
    ranks = [(_row(code).priority, int(code)) for code in codes]
    if not ranks:
        raise ValueError("a message has at least one part")
    return Status(min(ranks)[1])


def step(old: int, new: int) -> int:
    """The status after `new` was reported of something in `old`: `new` where the table allows that step, else
    `old`.

    So a repeated, late or out-of-order report changes nothing, and an error below 0 stays. ValueError for
    unknown codes.
    """
    if old in _ERRORS:
        return old
    _row(old)
    _row(new)
    return new if new in STEPS[old] else old


def from_smpp_word(word: str) -> Status | None:
    """The status a receipt's word stands for, any case, blanks around it dropped; None for a word we do not
    know.
    """
    return SMPP_WORDS.get(word.strip().upper())
