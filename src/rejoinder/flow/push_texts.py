"""The texts that pushes tell of, as the mailbox shows them; of a part that waits for the others, the part's own.

A customer's long message has its entry only when its last part is there (joining.py), and a part may be final before.
Refuses nothing: where retention has taken a text there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rejoinder.flow.ports import QueuedPush, Tables
from rejoinder.flow.push_queue import STATUS
from rejoinder.message import parts
from rejoinder.message.text import Alphabet


async def shown_texts(tables: Tables, pushes: Sequence[QueuedPush]) -> dict[str, str]:
    """entry_id -> the JSON of the mailbox's entry, or one with the part's text. One query, where all have an entry."""
    shown = await tables.pushes.texts(pushes)
    missing = [
        push
        for push in pushes
        if push.kind == STATUS and push.entry_id == push.message_id and push.entry_id not in shown
    ]
    if missing:
        # In this order: what is joined in between was read as a part.
        waiting = await tables.joining.waiting(missing)
        shown |= await tables.pushes.joined_texts([push.message_id for push in missing])
        for mt_id, (alphabet, octets) in waiting.items():
            shown.setdefault(mt_id, _own(bytes.fromhex(octets), Alphabet(alphabet)))
    return shown


def _own(octets: bytes, alphabet: Alphabet) -> str:
    text = parts.decode(octets, alphabet).replace("\0", "\ufffd")
    return msgspec.json.encode({"text": text}).decode()
