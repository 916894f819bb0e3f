"""A customer's long message that comes in parts: each is an MT of its own, together they are one mailbox entry.

The entry is made when the last part is there, or after five minutes of what came. Its documentId is the id of part
number 1, or of the earliest part where that one is missing; replies name it. Refuses to mix two messages: a part that
stands already with another text belongs to a later message under a reused reference, and the older one is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from rejoinder.clock import MICROSECONDS
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import JoiningPart, LongMessage, Tx
from rejoinder.message import parts
from rejoinder.message.model import Entry, ShownMt
from rejoinder.message.text import Alphabet

# Contract of the SMPP door: what has come after this long is shown.
PATIENCE_US = 300 * MICROSECONDS
_encode = msgspec.json.encode
_NUL = str.maketrans({"\0": "\ufffd"})


@dataclass(frozen=True, slots=True)
class Whole:
    """A long message that goes to the mailbox now."""

    message: LongMessage
    document: str
    text: str
    mt_ids: Sequence[str]

    def entry(self, timestamp: int) -> tuple[Entry, list[tuple[str, str, int]]]:
        """Its mailbox entry, and for each part under which entry it is shown (flow/ports `Joining.place`)."""
        shown = _encode(ShownMt(self.document, self.text, timestamp, self.message.recipient))
        entry = Entry(self.message.user_id, timestamp, self.document, False, shown)
        return entry, [(mt_id, self.document, timestamp) for mt_id in self.mt_ids]


class Gatherings:
    """Long messages of which parts are missing, read under their mailboxes' locks. Changes only itself."""

    def __init__(self, kept: Iterable[JoiningPart] = ()) -> None:
        self._open: dict[LongMessage, dict[int, JoiningPart]] = {}
        for part in kept:
            self._open.setdefault(part.message, {})[part.number] = part
        self._stood = {message: set(found) for message, found in self._open.items()}
        self._closed: set[LongMessage] = set()

    def sender(self, message: LongMessage) -> str | None:
        """What the parts that came before went out from."""
        found = self._open.get(message)
        return next(iter(found.values())).sender if found else None

    def replaced(self, part: JoiningPart) -> Whole | None:
        """The older message that ends because this part cannot be of it; ask before `sender` and `add`."""
        stood = self._open.get(part.message, {}).get(part.number)
        if stood is None or (stood.octets, stood.alphabet) == (part.octets, part.alphabet):
            return None
        return self.close(part.message)

    def add(self, part: JoiningPart) -> str:
        """Takes a part in; gives back the documentId as far as it is known. The same part again changes nothing."""
        found = self._open.setdefault(part.message, {})
        found.setdefault(part.number, part)
        return _document(found)

    def completed(self, message: LongMessage) -> Whole | None:
        """The message with its last part there."""
        return self.close(message) if len(self._open[message]) == message.total else None

    def close(self, message: LongMessage) -> Whole:
        """Ends the waiting: the message is what has come."""
        found = self._open.pop(message)
        self._closed.add(message)
        return Whole(message, _document(found), _joined(found), [part.mt_id for part in found.values()])

    def gone(self) -> list[LongMessage]:
        """Messages whose kept parts are to be dropped."""
        return sorted(self._closed & set(self._stood))

    def new(self) -> list[JoiningPart]:
        """Parts that wait and are not on disk yet."""
        return [
            part
            for message, found in self._open.items()
            for number, part in found.items()
            if message in self._closed or number not in self._stood.get(message, ())
        ]


def _document(found: dict[int, JoiningPart]) -> str:
    first = found.get(1)
    # Ids count up, so the smallest is the earliest.
    return first.mt_id if first else min(part.mt_id for part in found.values())


def _joined(found: dict[int, JoiningPart]) -> str:
    """The text, also where the customer cut a pair between two parts."""
    pieces = {number: (bytes.fromhex(part.octets), Alphabet(part.alphabet)) for number, part in found.items()}
    return parts.join_octets(pieces).translate(_NUL)


async def show_stale(tx: Tx, now: int, most: int) -> int:
    """Long messages whose missing parts did not come in time are shown as they are; says how many there were."""
    stale = await tx.joining.stale(now - PATIENCE_US, most)
    if not stale:
        return 0
    locked = await tx.mailboxes.lock({message.user_id for message in stale})
    boxes = {box.box_id: Placement(box) for box in locked}
    kept = await tx.joining.kept(stale)
    await tx.messages.lock([part.mt_id for part in kept])
    gatherings = Gatherings(kept)
    entries, places = [], []
    # Another process may have shown some of them before we had the lock.
    for message in sorted({part.message for part in kept}):
        entry, shown = gatherings.close(message).entry(boxes[message.user_id].give(now // MICROSECONDS))
        entries.append((entry, now))
        places += shown
    await tx.mailboxes.advance([box.row() for box in boxes.values()])
    await tx.mailboxes.insert(entries)
    await tx.joining.drop(gatherings.gone())
    await tx.joining.place(places)
    return len(stale)
