"""Credits under 100 workers, random debits, refunds, transfers and kill -9 (contract §12; issue 4).

Never below 0, all sums come to 0, each message is charged once. A sample runs here; the whole of it:
`REJOINDER_MONEY=100000 .venv/bin/pytest -s tests/property/money`.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rejoinder.clock import ManualClock
from rejoinder.flow import ledger
from rejoinder.flow.operator.accounts import (
    NewCustomer,
    NewReseller,
    NewUser,
    add_customer,
    add_reseller,
    add_user,
    changing,
)
from rejoinder.flow.ports import Store, Tx
from rejoinder.store import open_store
from tests.centre import START, Centre
from tests.property.money import audit
from tests.property.money.worker import CUSTOMERS

OPERATIONS = int(os.environ.get("REJOINDER_MONEY", "1500"))
WORKERS = 100
CREDIT = 1000
NOW = START * 1_000_000
# Several processes share a PostgreSQL; a SQLite file has one server.
PROCESSES = {"sqlite": 1, "postgres": 2}


@pytest.fixture
async def centre(database_url: str) -> AsyncIterator[Centre]:
    clock = ManualClock(START)
    store = await open_store(database_url, clock)
    await changing(store, _people)
    centre = Centre(store, clock)
    await centre.carrier("one")
    await centre.carrier("two", priority=1)
    await centre.pool("61500079987", "61500079988")
    yield centre
    await store.close()


async def _people(tx: Tx) -> None:
    """Two resellers, and customers with little; of the post-paid one's some are post-paid."""
    poor = NewReseller(name="acme", password_hash="-", credits=40 * CREDIT)
    later = NewReseller(name="later", password_hash="-", billing="post_paid", credits=20 * CREDIT)
    owners = [await add_reseller(tx, new, NOW) for new in (poor, later)]
    for n in range(CUSTOMERS):
        billing = "post_paid" if n % 4 == 3 else "pre_paid"
        new = NewCustomer(name=f"customer{n}", credits=5 * CREDIT, billing=billing)
        customer = await add_customer(tx, owners[n % 2], new, NOW)
        await add_user(tx, customer, NewUser(username=f"user{n}", password_hash="-"), NOW)


class Life:
    """One process of workers, from its start until it is killed."""

    def __init__(self, database_url: str, log: Path, seed: int, workers: int) -> None:
        words = ["-m", "tests.property.money.worker", database_url, str(seed), str(workers), str(log)]
        self._process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)

    def kill(self) -> None:
        """kill -9. Raises AssertionError for one that ended by itself."""
        ended = self._process.poll()
        self._process.kill()
        said = self._process.communicate()[1].decode()
        assert ended is None, said


async def disturbed(
    centre: Centre, database_url: str, log: Path, operations: int
) -> tuple[Counter[str], int, int]:
    """Lets processes work until so many operations are done, kills them at random, and looks at the books each time.

    Gives the operations by kind, the kills, and how often the books were looked at.
    """
    draw = random.Random(operations)
    processes = PROCESSES[database_url.partition(":")[0].removesuffix("ql")]
    seeds = iter(range(10**6))
    lives = [Life(database_url, log, next(seeds), WORKERS // processes) for _ in range(processes)]
    kills = looks = 0
    try:
        while (done := _read(log)[0]).total() < operations or kills < 2:
            # Long enough to start and work, short enough that many end amid their work.
            await asyncio.sleep(1.5 + draw.random() * min(6.0, operations / 1000))
            if done.total():
                at = draw.randrange(processes)
                lives[at].kill()
                kills += 1
                lives[at] = Life(database_url, log, next(seeds), WORKERS // processes)
            assert await audit.balances(centre) == []
            looks += 1
    finally:
        for life in lives:
            life.kill()
    return _read(log)[0], kills + processes, looks


def _read(log: Path) -> tuple[Counter[str], list[str]]:
    """Operations by kind, and the ids of messages that were answered 10."""
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(line[0] for line in lines), [line[2:26] for line in lines if line[0] == "s"]


@pytest.mark.timeout(110 if OPERATIONS <= 2000 else 3600)
async def test_credits_are_never_below_0_sum_to_0_and_each_message_is_charged_once(
    centre: Centre, database_url: str, tmp_path: Path
) -> None:
    began, log = time.monotonic(), tmp_path / "log"
    done, kills, looks = await disturbed(centre, database_url, log, OPERATIONS)
    answered = _read(log)[1]
    assert await audit.faults(centre, answered) == []
    report = await ledger.check(centre.store.read)
    assert report.right
    # Each kind happened, or nothing was proved: accepted, refused, refunded, moved, not there.
    assert all(done[kind] for kind in "snfmp"), done
    assert done["e"] == 0, [line for line in log.read_text().splitlines() if line[0] == "e"][:3]
    assert (await centre.sql("SELECT count(*) > 0 FROM ledger_entry WHERE reason = 'refund'"))[0][0]
    seconds = time.monotonic() - began
    engine = database_url.partition(":")[0]
    print(  # noqa: T201  # the figure, for whoever asks for the whole of it with -s
        f"\n{engine}: {done.total()} operations by {WORKERS} workers in {seconds:.0f} s, {kills} kills, books right at "
        f"{looks} looks; {done['s']} charged, {done['n']} refused, {done['f']} final, {done['m']} moved, "
        f"{done['p']} not there, {done['k']} cancelled; {report.transfers} transfers, 0 faults"
    )


# The negative control: what the audit would find.


async def _message(centre: Centre) -> str:
    user = await centre.accounts.user("user0")
    assert user is not None
    return (await centre.send(user)).id


_AGAIN = "INSERT INTO ledger_entry (at, payer_id, payee_id, amount, reason, message_id) "
TAMPERED = {
    "a balance that moved without the ledger": "UPDATE credit_account SET balance = balance + 1 WHERE id = 5",
    "a transfer that is gone": "DELETE FROM ledger_entry WHERE id = (SELECT max(id) FROM ledger_entry)",
    "a message charged twice": f"{_AGAIN} SELECT at, payer_id, payee_id, amount, reason, message_id FROM ledger_entry"
    " WHERE reason = 'charge'",
    "a refund that nothing was refused for": f"{_AGAIN} SELECT at, payee_id, payer_id, amount, 'refund', message_id"
    " FROM ledger_entry WHERE reason = 'charge'",
    "a charge without a message": "DELETE FROM mt",
    "a message without a charge": "UPDATE ledger_entry SET message_id = NULL WHERE reason = 'charge'",
    "a refused message that was not refunded": "UPDATE mt SET status = 8",
}


@pytest.mark.parametrize("tampering", TAMPERED.values(), ids=TAMPERED)
async def test_the_audit_finds(centre: Centre, tampering: str) -> None:
    mt_id = await _message(centre)
    assert await audit.faults(centre, [mt_id]) == []
    await centre.sql(tampering)
    assert await audit.faults(centre, [mt_id]) != []


async def test_the_audit_finds_an_answered_message_that_is_gone(centre: Centre) -> None:
    assert await audit.faults(centre, ["5175000000000000000000ff"]) != []


async def test_a_balance_below_0_is_refused_by_the_store_itself(store: Store) -> None:
    async def work(tx: Tx) -> None:
        account = await tx.credits.open("customer", "pre_paid")
        await ledger.grant(tx, account, 5, NOW)
        await tx.credits.transfer([ledger.Transfer(account, 2, 6, "charge")], NOW)

    with pytest.raises(Exception, match=r"(?i)check constraint"):
        await store.write(work)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, ManualClock(START))
    yield opened
    await opened.close()
