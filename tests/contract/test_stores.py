"""What a store stands on, and what it does when something goes wrong; on both engines where it concerns both."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import apsw
import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.clock import ManualClock
from rejoinder.errors import ConfigInvalid, StoreUnavailable, StoreUnsuitable
from rejoinder.flow.mailbox import Placement
from rejoinder.flow.ports import USAGE_ACCOUNT, LockedMailbox, Store, Transfer, Tx
from rejoinder.message.model import Rotation
from rejoinder.message.status import Status
from rejoinder.store import open_store
from rejoinder.store.dialect import queries, statement
from rejoinder.store.migrate import migrations
from rejoinder.store.postgres import SESSION
from rejoinder.store.postgres_transaction import together
from rejoinder.store.sqlite_session import BOUND, SqliteSession
from rejoinder.store.sqlite_writer import drive
from tests.centre import START, Centre, shown_in
from tests.contract.plans import many, plan
from tests.postgres_server import postgres_server

TOPICS = ("mailbox", "credits", "outbox", "receipts", "replies", "inbound", "directory", "registry", "pushes")


async def test_a_database_newer_than_the_code_is_refused(database_url: str, store: Store) -> None:
    await Centre(store).sql("INSERT INTO migration VALUES (9999, 'from the future')")
    with pytest.raises(StoreUnsuitable, match="9999"):
        await open_store(database_url, ManualClock())


async def test_opening_twice_migrates_once(database_url: str, store: Store) -> None:
    again = await open_store(database_url, ManualClock())
    steps = migrations(database_url.partition(":")[0].removesuffix("ql"))
    assert await Centre(again).sql("SELECT count(*) FROM migration") == [(len(steps),)]
    await again.close()


async def test_a_second_server_on_the_same_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    first = await open_store(url, ManualClock(), serving=True)
    with pytest.raises(StoreUnsuitable, match="another server"):
        await open_store(url, ManualClock(), serving=True)
    await first.close()
    second = await open_store(url, ManualClock(), serving=True)
    await second.close()


async def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'one.db'}", ManualClock())
    centre = Centre(store)
    assert await centre.sql("PRAGMA synchronous") == [(2,)]
    assert await centre.sql("PRAGMA journal_mode") == [("wal",)]
    await store.close()


async def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(StoreUnsuitable, match=r"3\.40\.1"):
        await open_store(f"sqlite:///{tmp_path / 'one.db'}", ManualClock())


@pytest.mark.parametrize("url", ["mysql://x/y", "rejoinder.db", "sqlite:rejoinder.db", ""])
async def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigInvalid):
        await open_store(url, ManualClock())


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/nothing"])
async def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(StoreUnavailable):
        await open_store(url, ManualClock())


async def test_a_postgresql_without_fsync_is_refused_and_a_lazy_commit_is_overruled() -> None:
    with postgres_server(settings={"fsync": "off"}) as server, pytest.raises(StoreUnsuitable, match="fsync"):
        await open_store(server.url(server.create_database()), ManualClock())
    with postgres_server(settings={"synchronous_commit": "off"}) as server:
        store = await open_store(server.url(server.create_database()), ManualClock())
        assert any("synchronous_commit" in warning for warning in store.warnings)
        assert await Centre(store).sql("SHOW synchronous_commit") == [("on",)]
        await store.close()


async def test_a_job_that_raises_is_undone_alone(store: Store) -> None:
    centre = Centre(store)

    async def good(tx: Tx) -> None:
        await tx.directory.changed()

    async def bad(tx: Tx) -> None:
        await tx.directory.changed()
        raise ValueError("mine")

    before = (await store.read.directory.version())[0]
    results = await asyncio.gather(
        *(store.write(job) for job in (good, bad, good, bad)), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), ValueError, type(None), ValueError]
    assert (await store.read.directory.version())[0] == before + 2
    assert await centre.sql("SELECT 1") == [(1,)]


async def test_a_transaction_that_awaits_something_else_is_refused_on_sqlite(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'one.db'}", ManualClock())

    async def talks_to_a_network(_tx: Tx) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may await nothing"):
        await store.write(talks_to_a_network)
    await store.close()


async def test_a_pre_paid_balance_below_zero_is_refused_by_the_database_itself(centre: Centre) -> None:
    user = await centre.account(funds=1000)
    with pytest.raises((apsw.ConstraintError, asyncpg.CheckViolationError)):
        await centre.sql("UPDATE credit_account SET balance = -1 WHERE id = $1", user.credit_account_id)


async def test_after_a_restore_no_second_is_given_out_again(centre: Centre) -> None:
    user, other = await centre.account("a@a", "a"), await centre.account("b@b", "b")
    await centre.carrier()
    await centre.pool("61500079987")
    await centre.send(user)
    answer = await centre.poll(user, START - 1)
    await centre.store.write(lambda tx: tx.mailboxes.restored(centre.clock.wall_s()))
    for one in (user, other):
        await centre.send(one)
        (shown,) = shown_in(await centre.poll(one, answer.newest))
        assert shown["timestamp"] == START + 61


async def test_a_promotion_is_noticed_by_its_timeline(postgres_url: str) -> None:
    store = await open_store(postgres_url, ManualClock(START))
    centre = Centre(store)
    assert await centre.sql("SELECT floor FROM store_state") == [(0,)]
    # As if the store had last been seen on the timeline before this one.
    await centre.sql("UPDATE store_state SET timeline = timeline + 1")
    await store.close()
    store = await open_store(postgres_url, ManualClock(START))
    assert await Centre(store).sql("SELECT floor FROM store_state") == [(START + 60,)]
    await store.close()


def test_a_second_takes_a_thousand_messages_and_the_next_one_follows() -> None:
    box = Placement(LockedMailbox(1, 0, 0, 0, 0, 0))
    stamps = [box.give(START) for _ in range(2001)]
    assert stamps.count(START) == 1000
    assert stamps.count(START + 1) == 1000
    assert box.row() == (1, START + 2, 1, 0)


@pytest.mark.parametrize(
    ("last", "sealed", "floor", "now", "given"),
    [
        (0, 0, 0, 100, 100),
        (90, 90, 0, 100, 100),
        (100, 90, 0, 100, 100),
        (100, 100, 0, 100, 101),
        (100, 100, 0, 50, 101),
        (100, 90, 0, 50, 100),
        (0, 0, 160, 100, 161),
    ],
)
def test_a_timestamp_is_the_highest_of_now_last_and_sealed_plus_one(
    last: int, sealed: int, floor: int, now: int, given: int
) -> None:
    assert Placement(LockedMailbox(1, last, sealed, 0, 0, floor)).give(now) == given


def test_one_text_becomes_both_dialects() -> None:
    made = statement(
        "x", "why", "SELECT a FROM @rows(a text, b bigint) WHERE b > :low AND a <> :low FOR UPDATE"
    )
    assert made.postgres == (
        "SELECT a FROM unnest($1::text[], $2::bigint[]) AS r(a, b) WHERE b > $3 AND a <> $3 FOR UPDATE"
    )
    assert made.sqlite == (
        "SELECT a FROM (SELECT value->>0 AS a, value->>1 AS b FROM json_each(?2)) AS r WHERE b > ?1 AND a <> ?1"
    )
    assert made.for_rows(2) == (
        "SELECT a FROM (SELECT column1 AS a, column2 AS b FROM (VALUES (?3, ?), (?, ?)) LIMIT ?2) AS r "
        "WHERE b > ?1 AND a <> ?1"
    )
    assert made.values == ("low",)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.sampled_from(Status),
    st.sampled_from(Rotation),
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=9), st.sampled_from((1, BOUND)))
def test_rows_are_the_same_on_sqlite_however_many_there_are(
    some: list[tuple[object, object]], times: int
) -> None:
    """Few go cell by cell, many as one text: nothing is lost, added or changed, in its kind neither."""
    session = SqliteSession(apsw.Connection(":memory:"))
    asked = statement(
        "x", "why", "SELECT a, typeof(a), b, typeof(b), :low, :high FROM @rows(a text, b bigint)"
    )
    rows = some * times
    found = drive(session.bulk(asked, rows, "low", 7))
    kinds = {type(None): "null", str: "text", Rotation: "text"}
    assert found == [
        (a, kinds.get(type(a), "integer"), b, kinds.get(type(b), "integer"), "low", 7) for a, b in rows
    ]


def test_keys_that_a_column_is_in_are_a_condition_of_an_index_on_postgresql() -> None:
    made = statement("x", "why", "DELETE FROM t WHERE id IN (SELECT key FROM @rows(key text)) AND x = :x")
    assert made.postgres == "DELETE FROM t WHERE id = ANY($1::text[]) AND x = $2"
    assert (made.writes, made.columns) == ("t", 1)
    assert statement("x", "why", "DELETE FROM t WHERE x = :x RETURNING x").writes == ""


def test_sqlite_reads_by_the_index_that_a_query_names_and_postgresql_by_what_it_knows_of_the_table() -> None:
    made = statement("x", "why", "SELECT a FROM t @by_index(t_b) WHERE b = :b")
    assert (made.sqlite, made.postgres) == (
        "SELECT a FROM t INDEXED BY t_b WHERE b = ?1",
        "SELECT a FROM t WHERE b = $1",
    )


async def test_received_messages_are_read_by_an_index_of_their_own(tmp_path: Path) -> None:
    """Found as 79 ms for one MO behind 300,000 MTs: without statistics SQLite read the whole mailbox for it."""
    url = f"sqlite:///{tmp_path / 'one.db'}"
    await (await open_store(url, ManualClock())).close()
    found = await plan(url, queries("mailbox")["read_page_received"])
    reads = [line for line in found.split("\n") if " entry " in line]
    assert len(reads) == 3
    assert all("entry_received (box_id=? AND timestamp>" in read for read in reads), found


async def test_a_customers_messages_are_claimed_by_their_index_whoever_else_waits(
    centre: Centre, database_url: str
) -> None:
    """Found as 27 s of waiting beside another customer's million: PostgreSQL's lasting plan walked over all of it."""
    await centre.sql(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        f"{many(database_url, 20_000)} "
        "SELECT CAST(n AS TEXT), 1, 1, '61255588885', '61500079987', 'hi', 'gsm', 1, n, n FROM q"
    )
    found = await plan(database_url, queries("outbox")["claim_due_of"], lasting=True)
    assert "outbox_fair" in found, found


async def test_what_is_asked_every_second_is_read_at_the_end_of_an_index(
    centre: Centre, database_url: str
) -> None:
    """Found as a walk over all targets of pushes, and over all parts of MOs that wait for others, every second."""
    q = many(database_url, 5000)
    await centre.sql(
        f"INSERT INTO push_target (target, due_at, failures) {q} SELECT CAST(n AS TEXT), 7 * n, n % 2 FROM q"
    )
    await centre.sql(
        "INSERT INTO mo_part (carrier_id, sender, recipient, reference, total, number, text, received_at) "
        f"{q} SELECT 1, CAST(n % 2500 AS TEXT), '61500000002', 7, 3, 1 + n / 2501, 'x', n FROM q"
    )
    for topic, name, indexes in (
        ("pushes", "next_due_target", r"push_target_due[^~]*push_target_probe"),
        ("inbound", "stale_parts", r"mo_part_age.*(\(received_at<\?\)|\n.*Index Cond: \(received_at <)"),
    ):
        found = await plan(database_url, queries(topic)[name])
        assert re.search(indexes, found), found
        assert not re.search(r"SCAN (push_target|mo_part)", found), found
    assert await centre.store.read.pushes.next_due() == 7
    stale = await centre.store.read.inbound.stale(4, 500)
    assert [(part.sender, part.received_at) for part in stale] == [("1", 1), ("2", 2), ("3", 3)]


def test_writes_that_wait_go_in_one_text_with_their_own_values() -> None:
    one = statement("a", "why", "INSERT INTO a SELECT * FROM @rows(x text, y int)")
    two = statement("b", "why", "UPDATE b SET x = :x, z = :z WHERE y = :x")
    assert together((one, two, one)) == (
        "WITH w0 AS (INSERT INTO a SELECT * FROM unnest($1::text[], $2::int[]) AS r(x, y)), "
        "w1 AS (UPDATE b SET x = $3, z = $4 WHERE y = $3), "
        "w2 AS (INSERT INTO a SELECT * FROM unnest($5::text[], $6::int[]) AS r(x, y)) SELECT 1"
    )


async def test_a_transaction_reads_what_it_wrote(centre: Centre) -> None:
    user = await centre.account(funds=5000)
    account = user.credit_account_id

    async def work(tx: Tx) -> list[int]:
        seen = []
        for _ in range(3):
            await tx.credits.transfer([Transfer(account, USAGE_ACCOUNT, 1000, "charge", "m")], 1)
            seen.append((await tx.credits.balance(account)).balance)
        await tx.credits.transfer([Transfer(account, USAGE_ACCOUNT, 500, "charge", "m")], 1)
        return seen

    assert await centre.store.write(work) == [4000, 3000, 2000]
    assert await centre.sql(f"SELECT balance FROM credit_account WHERE id = {account}") == [(1500,)]
    assert await centre.store.read.credits.differences() == []


# Of one row, of as many as an operator makes, or of what a link had in doubt.
SMALL = {
    "store_state",
    "mo_unconfirmed",
    "mo_lost",
    "carrier",
    "route",
    "sender",
    "number",
    "reseller",
    "carrier_state",
}


@pytest.mark.parametrize(
    "topic", ["outbox", "mailbox", "replies", "receipts", "credits", "inbound", "joining"]
)
async def test_what_a_message_needs_is_looked_up_by_index_while_its_table_is_empty(
    topic: str, postgres_url: str
) -> None:
    """Found as a cost that grew with the tables: a plan of the first minute read them whole until the first ANALYZE."""
    await (await open_store(postgres_url, ManualClock())).close()
    server = await asyncpg.connect(postgres_url, server_settings=SESSION)
    try:
        for query in queries(topic).values():
            if query.name.startswith(("ledger_", "queue_lengths", "raise_", "seal_after", "strays")):
                continue  # an operator's question, or once after a restore: of whole tables
            await server.execute(f"PREPARE asked AS {query.postgres}")
            blanks = ", ".join(["NULL"] * (query.columns + len(query.values)))
            rows = await server.fetch(f"EXPLAIN EXECUTE asked{f'({blanks})' if blanks else ''}")
            plan = "\n".join(row[0] for row in rows)
            whole = {
                line.split("Seq Scan on ")[1].split()[0] for line in plan.split("\n") if "Seq Scan on" in line
            }
            assert whole <= SMALL, f"{query.name}\n{plan}"
            await server.execute("DEALLOCATE asked")
    finally:
        await server.close()


@pytest.mark.parametrize("topic", TOPICS)
async def test_every_query_is_understood_by_both_engines(
    topic: str, postgres_url: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    for each in (url, postgres_url):
        await (await open_store(each, ManualClock())).close()
    file = apsw.Connection(str(tmp_path / "one.db"))
    server = await asyncpg.connect(postgres_url)
    for query in queries(topic).values():
        values = len(query.values) + (1 if query.columns else 0)
        file.execute(f"EXPLAIN {query.sqlite}", [None] * values).fetchall()
        if query.columns:
            cells = [None] * (values + BOUND * query.columns)
            file.execute(f"EXPLAIN {query.for_rows(BOUND)}", cells).fetchall()
        await server.prepare(query.postgres)
    await server.close()
    file.close()
