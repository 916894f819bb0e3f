"""Replies to messages that an older version sent go where those messages said; on both engines."""

from __future__ import annotations

import pytest

from rejoinder.clock import ManualClock
from rejoinder.store import open_store
from tests.centre import HANDSET, START, Centre
from tests.contract.older import database_before

POOL = "61500079987"
MT = (
    "INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, reply_to, accepted_at, "
    "expires_at) VALUES ($1, 1, 1, $2, $3, 2, 1, 1000, $4, 0, 0)"
)
PAIR = "INSERT INTO reply_pair (handset, number, user_id, mt_id, conversation, used_at) VALUES ($1, $2, 1, $3, $4, 0)"
TALK = "INSERT INTO conversation (user_id, handset, number, mt_id, used_at) VALUES (1, $1, $2, $3, 0)"
OLD, LATEST = "0" * 23 + "1", "0" * 23 + "2"


@pytest.mark.parametrize("talk", [False, True])
async def test_where_replies_go_is_kept_from_the_version_before(empty_database_url: str, talk: bool) -> None:
    rows: list[tuple[str, list[object]]] = [
        (MT, [OLD, HANDSET, POOL, "https://shop.example/old"]),
        (MT, [LATEST, HANDSET, POOL, "https://shop.example/latest"]),
        (PAIR, [HANDSET, POOL, OLD, talk]),
        (PAIR, ["61255588886", POOL, OLD[:-1] + "9", talk]),
    ]
    if talk:
        rows.append((TALK, [HANDSET, POOL, LATEST]))
    await database_before(12, empty_database_url, rows)
    store = await open_store(empty_database_url, ManualClock(START))
    centre = Centre(store)
    await centre.account()
    carrier = await centre.carrier()
    await centre.pool(POOL)
    for handset in (HANDSET, "61255588886"):
        await centre.reply(carrier, handset, POOL)
    mt_id, word = (LATEST, "latest") if talk else (OLD, "old")
    assert await centre.sql("SELECT mt_id, address FROM push") == [(mt_id, f"https://shop.example/{word}")]
    await store.close()
