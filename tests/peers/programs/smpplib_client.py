"""smpplib as customer: binds, sends what it is told, reports what comes, unbinds."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.gsm


def say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def main() -> None:
    told = json.loads(sys.argv[1])
    client = smpplib.client.Client(told["host"], told["port"], allow_unknown_opt_params=True, timeout=2)
    delivered = 0
    index_of: dict[int, int] = {}

    def sent(pdu: Any) -> None:
        say(accepted=pdu.message_id.decode(), index=index_of[pdu.sequence], status=pdu.status)

    def received(pdu: Any) -> int:
        nonlocal delivered
        delivered += 1
        say(
            deliver=pdu.short_message.hex(),
            source=pdu.source_addr.decode(),
            destination=pdu.destination_addr.decode(),
            esm_class=pdu.esm_class,
            data_coding=pdu.data_coding,
        )
        return 0

    client.set_message_sent_handler(sent)
    client.set_message_received_handler(received)
    client.connect()
    client.bind_transceiver(system_id=told["system_id"], password=told["password"])
    say(bound=True)
    for index, message in enumerate(told["messages"]):
        parts, coding, message_type = smpplib.gsm.make_parts(message["text"])
        for part in parts:
            pdu = client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_INTL,
                source_addr=told["sender"],
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                destination_addr=message["to"],
                short_message=part,
                data_coding=coding,
                esm_class=message_type,
                registered_delivery=1,
            )
            index_of[pdu.sequence] = index
    deadline = time.monotonic() + told["seconds"]
    while delivered < told["deliveries"] and time.monotonic() < deadline:
        client.read_once(auto_send_enquire_link=False)
    client.unbind()
    client.disconnect()
    say(unbound=True)


main()
