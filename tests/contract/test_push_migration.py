"""Pushes that an older version queued and never brought go on after the tables are remade; on both engines."""

from __future__ import annotations

from rejoinder.clock import ManualClock
from rejoinder.store import open_store
from tests.centre import START
from tests.contract.older import database_before

BEFORE = [
    ("0" * 23 + "1", 1, "https://a.example/in?t={{text}}", "m1", "61255588885", 50, 0, 10),
    ("0" * 23 + "2", 1, "https://a.example/in?t={{text}}", "m2", "61255588885", 60, 0, 11),
    ("0" * 23 + "3", 1, "https://a.example/in?t={{text}}", "m3", "61255588886", 70, 0, 11),
    ("0" * 23 + "4", 2, "mailto:Desk@a.example", "m4", "61255588885", 80, 0, 12),
]
ROW = (
    "INSERT INTO push (id, user_id, target, mt_id, handset, due_at, attempts, timestamp) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
AFTER = [
    ("web", "https://a.example/in?t={{text}}", BEFORE[0][0], "m1", 1, 10, 50),
    ("web", "https://a.example/in?t={{text}}", BEFORE[1][0], "m2", 1, 11, None),
    ("web", "https://a.example/in?t={{text}}", BEFORE[2][0], "m3", 1, 11, 70),
    ("mail", "mailto:Desk@a.example", BEFORE[3][0], "m4", 2, 12, 80),
]
PULLED_ROW = (
    "INSERT INTO push (id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, "
    "sender, status, parts, charge, queued_at, due_at) "
    "VALUES ($1, 'smpp', 'smpp:1', 'mo', $2, '', 'e', 1, 5, $3, '', '6150', 0, 0, 0, 7, NULL)"
)
PULLED = [(1, "m1", "h1"), (2, "m2", "h1"), (3, "m3", "h2")]


async def test_pushes_of_the_version_before_are_kept_in_order(empty_database_url: str) -> None:
    await database_before(4, empty_database_url, [(ROW, values) for values in BEFORE])
    store = await open_store(empty_database_url, ManualClock(START))
    found = await store.read.pushes.listed(0, 10, False)
    assert [
        (
            p.queued.channel,
            p.queued.address,
            p.queued.message_id,
            p.queued.mt_id,
            p.queued.user_id,
            p.queued.entry_at,
            p.due_at,
        )
        for p in found
    ] == AFTER
    assert await store.read.pushes.next_due() == 50
    await store.write(lambda tx: tx.pushes.done([found[0].id]))
    assert (await store.read.pushes.listed(0, 1, False))[0].due_at == 0, "the next of its handset is due"
    await store.close()


async def test_pulled_pushes_of_the_version_before_are_due_the_first_of_each_handset(
    empty_database_url: str,
) -> None:
    await database_before(13, empty_database_url, [(PULLED_ROW, values) for values in PULLED])
    store = await open_store(empty_database_url, ManualClock(START))
    taken = await store.write(lambda tx: tx.pushes.pull("smpp:1", 9, 10, 70))
    assert [one.id for one in taken] == [1, 3]
    assert [one.target for one in await store.write(lambda tx: tx.pushes.lock(["smpp:1"]))] == ["smpp:1"]
    assert await store.read.pushes.next_due() is None
    await store.write(lambda tx: tx.pushes.done([1]))
    assert [one.id for one in await store.write(lambda tx: tx.pushes.pull("smpp:1", 9, 10, 70))] == [2]
    await store.close()
