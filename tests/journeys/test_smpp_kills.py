"""kill -9 of a real server around the commit of a carrier's deliver_sm: no answer, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from faults.server import PASSWORD, Server
from rejoinder.smpp.pdu import DeliverSm
from tests.smsc import Smsc

NUMBER, HANDSET, USER = "61500079987", "61455555555", "anna@acme"
MO = DeliverSm(source_addr=HANDSET, destination_addr=NUMBER, short_message=b"See you at 5?")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'centre.db'}"
    return str(request.getfixturevalue("postgres_url"))


def set_up(server: Server, smsc: Smsc) -> None:
    settings = {"host": "127.0.0.1", "port": smsc.port, "system_id": "us", "password": "secret"}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    for command in (
        ("reseller", "add", "acme", "--password", PASSWORD, "--billing", "post_paid"),
        ("customer", "add", "shop", "--reseller", "acme"),
        ("user", "add", USER, "--customer", "shop", "--password", PASSWORD),
        ("number", "add", NUMBER, "--user", USER),
        ("carrier", "add", "wire", "--kind", "smpp", *words),
    ):
        server.command(*command)


async def shown(server: Server) -> list[str]:
    """The texts in the user's mailbox."""
    form = {"username": USER, "password": PASSWORD, "since": "-1"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/services/rest/user/allMessages", data=form) as answer,
    ):
        page: dict[str, Any] = await answer.json()
    assert page["status"] == 0
    return [one["text"] for one in page["incomingMessages"]]


async def killed_by_a_delivery(server: Server, smsc: Smsc) -> None:
    """Brings the MO to a server that dies of it, without an answer."""
    await smsc.until(lambda it: any(link.receives for link in it.links))
    unanswered = asyncio.create_task(smsc.deliver(MO))
    assert server.process is not None
    await asyncio.to_thread(server.process.wait, 20)
    await smsc.until(lambda it: not it.links)
    assert not unanswered.done()
    unanswered.cancel()
    assert await asyncio.to_thread(server.end) == -signal.SIGKILL


async def test_a_kill_before_an_mo_is_committed_and_one_between_commit_and_answer_cost_nothing(
    database: str, tmp_path: Path
) -> None:
    server = Server(database, tmp_path / "log")
    async with Smsc() as smsc:
        await asyncio.to_thread(set_up, server, smsc)
        await asyncio.to_thread(server.start, ("-m", "faults.points", "deliver_not_committed", "1"))
        await killed_by_a_delivery(server, smsc)
        await asyncio.to_thread(server.start, ("-m", "faults.points", "deliver_committed_not_answered", "1"))
        assert await shown(server) == []
        await killed_by_a_delivery(server, smsc)
        await asyncio.to_thread(server.start)
        assert await shown(server) == ["See you at 5?"]
        # The carrier has no answer: it brings the same again, and has one now.
        await smsc.until(lambda it: any(link.receives for link in it.links))
        assert await smsc.deliver(MO) == 0
        assert await shown(server) == ["See you at 5?"]
        # The handset says the same once more: that is another text.
        assert await smsc.deliver(MO) == 0
        assert await shown(server) == ["See you at 5?"] * 2
        assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0
