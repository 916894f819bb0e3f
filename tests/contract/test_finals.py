"""Final statuses in a box of their own (contract §8), on both stores: each once, whatever made it final."""

from __future__ import annotations

import msgspec
import pytest

from rejoinder.clock import MICROSECONDS
from rejoinder.endpoints.http.views import statuses_body
from rejoinder.flow.ports import UserRow
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from tests.centre import HANDSET, START, Centre, shown_in

HOUR = 3600


async def statuses(centre: Centre, user: UserRow, since: int = -1) -> list[dict[str, object]]:
    answer = await centre.finals(user, since)
    found: list[dict[str, object]] = msgspec.json.decode(statuses_body(answer))["statuses"]
    return found


async def ready(centre: Centre) -> tuple[UserRow, int]:
    user = await centre.account()
    carrier = await centre.carrier()
    await centre.pool("61500079987", "61500079988")
    return user, carrier


async def test_a_delivered_message_is_shown_in_the_contracts_shape(centre: Centre) -> None:
    user, carrier = await ready(centre)
    sent = await centre.send(user, "x" * 161)
    await centre.deliver(carrier)
    centre.clock.pass_seconds(7)
    await centre.receipt(carrier, f"r-{sent.id}-1")
    assert await statuses(centre, user) == []
    await centre.receipt(carrier, f"r-{sent.id}-2")
    answer = statuses_body(await centre.finals(user))
    assert (
        answer
        == (
            f'{{"newestStatusTimestamp":{START + 7},"hasMoreStatuses":false,"statuses":[{{"documentId":"{sent.id}",'
            f'"recipient":"{HANDSET}","messageStatus":2,"timestamp":{START + 7},"numberOfParts":2,'
            '"chargedAmount":2.000}],"status":0}'
        ).encode()
    )


async def test_receipts_that_come_again_or_late_bring_no_second_entry(centre: Centre) -> None:
    user, carrier = await ready(centre)
    sent = await centre.send(user)
    await centre.deliver(carrier)
    for status in (2, 2, 5, 3):
        await centre.receipt(carrier, f"r-{sent.id}-1", status)
        centre.clock.pass_seconds(1)
    assert [(one["messageStatus"], one["timestamp"]) for one in await statuses(centre, user)] == [(2, START)]


async def _expired(centre: Centre, carrier: int) -> None:
    centre.clock.pass_seconds(49 * HOUR + 1)
    await centre.upkeep.end_messages()


async def _refused(centre: Centre, carrier: int) -> None:
    await centre.deliver(carrier, lambda outgoing, number: Outcome(number, Fate.REFUSED))


async def _no_route(centre: Centre, carrier: int) -> None:
    await centre.sql("DELETE FROM route")
    await centre.sql("UPDATE carrier SET removed = $1", True)
    await centre.changed()
    await centre.upkeep.end_messages()


async def _undelivered(centre: Centre, carrier: int) -> None:
    ((_, outgoing),) = await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{outgoing.id}-1", Status.UNDELIVERABLE)


async def _validity_over(centre: Centre, carrier: int) -> None:
    centre.clock.pass_seconds(48 * HOUR + 1)
    await centre.claim(carrier)


@pytest.mark.parametrize(
    ("end", "status", "charged"),
    [
        (_expired, Status.EXPIRED, 1.0),
        (_validity_over, Status.EXPIRED, 1.0),
        (_undelivered, Status.UNDELIVERABLE, 1.0),
        (_refused, Status.REJECTED, 0.0),
        (_no_route, Status.NO_ROUTE, 0.0),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_whatever_ends_a_message_is_shown_once_with_what_it_cost_in_the_end(
    centre: Centre, end: object, status: int, charged: float
) -> None:
    user, carrier = await ready(centre)
    sent = await centre.send(user)
    await end(centre, carrier)  # type: ignore[operator]  # one of the functions above
    await centre.upkeep.end_messages()
    (shown,) = await statuses(centre, user)
    assert (shown["documentId"], shown["messageStatus"], shown["chargedAmount"]) == (sent.id, status, charged)


async def test_the_two_boxes_of_a_user_have_cursors_of_their_own(centre: Centre) -> None:
    user, carrier = await ready(centre)
    for _ in range(3):
        sent = await centre.send(user)
        await centre.deliver(carrier)
        await centre.receipt(carrier, f"r-{sent.id}-1")
    first = await centre.finals(user)
    assert len(shown_in(first)) == 3
    # Reading consumes nothing, and each of the two calls seals its own box alone.
    assert len(await statuses(centre, user)) == 3
    assert len(shown_in(await centre.poll(user))) == 3
    sent = await centre.send(user)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{sent.id}-1")
    assert [one["documentId"] for one in await statuses(centre, user, first.newest)] == [sent.id]


async def test_a_batch_of_receipts_for_many_users_is_entered_in_one_transaction(centre: Centre) -> None:
    first, carrier = await ready(centre)
    users = [first, *[await centre.account(f"user{n}@shop") for n in range(4)]]
    sent = [await centre.send(user) for user in users]
    await centre.deliver(carrier)
    for one in sent:
        await centre.receipt(carrier, f"r-{one.id}-1")
    for user, one in zip(users, sent, strict=True):
        assert [shown["documentId"] for shown in await statuses(centre, user)] == [one.id]


async def test_retention_forgets_final_statuses_and_leaves_their_boxes(centre: Centre) -> None:
    user, carrier = await ready(centre)
    sent = await centre.send(user)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{sent.id}-1")
    newest = (await centre.finals(user)).newest
    centre.clock.pass_seconds(91 * 24 * HOUR)
    await centre.upkeep.forget_entries()
    assert await statuses(centre, user) == []
    assert await centre.sql("SELECT last, sealed FROM mailbox WHERE box_id = $1", -user.id) == [
        (newest, newest)
    ]


async def test_after_a_restore_final_statuses_stand_above_the_floor(centre: Centre) -> None:
    user, carrier = await ready(centre)
    sent = await centre.send(user)
    await centre.deliver(carrier)
    await centre.store.write(lambda tx: tx.mailboxes.restored(centre.clock.wall_us() // MICROSECONDS))
    await centre.receipt(carrier, f"r-{sent.id}-1")
    assert [one["timestamp"] for one in await statuses(centre, user)] == [START + 61]
