"""What a carrier delivers a second time: known by id and content, or, where there are no ids, by what it brought before.

A link that breaks may take our answer with it; the carrier then brings the same again over its next link. Such an MO is
recognised while the carrier is not known to have read the answer to the first one, and each first one stands for one
repetition. Over a link that lives the same is known where it was put off although it may be stored: when the connection
to the database broke in a commit. Refuses to call anything else a repetition: a handset may well send the same text
twice.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from hashlib import blake2b

from rejoinder.flow.ports import Tx, Unconfirmed
from rejoinder.message.model import Brought, InboundPart


async def unseen(tx: Tx, parts: Sequence[InboundPart]) -> list[InboundPart]:
    """Those that are new, in their order; notes what makes a repetition of each known."""
    return await _not_brought_before(tx, await _under_new_ids(tx, parts))


async def _under_new_ids(tx: Tx, parts: Sequence[InboundPart]) -> list[InboundPart]:
    """The parts whose carrier's id is new, each once, and those without an id."""
    keys = [None if part.carrier_ref is None else (part.carrier_id, _seen_as(part)) for part in parts]
    named: dict[tuple[int, str], InboundPart] = {}
    for key, part in zip(keys, parts, strict=True):
        if key is not None:
            named.setdefault(key, part)
    new = await tx.inbound.note_seen([(*key, named[key].received_at) for key in sorted(named)])
    return [
        part
        for key, part in zip(keys, parts, strict=True)
        if key is None or (key in new and named[key] is part)
    ]


def _seen_as(part: InboundPart) -> str:
    """The carrier's id, with what was delivered under it: who counts anew brings other texts under ids that we know."""
    content = "\0".join((part.sender, part.recipient, str(part.reference), str(part.number), part.text))
    return f"{part.carrier_ref} {blake2b(content.encode(), digest_size=8).hexdigest()}"


async def _not_brought_before(tx: Tx, parts: Sequence[InboundPart]) -> list[InboundPart]:
    notes = {place: _note(part.carrier_id, part.brought) for place, part in enumerate(parts) if part.brought}
    if not notes:
        return list(parts)
    # A repetition may be repeated in its turn: from here on the doubt is its link's.
    new = await tx.inbound.note_unconfirmed([(it, parts[place].received_at) for place, it in notes.items()])
    # What is noted already was stored when a commit broke off, and is brought again over the same link.
    again = {place for place, it in notes.items() if (it.carrier_id, it.link, it.number) not in new}
    doubtful = [place for place in notes if place not in again and _doubtful(parts[place])]
    before = await _before(tx, {place: notes[place] for place in doubtful}) if doubtful else {}
    gone = await tx.inbound.take_lost(list(before.values())) if before else set()
    again |= {place for place, it in before.items() if (it.carrier_id, it.link, it.number) in gone}
    return [part for place, part in enumerate(parts) if place not in again]


async def _before(tx: Tx, notes: dict[int, Unconfirmed]) -> dict[int, Unconfirmed]:
    """For each place what it may repeat: of the same content, brought by a lost link; each used once."""
    known: dict[tuple[int, int], deque[Unconfirmed]] = defaultdict(deque)
    for one in await tx.inbound.lost({(it.carrier_id, it.digest) for it in notes.values()}):
        known[one.carrier_id, one.digest].append(one)
    before: dict[int, Unconfirmed] = {}
    for place, it in notes.items():
        candidates = known[it.carrier_id, it.digest]
        if candidates:
            before[place] = candidates.popleft()
    return before


def _doubtful(part: InboundPart) -> bool:
    return part.brought is not None and part.brought.doubtful


def _note(carrier_id: int, brought: Brought) -> Unconfirmed:
    return Unconfirmed(carrier_id, brought.link, brought.number, brought.digest)
