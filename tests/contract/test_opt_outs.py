"""Opt-outs on both stores: STOP ends a customer's messages to a handset (-130), START brings them back (issue 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.inbound import claim_parked
from rejoinder.flow.operator import optouts
from rejoinder.flow.optouts import words
from rejoinder.flow.ports import OptOut, UserRow
from rejoinder.flow.request import MessageRefused
from rejoinder.message.model import Fate, InboundPart, Outcome, Outgoing
from rejoinder.message.status import Status
from tests.centre import HANDSET, Centre, accepted, shown_in, together

POOL = ("61500079987", "61500079988", "61500079989")
OTHER = "61255588886"
OWN = "61400000001"


async def shop(centre: Centre) -> tuple[UserRow, int]:
    user = await centre.account()
    carrier = await centre.carrier()
    await centre.pool(*POOL)
    return user, carrier


async def answers(centre: Centre, carrier: int, mt_id: str, text: str) -> None:
    """The handset answers a message."""
    ((handset,),) = await centre.sql("SELECT recipient FROM mt WHERE id = $1", mt_id)
    await centre.reply(carrier, str(handset), await centre.sender_of(mt_id), text)


async def code(centre: Centre, user: UserRow, **more: str) -> int:
    try:
        return (await centre.send(user, **more)).status
    except MessageRefused as refused:
        return refused.code


async def listed(centre: Centre, customer: str = "shop", history: bool = True) -> list[OptOut]:
    return await optouts.listed(centre.store.read, customer, history)


STOPS = ["STOP", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "STOPALL"]
OUT = [*STOPS, "stop", "Stop", " stop \r\n", "\u00a0STOP", "arret", "ARRÊT", "arre\u0302t"]
NOT = ["STOP it", "please stop", "STOP.", "STO P", "STOPP", "", " ", "ST\0OP", "STOP" * 100, "start", "oui"]


@pytest.mark.parametrize("text", OUT)
async def test_each_of_the_words_blocks_further_messages_and_charges_nothing(
    centre: Centre, text: str
) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    await centre.deliver(carrier)
    before = await centre.balance(user)
    await answers(centre, carrier, sent.id, text)
    assert await code(centre, user) == -130
    assert await code(centre, user, recipient=f"+{HANDSET}") == -130
    assert await centre.balance(user) == before
    assert await centre.sql("SELECT count(*) FROM mt") == [(1,)]
    assert await code(centre, user, recipient=OTHER) == Status.SUBMITTED


@pytest.mark.parametrize("text", NOT)
async def test_a_text_that_is_more_than_the_word_is_a_reply_as_any_other(centre: Centre, text: str) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    await answers(centre, carrier, sent.id, text)
    assert await code(centre, user) == Status.SUBMITTED
    assert await listed(centre) == []


async def test_the_mo_is_in_the_mailbox_and_is_the_evidence(centre: Centre) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    await answers(centre, carrier, sent.id, " Stop ")
    (shown,) = shown_in(await centre.poll(user, received=True))
    assert (shown["text"], shown["originDocumentId"]) == (" Stop ", sent.id)
    (kept,) = await listed(centre)
    sender = await centre.sender_of(sent.id)
    assert kept == OptOut(
        user.customer_id, HANDSET, centre.clock.wall_us(), sender, shown["documentId"], "Stop"
    )


@pytest.mark.parametrize("text", ["START", " start ", "Oui"])
async def test_start_lifts_it_and_both_stay_as_history(centre: Centre, text: str) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    await answers(centre, carrier, sent.id, "STOP")
    centre.clock.pass_seconds(60)
    await answers(centre, carrier, sent.id, text)
    assert await code(centre, user) == Status.SUBMITTED
    assert await listed(centre, history=False) == []
    (kept,) = await listed(centre)
    assert (kept.word, kept.lifted_word, kept.lifted_at) == ("STOP", text.strip(), centre.clock.wall_us())
    centre.clock.pass_seconds(60)
    await answers(centre, carrier, sent.id, "QUIT")
    assert await code(centre, user) == -130
    assert [one.word for one in await listed(centre)] == ["STOP", "QUIT"]


async def test_a_second_stop_changes_nothing(centre: Centre) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    await answers(centre, carrier, sent.id, "STOP")
    first = await listed(centre)
    centre.clock.pass_seconds(60)
    await answers(centre, carrier, sent.id, "END")
    assert await listed(centre) == first


@pytest.mark.parametrize(
    ("texts", "blocked"), [("STOP START", False), ("START STOP", True), ("END START STOP", True)]
)
async def test_of_words_that_come_in_one_batch_the_last_counts(
    centre: Centre, texts: str, blocked: bool
) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    number = await centre.sender_of(sent.id)
    await together(*(centre.reply(carrier, HANDSET, number, text) for text in ["hello", *texts.split()]))
    assert (await code(centre, user) == -130) == blocked


async def test_it_holds_for_all_users_of_that_customer_and_for_no_other_customer(centre: Centre) -> None:
    anna, carrier = await shop(centre)
    bob = await centre.account("bob@shop")
    stranger = await centre.account("stranger@firm", "firm")
    await answers(centre, carrier, (await centre.send(anna)).id, "STOP")
    assert await code(centre, bob) == -130
    assert await code(centre, stranger) == Status.SUBMITTED
    # Each answers the message it answers: the other customer's start lifts nothing here.
    await answers(centre, carrier, (await centre.send(stranger)).id, "START")
    assert await code(centre, anna) == -130


async def test_a_stop_to_a_customers_or_a_users_number_is_that_customers(centre: Centre) -> None:
    anna, carrier = await shop(centre)
    await centre.sql("INSERT INTO number (number, customer_id) VALUES ($1, $2)", OWN, anna.customer_id)
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN + "2", anna.id)
    await centre.changed()
    await centre.reply(carrier, HANDSET, OWN, "STOP")
    await centre.reply(carrier, OTHER, OWN + "2", "STOP")
    assert await code(centre, anna) == -130
    assert await code(centre, anna, recipient=OTHER) == -130


async def test_a_stop_nobody_can_take_opts_out_when_it_is_claimed(centre: Centre) -> None:
    user, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, POOL[0], "STOP")
    assert await code(centre, user) == Status.SUBMITTED
    (parked,) = await centre.store.read.inbound.parked("", 10)
    document = await claim_parked(centre.store, centre.clock, centre.ids, parked.id, user.username, words())
    await centre.setup.refresh()
    assert await code(centre, user) == -130
    assert [one.mo_id for one in await listed(centre)] == [document]


async def test_a_long_text_of_parts_is_judged_when_it_is_whole(centre: Centre) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user)
    number = await centre.sender_of(sent.id)
    for part, text in ((1, "ST"), (2, "OP")):
        assert await code(centre, user) == Status.SUBMITTED
        await centre.inbound.take(
            InboundPart(carrier, HANDSET, number, text, centre.clock.wall_us(), f"p{part}", 7, part, 2)
        )
    assert await code(centre, user) == -130


# The order of checks: 13, -130, -120, 12, -210.


async def test_13_comes_first_then_130_then_120_then_12_then_210(centre: Centre) -> None:
    user = await centre.account(funds=1000)
    await centre.carrier(prefix="61")
    await centre.pool(*POOL)
    far = "4915112345678"
    await centre.send(user, "the first text", client_ref="r")
    for handset in (HANDSET, far):
        await centre.store.write(lambda tx, to=handset: optouts.add(tx, "shop", to, 1))  # type: ignore[misc]
    await centre.changed()
    wrong = {"text": "another text", "client_ref": "r"}
    assert await code(centre, user, sender="STRANGER", recipient=far, **wrong) == 13
    assert await code(centre, user, recipient=far, **wrong) == -130
    assert await code(centre, user, recipient="4915112345679", **wrong) == -120
    assert await code(centre, user, recipient="4915112345679") == 12
    assert await code(centre, user, recipient=OTHER) == -210
    # The very message that was accepted before the STOP is not answered as accepted again.
    assert await code(centre, user, text="the first text", client_ref="r") == -130


# What was accepted before the STOP.


async def test_what_waits_when_the_stop_comes_is_not_handed_over_any_more_and_refunded(
    centre: Centre,
) -> None:
    user, carrier = await shop(centre)
    first = await centre.send(user)
    await centre.deliver(carrier)
    waiting, to_other = await centre.send(user, "second"), await centre.send(user, recipient=OTHER)
    before = await centre.balance(user)
    await answers(centre, carrier, first.id, "STOP")
    handed = [outgoing.id for _, outgoing in await centre.deliver(carrier)]
    assert handed == [to_other.id]
    assert await centre.status(waiting.id) == Status.REJECTED
    assert await centre.balance(user) == before + 1000
    await centre.receipt(carrier, f"r-{first.id}-1")
    assert await centre.status(first.id) == Status.DELIVERED


def later(outgoing: Outgoing, number: int) -> Outcome:
    return Outcome(number, Fate.LATER)


def first_part_only(outgoing: Outgoing, number: int) -> Outcome:
    return accepted(outgoing, number) if number == 1 else later(outgoing, number)


@pytest.mark.parametrize(
    ("fate", "handed", "status"), [(later, 0, Status.REJECTED), (first_part_only, 1, Status.SENT)]
)
async def test_what_a_network_put_off_is_ended_but_what_it_has_begun_goes_on(
    centre: Centre, fate: Callable[[Outgoing, int], Outcome], handed: int, status: Status
) -> None:
    user, carrier = await shop(centre)
    first = await centre.send(user, "x" * 200)
    await centre.deliver(carrier, fate)
    await answers(centre, carrier, first.id, "STOP")
    centre.clock.pass_seconds(10)
    assert len(await centre.deliver(carrier)) == handed
    assert await centre.status(first.id) == status


async def test_what_the_next_carrier_would_get_is_ended_too(centre: Centre) -> None:
    user, carrier = await shop(centre)
    second = await centre.carrier("second", priority=1)
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda outgoing, number: Outcome(number, Fate.REFUSED))
    assert await centre.status(sent.id) == Status.REROUTING
    before = await centre.balance(user)
    await answers(centre, carrier, sent.id, "STOP")
    assert await centre.deliver(second) == []
    assert await centre.status(sent.id) == Status.REJECTED
    assert await centre.balance(user) == before + 1000


# The operator.


async def test_the_operator_adds_lists_and_removes(centre: Centre) -> None:
    user, _ = await shop(centre)
    now = centre.clock.wall_us()
    await centre.store.write(lambda tx: optouts.add(tx, "acme/shop", HANDSET, now))
    await centre.changed()
    assert await code(centre, user) == -130
    with pytest.raises(Refused, match="already"):
        await centre.store.write(lambda tx: optouts.add(tx, "shop", HANDSET, now))
    with pytest.raises(NotFound):
        await centre.store.write(lambda tx: optouts.remove(tx, "shop", OTHER, now))
    with pytest.raises(NotFound):
        await listed(centre, "nobody")
    await centre.store.write(lambda tx: optouts.remove(tx, "shop", HANDSET, now + 1))
    assert await code(centre, user) == Status.SUBMITTED
    assert await listed(centre) == [
        OptOut(user.customer_id, HANDSET, now, lifted_at=now + 1),
    ]


async def test_a_server_that_saw_no_opt_out_yet_looks_as_soon_as_another_stored_the_first(
    centre: Centre,
) -> None:
    user, carrier = await shop(centre)
    other = Centre(centre.store, centre.clock, centre.ids)
    await other.setup.refresh()
    assert not other.setup.opt_outs
    await answers(centre, carrier, (await centre.send(user)).id, "STOP")
    assert await other.setup.refresh()
    assert await code(other, user) == -130


async def test_while_nobody_has_opted_out_nobody_is_asked(centre: Centre) -> None:
    user, carrier = await shop(centre)
    await centre.sql("DROP TABLE opt_out")
    assert await code(centre, user) == Status.SUBMITTED
    assert len(await centre.deliver(carrier)) == 1
