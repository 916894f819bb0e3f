"""smpp34 as customer: binds, sends what it is told (long texts as message_payload), reports what comes, unbinds."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import smpp34
import smpplib.gsm

UCS2 = 8


def say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def coded(text: str) -> tuple[bytes, int]:
    """Octets and data_coding; this library leaves texts to its user."""
    try:
        return bytes(smpplib.gsm.gsm_encode(text)), 0
    except UnicodeError:
        return text.encode("utf-16-be"), UCS2


async def main() -> None:
    told = json.loads(sys.argv[1])
    client = smpp34.Client(
        host=told["host"],
        port=told["port"],
        system_id=told["system_id"],
        password=told["password"],
        bind_type="TRX",
    )
    smsc = await client.connect()
    say(bound=True)
    for index, message in enumerate(told["messages"]):
        octets, coding = coded(message["text"])
        long = len(octets) > 140
        payload = [smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, octets)] if long else []
        answer = await smsc.submit_sm(
            destination_addr=message["to"],
            source_addr=told["sender"],
            short_message=b"" if long else octets,
            data_coding=coding,
            registered_delivery=1,
            tlvs=payload,
        )
        say(accepted=answer.message_id, index=index, status=answer.command_status)
    delivered = 0
    try:
        async with asyncio.timeout(told["seconds"]):
            while delivered < told["deliveries"]:
                event = await smsc.next()
                if not isinstance(event, smpp34.DeliverSmEvent):
                    break
                delivered += 1
                payloads = [tlv.value for tlv in event.tlvs if tlv.tag == smpp34.TLV_MESSAGE_PAYLOAD]
                say(
                    deliver=(event.short_message or b"".join(payloads)).hex(),
                    source=event.source_addr,
                    destination=event.destination_addr,
                    esm_class=event.esm_class,
                    data_coding=event.data_coding,
                )
    except TimeoutError:
        say(late=True)
    await smsc.unbind()
    say(unbound=True)


asyncio.run(main())
