"""Requests that the state of a connection does not allow, over real sockets: before a bind, and in the wrong mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import Decoded, decode, encode
from rejoinder.smpp.constants import Command
from rejoinder.smpp.constants import CommandStatus as S
from tests.smpp.esme import BINDS, SECRET
from tests.smpp.site import HANDSET, NUMBER, SmppSite

ADDRESSES = {"source_addr": NUMBER, "destination_addr": HANDSET}
SUBMIT = p.SubmitSm(**ADDRESSES, short_message=b"too early")
# Every request there is but binds and enquire_link, which may come at any time, and what answers it.
REQUESTS: dict[str, tuple[p.Pdu, Command]] = {
    "submit_sm": (SUBMIT, Command.SUBMIT_SM_RESP),
    "submit_multi": (
        p.SubmitMulti(source_addr=NUMBER, destinations=(p.Address(1, 1, HANDSET),), short_message=b"early"),
        Command.SUBMIT_MULTI_RESP,
    ),
    "data_sm": (p.DataSm(**ADDRESSES), Command.DATA_SM_RESP),
    "query_sm": (p.QuerySm("1"), Command.QUERY_SM_RESP),
    "cancel_sm": (p.CancelSm(**ADDRESSES), Command.CANCEL_SM_RESP),
    "replace_sm": (p.ReplaceSm("1"), Command.REPLACE_SM_RESP),
    "deliver_sm": (p.DeliverSm(**ADDRESSES, short_message=b"x"), Command.DELIVER_SM_RESP),
    "unbind": (p.Unbind(), Command.UNBIND_RESP),
    # These have no answer of their own.
    "alert_notification": (p.AlertNotification(source_addr=HANDSET), Command.GENERIC_NACK),
    "outbind": (p.Outbind("shop", SECRET), Command.GENERIC_NACK),
}
# What no bind of a customer may send, and what a receiver may not besides.
NEVER = {"deliver_sm", "alert_notification", "outbind"}
OF_SENDERS = {"submit_sm", "submit_multi", "data_sm", "query_sm", "cancel_sm", "replace_sm"}


@dataclass
class Wire:
    """PDUs as they are written, allowed or not."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: int = field(default=0)

    async def ask(self, pdu: p.Pdu) -> Decoded:
        """Sends a request; what answers it."""
        self.sent += 1
        self.writer.write(encode(pdu, self.sent))
        async with asyncio.timeout(10):
            head = await self.reader.readexactly(4)
            answer = decode(head + await self.reader.readexactly(int.from_bytes(head, "big") - 4))
        assert answer.sequence == self.sent
        return answer

    async def over(self) -> bool:
        """Whether the server closes without another word."""
        async with asyncio.timeout(10):
            return await self.reader.read() == b""


@asynccontextmanager
async def wire(site: SmppSite) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def stored(site: SmppSite) -> int:
    ((count,),) = await site.centre.sql("SELECT count(*) FROM mt")
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("name", REQUESTS)
async def test_before_a_bind_it_is_refused_and_the_connection_may_still_bind(
    quick_site: SmppSite, name: str
) -> None:
    """3.4 §5.1.3: ESME_RINVBNDSTS. Nothing of it is carried out."""
    await quick_site.number(await quick_site.shop())
    pdu, answered_by = REQUESTS[name]
    async with wire(quick_site) as line:
        answer = await line.ask(pdu)
        assert (answer.pdu.command, answer.status) == (answered_by, S.ESME_RINVBNDSTS)
        assert (await line.ask(p.EnquireLink())).status == 0
        assert (await line.ask(p.BindTransceiver("shop", SECRET))).status == 0
        assert (await line.ask(SUBMIT)).status == 0
    assert await stored(quick_site) == 1


async def test_after_a_refused_bind_it_is_still_before_a_bind(quick_site: SmppSite) -> None:
    await quick_site.number(await quick_site.shop())
    async with wire(quick_site) as line:
        assert (await line.ask(p.BindTransmitter("shop", "wrong"))).status == S.ESME_RINVPASWD
        assert (await line.ask(SUBMIT)).status == S.ESME_RINVBNDSTS
    assert await stored(quick_site) == 0


async def test_ten_seconds_without_a_bind_are_the_end_however_much_is_said(quick_site: SmppSite) -> None:
    await quick_site.shop()
    async with wire(quick_site) as line:
        for _ in range(9):
            quick_site.clock.pass_seconds(1)
            quick_site.look()
            assert (await line.ask(SUBMIT)).status == S.ESME_RINVBNDSTS
            assert (await line.ask(p.EnquireLink())).status == 0
        quick_site.clock.pass_seconds(1)
        quick_site.look()
        assert await line.over()


@pytest.mark.parametrize("kind", BINDS)
async def test_a_bind_sends_what_its_mode_allows_and_is_refused_the_rest(
    quick_site: SmppSite, kind: str
) -> None:
    await quick_site.number(await quick_site.shop())
    refused = NEVER | (OF_SENDERS if kind == "rx" else set())
    async with wire(quick_site) as line:
        assert (await line.ask(BINDS[kind]("shop", SECRET))).status == 0
        for name, (pdu, answered_by) in REQUESTS.items():
            if name == "unbind":
                continue
            answer = await line.ask(pdu)
            assert answer.pdu.command == answered_by, name
            assert (answer.status == S.ESME_RINVBNDSTS) == (name in refused), name
        assert (await line.ask(BINDS[kind]("shop", SECRET))).status == S.ESME_RALYBND
        assert (await line.ask(p.EnquireLink())).status == 0
        assert (await line.ask(p.Unbind())).status == 0
        assert await line.over()
    assert (await stored(quick_site) == 0) == (kind == "rx")
