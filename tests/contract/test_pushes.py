"""Pushes from the queue to a courier: order, retries, breaker, parking, replay, and what a kill costs; on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from prometheus_client import generate_latest

from rejoinder.flow.coded import CodedRequest
from rejoinder.flow.ports import Push, Store, UserRow
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_records import Brought
from rejoinder.flow.pushes import PushLanes
from rejoinder.message.parts import Concatenation
from rejoinder.message.text import Alphabet
from rejoinder.observe import REGISTRY, configure_logging
from tests.centre import HANDSET, Centre, shown_in

NUMBER = "61500000002"
OTHER_HANDSET = "61255588886"
SETTING = '{"type":"URL","data":{"url":"https://shop.example/push"}}'
NO = Brought(False, "HTTP status 503", trouble=True)
NEVER_MIND = Brought(False, "HTTP status 404")
YES = Brought(True)
MINUTE, HOUR = 60, 3600


@dataclass
class ScriptedCourier:
    """Remembers parcels and answers as it is told; `held` keeps tries under way."""

    say: Callable[[Parcel], Brought] = lambda _: YES
    parcels: list[Parcel] = field(default_factory=list)
    held: asyncio.Event | None = None
    most_at_once: int = 0
    at_once: int = 0

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def bring(self, parcel: Parcel) -> Brought:
        self.parcels.append(parcel)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.held is not None:
                await self.held.wait()
            return self.say(parcel)
        finally:
            self.at_once -= 1

    def texts(self) -> list[object]:
        return [parcel.values["text"] for parcel in self.parcels]


@pytest.fixture
def courier() -> ScriptedCourier:
    return ScriptedCourier()


@pytest.fixture
def lanes(centre: Centre, courier: ScriptedCourier) -> PushLanes:
    return PushLanes(centre.store, centre.clock, centre.guard, {"web": courier})


async def bring_all(lanes: PushLanes) -> None:
    """Turns until nothing is due."""
    for _ in range(200):
        waits = await lanes.turn()
        await lanes.idle()
        if waits > 0:
            return
    raise AssertionError("it never rests")


async def shop(centre: Centre, user_push: str = SETTING) -> tuple[UserRow, int]:
    """A user with a number of its own and a push for MOs."""
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", NUMBER, user.id)
    await centre.sql("UPDATE user_account SET mo_push = $1", user_push)
    return user, carrier


async def listed(store: Store, parked: bool = False) -> list[Push]:
    return await store.read.pushes.listed(0, 1000, parked)


async def test_an_mo_is_pushed_with_the_contracts_values(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    user, carrier = await shop(centre)
    sent = await centre.send(user, sender=NUMBER)
    await centre.reply(carrier, HANDSET, NUMBER, " ggghhh")
    await bring_all(lanes)
    (mo,) = shown_in(await centre.poll(user, received=True))
    (parcel,) = courier.parcels
    values = dict(parcel.values)
    assert values == {
        "MTMessageId": sent.id,
        "MOMessageId": mo["documentId"],
        "timestamp": mo["timestamp"],
        "from": HANDSET,
        "to": NUMBER,
        "text": " ggghhh",
    }
    assert parcel.address.url == "https://shop.example/push"
    assert await listed(centre.store) == []


async def test_a_final_status_is_pushed_with_the_contracts_values(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    user, carrier = await shop(centre, "")
    await centre.sql("UPDATE user_account SET final_status_push = $1", SETTING)
    sent = await centre.send(user, "Hello mommy", sender=NUMBER)
    await centre.deliver(carrier)
    centre.clock.pass_seconds(90)
    await centre.receipt(carrier, f"r-{sent.id}-1")
    await bring_all(lanes)
    (parcel,) = courier.parcels
    values = dict(parcel.values)
    assert bytes(values.pop("chargedAmount")) == b"1.000"  # type: ignore[arg-type]  # raw JSON
    assert values == {
        "status": "DELIVERED",
        "statusCode": 2,
        "id": sent.id,
        "timestamp": centre.clock.wall_s(),
        "from": NUMBER,
        "to": HANDSET,
        "text": "Hello mommy",
        "numberOfParts": 1,
    }


async def test_the_status_of_a_part_that_is_final_before_its_long_message_is_joined_names_the_parts_own_text(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    """Nothing stands in the mailbox for it yet; what is tried again after the joining names the whole text."""
    user, carrier = await shop(centre, "")
    await centre.sql("UPDATE user_account SET final_status_push = $1", SETTING)

    async def submitted(number: int) -> str:
        place = Concatenation(7, 2, number, wide=False)
        request = CodedRequest(HANDSET, NUMBER, (b"Hello ", b"mommy")[number - 1], Alphabet.GSM, part=place)
        return (await centre.submissions.submit_coded(user, request)).id

    first = await submitted(1)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{first}-1")
    courier.say = lambda _: NO
    await bring_all(lanes)
    courier.say = lambda _: YES
    second = await submitted(2)
    await centre.deliver(carrier)
    await centre.receipt(carrier, f"r-{second}-1")
    centre.clock.pass_seconds(6 * MINUTE)
    await bring_all(lanes)
    brought = [(parcel.values["id"], parcel.values["text"]) for parcel in courier.parcels]
    assert brought == [(first, "Hello "), (first, "Hello mommy"), (second, "Hello mommy")]


async def test_one_handsets_pushes_come_in_order_and_each_after_the_one_before(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    for number in range(6):
        await centre.reply(carrier, HANDSET, NUMBER, f"{number}")
        await centre.reply(carrier, OTHER_HANDSET, NUMBER, f"other {number}")
    courier.say = lambda parcel: YES
    await bring_all(lanes)
    own = [text for text in courier.texts() if not str(text).startswith("other")]
    others = [text for text in courier.texts() if str(text).startswith("other")]
    assert own == [f"{number}" for number in range(6)]
    assert others == [f"other {number}" for number in range(6)]
    assert courier.most_at_once <= 2


async def test_what_fails_holds_its_own_handset_and_no_other(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    for text in ("bad", "behind"):
        await centre.reply(carrier, HANDSET, NUMBER, text)
    await centre.reply(carrier, OTHER_HANDSET, NUMBER, "other")
    courier.say = lambda parcel: NEVER_MIND if parcel.values["text"] == "bad" else YES
    await bring_all(lanes)
    assert sorted(map(str, courier.texts())) == ["bad", "other"]
    courier.say = lambda _: YES
    centre.clock.pass_seconds(6 * MINUTE)
    await bring_all(lanes)
    assert courier.texts()[2:] == ["bad", "behind"]


async def test_a_push_is_tried_by_the_contracts_plan_for_24_hours_and_then_parked(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER)
    courier.say = lambda _: NO
    began, tries = centre.clock.wall_us(), []
    while not await listed(centre.store, parked=True):
        before = len(courier.parcels)
        await bring_all(lanes)
        tries += [(centre.clock.wall_us() - began) / 60e6] * (len(courier.parcels) - before)
        centre.clock.pass_seconds(10)
        assert centre.clock.wall_us() - began < 25 * HOUR * 1e6
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert all(4.4 <= gap <= 5.7 for gap in gaps[:6])
    assert all(53.9 <= gap <= 66.3 for gap in gaps[6:-1])
    assert 24 * 60 <= tries[-1] <= 24 * 60 + 6
    assert len(set(gaps[:6])) > 1, "no jitter"
    assert len({parcel.id for parcel in courier.parcels}) == 1, "the webhook-id stays the same"
    (parked,) = await listed(centre.store, parked=True)
    assert (parked.last_error, parked.attempts, parked.due_at) == ("HTTP status 503", len(tries), None)


async def test_a_push_is_not_parked_by_a_clock_that_is_not_believed(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER)
    courier.say = lambda _: NO
    for _ in range(6):
        await bring_all(lanes)
        centre.clock.pass_seconds(6 * MINUTE)
    centre.clock.step_wall(25 * HOUR)
    await bring_all(lanes)
    (push,) = await listed(centre.store)
    assert (push.attempts, push.parked_at) == (7, None)
    # The negative control: the step has held, and is believed.
    centre.clock.pass_seconds(2 * HOUR)
    await bring_all(lanes)
    assert len(await listed(centre.store, parked=True)) == 1


async def test_the_message_can_be_polled_while_its_push_fails(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    user, carrier = await shop(centre)
    courier.say = lambda _: NO
    await centre.reply(carrier, HANDSET, NUMBER, "still here")
    await bring_all(lanes)
    assert [mo["text"] for mo in shown_in(await centre.poll(user))] == ["still here"]


async def test_a_parked_push_lets_the_next_one_go_and_is_replayed_on_request(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER, "first")
    courier.say = lambda parcel: NEVER_MIND if parcel.values["text"] == "first" else YES
    for _ in range(60):
        await bring_all(lanes)
        centre.clock.pass_seconds(30 * MINUTE)
    (parked,) = await listed(centre.store, parked=True)
    await centre.reply(carrier, HANDSET, NUMBER, "second")
    await bring_all(lanes)
    assert courier.texts()[-1] == "second"
    courier.say = lambda _: YES
    now = centre.clock.wall_us()
    assert await centre.store.write(lambda tx: tx.pushes.replay([parked.id, 999_999], now)) == 1
    await bring_all(lanes)
    assert courier.texts()[-1] == "first"
    assert courier.parcels[-1].id == courier.parcels[0].id
    assert await listed(centre.store) == []


@pytest.mark.parametrize("under_way", [False, True])
async def test_replayed_pushes_of_one_handset_go_one_after_the_other_behind_what_is_under_way(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier, under_way: bool
) -> None:
    """Found as all parked pushes of a handset that were due, and brought, at the same moment."""
    _, carrier = await shop(centre)
    # The target has earned several at once.
    for n in range(4):
        await centre.reply(carrier, f"6125550000{n}", NUMBER)
    await bring_all(lanes)
    for text in ("one", "two", "three"):
        await centre.reply(carrier, HANDSET, NUMBER, text)
    ids = [push.id for push in await listed(centre.store)]
    parked = [(push_id, 0, "status 500") for push_id in ids]
    assert await centre.store.write(lambda tx: tx.pushes.park(parked, 0)) == 3
    expected = ["one", "two", "three"]
    courier.parcels.clear()
    courier.held = asyncio.Event()
    if under_way:
        await centre.reply(carrier, HANDSET, NUMBER, "now")
        await lanes.turn()
        expected.insert(0, "now")
    now = centre.clock.wall_us()
    assert await centre.store.write(lambda tx: tx.pushes.replay(ids, now)) == 3
    await lanes.turn()
    await asyncio.sleep(0)
    assert courier.texts() == expected[:1]
    courier.held.set()
    await lanes.idle()
    await bring_all(lanes)
    assert courier.texts() == expected
    assert await listed(centre.store) == []


async def test_a_process_that_dies_between_claim_and_delivery_repeats_the_push_under_the_same_id(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER)
    courier.held = asyncio.Event()
    await lanes.turn()
    await asyncio.sleep(0)
    for task in list(lanes._under_way):
        task.cancel()
    await asyncio.gather(*lanes._under_way, return_exceptions=True)
    again = ScriptedCourier()
    survivor = PushLanes(centre.store, centre.clock, centre.guard, {"web": again})
    await bring_all(survivor)
    assert again.parcels == [], "its lease still runs"
    centre.clock.pass_seconds(61)
    await bring_all(survivor)
    assert [parcel.id for parcel in again.parcels] == [parcel.id for parcel in courier.parcels]
    assert await listed(centre.store) == []


async def test_a_result_that_comes_after_its_lease_does_not_undo_what_another_process_did(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER)
    courier.held, courier.say = asyncio.Event(), lambda _: NO
    await lanes.turn()
    centre.clock.pass_seconds(61)
    other = PushLanes(
        centre.store, centre.clock, centre.guard, {"web": ScriptedCourier(lambda _: NEVER_MIND)}
    )
    await bring_all(other)
    (before,) = await listed(centre.store)
    courier.held.set()
    await lanes.idle()
    assert await listed(centre.store) == [before]
    assert before.last_error == "HTTP status 404"


async def test_a_server_that_fails_five_times_is_left_alone_and_then_probed_with_one_push(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    for number in range(20):
        await centre.reply(carrier, f"612555{number:05}", NUMBER)
    courier.say = lambda _: NO
    await bring_all(lanes)
    assert len(courier.parcels) == 5
    counts = await centre.store.read.pushes.counts(centre.clock.wall_us())
    assert counts.open_breakers == 1
    centre.clock.pass_seconds(31)
    await bring_all(lanes)
    assert len(courier.parcels) == 6
    courier.say = lambda _: YES
    centre.clock.pass_seconds(61)
    await bring_all(lanes)
    assert len(await listed(centre.store)) == 6, "those that failed wait for their own next time"
    assert courier.most_at_once > 1


async def test_a_no_to_one_push_says_nothing_about_its_server(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    for number in range(20):
        await centre.reply(carrier, f"612555{number:05}", NUMBER)
    courier.say = lambda _: NEVER_MIND
    await bring_all(lanes)
    assert len(courier.parcels) == 20


async def test_at_most_eight_pushes_of_one_target_are_under_way(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    for number in range(100):
        await centre.reply(carrier, f"612555{number:05}", NUMBER)
    await bring_all(lanes)
    assert len(courier.parcels) == 100
    assert 4 < courier.most_at_once <= 8


async def test_what_waited_for_a_target_that_failed_all_day_is_parked_by_upkeep(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    courier.say = lambda _: NO
    for number in range(3):
        await centre.reply(carrier, HANDSET, NUMBER, f"{number}")
    await bring_all(lanes)
    centre.clock.pass_seconds(23 * HOUR)
    await centre.upkeep.forget()
    assert await listed(centre.store, parked=True) == []
    await centre.reply(carrier, HANDSET, NUMBER, "young")
    centre.clock.pass_seconds(HOUR + 1)
    await centre.upkeep.forget()
    parked = await listed(centre.store, parked=True)
    assert len(parked) == 3
    assert all(push.last_error for push in parked)
    courier.say = lambda _: YES
    await bring_all(lanes)
    assert courier.texts()[-1] == "young"


async def test_parked_pushes_are_kept_for_30_days(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    courier.say = lambda _: NO
    await centre.reply(carrier, HANDSET, NUMBER)
    await bring_all(lanes)
    centre.clock.pass_seconds(24 * HOUR + 1)
    await centre.upkeep.forget()
    assert len(await listed(centre.store, parked=True)) == 1
    centre.clock.pass_seconds(30 * 24 * HOUR - 10)
    await centre.upkeep.forget()
    assert len(await listed(centre.store, parked=True)) == 1
    centre.clock.pass_seconds(20)
    await centre.upkeep.forget()
    assert await listed(centre.store, parked=True) == []
    assert await centre.sql("SELECT count(*) FROM push_target") == [(0,)]


async def test_a_setting_that_changes_is_used_by_what_already_waits(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier
) -> None:
    _, carrier = await shop(centre)
    courier.say = lambda _: NO
    await centre.reply(carrier, HANDSET, NUMBER)
    await bring_all(lanes)
    await centre.sql("UPDATE user_account SET mo_push = $1", SETTING.replace("/push", "/new"))
    centre.clock.pass_seconds(6 * MINUTE)
    await bring_all(lanes)
    assert [parcel.address.url[-4:] for parcel in courier.parcels] == ["push", "/new"]


@pytest.mark.parametrize("setting", ["", "not json"])
async def test_a_setting_that_is_gone_or_broken_stops_no_other_push(
    centre: Centre, lanes: PushLanes, courier: ScriptedCourier, setting: str
) -> None:
    _, carrier = await shop(centre)
    await centre.reply(carrier, HANDSET, NUMBER)
    await centre.sql("UPDATE user_account SET mo_push = $1", setting)
    other = await centre.account("other@firm", "firm")
    await centre.sql("INSERT INTO number (number, user_id) VALUES ('61500000003', $1)", other.id)
    await centre.sql("UPDATE user_account SET mo_push = $1 WHERE id = $2", SETTING, other.id)
    await centre.reply(carrier, HANDSET, "61500000003", "other")
    await bring_all(lanes)
    assert courier.texts() == ["other"]
    assert [push.last_error for push in await listed(centre.store)] == ["no push is set any more"]


async def test_servers_that_hang_leave_room_for_those_that_answer(centre: Centre) -> None:
    """More targets hang than there are quick places; those that answer are served all the same."""
    user, carrier = await shop(centre, "")
    count = 300
    await centre.sql(
        "INSERT INTO number (number, user_id, mo_push) SELECT '614' || CAST(10000 + i AS TEXT), $1, $2 FROM ("
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 599) SELECT i FROM n) AS all_n",
        user.id,
        SETTING,
    )
    await asyncio.gather(*(centre.reply(carrier, HANDSET, f"614{10_000 + i}") for i in range(2 * count)))
    hold = asyncio.Event()

    class Half(ScriptedCourier):
        async def bring(self, parcel: Parcel) -> Brought:
            self.parcels.append(parcel)
            if int(str(parcel.values["to"])[3:]) < 10_000 + count:
                await hold.wait()
            return YES

    courier = Half()
    lanes = PushLanes(centre.store, centre.clock, centre.guard, {"web": courier})
    await lanes.start()
    async with asyncio.timeout(30):
        while len(await listed(centre.store)) > count:  # noqa: ASYNC110  # what is waited for is in the database
            await asyncio.sleep(0.05)
    assert sum(int(str(parcel.values["to"])[3:]) >= 10_000 + count for parcel in courier.parcels) == count
    hold.set()
    await lanes.stop()
    assert await listed(centre.store) == []


async def test_no_address_text_number_or_secret_reaches_a_log_or_a_metric(
    centre: Centre, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-in-a-push"
    configure_logging("debug")
    setting = SETTING.replace("/push", f"/{canary}?token={canary}")
    _, carrier = await shop(centre, setting)

    class Failing(ScriptedCourier):
        async def bring(self, parcel: Parcel) -> Brought:
            self.parcels.append(parcel)
            if len(self.parcels) == 1:
                raise ValueError(f"{parcel.address.url} {parcel.values}")
            return NO

    courier = Failing()
    lanes = PushLanes(centre.store, centre.clock, centre.guard, {"web": courier})
    for number in range(8):
        await centre.reply(carrier, f"612555{number:05}", NUMBER, canary)
    await bring_all(lanes)
    assert len(courier.parcels) >= 6, "the breaker must have opened, and said so"
    said = "".join(capfd.readouterr())
    assert "push_failed" in said
    assert "push_target_left_alone" in said
    for secret in (canary, "612555", NUMBER):
        assert secret not in said
        assert secret not in generate_latest(REGISTRY).decode()
