"""Two Rejoinders over SMPP: the customer of one is the carrier of the other, and nothing is lost or changed between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rejoinder.app import Service
from rejoinder.carriers.registry import check_settings
from rejoinder.cli.demo import generated_texts, texts_from
from rejoinder.clock import SystemClock
from rejoinder.config import load
from rejoinder.endpoints.listen import listen
from rejoinder.flow.operator import numbers, smpp, starter
from rejoinder.flow.operator.accounts import changing
from rejoinder.flow.operator.starter import Network
from rejoinder.flow.passwords import hash_password
from rejoinder.flow.ports import Tx, UserRow
from rejoinder.flow.request import SendRequest
from rejoinder.store import open_store

ROOT = Path(__file__).parents[2]
COLLECTION = ROOT.parent / "shared" / "data" / "sms-collection.tsv"
NUMBER = "61500079987"
# Whoever answers: one handset in the texts' numbers (61 7 and the text's place).
TALKATIVE = "61700000003"
SENDERS = 200
PAGE = 100


def texts() -> list[str]:
    if COLLECTION.is_file():
        return texts_from(str(COLLECTION))
    return generated_texts(2_000)


async def set_up(tx: Tx, kind: str, settings: dict[str, str]) -> None:
    """A user with a number of its own, and a carrier for everything."""
    await starter.set_up(tx, "anna@acme", Network(kind, settings, check_settings), 0)
    await numbers.add_number(tx, NUMBER, user="anna@acme")


@asynccontextmanager
async def centre(path: Path, kind: str, settings: dict[str, str]) -> AsyncIterator[Service]:
    store = await open_store(f"sqlite:///{path}", SystemClock(), serving=True)
    await changing(store, lambda tx: set_up(tx, kind, settings))
    service = Service(store, SystemClock(), load())
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def send_all(service: Service, user: UserRow, wanted: Sequence[str]) -> dict[str, str]:
    """document id -> text, sent by many at once."""
    sent: dict[str, str] = {}
    waiting = iter(enumerate(wanted))

    async def sender() -> None:
        for place, text in waiting:
            request = SendRequest(text=text, recipient=f"617{place:08d}", sender=NUMBER)
            sent[(await service.submissions.submit(user, request)).id] = text

    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    return sent


async def shown(service: Service, user: UserRow, received: bool) -> list[dict[str, str]]:
    """The mailbox's messages of one direction."""
    rows = await service.store.read.replies._session.raw(  # type: ignore[attr-defined]  # tests look inside
        "SELECT shown FROM entry WHERE box_id = $1 AND incoming = $2 ORDER BY timestamp, id",
        user.id,
        received,
    )
    return [json.loads(row[0]) for row in rows]


async def count(service: Service, where: str) -> int:
    rows = await service.store.read.replies._session.raw(f"SELECT count(*) FROM {where}")  # type: ignore[attr-defined]
    return int(rows[0][0])


async def until(reached: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await reached():  # noqa: ASYNC110  # type: ignore[misc]  # a coroutine function
            await asyncio.sleep(0.1)


@pytest.mark.timeout(110)
async def test_every_text_crosses_both_byte_for_byte_and_comes_back_as_a_receipt(tmp_path: Path) -> None:
    wanted = texts()
    far = {"window": "500", f"number.{TALKATIVE}.reply": "Got it: {{text}}"}
    async with centre(tmp_path / "far.db", "simulator", far) as network:
        await changing(network.store, open_account)
        listener = listen("127.0.0.1", 0)
        await network.smpp.start(listener)
        near = {
            "host": "127.0.0.1",
            "port": str(listener.getsockname()[1]),
            "system_id": "near",
            "password": "secret3",
            "window": "200",
            "binds": "2",
        }
        async with centre(tmp_path / "near.db", "smpp", near) as ours:
            user = await ours.accounts.user("anna@acme")
            theirs = await network.accounts.user("anna@acme")
            assert user is not None
            assert theirs is not None
            sent = await send_all(ours, user, wanted)
            await until(lambda: is_zero(ours, "mt WHERE status <> 2"), 90)
            await until(lambda: is_zero(network, "push"), 10)
            assert await count(ours, "mt") == len(wanted)
            assert sorted(one["text"] for one in await shown(network, theirs, False)) == sorted(wanted)
            assert {one["documentId"]: one["text"] for one in await shown(ours, user, False)} == sent
            (answer,) = await shown(ours, user, True)
    answered = wanted[int(TALKATIVE[3:])]
    assert (answer["from"], answer["text"]) == (TALKATIVE, f"Got it: {answered}")
    assert sent[answer["originDocumentId"]] == answered


async def open_account(tx: Tx) -> None:
    columns = {"system_id": "near", "password_hash": hash_password("secret3"), "window_size": 1000}
    await smpp.put_account(tx, "anna@acme", columns)


async def is_zero(service: Service, where: str) -> bool:
    return await count(service, where) == 0
