"""aiosmpplib as customer: binds, sends what it is told (long texts as message_payload), reports what comes, unbinds."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiosmpplib import ESME, AbstractHook, DeliverSm, PhoneNumber, SubmitSm, SubmitSmResp


def say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


class Hook(AbstractHook):
    """Reports; `done` is set when all deliveries have come."""

    def __init__(self, deliveries: int) -> None:
        self._missing = deliveries
        self.done = asyncio.Event()

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        if isinstance(smpp_message, SubmitSmResp):
            say(
                accepted=smpp_message.message_id,
                index=int(smpp_message.extra_data),
                status=int(smpp_message.command_status),
            )
        elif isinstance(smpp_message, DeliverSm):
            self._missing -= 1
            say(
                text=smpp_message.short_message or smpp_message.message_payload,
                source=smpp_message.source.number,
                destination=smpp_message.destination.number,
                esm_class=smpp_message.esm_class,
            )
            if self._missing == 0:
                self.done.set()

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        say(failed=str(error))


async def main() -> None:
    told = json.loads(sys.argv[1])
    hook = Hook(told["deliveries"])
    esme = ESME(
        told["host"],
        told["port"],
        told["system_id"],
        told["password"],
        hook=hook,
        log_level="ERROR",
        default_encoding="gsm0338",
    )
    running = asyncio.create_task(esme.start())
    for index, message in enumerate(told["messages"]):
        await esme.broker.enqueue(
            SubmitSm(
                short_message=message["text"],
                source=PhoneNumber(told["sender"]),
                destination=PhoneNumber(message["to"]),
                registered_delivery=1,
                extra_data=str(index),
                log_id=str(index),
            )
        )
    say(bound=True)
    try:
        async with asyncio.timeout(told["seconds"]):
            await hook.done.wait()
    except TimeoutError:
        say(late=True)
    await esme.stop()
    async with asyncio.timeout(10):
        await asyncio.gather(running, return_exceptions=True)
    say(unbound=True)


asyncio.run(main())
