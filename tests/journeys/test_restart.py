"""A hundred thousand messages wait on disk while the server is killed and started again: no broker could lose them."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import apsw
import pytest

from faults.server import PASSWORD, Server
from tests.smsc import Smsc

QUEUED = 100_000
WINDOW = 10
FILL = f"""
WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < {QUEUED})
INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, accepted_at, expires_at)
SELECT printf('%024x', n), 1, 1, CAST(61400000000 + n AS text), '61500079987', 10, 1, 0, ?1, ?2 FROM q;
WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < {QUEUED})
INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until)
SELECT printf('%024x', n), 1, 1, CAST(61400000000 + n AS text), '61500079987', 'hi', 'gsm', 1, ?1, ?2 FROM q
"""


def fill(file: Path) -> None:
    """The rows that so many accepted messages leave."""
    now = time.time_ns() // 1000
    connection = apsw.Connection(str(file))
    with connection:
        for statement in FILL.split(";"):
            connection.execute(statement, (now, now + 48 * 3600 * 1_000_000))
    connection.close()


def counted(file: Path) -> tuple[int, int]:
    """How many wait, and how many the carrier has."""
    connection = apsw.Connection(str(file))
    waiting = connection.execute("SELECT count(*) FROM outbox").get
    taken = connection.execute("SELECT count(*) FROM part WHERE ref IS NOT NULL").get
    connection.close()
    return waiting, taken


@pytest.mark.timeout(100)
async def test_a_restart_with_a_hundred_thousand_queued_loses_and_reorders_nothing(tmp_path: Path) -> None:
    file = tmp_path / "restart.db"
    server = Server(f"sqlite:///{file}", tmp_path / "log")
    async with Smsc() as smsc:
        settings = {
            "host": "127.0.0.1",
            "port": smsc.port,
            "system_id": "r",
            "password": "r",
            "window": WINDOW,
        }
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        for command in (
            ("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid"),
            ("customer", "add", "shop", "--reseller", "acme"),
            ("user", "add", "anna@acme", "--customer", "shop", "--password", PASSWORD),
            ("carrier", "add", "wire", "--kind", "smpp", *words),
            ("route", "add", "", "wire"),
        ):
            await asyncio.to_thread(server.command, *command)
        await asyncio.to_thread(fill, file)
        await asyncio.to_thread(server.start)
        await smsc.until(lambda it: len(it.submits) >= 500)
        await asyncio.to_thread(server.end, signal.SIGKILL)
        before_kill = len(smsc.submits)
        await asyncio.to_thread(server.start)
        await smsc.until(lambda it: len(it.submits) >= before_kill + 500)
        assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0
    waiting, taken = counted(file)
    assert waiting + taken == QUEUED
    # What was in the window when the process was killed waits for its lease; nothing else is missing or twice.
    recipients = [int(submit.destination_addr) for submit in smsc.submits]
    assert len(set(recipients)) == len(recipients)
    assert 0 <= len(recipients) - taken <= WINDOW
    # The queue's order, but for what one window has under way at once.
    assert all(abs(number - 61_400_000_001 - place) <= 2 * WINDOW for place, number in enumerate(recipients))
