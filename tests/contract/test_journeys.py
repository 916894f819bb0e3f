"""The journeys of MT and MO on both stores (contract §1, §6, §11, §12; docs/flow.md)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import pytest

from rejoinder.flow.desk import Accepted
from rejoinder.flow.dispatch import RENEW_SECONDS
from rejoinder.flow.request import MessageRefused, SendRequest
from rejoinder.flow.steps import STEP
from rejoinder.message.model import Fate, InboundPart, Outcome
from rejoinder.message.status import Status
from rejoinder.observe import RECEIPTS
from tests.centre import HANDSET, START, Centre, shown_in, together

HOUR = 3600


async def shown(centre: Centre, user: object, **query: object) -> list[dict[str, object]]:
    answer = await centre.poll(user, **query)  # type: ignore[arg-type]
    return shown_in(answer)


async def test_a_message_goes_out_is_receipted_and_its_answer_names_it(centre: Centre) -> None:
    user = await centre.account()
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    assert await centre.status(sent.id) == Status.SUBMITTED
    ((_, outgoing),) = await centre.deliver(carrier)
    assert (outgoing.text, outgoing.sender, outgoing.recipient) == ("Hello mommy", "61500079987", HANDSET)
    assert await centre.status(sent.id) == Status.SENT
    await centre.receipt(carrier, f"r-{sent.id}-1")
    assert await centre.status(sent.id) == Status.DELIVERED
    await centre.reply(carrier, HANDSET, "61500079987")
    mt, mo = await shown(centre, user)
    assert mt == {"documentId": sent.id, "text": "Hello mommy", "timestamp": START, "recipient": HANDSET}
    assert mo == {
        "documentId": mo["documentId"],
        "text": " ggghhh",
        "timestamp": START,
        "from": HANDSET,
        "recipient": "61500079987",
        "originDocumentId": sent.id,
    }
    assert await centre.balance(user) == 999_000


async def test_the_contracts_own_example_is_answered_field_by_field(centre: Centre) -> None:
    from rejoinder.endpoints.http.views import all_messages_body

    user = await centre.account("1234321@reseller")
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    centre.ids.__init__(0xE4B0B1BE3F128EF5)  # type: ignore[misc]
    centre.clock.step_wall(1366624766 - START)
    await centre.send(user, "Reply> ggghhh", "61555879987")
    centre.ids.__init__(0xE4B0D1406C9C5FDB)  # type: ignore[misc]
    centre.clock.pass_seconds(3)
    await centre.reply(carrier, "61555879987", "61500079987")
    centre.ids.__init__(0xE4B0B1BE3F128EF6)  # type: ignore[misc]
    centre.clock.pass_seconds(33)
    await centre.send(user, "Hello mommy", "61255588885")
    answer = await centre.poll(user, since=1364545939)
    assert msgspec.json.decode(all_messages_body(answer)) == {
        "newestMessageTimestamp": 1366624802,
        "hasMoreMessages": False,
        "incomingMessages": [
            {
                "documentId": "51750a01e4b0d1406c9c5fdb",
                "text": " ggghhh",
                "timestamp": 1366624769,
                "from": "61555879987",
                "recipient": "61500079987",
                "originDocumentId": "517509fee4b0b1be3f128ef5",
            }
        ],
        "outgoingMessages": [
            {
                "documentId": "517509fee4b0b1be3f128ef5",
                "text": "Reply> ggghhh",
                "timestamp": 1366624766,
                "recipient": "61555879987",
            },
            {
                "documentId": "51750a22e4b0b1be3f128ef6",
                "text": "Hello mommy",
                "timestamp": 1366624802,
                "recipient": "61255588885",
            },
        ],
        "status": 0,
    }


async def test_a_receipt_that_precedes_the_submits_answer_is_not_lost(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.receipt(carrier, "00AB12")
    assert await centre.status(sent.id) == Status.SUBMITTED
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "ab12")])
    assert await centre.status(sent.id) == Status.DELIVERED
    assert await centre.sql("SELECT count(*) FROM receipt_unmatched") == [(0,)]


async def test_a_receipt_that_comes_with_the_submits_answer_waits_for_that_instead_of_being_kept(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    unmatched = RECEIPTS.labels("unmatched")._value.get()

    async def stored(carrier_ids: Collection[int]) -> None:
        assert carrier_ids == {carrier}
        await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "00AB12")])

    centre.receipts.answered = stored
    await centre.receipt(carrier, "00AB12")
    assert await centre.status(sent.id) == Status.DELIVERED
    assert RECEIPTS.labels("unmatched")._value.get() == unmatched


@pytest.mark.parametrize("receipts", [["a", "b", "c"], ["c", "a", "b"], ["b", "b", "a", "a", "c"]])
async def test_receipts_of_parts_come_in_any_order_any_number_of_times(
    centre: Centre, receipts: list[str]
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 400)
    ((claim, outgoing),) = (await centre.claim(carrier)).outgoing
    assert outgoing.numbers == (1, 2, 3)
    await centre.answer(
        claim, [Outcome(n, Fate.ACCEPTED, ref) for n, ref in zip((1, 2, 3), "abc", strict=True)]
    )
    for count, ref in enumerate(receipts):
        assert await centre.status(sent.id) == Status.SENT, count
        await centre.receipt(carrier, ref)
    assert await centre.status(sent.id) == Status.DELIVERED
    assert await centre.balance(user) == 997_000


async def test_a_final_status_never_changes_again(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{sent.id}-1", Status.EXPIRED)
    await centre.receipt(carrier, f"r-{sent.id}-1", Status.DELIVERED)
    assert await centre.status(sent.id) == Status.EXPIRED


async def test_one_receipt_counts_for_all_parts_of_a_message_given_whole(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 400)
    ((claim, outgoing),) = (await centre.claim(carrier, whole=True)).outgoing
    assert outgoing.numbers == (0,)
    await centre.answer(claim, [Outcome(0, Fate.ACCEPTED, None)])
    assert await centre.status(sent.id) == Status.SENT
    await centre.receipt(carrier, sent.id)  # the carrier gave no id: it may give ours back
    assert await centre.status(sent.id) == Status.DELIVERED


async def test_a_refused_message_goes_to_the_next_carrier_and_at_last_is_rejected_and_refunded_once(
    centre: Centre,
) -> None:
    user = await centre.account()
    first = await centre.carrier("first", priority=1)
    second = await centre.carrier("second", priority=2)
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 200)

    def refuse(_outgoing: object, number: int) -> Outcome:
        return Outcome(number, Fate.REFUSED)

    await centre.deliver(first, refuse)
    assert await centre.status(sent.id) == Status.REROUTING
    assert await centre.balance(user) == 998_000
    ((claim, outgoing),) = (await centre.claim(second)).outgoing
    assert outgoing.numbers == (1, 2)
    await centre.answer(claim, [refuse(outgoing, 1), refuse(outgoing, 2)])
    assert await centre.status(sent.id) == Status.REJECTED
    assert await centre.balance(user) == 1_000_000
    await centre.answer(claim, [refuse(outgoing, 1), refuse(outgoing, 2)])
    assert await centre.balance(user) == 1_000_000
    assert await centre.store.read.credits.differences() == []


async def test_a_rerouted_message_may_go_whole_after_it_went_in_parts(centre: Centre) -> None:
    user = await centre.account()
    first, second = await centre.carrier("first", priority=1), await centre.carrier("second", priority=2)
    await centre.pool("61500079987")
    sent = await centre.send(user, "x" * 200)
    await centre.deliver(first, lambda _, number: Outcome(number, Fate.REFUSED))
    ((claim, _),) = (await centre.claim(second, whole=True)).outgoing
    await centre.answer(claim, [Outcome(0, Fate.ACCEPTED, "whole-1")])
    await centre.receipt(second, "whole-1")
    assert await centre.status(sent.id) == Status.DELIVERED


async def test_temporary_faults_are_tried_again_after_5_15_60_and_then_300_seconds(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    for pause in (5, 15, 60, 300, 300):
        ((claim, _),) = (await centre.claim(carrier)).outgoing
        await centre.answer(claim, [Outcome(1, Fate.LATER)])
        centre.clock.pass_seconds(pause - 0.1)
        assert (await centre.claim(carrier)).outgoing == []
        centre.clock.pass_seconds(0.1)
    await centre.deliver(carrier)
    assert await centre.status(sent.id) == Status.SENT


async def test_a_link_that_breaks_often_keeps_no_message_waiting(centre: Centre) -> None:
    """Found by cutting links: a message that was unsent four times waited for five minutes beside a link that was up."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    for _ in range(6):
        ((claim, _),) = (await centre.claim(carrier)).outgoing
        await centre.answer(claim, [Outcome(1, Fate.UNSENT)])
    await centre.deliver(carrier)
    assert await centre.status(sent.id) == Status.SENT


