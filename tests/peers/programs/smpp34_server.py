"""smpp34 as a carrier: takes binds and messages, sends receipts, lets the handset answer; reports all it takes."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from typing import Any

import smpp34

ANSWER = "Réponse 🎉 à {}"


def say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def free_port() -> int:
    """This library takes no port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def deliver(esme: Any, event: Any, ref: str) -> None:
    """The receipt, then what the handset answers."""
    words = (
        f"id:{ref} sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:x"
    )
    there = {"source_addr": event.destination_addr, "destination_addr": event.source_addr}
    receipt = await esme.deliver_sm(esm_class=4, short_message=words.encode(), **there)
    say(acknowledged=receipt.command_status)
    octets = ANSWER.format(ref).encode("utf-16-be")
    answer = await esme.deliver_sm(short_message=octets, data_coding=8, **there)
    say(acknowledged=answer.command_status)


async def main() -> None:
    port, refs = free_port(), itertools.count(1)
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="smpp34")
    await server.start()
    say(port=port)
    sessions: dict[str, Any] = {}
    tasks = set()
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
            say(bound=True)
        elif isinstance(event, smpp34.SubmitSmEvent):
            ref = f"s{next(refs)}"
            payloads = [tlv.value for tlv in event.tlvs if tlv.tag == smpp34.TLV_MESSAGE_PAYLOAD]
            event.accept(message_id=ref)
            say(
                taken=ref,
                octets=(event.short_message or b"".join(payloads)).hex(),
                to=event.destination_addr,
                source=event.source_addr,
                data_coding=event.data_coding,
                esm_class=event.esm_class,
            )
            task = asyncio.create_task(deliver(sessions[event.session_id], event, ref))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        elif isinstance(event, smpp34.Unbound):
            say(unbound=True)


asyncio.run(main())
