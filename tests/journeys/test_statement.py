"""`rejoinder statement`: what a customer had, every movement, what it has; for a person, a spreadsheet, a program."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rejoinder.cli import main
from rejoinder.cli.statement import Moment, harmless
from rejoinder.clock import ManualClock, written
from rejoinder.flow.operator import lookup
from rejoinder.flow.operator.accounts import NewCustomer, NewReseller, add_customer, add_reseller, changing
from rejoinder.flow.ports import OPERATOR_ACCOUNT, USAGE_ACCOUNT, Record, Store, Transfer, Tx
from rejoinder.flow.statement import PAGE, Period, lines
from rejoinder.store import open_store

DAY = 86_400_000_000
NOVEMBER = 20_393 * DAY + 12 * 3_600_000_000  # 2025-11-01T12:00:00Z
MESSAGE = "6905f6c00000010000000000"


async def books(url: str, name: str = "shop", more: int = 0) -> None:
    """A customer with 10 credits on 1 November, charged 2 on the 2nd and refunded 0.5 on the 3rd."""
    store = await open_store(url, ManualClock(NOVEMBER // 1_000_000))

    async def work(tx: Tx) -> Record:
        new = NewReseller(name="acme", password_hash="-", billing="post_paid")
        reseller = await add_reseller(tx, new, NOVEMBER)
        return await add_customer(tx, reseller, NewCustomer(name=name, credits=10_000), NOVEMBER)

    account = (await changing(store, work))["credit_account_id"]
    await move(store, NOVEMBER + DAY, Transfer(account, USAGE_ACCOUNT, 2_000, "charge", MESSAGE))
    await move(store, NOVEMBER + 2 * DAY, Transfer(USAGE_ACCOUNT, account, 500, "refund", MESSAGE))
    if more:
        await move(store, NOVEMBER + 3 * DAY, *(_small(account, n) for n in range(more)))
    await store.close()


def _small(account: int, n: int) -> Transfer:
    pair = (OPERATOR_ACCOUNT, account) if n % 3 else (account, OPERATOR_ACCOUNT)
    return Transfer(*pair, 1 + n % 2, "credits")


async def move(store: Store, at: int, *transfers: Transfer) -> None:
    await store.write(lambda tx: tx.credits.transfer(transfers, at))


def said(database_url: str, *words: str) -> str:
    done = CliRunner().invoke(main, ["statement", *words, "--database", database_url])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_a_table_for_a_person(database_url: str) -> None:
    asyncio.run(books(database_url))
    shown = said(database_url, "shop", "--from", "2025-11-01", "--to", "2025-11-30").splitlines()
    assert [line.split() for line in shown] == [
        ["time", "reason", "message_id", "amount", "balance"],
        ["2025-11-01T00:00:00Z", "opening", "balance", "0"],
        ["2025-11-01T12:00:00Z", "credits", "-", "10", "10"],
        ["2025-11-02T12:00:00Z", "charge", MESSAGE, "-2", "8"],
        ["2025-11-03T12:00:00Z", "refund", MESSAGE, "0.500", "8.500"],
        ["2025-12-01T00:00:00Z", "closing", "balance", "8.500"],
    ]
    assert len({len(line) for line in shown}) == 1, "columns stand below each other"


def test_json_for_a_program(database_url: str) -> None:
    asyncio.run(books(database_url))
    assert json.loads(
        said(database_url, "acme/shop", "--from", "2025-11-02", "--to", "2025-11-02", "--json")
    ) == {
        "customer": "acme/shop",
        "from": "2025-11-02T00:00:00Z",
        "to": "2025-11-03T00:00:00Z",
        "opening": 10,
        "movements": [
            {
                "time": "2025-11-02T12:00:00Z",
                "reason": "charge",
                "message_id": MESSAGE,
                "amount": -2,
                "balance": 8,
            }
        ],
        "closing": 8,
    }
    empty = json.loads(said(database_url, "shop", "--from", "2030-01-01", "--to", "2030-01-01", "--json"))
    assert (empty["opening"], empty["movements"], empty["closing"]) == (8.5, [], 8.5)


def test_csv_for_a_spreadsheet_never_holds_a_formula(database_url: str) -> None:
    asyncio.run(books(database_url, "=cmd|'/c calc'!A1".replace(" ", "_")))
    customer = "acme/=cmd|'/c_calc'!A1"
    rows = list(csv.DictReader(io.StringIO(said(database_url, customer, "--csv"))))
    assert [row["reason"] for row in rows] == [
        "opening balance",
        "credits",
        "charge",
        "refund",
        "closing balance",
    ]
    assert [row["amount"] for row in rows] == ["", "10", "-2", "0.500", ""]
    assert [row["balance"] for row in rows] == ["0", "10", "8", "8.500", "8.500"]
    assert {row["customer"] for row in rows} == {customer}  # a reseller's name stands before it
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert harmless(cell) == f"'{cell}"
    assert harmless("shop=1") == "shop=1"


@pytest.mark.parametrize(
    ("begin", "end", "reasons"),
    [
        ("2025-11-02", "2025-11-03", ["charge", "refund"]),
        ("2025-11-02T12:00:00", "2025-11-03T12:00:00", ["charge"]),
        ("2025-11-02T12:00:01", "2025-11-03T12:00:00.000001", ["refund"]),
        ("2025-11-02T13:00:00+01:00", "2025-11-02T12:00:01Z", ["charge"]),
        ("1970-01-01", "2025-11-01", ["credits"]),
    ],
)
def test_a_period_has_its_first_moment_and_a_last_day_whole(
    tmp_path: Path, begin: str, end: str, reasons: list[str]
) -> None:
    database_url = f"sqlite:///{tmp_path / 'centre.db'}"
    asyncio.run(books(database_url))
    found = json.loads(said(database_url, "shop", "--from", begin, "--to", end, "--json"))
    assert [movement["reason"] for movement in found["movements"]] == reasons


def test_opening_movements_and_closing_agree_over_many_pages(database_url: str) -> None:
    """Thousands of movements of one microsecond, and pages that end amid them."""
    asyncio.run(books(database_url, more=2 * PAGE + 7))
    found = json.loads(said(database_url, "shop", "--from", "2025-11-03", "--json"))
    movements = found["movements"]
    assert len(movements) == 2 * PAGE + 8
    balance = found["opening"] * 1000
    for movement in movements:
        balance += round(movement["amount"] * 1000)
        assert round(movement["balance"] * 1000) == balance
    assert found["closing"] * 1000 == balance

    async def kept() -> int:
        store = await open_store(database_url, ManualClock(0))
        record = await lookup.one(store.read, "customer", "shop")
        await store.close()
        return int(record["balance"])

    assert balance == asyncio.run(kept())


async def test_a_page_is_a_range_of_an_index_and_nothing_is_sorted(tmp_path: Path) -> None:
    import apsw

    from rejoinder.store.dialect import queries

    database_url = tmp_path / "centre.db"
    await books(f"sqlite:///{database_url}")
    connection = apsw.Connection(str(database_url))
    for name, values in (("movements", (3, 0, 0, 2**60, 10)), ("balance_before", (3, 2**60))):
        text = queries("credits")[name].sqlite
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
        searches = [step for step in plan if "ledger_entry" in step]
        assert all("ledger_paid" in step or "ledger_received" in step for step in searches), plan
        assert len(searches) == 2
        # Only the two pages of at most PAGE rows are put into one order.
        assert sum("TEMP B-TREE" in step for step in plan) <= 1, plan


async def test_twenty_thousand_movements_are_read_a_page_at_a_time(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'centre.db'}"
    await books(database_url, more=20_000)
    store = await open_store(database_url, ManualClock(0))
    account = (await lookup.one(store.read, "customer", "shop"))["credit_account_id"]
    asked: list[int] = []

    class Watched:
        """The reads of the store; notes how many rows each page brought."""

        credits: Watched

        async def movements(self, *of: object) -> object:
            page = await store.read.credits.movements(*of)  # type: ignore[arg-type]  # as they were handed in
            asked.append(len(page))
            return page

    watched = Watched()
    watched.credits = watched
    count = 0
    async for _ in lines(watched, account, Period(0, 2**60), 0):  # type: ignore[arg-type]  # only credits are read
        count += 1
    await store.close()
    assert count == 20_003
    assert max(asked) == PAGE


def test_what_is_no_date_or_backwards_is_wrong_usage(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'centre.db'}"
    asyncio.run(books(database_url))
    for words in (
        ("--from", "yesterday"),
        ("--to", "2025-13-01"),
        ("--to", "9999-12-31"),
        ("--from", "2025-11-02", "--to", "2025-11-01T00:00:00"),
        ("--from", "2025-11-02", "--to", "2025-11-01"),
        ("--from", "2999-01-01"),
        ("--from", "9999-12-31T23:59:59-14:00"),
        ("--from", "0001-01-01T00:00:00+14:00"),
        ("--csv", "--json"),
    ):
        done = CliRunner().invoke(main, ["statement", "shop", *words, "--database", database_url])
        assert (done.exit_code, done.stdout) == (2, ""), words
        assert "Traceback" not in done.output
    done = CliRunner().invoke(main, ["statement", "nobody", "--database", database_url])
    assert (done.exit_code, done.stdout) == (1, "")


def test_a_pipe_that_closes_early_ends_it_quietly(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'centre.db'}"
    asyncio.run(books(database_url, more=5_000))
    command = f"{sys.executable} -m rejoinder statement shop --database {database_url} --csv | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "customer,time,reason,message_id,amount,balance"
    assert "Traceback" not in done.stderr


def test_moments_are_utc() -> None:
    assert written(0) == "1970-01-01T00:00:00Z"
    assert written(NOVEMBER) == "2025-11-01T12:00:00Z"
    assert Moment().convert("2025-11-01T12:00", None, None) == NOVEMBER
    assert Moment(last=True).convert("2025-11-01", None, None) == NOVEMBER + DAY // 2
