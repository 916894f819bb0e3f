"""Where a customer may send to, and whose sender a message goes out from, on both stores (contract §1, §9, issue 4)."""

from __future__ import annotations

import pytest

from rejoinder.flow.ports import UserRow
from rejoinder.flow.request import MessageRefused
from rejoinder.message.model import Fate, Outcome, Outgoing
from rejoinder.message.status import Status
from tests.centre import HANDSET, START, Centre, shown_in

POOL = ("61500079987", "61500079988")
OWN, ROUTES, SECOND = "61400000001", "61999999999", "61888888888"


async def opened(centre: Centre, allowed: bool = True, sender: str = ROUTES) -> tuple[UserRow, int]:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(*POOL)
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN, user.id)
    await centre.sql("UPDATE user_account SET swapping_source_address_allowed = $1", allowed)
    await centre.sql("UPDATE route SET sender = $1", sender)
    await centre.changed()
    found = await centre.accounts.user(user.username)
    assert found is not None
    return found, carrier


async def origins(centre: Centre, user: UserRow) -> list[object]:
    return [one["originDocumentId"] for one in shown_in(await centre.poll(user, received=True))]


@pytest.mark.parametrize(
    ("prefixes", "recipient", "code"),
    [
        ("", "4915112345678", 10),
        ("49 61", "4915112345678", 10),
        ("49 61", HANDSET, 10),
        ("49 612558", HANDSET, 12),
        ("4915112345678", "4915112345678", 10),
        ("49151123456789", "4915112345678", 12),
    ],
)
async def test_a_customer_sends_only_to_its_prefixes(
    centre: Centre, prefixes: str, recipient: str, code: int
) -> None:
    await opened(centre)
    await centre.sql("UPDATE customer SET prefixes = $1", prefixes)
    await centre.changed()
    user = await centre.accounts.user("anna@shop")
    assert user is not None
    try:
        found = (await centre.send(user, recipient=recipient)).status
    except MessageRefused as refused:
        found = refused.code
    assert found == code
    assert await centre.balance(user) == 1_000_000 - (1000 if code == 10 else 0)


async def test_a_prefix_taken_away_ends_a_scheduled_message_and_refunds_it(centre: Centre) -> None:
    user, _ = await opened(centre)
    sent = await centre.send(user, schedule_at=str(START + 60))
    await centre.sql("UPDATE customer SET prefixes = '49'")
    await centre.changed()
    centre.clock.pass_seconds(60)
    await centre.releases.step()
    assert await centre.status(sent.id) == Status.NO_ROUTE
    assert await centre.balance(user) == 1_000_000


@pytest.mark.parametrize("sender", ["", OWN])
@pytest.mark.parametrize("routes", [ROUTES, "Shop"])
async def test_a_routes_sender_goes_out_where_the_user_allows_it(
    centre: Centre, sender: str, routes: str
) -> None:
    user, carrier = await opened(centre, sender=routes)
    sent = await centre.send(user, sender=sender)
    ((_, out),) = await centre.deliver(carrier)
    assert out.sender == await centre.sender_of(sent.id) == routes
    if routes == ROUTES:
        await centre.reply(carrier, HANDSET, routes)
        assert await origins(centre, user) == [sent.id]


@pytest.mark.parametrize(("allowed", "routes"), [(False, ROUTES), (True, "")])
async def test_without_that_the_users_own_sender_goes_out(centre: Centre, allowed: bool, routes: str) -> None:
    user, carrier = await opened(centre, allowed, routes)
    await centre.send(user, sender=OWN)
    assert [out.sender for _, out in await centre.deliver(carrier)] == [OWN]


@pytest.mark.parametrize("second", [SECOND, ""])
@pytest.mark.parametrize("sender", ["", OWN])
async def test_another_carrier_gets_its_own_routes_sender_or_the_users_again(
    centre: Centre, second: str, sender: str
) -> None:
    user, first = await opened(centre)
    other = await centre.carrier("other", priority=1)
    await centre.sql("UPDATE route SET sender = $1 WHERE carrier_id = $2", second, other)
    await centre.changed()
    sent = await centre.send(user, sender=sender)

    def refuse(_: Outgoing, number: int) -> Outcome:
        return Outcome(number, Fate.REFUSED)

    assert [out.sender for _, out in await centre.deliver(first, refuse)] == [ROUTES]
    ((_, out),) = await centre.deliver(other)
    assert out.sender == await centre.sender_of(sent.id)
    assert out.sender == second or (not second and out.sender in (sender or POOL))
    await centre.reply(other, HANDSET, out.sender)
    assert await origins(centre, user) == [sent.id]


@pytest.mark.parametrize("refused", [False, True])
async def test_a_reply_to_a_routes_sender_goes_to_the_messages_reply_to(
    centre: Centre, refused: bool
) -> None:
    user, first = await opened(centre)
    other = await centre.carrier("other", priority=1)
    await centre.sql("UPDATE route SET sender = $1 WHERE carrier_id = $2", SECOND, other)
    await centre.changed()
    await centre.send(user, reply_to="https://shop.example/in")
    if refused:
        await centre.deliver(first, lambda _, number: Outcome(number, Fate.REFUSED))
    await centre.reply(first, HANDSET, SECOND if refused else ROUTES)
    assert await centre.sql("SELECT address FROM push") == [("https://shop.example/in",)]


async def test_a_message_of_a_removed_carrier_takes_the_next_routes_sender(centre: Centre) -> None:
    user, first = await opened(centre)
    other = await centre.carrier("other", priority=1)
    await centre.sql("UPDATE route SET sender = $1 WHERE carrier_id = $2", SECOND, other)
    sent = await centre.send(user, sender=OWN)
    await centre.sql("UPDATE carrier SET removed = TRUE WHERE id = $1", first)
    await centre.changed()
    await centre.upkeep.end_messages()
    assert [(out.id, out.sender) for _, out in await centre.deliver(other)] == [(sent.id, SECOND)]
    await centre.reply(other, HANDSET, SECOND)
    assert await origins(centre, user) == [sent.id]
