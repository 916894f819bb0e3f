"""What flow may expect of every Carrier, whatever network it has: run on each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from rejoinder.carriers.registry import make
from rejoinder.clock import SystemClock
from rejoinder.flow.ports import Carrier, CarrierRow
from rejoinder.message.model import Fate, Outgoing
from rejoinder.smpp.constants import CommandStatus
from tests.carrier_events import Collected, outgoing
from tests.smsc import Smsc

LONG = "Where are you? " * 30


async def accepting(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"id": f"n{hash(await request.read()) & 0xFFFFFFFF:08x}"})


@pytest.fixture(
    params=[
        "simulator",
        "http",
        "http that refuses",
        "http that nobody answers",
        "smpp",
        "smpp that refuses",
        "smpp that nobody answers",
    ]
)
async def carrier(request: pytest.FixtureRequest) -> AsyncIterator[Carrier]:
    """A carrier of each kind, not started, and networks in several moods."""

    async def refusing(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=400)

    runner = web.ServerRunner(
        web.Server(refusing if "refuses" in request.param else accepting), shutdown_timeout=0.01
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    if "nobody" in request.param:
        await runner.cleanup()
    settings = {"reply": "yes"}
    if request.param != "simulator":
        settings = {"url": f"http://127.0.0.1:{port}/", "id_path": "id"}
    smsc = Smsc((lambda _: int(CommandStatus.ESME_RINVDSTADR)) if "refuses" in request.param else None)
    if "smpp" in request.param:
        await smsc.listen()
        settings = {"host": "127.0.0.1", "port": str(smsc.port), "system_id": "we", "window": "4"}
        if "nobody" in request.param:
            await smsc.close()
    made = make(CarrierRow(5, "c", request.param.split()[0], settings), Collected(), SystemClock())
    yield made
    await made.stop()
    await runner.cleanup()
    await smsc.close()


async def started(carrier: Carrier) -> None:
    """Starts it, and waits a moment for its link where it has one that somebody answers."""
    await carrier.start()
    for _ in range(200):
        if carrier.ready() or carrier.last_error():
            return
        await asyncio.sleep(0.01)


def long_message(carrier: Carrier, number: int = 1) -> Outgoing:
    return outgoing(number, text=LONG, parts=3, numbers=(0,) if carrier.whole else (1, 2, 3))


async def test_each_part_that_is_named_gets_one_outcome_in_order(carrier: Carrier) -> None:
    await started(carrier)
    message = long_message(carrier)
    assert tuple(it.number for it in await carrier.send(message)) == message.numbers


async def test_parts_that_are_not_named_are_not_sent(carrier: Carrier) -> None:
    await started(carrier)
    numbers = (0,) if carrier.whole else (2,)
    outcomes = await carrier.send(outgoing(text=LONG, parts=3, numbers=numbers))
    assert tuple(it.number for it in outcomes) == numbers


async def test_only_what_was_accepted_has_an_id_and_all_else_has_a_reason(carrier: Carrier) -> None:
    await started(carrier)
    for outcome in await carrier.send(long_message(carrier)):
        assert outcome.fate in (Fate.ACCEPTED, Fate.REFUSED, Fate.LATER, Fate.UNSENT)
        assert (outcome.ref is not None) == (outcome.fate is Fate.ACCEPTED)
        assert outcome.reason or outcome.fate is Fate.ACCEPTED


async def test_a_window_of_messages_may_be_handed_over_at_once_and_ids_differ(carrier: Carrier) -> None:
    await started(carrier)
    messages = [long_message(carrier, number) for number in range(carrier.window)]
    outcomes = [it for each in await asyncio.gather(*map(carrier.send, messages)) for it in each]
    refs = [it.ref for it in outcomes if it.ref is not None]
    assert len(set(refs)) == len(refs)
    assert len(outcomes) == sum(len(it.numbers) for it in messages)


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_carrier_that_is_not_started_or_stopped_takes_nothing_and_says_so(
    carrier: Carrier, stopped: bool
) -> None:
    if stopped:
        await started(carrier)
        await carrier.stop()
    assert {it.fate for it in await carrier.send(long_message(carrier))} <= {Fate.LATER, Fate.UNSENT}
    assert carrier.state() == "down"


async def test_stop_leaves_no_task_and_may_be_called_twice(carrier: Carrier) -> None:
    before = asyncio.all_tasks()
    await started(carrier)
    await carrier.send(long_message(carrier))
    assert isinstance(carrier.state(), str)
    await carrier.stop()
    await carrier.stop()
    await asyncio.sleep(0.02)
    ours = {task for task in asyncio.all_tasks() - before if "aiohttp.web" not in repr(task)}
    assert {task for task in ours if "RequestHandler" not in repr(task)} == set()


async def test_any_text_that_a_message_may_hold_is_taken(carrier: Carrier) -> None:
    await started(carrier)
    for number, text in enumerate(
        ("{{id}}", '"\\', "\x01\f\r\n\x7f", "\ufffe\u2028", "😀", " ", "%00&+=<]]>")
    ):
        numbers = (0,) if carrier.whole else (1,)
        assert len(await carrier.send(outgoing(number, text=text, numbers=numbers))) == 1
