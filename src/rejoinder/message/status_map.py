"""A carrier's own words for statuses, and the statuses they mean: the setting `status_map`.

Refuses (ValueError, with a sentence) what is neither a JSON object nor a list of `word=STATUS`, and statuses
that no receipt can bring. Words are compared without regard to case and to blanks around them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from rejoinder.message.status import FINAL, Status, from_smpp_word

_FROM_A_RECEIPT = FINAL | {Status.SENT}


def parse(text: str) -> dict[str, Status]:
    """`{"delivered": "DELIVRD"}` or `delivered=DELIVRD, failed=5` as carrier's word, folded, to status.

    A status is a word of SMPP, a word of contract §1 or its code: a final one, or 11. A word given twice:
    ValueError.
    """
    found: dict[str, Status] = {}
    for word, value in _pairs(text.strip()):
        folded = _fold(word)
        if not folded:
            raise ValueError("a carrier's word is missing before a status")
        if folded in found:
            raise ValueError(f"the word {word.strip()!r} stands there twice")
        found[folded] = _status(value)
    return found


def look_up(word: str, status_map: str) -> Status | None:
    """The status of a receipt's word: the map's, else SMPP's, else None. ValueError as `parse`."""
    mapped = _parsed(status_map).get(_fold(word)) if status_map else None
    return from_smpp_word(word) if mapped is None else mapped


# A carrier's map is read once, not once a receipt: 0.1 µs instead of some 10.
@lru_cache(maxsize=256)
def _parsed(text: str) -> Mapping[str, Status]:
    return MappingProxyType(parse(text))


def _fold(word: str) -> str:
    return word.strip().casefold()


def _pairs(text: str) -> list[tuple[str, object]]:
    if not text.startswith("{"):
        lines = [entry.strip() for line in text.splitlines() for entry in line.split(",")]
        return [_pair(entry) for entry in lines if entry]
    try:
        # Taken as pairs, not as a dict, so that a word given twice is seen.
        pairs: list[tuple[str, object]] = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise ValueError("it begins like a JSON object and is none") from None
    return pairs


def _pair(entry: str) -> tuple[str, object]:
    word, equals, status = entry.rpartition("=")
    if not equals:
        raise ValueError(f"{entry!r} is not of the form word=STATUS")
    return word, status


def _status(value: object) -> Status:
    status = None
    if isinstance(value, str | int) and not isinstance(value, bool):
        word = str(value).strip().upper()
        status = from_smpp_word(word) or Status.__members__.get(word)
        if status is None and word.isascii() and word.isdecimal() and len(word) < 3:
            status = next((known for known in Status if known == int(word)), None)
    if status is None or status not in _FROM_A_RECEIPT:
        raise ValueError(f"{value!r} is not a status that a receipt brings, such as DELIVRD, UNDELIV or 8")
    return status