async def test_a_message_whose_validity_ended_unsent_expires(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user, validity="60")
    centre.clock.pass_seconds(60)
    assert (await centre.claim(carrier)).outgoing == []
    assert await centre.status(sent.id) == Status.EXPIRED
    assert await centre.sql("SELECT count(*) FROM outbox") == [(0,)]


async def test_only_the_parts_that_were_not_taken_are_sent_again(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user, "x" * 400)
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.answer(
        claim, [Outcome(1, Fate.ACCEPTED, "one"), Outcome(2, Fate.LATER), Outcome(3, Fate.ACCEPTED, "three")]
    )
    centre.clock.pass_seconds(10)
    ((_, outgoing),) = (await centre.claim(carrier)).outgoing
    assert outgoing.numbers == (2,)


async def test_an_unknown_outcome_is_resent_once_after_60_seconds_marked_and_never_again(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.UNKNOWN))
    centre.clock.pass_seconds(59)
    assert (await centre.claim(carrier)).outgoing == []
    centre.clock.pass_seconds(1)
    ((claim, outgoing),) = (await centre.claim(carrier)).outgoing
    assert outgoing.possible_duplicate
    assert await centre.sql("SELECT resent FROM mt") in ([(1,)], [(True,)])
    await centre.answer(claim, [Outcome(1, Fate.UNKNOWN)])
    centre.clock.pass_seconds(61)
    assert (await centre.claim(carrier)).outgoing == []
    assert await centre.status(sent.id) == Status.UNDELIVERABLE


