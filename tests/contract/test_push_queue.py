"""What is queued of MOs and final statuses, for whom and in which order; on both stores."""

from __future__ import annotations

import re

import pytest

from rejoinder.flow.ports import QueuedPush, Store
from rejoinder.flow.push_queue import reply_target
from rejoinder.store.dialect import queries
from tests.centre import HANDSET, Centre
from tests.contract.plans import many, plan

NUMBER = "61500000002"
SETTING = '{"type":"URL","data":{"url":"https://shop.example/push"}}'


def push(target: str = "smpp:1", **changed: object) -> QueuedPush:
    values: dict[str, object] = {
        "channel": "smpp",
        "target": target,
        "kind": "mo",
        "message_id": "0" * 24,
        "mt_id": "",
        "entry_id": "0" * 24,
        "user_id": 1,
        "entry_at": 0,
        "handset": HANDSET,
        "queued_at": 5,
    }
    return QueuedPush(**{**values, **changed})  # type: ignore[arg-type]  # a test's values


async def queued(centre: Centre) -> list[tuple[object, ...]]:
    return await centre.sql("SELECT kind, target, address, due_at IS NOT NULL FROM push ORDER BY id")


async def own_number(centre: Centre, **mo_push: str) -> tuple[object, int]:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.sql(
        "INSERT INTO number (number, customer_id, mo_push) VALUES ($1, $2, $3)",
        NUMBER,
        user.customer_id,
        mo_push.get("number", ""),
    )
    await centre.sql("UPDATE user_account SET mo_push = $1", mo_push.get("user", ""))
    await centre.sql("UPDATE customer SET mo_push = $1", mo_push.get("customer", ""))
    return user, carrier


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        (("number", "user", "customer"), f"mo:number:{NUMBER}"),
        (("number", "customer"), f"mo:number:{NUMBER}"),
        (("user", "customer"), "mo:user:1"),
        (("customer",), "mo:customer:1"),
        ((), None),
    ],
)
@pytest.mark.parametrize("matched", [False, True])
async def test_the_most_specific_mo_push_setting_is_used(
    centre: Centre, settings: tuple[str, ...], target: str | None, matched: bool
) -> None:
    user, carrier = await own_number(centre, **dict.fromkeys(settings, SETTING))
    if matched:
        await centre.send(user, sender=NUMBER)  # type: ignore[arg-type]  # a user's row
    await centre.reply(carrier, HANDSET, NUMBER)
    assert await queued(centre) == ([("mo", target, "", True)] if target else [])


async def test_a_reply_is_pushed_to_the_setting_and_to_the_messages_reply_to_besides(centre: Centre) -> None:
    user, carrier = await centre.account(), await centre.carrier()
    await centre.pool("61500079987")
    await centre.sql("UPDATE user_account SET mo_push = $1", SETTING)
    await centre.send(user, reply_to="https://Shop.example/in?from={{from}}")
    await centre.reply(carrier, HANDSET, "61500079987")
    assert await queued(centre) == [
        ("mo", "mo:user:1", "", True),
        ("mo", reply_target(1, "https://shop.example")[1], "https://Shop.example/in?from={{from}}", True),
    ]


async def test_a_final_status_is_queued_once_and_only_for_users_who_want_it(centre: Centre) -> None:
    anna, carrier = await centre.account(), await centre.carrier()
    other = await centre.account("other@firm", "firm")
    await centre.pool("61500079987")
    await centre.sql("UPDATE user_account SET final_status_push = $1 WHERE id = $2", SETTING, anna.id)
    for user in (anna, other):
        await centre.send(user)
    ids = [outgoing.id for _, outgoing in await centre.deliver(carrier)]
    assert await queued(centre) == []
    for mt_id in ids * 2:
        await centre.receipt(carrier, f"r-{mt_id}-1")
    assert await queued(centre) == [("status", "status:user:1", "", True)]


async def test_of_one_handset_only_the_first_push_is_due(centre: Centre) -> None:
    _, carrier = await own_number(centre, user=SETTING)
    for text in ("one", "two"):
        await centre.reply(carrier, HANDSET, NUMBER, text)
    await centre.reply(carrier, "61255588886", NUMBER)
    assert [row[3] for row in await queued(centre)] == [True, False, True]


