"""The simulated network: every setting does what its help says, and nothing is left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from rejoinder.carriers import deliveries
from rejoinder.carriers.simulator import Simulator
from rejoinder.clock import ManualClock, SystemClock
from rejoinder.errors import Overloaded, Refused, StoreUnavailable
from rejoinder.flow.ports import CarrierRow
from rejoinder.message import parts
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from rejoinder.message.text import AUTO, Alphabet, for_carrier
from tests.carrier_events import Collected, outgoing

LONG = "All work and no play makes Jack a dull boy. " * 8
EMOJI = "ok 👍🏽 " * 30

Start = Callable[..., Awaitable[Simulator]]


@pytest.fixture
def events() -> Collected:
    return Collected()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def start(events: Collected, clock: ManualClock) -> AsyncIterator[Start]:
    """Makes started simulators from settings; `number.…` keys are given in `more`."""
    started: list[Simulator] = []

    async def begin(more: dict[str, str] | None = None, **settings: str) -> Simulator:
        row = CarrierRow(7, "sim", "simulator", {"seed": "1", **settings, **(more or {})})
        simulator = Simulator(row, events, clock)
        await simulator.start()
        started.append(simulator)
        return simulator

    yield begin
    for simulator in started:
        await simulator.stop()


async def send_many(simulator: Simulator, count: int = 1000) -> list[Outcome]:
    return [(await simulator.send(outgoing(number)))[0] for number in range(count)]


def share(outcomes: list[Outcome], fate: Fate) -> float:
    return 100 * sum(it.fate is fate for it in outcomes) / len(outcomes)


async def test_each_part_has_an_outcome_an_id_and_a_receipt_of_its_own(
    start: Start, events: Collected
) -> None:
    simulator = await start()
    outcomes = await simulator.send(outgoing(parts=3, numbers=(1, 2, 3), text=LONG))
    assert [(it.number, it.fate) for it in outcomes] == [(number, Fate.ACCEPTED) for number in (1, 2, 3)]
    await events.until(lambda it: len(it.receipts) == 3)
    assert {it.ref for it in events.receipts} == {it.ref for it in outcomes}
    assert len({it.ref for it in outcomes}) == 3
    assert events.inbounds == []


async def test_a_receipt_names_carrier_status_time_and_both_numbers(
    start: Start, events: Collected, clock: ManualClock
) -> None:
    simulator = await start()
    await simulator.send(outgoing())
    await events.until(lambda it: bool(it.receipts))
    (receipt,) = events.receipts
    assert (receipt.carrier_id, receipt.status) == (7, Status.DELIVERED)
    assert (receipt.recipient, receipt.sender) == ("61455555555", "61400000000")
    assert receipt.received_at == clock.wall_us()


async def test_ids_of_two_runs_differ_and_are_hex_that_no_decimal_can_mean(start: Start) -> None:
    refs = [(await send_many(await start(), 5))[index].ref for index in range(5) for _ in range(2)]
    assert len(set(refs)) == 10
    for ref in refs:
        assert ref is not None
        int(ref, 16)
        assert not ref.isdecimal()


@pytest.mark.parametrize(
    ("setting", "fate"),
    [
        ("reject_percent", Fate.REFUSED),
        ("throttle_percent", Fate.THROTTLED),
        ("lose_answer_percent", Fate.UNKNOWN),
    ],
)
async def test_a_percentage_is_kept_and_the_same_seed_rolls_the_same_dice(
    start: Start, setting: str, fate: Fate
) -> None:
    first = await send_many(await start({setting: "30"}))
    again = await send_many(await start({setting: "30"}))
    other = await send_many(await start({setting: "30", "seed": "2"}))
    assert 25 < share(first, fate) < 35
    assert [it.fate for it in first] == [it.fate for it in again] != [it.fate for it in other]


async def test_what_was_refused_has_no_id_no_receipt_and_no_answer(start: Start, events: Collected) -> None:
    simulator = await start(reject_percent="100", reply="yes")
    outcomes = await send_many(simulator, 10)
    await simulator.stop()
    assert {(it.fate, it.ref) for it in outcomes} == {(Fate.REFUSED, None)}
    assert all(it.reason for it in outcomes)
    assert events.order == []


async def test_a_lost_answer_leaves_the_receipt_with_numbers_and_the_reply(
    start: Start, events: Collected
) -> None:
    simulator = await start(lose_answer_percent="100", reply="yes")
    (outcome,) = await simulator.send(outgoing())
    assert (outcome.fate, outcome.ref) == (Fate.UNKNOWN, None)
    await events.until(lambda it: len(it.order) == 2)
    assert (events.receipts[0].recipient, events.receipts[0].sender) == ("61455555555", "61400000000")


async def test_nobody_answers_twice_what_was_sent_again_after_a_lost_answer(
    start: Start, events: Collected
) -> None:
    simulator = await start(lose_answer_percent="100", reply="yes")
    await simulator.send(outgoing())
    await simulator.send(outgoing(possible_duplicate=True))
    await events.until(lambda it: len(it.receipts) == 2 and bool(it.inbounds))
    await simulator.stop()
    assert len(events.inbounds) == 1


async def test_lost_receipts_are_as_many_as_said(start: Start, events: Collected) -> None:
    simulator = await start(lose_receipt_percent="30")
    outcomes = await send_many(simulator)
    await asyncio.sleep(0)
    assert 650 < len(events.receipts) < 750
    assert share(outcomes, Fate.ACCEPTED) == 100


async def test_a_receipt_before_the_answer_is_in_when_send_returns(start: Start, events: Collected) -> None:
    simulator = await start(receipts="before")
    (outcome,) = await simulator.send(outgoing())
    assert [it.ref for it in events.receipts] == [outcome.ref]


async def test_a_receipt_after_the_answer_is_not_in_when_send_returns(
    start: Start, events: Collected
) -> None:
    simulator = await start(receipts="after")
    await simulator.send(outgoing())
    assert events.receipts == []
    await events.until(lambda it: len(it.receipts) == 1)


async def test_a_receipt_comes_twice_or_never_as_said(start: Start, events: Collected) -> None:
    (outcome,) = await (await start(receipts="twice")).send(outgoing())
    await events.until(lambda it: len(it.receipts) == 2)
    assert {it.ref for it in events.receipts} == {outcome.ref}
    never = await start(receipts="never", reply="yes")
    await never.send(outgoing())
    await events.until(lambda it: len(it.inbounds) == 1)
    assert len(events.receipts) == 2


async def test_a_reply_goes_back_to_the_sender_with_an_id_of_its_own(
    start: Start, events: Collected, clock: ManualClock
) -> None:
    simulator = await start(reply="{{sender}} asked {{recipient}}: {{text}} ({{id}})")
    await simulator.send(outgoing(text="a {{id}} b"))
    await simulator.send(outgoing(2))
    await events.until(lambda it: len(it.inbounds) == 2)
    reply = events.inbounds[0]
    assert reply.text == "61400000000 asked 61455555555: a {{id}} b (517509fe0000000000000001)"
    assert (reply.carrier_id, reply.sender, reply.recipient) == (7, "61455555555", "61400000000")
    assert (reply.number, reply.total, reply.received_at) == (1, 1, clock.wall_us())
    assert reply.carrier_ref != events.inbounds[1].carrier_ref


async def test_a_sender_with_letters_gets_no_reply(start: Start, events: Collected) -> None:
    simulator = await start(reply="yes")
    await simulator.send(outgoing(sender="Shop"))
    await simulator.send(outgoing())
    await events.until(lambda it: len(it.order) == 3)
    assert [it.recipient for it in events.inbounds] == ["61400000000"]


@pytest.mark.parametrize("text", [LONG, EMOJI])
async def test_a_long_reply_comes_in_parts_with_one_reference_and_an_id_each(
    start: Start, events: Collected, text: str
) -> None:
    simulator = await start(reply=text)
    await simulator.send(outgoing())
    await simulator.send(outgoing(2))
    total = len(parts.split(*for_carrier(text, AUTO), 0))
    await events.until(lambda it: len(it.inbounds) == 2 * total)
    by_reference: dict[int, dict[int, str]] = {}
    for it in events.inbounds:
        by_reference.setdefault(it.reference, {})[it.number] = it.text
        assert it.total == total > 1
    assert [parts.join(texts) for texts in by_reference.values()] == [text, text]
    assert len({it.carrier_ref for it in events.inbounds}) == 2 * total


async def test_a_long_message_is_answered_once_and_only_when_all_parts_arrived(
    start: Start, events: Collected
) -> None:
    simulator = await start(reply="yes", receipts="never")
    for numbers in ((3,), (1,), (1,)):
        await simulator.send(outgoing(parts=3, numbers=numbers, text=LONG))
    await simulator.send(outgoing(9, text="other"))
    await events.until(lambda it: len(it.inbounds) == 1)
    await simulator.send(outgoing(parts=3, numbers=(2,), text=LONG))
    await events.until(lambda it: len(it.inbounds) == 2)
    await simulator.send(outgoing(parts=3, numbers=(2,), text=LONG))
    await simulator.stop()
    assert len(events.inbounds) == 2


async def test_reply_order_reversed_brings_the_last_part_first(start: Start, events: Collected) -> None:
    simulator = await start(reply=LONG, reply_order="reversed")
    await simulator.send(outgoing())
    await events.until(lambda it: len(it.inbounds) == 3)
    assert [it.number for it in events.inbounds] == [3, 2, 1]


async def test_repeated_replies_have_the_same_id(start: Start, events: Collected) -> None:
    simulator = await start(reply=LONG, repeat_replies="true")
    await simulator.send(outgoing())
    await events.until(lambda it: len(it.inbounds) == 6)
    refs = [it.carrier_ref for it in events.inbounds]
    assert [it.number for it in events.inbounds] == [1, 1, 2, 2, 3, 3]
    assert refs[::2] == refs[1::2]
    assert len(set(refs)) == 3


async def test_reply_percent_answers_as_many_as_said(start: Start, events: Collected) -> None:
    simulator = await start(reply="yes", reply_percent="30", receipts="never")
    await send_many(simulator)
    await asyncio.sleep(0)
    assert 250 < len(events.inbounds) < 350


async def test_a_file_gives_a_line_for_each_reply_in_turn(
    start: Start, events: Collected, tmp_path: Path
) -> None:
    file = tmp_path / "replies.txt"
    file.write_text("one {{id}}\n\ntwo {{what}} {{id}}\r\nüç 👍\n", encoding="utf-8")
    simulator = await start(reply=f"@{file}", replies="2", receipts="never")
    await simulator.send(outgoing())
    await simulator.send(outgoing(2))
    await events.until(lambda it: len(it.inbounds) == 4)
    one = "one 517509fe000000000000000{}"
    assert [it.text for it in events.inbounds] == [
        one.format(1),
        "two {{what}} {{id}}",
        "üç 👍",
        one.format(2),
    ]


async def test_a_numbers_own_settings_stand_over_those_of_all(start: Start, events: Collected) -> None:
    own = {"number.61411111111.reply": "mine", "number.+61422222222.reject_percent": "100"}
    simulator = await start(own, reply="yes", receipts="never")
    for number, recipient in enumerate(("61411111111", "61422222222", "61433333333")):
        await simulator.send(outgoing(number, recipient=recipient))
    await events.until(lambda it: len(it.inbounds) == 2)
    assert {it.sender: it.text for it in events.inbounds} == {"61411111111": "mine", "61433333333": "yes"}


async def test_delay_holds_back_the_receipt_and_reply_delay_each_reply_further(
    start: Start, events: Collected, clock: ManualClock
) -> None:
    simulator = await start(delay="60", reply="yes", replies="2", reply_delay="30")
    await simulator.send(outgoing())
    seen = []
    for _ in range(5):
        simulator.deliveries.wake()
        await asyncio.sleep(0.001)
        seen.append((len(events.receipts), len(events.inbounds)))
        clock.pass_seconds(30)
    assert seen == [(0, 0), (0, 0), (1, 0), (1, 1), (1, 2)]
    assert events.inbounds[1].received_at - events.receipts[0].received_at == 60_000_000


async def test_a_short_delay_needs_nobody_to_wake_it(events: Collected) -> None:
    row = CarrierRow(1, "sim", "simulator", {"delay": "0.01", "reply": "yes"})
    simulator = Simulator(row, events, SystemClock())
    await simulator.start()
    await asyncio.gather(*(simulator.send(outgoing(number)) for number in range(50)))
    await events.until(lambda it: len(it.order) == 100)
    await simulator.stop()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), Overloaded("busy")])
async def test_what_could_not_be_stored_is_delivered_again(
    start: Start, events: Collected, error: Exception
) -> None:
    events.refuse = [error, error, error]
    simulator = await start(reply="yes")
    await simulator.send(outgoing())
    await events.until(lambda it: len(it.order) == 2)
    assert (len(events.receipts), len(events.inbounds)) == (1, 1)


@pytest.mark.parametrize("error", [Refused("no"), RuntimeError("a bug")])
async def test_what_is_refused_for_good_ends_no_other_delivery(
    start: Start, events: Collected, error: Exception
) -> None:
    events.refuse = [error]
    simulator = await start(reply="yes")
    await simulator.send(outgoing())
    await simulator.send(outgoing(2))
    await events.until(lambda it: len(it.order) == 3)


async def test_a_burst_is_delivered_by_at_most_a_window_of_tasks(start: Start, events: Collected) -> None:
    events.hold = asyncio.Event()
    simulator = await start(reply="yes", window="20")
    before = len(asyncio.all_tasks())
    await send_many(simulator, 5000)
    await asyncio.sleep(0)
    assert events.at_once == 20
    assert len(asyncio.all_tasks()) == before + 20
    events.hold.set()
    await events.until(lambda it: len(it.order) == 10_000)
    assert events.most_at_once == 20


async def test_a_delayed_burst_takes_one_timer_and_no_task(start: Start, events: Collected) -> None:
    simulator = await start(reply="yes", delay="60")
    before = len(asyncio.all_tasks())
    await send_many(simulator, 2000)
    assert len(asyncio.all_tasks()) == before


async def test_too_much_on_its_way_is_throttled(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "BACKLOG", 10)
    simulator = await start(delay="60")
    outcomes = await send_many(simulator, 12)
    assert [it.fate for it in outcomes] == [Fate.ACCEPTED] * 10 + [Fate.THROTTLED] * 2


async def test_after_stop_nothing_runs_and_nothing_comes(
    start: Start, events: Collected, clock: ManualClock
) -> None:
    before = asyncio.all_tasks()
    simulator = await start({"number.61411111111.delay": "60"}, reply="yes")
    events.refuse = [StoreUnavailable("away")] * 1000
    await simulator.send(outgoing())
    await simulator.send(outgoing(2, recipient="61411111111"))
    await asyncio.sleep(0.001)
    await simulator.stop()
    assert asyncio.all_tasks() == before
    assert simulator.state() == "down"
    events.refuse = []
    clock.pass_seconds(100)
    simulator.deliveries.wake()
    await asyncio.sleep(0)
    assert events.order == []
    assert [it.fate for it in await simulator.send(outgoing(3))] == [Fate.LATER]


async def test_stop_ends_a_delivery_that_never_returns(
    start: Start, events: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_STOP_SECONDS", 0.01)
    before = asyncio.all_tasks()
    events.hold = asyncio.Event()
    simulator = await start()
    await simulator.send(outgoing())
    await asyncio.sleep(0)
    await simulator.stop()
    assert asyncio.all_tasks() == before


async def test_the_parts_of_a_customers_long_message_are_answered_once_with_the_whole_text(
    start: Start, events: Collected
) -> None:
    simulator = await start(reply="heard: {{text}}")
    for number, text in ((2, "mommy"), (1, "Hello ")):
        header = parts.header(parts.Concatenation(7, 2, number, wide=False)).hex()
        await simulator.send(outgoing(number, text=text, udh=header))
    await simulator.send(outgoing(3, text="0bad", alphabet=Alphabet.BINARY))
    await events.until(lambda it: len(it.receipts) == 3 and len(it.inbounds) == 1)
    assert [it.text for it in events.inbounds] == ["heard: Hello mommy"]
