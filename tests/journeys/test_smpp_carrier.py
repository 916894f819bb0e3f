"""A whole message centre with an SMPP carrier over a real socket: what users of other gateways report, not here."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from rejoinder.app import Service
from rejoinder.carriers import smpp_client
from rejoinder.clock import SystemClock
from rejoinder.config import load
from rejoinder.flow import health
from rejoinder.flow.ports import UserRow
from rejoinder.flow.request import SendRequest
from rejoinder.smpp.constants import CommandStatus
from rejoinder.smpp.pdu import DeliverSm, SubmitSm
from rejoinder.store import open_store
from tests.centre import HANDSET, Centre
from tests.smsc import Answer, Smsc

POOL = "61500079987"
LONG = "Where are you? " * 30


class Journey:
    """One service, one user, one centre whose answers the test scripts."""

    def __init__(self, service: Service, centre: Centre, user: UserRow, smsc: Smsc) -> None:
        self.service = service
        self.centre = centre
        self.user = user
        self.smsc = smsc

    async def send(self, text: str = "Hello mommy", recipient: str = HANDSET) -> str:
        request = SendRequest(text=text, recipient=recipient)
        return (await self.service.submissions.submit(self.user, request)).id

    async def status(self, mt_id: str) -> int:
        return await self.centre.status(mt_id)

    async def until(self, mt_id: str, status: int) -> None:
        async with asyncio.timeout(20):
            while await self.status(mt_id) != status:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)

    async def receipt(self, ref: str, word: str = "DELIVRD") -> None:
        assert await self.smsc.receipt(ref, word, source_addr=HANDSET, destination_addr=POOL) == 0


Start = Callable[..., Awaitable[Journey]]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    monkeypatch.setattr(smpp_client, "FIRST_SECONDS", 0.01)
    made: list[Journey] = []

    async def build(answer: Callable[[SubmitSm], Answer] | None = None, **settings: str) -> Journey:
        smsc = Smsc(answer)
        await smsc.listen()
        url = f"sqlite:///{tmp_path / 'centre.db'}"
        clock = SystemClock()
        store = await open_store(url, clock, serving=True)
        service = Service(store, clock, load(None, {"database": url}))
        centre = Centre(store)
        user = await centre.account()
        given = {"host": "127.0.0.1", "port": str(smsc.port), "system_id": "we"} | settings
        await store.write(
            lambda tx: tx.registry.add("carrier", {"name": "wire", "kind": "smpp", "settings": given})
        )
        await centre.sql("INSERT INTO route (prefix, carrier_id) SELECT '', id FROM carrier")
        await centre.pool(POOL)
        await service.start()
        await smsc.until(lambda it: any(link.receives for link in it.links))
        made.append(Journey(service, centre, user, smsc))
        return made[-1]

    yield build
    for journey in made:
        await journey.service.stop()
        await journey.smsc.close()


async def test_a_message_goes_out_is_receipted_and_its_reply_finds_it(start: Start) -> None:
    journey = await start()
    mt_id = await journey.send()
    await journey.until(mt_id, 11)
    await journey.receipt("m1")
    await journey.until(mt_id, 2)
    reply = DeliverSm(source_addr=HANDSET, destination_addr=POOL, short_message=b" ggghhh")
    assert await journey.smsc.deliver(reply) == 0
    rows = await journey.centre.sql("SELECT shown FROM entry WHERE incoming")
    assert [f'"originDocumentId":"{mt_id}"' in str(row[0]) for row in rows] == [True]


async def test_a_receipt_that_comes_before_the_submits_answer_counts(start: Start) -> None:
    journey = await start(lambda _: None)
    mt_id = await journey.send()
    await journey.smsc.until(lambda it: len(it.submits) == 1)
    await journey.receipt("late0")
    assert await journey.status(mt_id) == 10
    journey.smsc.links[0].answer_waiting("late")
    await journey.until(mt_id, 2)


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("7a1b2c3d4e", "524441894222"),
        ("524441894222", "7a1b2c3d4e"),
        ("524441894222", "7A1B2C3D4E"),
        ("7A1B2C3D4E", "7a1b2c3d4e"),
        ("0000012345", "12345"),
        ("12345", "0000012345"),
        ("d7cbb5b4-71cd", "D7CBB5B4-71CD"),
    ],
)
async def test_an_id_is_known_in_hex_in_decimal_with_zeros_and_in_capitals(
    start: Start, answered: str, told: str
) -> None:
    journey = await start(lambda _: answered)
    mt_id = await journey.send()
    await journey.until(mt_id, 11)
    await journey.receipt(told)
    await journey.until(mt_id, 2)


@pytest.mark.parametrize("spoken", [0, 2])
async def test_a_receipt_for_the_first_or_the_last_part_only_ends_the_message_where_the_carrier_sends_no_other(
    start: Start, spoken: int
) -> None:
    refs = iter(["p1", "p2", "p3"])
    journey = await start(lambda _: next(refs), receipts_per="message")
    mt_id = await journey.send(LONG)
    await journey.until(mt_id, 11)
    await journey.receipt(f"p{spoken + 1}")
    await journey.until(mt_id, 2)


async def test_one_receipt_that_comes_before_the_last_part_was_taken_ends_the_message_when_it_was(
    start: Start,
) -> None:
    answers: list[Answer] = ["p1", "p2", int(CommandStatus.ESME_RTHROTTLED), "p3"]
    told = asyncio.Event()

    def answer(_: SubmitSm) -> Answer:
        if len(answers) == 1 and not told.is_set():
            return int(CommandStatus.ESME_RTHROTTLED)
        return answers.pop(0)

    journey = await start(answer, receipts_per="message")
    mt_id = await journey.send(LONG)
    await journey.smsc.until(lambda it: len(it.submits) >= 3)
    await journey.receipt("p1")
    told.set()
    await journey.until(mt_id, 2)


async def test_otherwise_each_part_has_its_own_receipt_and_the_message_waits_for_all(start: Start) -> None:
    refs = iter(["p1", "p2", "p3"])
    journey = await start(lambda _: next(refs))
    mt_id = await journey.send(LONG)
    await journey.until(mt_id, 11)
    for ref in ("p3", "p1"):
        await journey.receipt(ref)
        assert await journey.status(mt_id) == 11
    await journey.receipt("p2")
    await journey.until(mt_id, 2)


async def test_of_two_receipts_that_disagree_the_first_that_is_final_stands(start: Start) -> None:
    journey = await start()
    mt_id = await journey.send()
    await journey.until(mt_id, 11)
    for word, status in (("ENROUTE", 11), ("UNDELIV", 5), ("DELIVRD", 5)):
        await journey.receipt("m1", word)
        assert await journey.status(mt_id) == status


async def test_throttling_in_the_middle_of_a_long_message_sends_the_missing_parts_alone(start: Start) -> None:
    answers: list[Answer] = ["p1", int(CommandStatus.ESME_RTHROTTLED), int(CommandStatus.ESME_RMSGQFUL)]
    later = iter(["p2", "p3"])
    journey = await start(lambda _: answers.pop(0) if answers else next(later))
    mt_id = await journey.send(LONG)
    await journey.smsc.until(lambda it: len(it.submits) == 5)
    await journey.until(mt_id, 11)
    assert [pdu.short_message[5] for pdu in journey.smsc.submits] == [1, 2, 3, 2, 3]
    assert len({pdu.short_message[3] for pdu in journey.smsc.submits}) == 1
    for ref in ("p1", "p2", "p3"):
        await journey.receipt(ref)
    await journey.until(mt_id, 2)


async def test_throttling_keeps_the_order_and_loses_and_repeats_nothing(start: Start) -> None:
    seen = 0
    accepted: list[bytes] = []

    def answer(pdu: SubmitSm) -> Answer:
        nonlocal seen
        seen += 1
        if seen in (3, 4, 9):
            return int(CommandStatus.ESME_RTHROTTLED)
        accepted.append(pdu.short_message)
        return f"m{len(accepted)}"

    journey = await start(answer, window="1")
    texts = [f"text {number}" for number in range(12)]
    ids = [await journey.send(text, str(61_255_500_000 + number)) for number, text in enumerate(texts)]
    for mt_id in ids:
        await journey.until(mt_id, 11)
    assert [octets.decode() for octets in accepted] == texts


async def test_after_a_throttling_the_lane_rests_for_the_pause_and_no_longer(start: Start) -> None:
    journey = await start()
    await journey.until(await journey.send(), 11)
    (lane,) = journey.service.dispatch.lanes.values()
    lane._pace._pause = 0.6
    lane._pace.throttled(journey.service.clock.monotonic())
    assert 0 < await lane._turn() <= 0.6


async def test_two_handsets_whose_queues_are_full_do_not_stop_what_goes_to_others(start: Start) -> None:
    full = {"61255500001", "61255500002"}
    ids = itertools.count()
    journey = await start(
        lambda pdu: int(CommandStatus.ESME_RMSGQFUL) if pdu.destination_addr in full else f"m{next(ids)}"
    )
    for handset in full:
        await journey.send("not now", handset)
    sent = [await journey.send("now", str(61_255_600_000 + number)) for number in range(40)]
    async with asyncio.timeout(20):
        for mt_id in sent:
            await journey.until(mt_id, 11)
    # Both wait for a time of their own, and are no more in anybody's way.
    tried = "SELECT attempts FROM outbox WHERE NOT submitting AND due_at > claimed_at + 3000000"
    async with asyncio.timeout(20):
        while len(await journey.centre.sql(tried)) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_parts_of_a_handsets_long_text_come_in_any_order_and_are_one(start: Start) -> None:
    journey = await start()
    for number, text in ((3, b"three"), (1, b"one "), (2, b"two ")):
        pdu = DeliverSm(
            source_addr=HANDSET,
            destination_addr=POOL,
            esm_class=0x40,
            short_message=bytes((5, 0, 3, 7, 3, number)) + text,
        )
        assert await journey.smsc.deliver(pdu) == 0
    rows = await journey.centre.sql("SELECT text FROM mo_parked")
    assert rows == [("one two three",)]


async def test_a_link_that_is_cut_under_a_message_is_not_sent_again_while_a_receipt_may_tell(
    start: Start,
) -> None:
    journey = await start(lambda _: None)
    mt_id = await journey.send()
    await journey.smsc.until(lambda it: len(it.submits) == 1)
    journey.smsc.cut()
    await journey.smsc.until(lambda it: it.made == 2 and len(it.binds) == 2)
    in_doubt = "SELECT 1 FROM outbox WHERE submitting AND due_at - claimed_at >= 60000000 AND attempts = 1"
    async with asyncio.timeout(20):
        while not await journey.centre.sql(in_doubt):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert len(journey.smsc.submits) == 1
    assert await journey.status(mt_id) == 10


async def test_stopping_takes_the_answers_that_are_on_their_way_and_says_good_bye(start: Start) -> None:
    journey = await start(lambda _: None)
    mt_id = await journey.send()
    await journey.smsc.until(lambda it: len(it.submits) == 1)
    session = journey.smsc.links[0].session
    stopping = asyncio.create_task(journey.service.dispatch.stop())
    await asyncio.sleep(0.05)
    journey.smsc.links[0].answer_waiting()
    await stopping
    assert await journey.status(mt_id) == 11
    assert session.ended()


async def test_the_command_line_reads_how_the_carrier_stands(start: Start) -> None:
    journey = await start()
    mt_id = await journey.send()
    await journey.until(mt_id, 11)
    await journey.service.lane_states.look()
    (found,) = await journey.centre.store.read.registry.find("carrier", {"name": "wire"})
    assert (found["state"], found["window_size"], found["queue"]) == ("up", 10, 0)


async def test_what_waits_for_a_carrier_that_is_down_goes_to_the_next_and_new_messages_too(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.3)
    journey = await start()
    async with Smsc(lambda _: "b1") as other:
        given = {"host": "127.0.0.1", "port": str(other.port), "system_id": "we"}
        await journey.service.store.write(
            lambda tx: tx.registry.add("carrier", {"name": "other", "kind": "smpp", "settings": given})
        )
        await journey.centre.sql(
            "INSERT INTO route (prefix, carrier_id, priority) SELECT '', id, 1 FROM carrier WHERE name = 'other'"
        )
        await journey.service.store.write(lambda tx: tx.directory.changed())
        await other.until(lambda it: len(it.binds) == 1)
        await journey.smsc.close()
        waiting = await journey.send("waits")
        await journey.until(waiting, 11)
        following = await journey.send("follows", "61255588886")
        await journey.until(following, 11)
        assert [pdu.short_message for pdu in other.submits] == [b"waits", b"follows"]
        assert journey.smsc.submits == []