async def pulled(store: Store, now: int, most: int = 10) -> list[tuple[str, str]]:
    found = await store.write(lambda tx: tx.pushes.pull("smpp:1", most, now, now + 60))
    return [(one.queued.handset, one.queued.message_id[-1]) for one in found]


async def test_what_is_pulled_is_taken_under_a_lease_of_each_handset_the_first(store: Store) -> None:
    ours = [push(message_id=f"{i:024x}", handset=f"h{i % 2}") for i in range(4)]
    await store.write(lambda tx: tx.pushes.queue([*ours, push("smpp:2")]))
    assert await pulled(store, 10, most=1) == [("h0", "0")]
    assert await pulled(store, 10) == [("h1", "1")]
    assert await pulled(store, 69) == []
    assert await store.read.pushes.next_pulled("smpp:1") == 70
    assert await pulled(store, 70) == [("h0", "0"), ("h1", "1")]
    (first, *_) = await store.read.pushes.listed(0, 1, False)
    assert first.attempts == 2
    await store.write(lambda tx: tx.pushes.done([first.id]))
    assert await pulled(store, 71) == [("h0", "2")]


async def test_a_handset_with_a_thousand_pulled_pushes_hides_no_other(store: Store) -> None:
    await store.write(lambda tx: tx.pushes.queue([push() for _ in range(1000)]))
    await store.write(lambda tx: tx.pushes.queue([push(handset="other")]))
    assert await pulled(store, 10, most=2) == [(HANDSET, "0"), ("other", "0")]


async def test_who_carries_pushes_never_finds_pulled_ones_due(store: Store) -> None:
    await store.write(lambda tx: tx.pushes.queue([push()]))
    ((taken,),) = [await store.write(lambda tx: tx.pushes.pull("smpp:1", 1, 5, 65))]
    assert await store.write(lambda tx: tx.pushes.park([(taken.id, taken.attempts, "word")], 9)) == 1
    assert await store.write(lambda tx: tx.pushes.replay([taken.id], 10)) == 1
    assert await store.read.pushes.next_due() is None
    assert await pulled(store, 10) == [(HANDSET, "0")]


async def test_listeners_hear_of_targets_after_the_commit_and_not_of_what_was_undone(store: Store) -> None:
    heard: list[str] = []
    store.on_queued(heard.append)

    async def undone(tx: object) -> None:
        await tx.pushes.queue([push("smpp:9")])  # type: ignore[attr-defined]  # a transaction
        raise KeyError

    with pytest.raises(KeyError):
        await store.write(undone)
    await store.write(lambda tx: tx.pushes.pull("smpp:9", 1, 5, 65))
    assert heard == []
    await store.write(lambda tx: tx.pushes.queue([push("smpp:1"), push("smpp:1")]))
    assert heard == ["smpp:1"]


async def waiting(centre: Centre, database_url: str, n: int) -> None:
    """Pushes to one target that is away, of as many handsets."""
    await centre.sql(
        "INSERT INTO push (channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, "
        f"sender, status, parts, charge, queued_at, due_at) {many(database_url, n)} "
        "SELECT 'web', 'status:user:1', 'status', CAST(n AS TEXT), CAST(n AS TEXT), CAST(n AS TEXT), 1, 1, "
        "CAST(61200000000 + n AS TEXT), '', '61500079987', 2, 1, 1000, n, n FROM q"
    )


async def test_whether_a_handsets_line_is_busy_costs_one_look_however_many_wait(
    centre: Centre, database_url: str
) -> None:
    """Found as 32 ms in each transaction that queued a push, where 100,000 waited for the same target."""
    await waiting(centre, database_url, 5000)
    found = await plan(database_url, queries("pushes")["busy_lines"])
    assert re.search(
        r"SEARCH p USING .*push_line \(target=\? AND handset=\?\)"
        r"|push_line on push p .*\n.*Index Cond: \(\(target = .*\) AND \(handset = ",
        found,
    ), found
