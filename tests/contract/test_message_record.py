"""What an operator sees of one message: where it stands and waits, and what its carriers called its parts."""

from __future__ import annotations

from rejoinder.flow.ports import MessageRecord, PartRecord
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from tests.centre import HANDSET, Centre

POOL = "61500079987"


async def _record(centre: Centre, mt_id: str) -> tuple[MessageRecord, list[PartRecord]]:
    found = await centre.store.read.messages.record(mt_id)
    assert found is not None
    return found


async def test_a_message_is_shown_from_its_queue_to_its_end(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier("wire")
    await centre.pool(POOL)
    sent = await centre.send(user, "x" * 200)
    record, parts = await _record(centre, sent.id)
    assert (record.username, record.recipient, record.sender) == (user.username, HANDSET, POOL)
    assert (record.status, record.parts, record.charge, record.resent) == (Status.SUBMITTED, 2, 2000, False)
    assert (record.carrier, record.attempts, record.submitting, parts) == ("wire", 0, False, [])
    assert record.accepted_at == centre.clock.wall_us() < record.expires_at

    ((claim, _),) = (await centre.claim(carrier)).outgoing
    record, parts = await _record(centre, sent.id)
    assert record.submitting
    assert parts == [PartRecord(number, "wire", Status.SUBMITTED, None) for number in (1, 2)]

    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "A1"), Outcome(2, Fate.ACCEPTED, "A2")])
    await centre.receipt(carrier, "A1")
    record, parts = await _record(centre, sent.id)
    assert (record.status, record.carrier, record.due_at, record.finished_at) == (
        Status.SENT,
        None,
        None,
        None,
    )
    assert parts == [PartRecord(1, "wire", Status.DELIVERED, "A1"), PartRecord(2, "wire", Status.SENT, "A2")]

    await centre.receipt(carrier, "A2")
    record, _ = await _record(centre, sent.id)
    assert (record.status, record.finished_at) == (Status.DELIVERED, centre.clock.wall_us())


async def test_what_was_never_sent_or_is_forgotten_is_not_shown(centre: Centre) -> None:
    assert await centre.store.read.messages.record("0" * 24) is None
