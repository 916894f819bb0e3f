"""A route's own sender in place of the user's, where the user allows that; replies then match the one that went out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rejoinder.flow.ports import Pair, Tx
from rejoinder.flow.route import Candidate
from rejoinder.message.model import QueueRow


def rerouted(row: QueueRow, to: Candidate) -> QueueRow:
    """The message for another carrier: from that route's sender, else from the user's own again."""
    sender = (to.sender or row.own_sender) if row.own_sender else row.sender
    return replace(row, carrier_id=to.carrier_id, sender=sender)


async def note_senders(tx: Tx, rows: Sequence[QueueRow], now: int) -> None:
    """Messages that go out from a route's sender since they were rerouted: a reply to it answers them.

    The user's own sender has its pair since the message was accepted.
    """
    swapping = {row.id: row for row in rows if row.own_sender}
    if not swapping:
        return
    states = await tx.messages.lock(swapping)
    addresses = await tx.messages.reply_addresses(swapping)
    await tx.messages.set_senders([(row.id, row.sender) for row in swapping.values()])
    pairs = {}
    for state in states:
        row = swapping[state.id]
        if row.sender != row.own_sender and row.sender.isdigit():
            pairs[row.recipient, row.sender] = Pair(
                row.recipient, row.sender, state.user_id, row.id, False, now, addresses.get(row.id)
            )
    await tx.replies.put(list(pairs.values()), [])
