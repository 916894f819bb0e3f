"""What a carrier's receipt means: its word, through the carrier's `status_map`, as a status of ours.

Refuses a map that is none (ConfigInvalid); an unknown word is None, for the caller to judge.
"""

from __future__ import annotations

from rejoinder.errors import ConfigInvalid
from rejoinder.message import status_map as words
from rejoinder.message.status import Status


def parse_status_map(text: str) -> dict[str, Status]:
    """`{"delivered": "DELIVRD"}` or `delivered=DELIVRD, failed=5` as the carrier's word, folded, to status.

    ConfigInvalid with a sentence for anything else.
    """
    try:
        return words.parse(text)
    except ValueError as error:
        raise ConfigInvalid(f"status_map can't be read: {error}.", "status_map") from None


def receipt_status(word: str, status_map: str = "") -> Status | None:
    """The status of a receipt's word, any case: the map's, else SMPP's (DELIVRD and the like), else None.

    ConfigInvalid when the map can't be read.
    """
    try:
        return words.look_up(word, status_map)
    except ValueError as error:
        raise ConfigInvalid(f"status_map can't be read: {error}.", "status_map") from None