async def test_a_crash_between_claim_and_answer_is_an_unknown_outcome(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user)
    ((late, _),) = (await centre.claim(carrier)).outgoing
    # Its link lived until just before the lease would have been renewed: sixty seconds are counted from there.
    centre.clock.pass_seconds(RENEW_SECONDS + 60)
    assert (await centre.claim(carrier)).outgoing == []
    centre.clock.pass_seconds(5)
    ((_, outgoing),) = (await centre.claim(carrier)).outgoing
    assert outgoing.possible_duplicate
    await centre.answer(late, [Outcome(1, Fate.LATER)])  # its fence is outdated: void
    centre.clock.pass_seconds(10)
    assert (await centre.claim(carrier)).outgoing == []


async def test_a_receipt_for_the_handset_tells_an_unknown_outcome(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.UNKNOWN))
    await centre.receipt(carrier, "never-learnt", Status.DELIVERED, recipient=HANDSET, sender="61500079987")
    centre.clock.pass_seconds(60)
    assert (await centre.claim(carrier)).outgoing == []
    assert await centre.status(sent.id) == Status.DELIVERED


async def test_a_route_may_say_that_an_unknown_outcome_fails(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier(on_unknown="fail")
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.deliver(carrier, lambda _, number: Outcome(number, Fate.UNKNOWN))
    centre.clock.pass_seconds(60)
    assert (await centre.claim(carrier)).outgoing == []
    assert await centre.status(sent.id) == Status.UNDELIVERABLE
    assert await centre.balance(user) == 999_000


async def test_more_messages_than_a_step_are_final_after_49_hours_too(centre: Centre) -> None:
    user, _ = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    recipients = ",".join(str(61_255_580_000 + number) for number in range(STEP + 3))
    await centre.submissions.submit_multiple(user, SendRequest(text="x", recipient=recipients))
    centre.clock.pass_seconds(49 * HOUR)
    await centre.upkeep.end_messages()
    ended = await centre.sql("SELECT status, count(*) FROM mt GROUP BY status")
    assert ended == [(Status.EXPIRED, STEP + 3)]


async def test_every_message_is_final_49_hours_after_its_release(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent, waiting = await centre.send(user), await centre.send(user)
    await centre.deliver(carrier)
    centre.clock.pass_seconds(49 * HOUR - 1)
    await centre.upkeep.end_messages()
    assert await centre.status(sent.id) == Status.SENT
    centre.clock.pass_seconds(1)
    await centre.upkeep.end_messages()
    assert (await centre.status(sent.id), await centre.status(waiting.id)) == (Status.EXPIRED, Status.EXPIRED)


async def test_statuses_are_kept_80_hours_and_then_forgotten(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{sent.id}-1")
    centre.clock.pass_seconds(80 * HOUR)
    await centre.upkeep.forget()
    assert await centre.status(sent.id) == Status.DELIVERED
    centre.clock.pass_seconds(1)
    await centre.upkeep.forget()
    assert await centre.store.read.messages.status(sent.id) is None
    assert await centre.sql("SELECT count(*) FROM part") == [(0,)]


async def test_retention_takes_old_messages_and_leaves_the_mailbox_row(centre: Centre) -> None:
    user = await centre.account()
    await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user)
    before = await centre.store.read.mailboxes.head(user.id)
    centre.clock.pass_seconds(91 * 24 * HOUR)
    await centre.send(user)
    await centre.upkeep.forget_entries()
    assert len(shown_in(await centre.poll(user))) == 1
    assert (await centre.store.read.mailboxes.head(user.id)).last > before.last


async def test_a_customers_million_does_not_delay_anothers_one(centre: Centre) -> None:
    busy, calm = await centre.account("b@b", "busy"), await centre.account("c@c", "calm")
    carrier = await centre.carrier()
    await centre.pool("61500079987")
    for _ in range(30):
        await centre.send(busy)
    one = await centre.send(calm)
    claimed = await centre.claim(carrier, most=4)
    assert one.id in {outgoing.id for _, outgoing in claimed.outgoing}
    assert len(claimed.outgoing) == 4


async def test_messages_of_a_removed_carrier_go_to_the_next_or_end_without_route_refunded(
    centre: Centre,
) -> None:
    user = await centre.account()
    gone, other = await centre.carrier("gone", "61", 1), await centre.carrier("other", "61", 2)
    only = await centre.carrier("only", "64")
    await centre.pool("61500079987")
    moved, lost = await centre.send(user), await centre.send(user, recipient="64255588885")
    await centre.sql("DELETE FROM route WHERE carrier_id IN ($1, $2)", gone, only)
    await centre.sql("UPDATE carrier SET removed = TRUE WHERE id IN ($1, $2)", gone, only)
    await centre.changed()
    await centre.upkeep.end_messages()
    assert await centre.status(lost.id) == Status.NO_ROUTE
    assert [o.id for _, o in (await centre.claim(other)).outgoing] == [moved.id]
    assert await centre.balance(user) == 999_000


async def test_without_route_pool_number_or_credits_nothing_is_stored_or_charged(centre: Centre) -> None:
    poor = await centre.account("p@p", "poor", funds=999)
    with pytest.raises(MessageRefused) as no_number:
        await centre.send(poor)
    await centre.pool("61500079987")
    with pytest.raises(MessageRefused) as no_route:
        await centre.send(poor)
    await centre.carrier()
    with pytest.raises(MessageRefused) as no_credit:
        await centre.send(poor)
    assert [e.value.code for e in (no_number, no_route, no_credit)] == [13, 12, -210]
    for table in ("mt", "outbox", "entry", "reply_pair", "client_reference"):
        assert await centre.sql(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert await centre.balance(poor) == 999


async def test_many_at_once_never_overdraw_a_pre_paid_balance(centre: Centre) -> None:
    user = await centre.account(funds=7_000)
    await centre.carrier()
    await centre.pool("61500079987")
    outcomes = await together(*(centre.send(user) for _ in range(20)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 7
    assert await centre.balance(user) == 0
    assert await centre.store.read.credits.differences() == []


async def test_a_post_paid_customer_answers_what_it_has_used(centre: Centre) -> None:
    user = await centre.account(funds=0, billing="post_paid")
    await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user, "x" * 161)
    assert await centre.balance(user) == -2_000


async def test_the_same_client_reference_is_the_same_message_for_24_hours(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    first, again = await together(*(centre.send(user, client_ref="order-7") for _ in range(2)))
    assert isinstance(first, Accepted)
    assert first == again
    await centre.deliver(carrier)
    later = await centre.send(user, client_ref="order-7")
    assert (later.id, later.status) == (first.id, Status.SENT)
    with pytest.raises(MessageRefused) as other:
        await centre.send(user, "another text", client_ref="order-7")
    assert other.value.code == -120
    assert await centre.balance(user) == 999_000
    centre.clock.pass_seconds(24 * HOUR)
    assert (await centre.send(user, client_ref="order-7")).id != first.id


async def test_max_rotation_uses_the_number_unused_longest_so_each_reply_names_its_message(
    centre: Centre,
) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    pool = [f"6150007998{n}" for n in range(4)]
    await centre.pool(*pool)
    sent = [await centre.send(user, f"question {n}") for n in range(4)]
    numbers = [await centre.sender_of(one.id) for one in sent]
    assert sorted(numbers) == pool
    for one, number in reversed(list(zip(sent, numbers, strict=True))):
        await centre.reply(carrier, HANDSET, number, f"answer to {one.id}")
    answers = await shown(centre, user, received=True)
    assert [a["originDocumentId"] for a in answers] == [one.id for one in reversed(sent)]
    fifth = await centre.send(user, "question 5")
    assert await centre.sender_of(fifth.id) == numbers[0]


async def test_max_rotation_holds_for_messages_accepted_at_the_same_moment(centre: Centre) -> None:
    user = await centre.account()
    await centre.carrier()
    await centre.pool(*(f"6150007998{n}" for n in range(6)))
    sent = await together(*(centre.send(user, f"question {n}") for n in range(6)))
    numbers = {await centre.sender_of(one.id) for one in sent if isinstance(one, Accepted)}
    assert len(numbers) == 6


async def test_a_conversation_keeps_its_number_and_answers_name_the_latest_message(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool(*(f"6150007998{n}" for n in range(4)))
    first = await centre.send(user, rotation="Conversation")
    second = await centre.send(user, rotation="conversation")
    number = await centre.sender_of(first.id)
    assert await centre.sender_of(second.id) == number
    await centre.reply(carrier, HANDSET, number)
    other = await centre.send(user, rotation="MAX_ROTATION")
    assert await centre.sender_of(other.id) != number
    await centre.reply(carrier, HANDSET, number)
    origins = [row["originDocumentId"] for row in await shown(centre, user, received=True)]
    assert origins == [second.id, other.id]


async def test_two_users_in_conversation_with_one_handset_have_numbers_of_their_own(centre: Centre) -> None:
    anna, ben = await centre.account("anna@a", "a"), await centre.account("ben@b", "b")
    carrier = await centre.carrier()
    await centre.pool("61500079981", "61500079982")
    to_anna = await centre.send(anna, rotation="conversation")
    to_ben = await centre.send(ben, rotation="conversation")
    for one in (to_anna, to_ben):
        await centre.reply(carrier, HANDSET, await centre.sender_of(one.id), one.id)
    assert [row["text"] for row in await shown(centre, anna, received=True)] == [to_anna.id]
    assert [row["text"] for row in await shown(centre, ben, received=True)] == [to_ben.id]


async def test_mos_without_a_match_go_to_the_numbers_owner_or_are_parked(centre: Centre) -> None:
    anna, ben = await centre.account("anna@a", "a"), await centre.account("ben@a", "a")
    carrier = await centre.carrier()
    await centre.pool("61500000001")
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", ben.id)
    await centre.sql("INSERT INTO number (number, customer_id) VALUES ('61500000003', $1)", anna.customer_id)
    await centre.sql(
        "INSERT INTO number (number, customer_id, inbox_user_id) VALUES ('61500000004', $1, $2)",
        anna.customer_id,
        ben.id,
    )
    for last in (1, 2, 3, 4, 5):
        await centre.reply(carrier, HANDSET, f"6150000000{last}", f"to {last}")
    assert [row["text"] for row in await shown(centre, anna)] == ["to 3"]
    to_ben = await shown(centre, ben)
    assert [(row["text"], row["originDocumentId"]) for row in to_ben] == [("to 2", None), ("to 4", None)]
    parked = await centre.store.read.inbound.parked("", 10)
    assert sorted(one.mo.text for one in parked) == ["to 1", "to 5"]


async def test_a_number_given_to_another_customer_takes_no_reply_to_the_old_one(centre: Centre) -> None:
    anna, ben = await centre.account("anna@a", "a"), await centre.account("ben@b", "b")
    carrier = await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", anna.id)
    await centre.send(anna, sender="61500000002")
    await centre.sql("UPDATE number SET user_id = $1", ben.id)
    await centre.reply(carrier, HANDSET, "61500000002")
    assert len(await shown(centre, anna)) == 1
    assert [row["originDocumentId"] for row in await shown(centre, ben)] == [None]


async def test_the_same_mo_under_the_same_id_is_stored_once(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", user.id)
    await together(*(centre.reply(carrier, HANDSET, "61500000002", "hi", "mo-1") for _ in range(3)))
    await centre.reply(carrier, HANDSET, "61500000002", "hi", "mo-1")
    await centre.reply(carrier, HANDSET, "61500000002", "hi", "mo-2")
    assert len(await shown(centre, user)) == 2


async def test_another_text_or_handset_under_an_id_that_was_used_is_another_mo(centre: Centre) -> None:
    """Found as texts answered OK and dropped, of a gateway that counted its ids from 1 again after it was set up anew."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", user.id)
    said = [(HANDSET, "hi"), (HANDSET, "yes"), ("61255588886", "hi")]
    for handset, text in [*said, *said]:
        await centre.reply(carrier, handset, "61500000002", text, "1")
    assert [(row["from"], row["text"]) for row in await shown(centre, user)] == said


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 3, 1)])
async def test_parts_of_a_long_mo_join_in_any_order(centre: Centre, order: tuple[int, ...]) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", user.id)
    for count, number in enumerate(order):
        assert await shown(centre, user) == [], count
        part = InboundPart(carrier, HANDSET, "61500000002", f"<{number}>", 0, None, 7, number, 3)
        await centre.inbound.take(part)
    assert [row["text"] for row in await shown(centre, user)] == ["<1><2><3>"]
    assert await centre.sql("SELECT count(*) FROM mo_part") == [(0,)]


async def test_an_incomplete_mo_is_released_as_it_is_after_24_hours(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", user.id)
    for number in (3, 1):
        at = centre.clock.wall_us()
        await centre.inbound.take(
            InboundPart(carrier, HANDSET, "61500000002", f"<{number}>", at, None, 7, number, 3)
        )
    centre.clock.pass_seconds(24 * HOUR)
    await centre.upkeep.end_messages()
    assert await shown(centre, user) == []
    centre.clock.pass_seconds(1)
    await centre.upkeep.end_messages()
    assert [row["text"] for row in await shown(centre, user)] == ["<1><3>"]


async def test_nul_in_an_mo_is_replaced_and_the_mo_is_kept(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000002', $1)", user.id)
    await centre.reply(carrier, HANDSET, "61500000002", "a\0b\ud800c")
    assert [row["text"] for row in await shown(centre, user)] == ["a\ufffdb\ufffdc"]


async def test_a_reply_is_queued_for_the_messages_reply_to(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    sent = await centre.send(user, reply_to="https://shop.example/in?from={{from}}")
    await centre.reply(carrier, HANDSET, "61500079987")
    queued = await centre.sql("SELECT address, mt_id, handset FROM push")
    assert queued == [("https://shop.example/in?from={{from}}", sent.id, HANDSET)]


@pytest.mark.parametrize("rotation", ["max_rotation", "conversation"])
async def test_a_reply_goes_to_its_messages_reply_to_for_as_long_as_it_is_matched(
    centre: Centre, rotation: str
) -> None:
    """Found as replies after 80 hours that waited in the mailbox alone: the message was forgotten, its pair was not."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user, rotation=rotation, reply_to="https://shop.example/before")
    sent = await centre.send(user, rotation=rotation, reply_to="https://shop.example/in")
    for _, outgoing in await centre.deliver(carrier):
        await centre.receipt(carrier, f"r-{outgoing.id}-1")
    centre.clock.pass_seconds(96 * HOUR)
    await centre.upkeep.forget()
    assert await centre.sql("SELECT count(*) FROM mt") == [(0,)]
    await centre.reply(carrier, HANDSET, "61500079987")
    assert await centre.sql("SELECT address, mt_id FROM push") == [("https://shop.example/in", sent.id)]
