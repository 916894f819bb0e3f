"""Another text, time or validity for a scheduled message (issue 3, replace_sm), on both stores."""

from __future__ import annotations

import pytest

from rejoinder.flow import ledger
from rejoinder.flow.operator import rates
from rejoinder.flow.operator.accounts import changing
from rejoinder.flow.operator.rates import Rate
from rejoinder.flow.ports import UserRow
from rejoinder.flow.replacing import Replacement
from rejoinder.flow.request import MessageRefused
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet
from tests.centre import START, Centre, shown_in, together

LATER = START + 3600
HOUR_US = 3600 * 1_000_000


async def opened(centre: Centre, funds: int = 10_000) -> tuple[UserRow, int, str]:
    """A user, a carrier, and a message of two parts that waits: 2 credits are paid."""
    user, carrier = await centre.account(funds=funds), await centre.carrier()
    await centre.pool("61500079987", "61500079988")
    sent = await centre.send(
        user, "x" * 200, schedule_at=str(LATER), client_ref="r", reply_to="https://shop.example/in"
    )
    return user, carrier, sent.id


async def right(centre: Centre) -> bool:
    return (await ledger.check(centre.store.read)).right


@pytest.mark.parametrize(
    ("octets", "alphabet", "parts"),
    [
        (b"short", Alphabet.GSM, 1),
        (b"y" * 200, Alphabet.GSM, 2),
        (b"z" * 400, Alphabet.GSM, 3),
        ("ж".encode("utf-16-be"), Alphabet.UCS2, 1),
    ],
)
async def test_a_new_text_is_sent_and_shown_and_costs_what_it_costs(
    centre: Centre, octets: bytes, alphabet: Alphabet, parts: int
) -> None:
    user, carrier, mt_id = await opened(centre)
    assert await centre.replacements.replace(user, mt_id, lambda _: Replacement(octets, alphabet))
    assert await centre.balance(user) == 10_000 - parts * 1000
    assert await right(centre)
    centre.clock.pass_seconds(3600)
    await centre.releases.step()
    ((_, out),) = await centre.deliver(carrier)
    assert (out.parts, out.alphabet) == (parts, alphabet.value)
    (shown,) = shown_in(await centre.poll(user))
    assert (shown["documentId"], shown["text"]) == (mt_id, out.text)


async def test_replaced_and_then_cancelled_all_that_was_paid_goes_back_once(centre: Centre) -> None:
    user, _, mt_id = await opened(centre)
    for octets in (b"z" * 400, b"short", b"y" * 200, b"z" * 1000):
        assert await centre.replacements.replace(user, mt_id, lambda _, new=octets: Replacement(new))  # type: ignore[misc]  # default binds the loop's value
    await centre.cancellations.cancel(user, mt_id)
    await centre.cancellations.cancel(user, mt_id)
    assert await centre.balance(user) == 10_000
    assert await right(centre)


async def test_the_price_is_that_of_the_day_it_is_replaced(centre: Centre) -> None:
    user, _, mt_id = await opened(centre)
    await changing(centre.store, lambda tx: rates.replace_rates(tx, "acme", [Rate("61", 50)], replace=True))
    await centre.setup.refresh()
    assert await centre.replacements.replace(user, mt_id, lambda _: Replacement(b"z" * 400))
    assert await centre.balance(user) == 10_000 - 150
    assert await right(centre)


async def test_time_validity_and_receipts_are_replaced_and_the_text_stays(centre: Centre) -> None:
    user, carrier, mt_id = await opened(centre)
    wanted = Replacement(validity=60, release_at=LATER * 1_000_000 + HOUR_US, receipts=1)
    assert await centre.replacements.replace(user, mt_id, lambda _: wanted)
    centre.clock.pass_seconds(3600)
    assert await centre.releases.step() == 0
    centre.clock.pass_seconds(3600)
    assert await centre.releases.step() == 1
    ((_, out),) = await centre.deliver(carrier)
    assert (out.text, out.valid_until) == ("x" * 200, (LATER + 3660) * 1_000_000)
    assert await centre.sql("SELECT receipts, reply_to FROM mt") == [(1, "https://shop.example/in")]
    assert await centre.balance(user) == 8_000


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (-106, Replacement(b"")),
        (-107, Replacement(b"x" * 1531)),
        (-110, Replacement(validity=0)),
        (-111, Replacement(release_at=(START - 1) * 1_000_000)),
        (-112, Replacement(release_at=(START + 31 * 86_400) * 1_000_000)),
        (-210, Replacement(b"x" * 1500)),
    ],
)
async def test_what_would_not_be_accepted_is_refused_and_changes_nothing(
    centre: Centre, code: int, wanted: Replacement
) -> None:
    user, _, mt_id = await opened(centre, 9_000)
    before = await centre.sql("SELECT draft, release_at FROM mt_scheduled")
    with pytest.raises(MessageRefused) as refused:
        await centre.replacements.replace(user, mt_id, lambda _: wanted)
    assert refused.value.code == code
    assert await centre.sql("SELECT draft, release_at FROM mt_scheduled") == before
    assert await centre.balance(user) == 7_000


async def test_what_does_not_wait_or_is_anothers_is_not_replaced(centre: Centre) -> None:
    user, _, mt_id = await opened(centre)
    other = await centre.account("other@firm", "firm")
    now = (await centre.send(user)).id
    for asker, document_id in ((other, mt_id), (user, now), (user, "5175000000000000000000ff")):
        assert not await centre.replacements.replace(asker, document_id, lambda _: Replacement(b"new"))
    await centre.cancellations.cancel(user, mt_id)
    assert not await centre.replacements.replace(user, mt_id, lambda _: Replacement(b"new"))
    assert await centre.status(mt_id) == Status.DELETED


async def test_a_replacement_and_a_release_at_once_send_one_text_that_is_shown_and_paid(
    centre: Centre,
) -> None:
    user, carrier, mt_id = await opened(centre)
    centre.clock.pass_seconds(3600)
    wanted = Replacement(b"short", release_at=LATER * 1_000_000)
    results = await together(
        centre.releases.step(),
        centre.replacements.replace(user, mt_id, lambda _: wanted),
        centre.releases.step(),
    )
    assert not [one for one in results if isinstance(one, BaseException)]
    while await centre.releases.step():
        pass
    ((_, out),) = await centre.deliver(carrier)
    (shown,) = shown_in(await centre.poll(user))
    assert shown["text"] == out.text
    assert await centre.balance(user) == 10_000 - 1000 * (1 if out.text == "short" else 2)
