"""What crosses SMPP in both directions, and pushes that are brought, leave no text, number or password in a log.

A server of its own at log level debug stands between a customer who binds and a carrier over SMPP, with a customer's web
server and a mail server behind it; whatever they say, good and bad, is full of canaries. tests/http/test_secrets.py does
the same for the calls, and has the control: a careless line is found.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from aiosmtpd.smtp import SMTP
from click.testing import CliRunner

from rejoinder.cli import main
from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import Tag
from tests.http.test_secrets import HANDSET, NUMBER, PASSWORD, POOL_NUMBER, TEXT, TOKEN, WRONG, leaks
from tests.journeys.served import environment
from tests.pushes.servers import CustomersServer, customers_server
from tests.smpp.esme import Esme
from tests.smsc import Answer, Smsc

SMPP_PASSWORD, LINK_PASSWORD, MAIL_PASSWORD = "canary-smpp", "canary-link", "canary-mail"
USER, SYSTEM_ID = "anna@acme", "anna"
HTTP = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")
SMPP = re.compile(r"SMPP on 127\.0\.0\.1:(\d+)")
# A customer's server that refuses, in words that it was told.
NO = f"HTTP/1.1 500 {TEXT}\r\nX-Text: {TEXT}\r\nContent-Length: {len(HANDSET)}\r\n\r\n{HANDSET}".encode()


@dataclass
class MailServer:
    """Takes the first mail and refuses the rest, quoting it."""

    port: int = 0
    mails: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.mails.append(envelope.content.decode())
        return "250 OK" if len(self.mails) == 1 else f"554 {TEXT} for {HANDSET}"


@dataclass
class Parties:
    """Who the server talks with."""

    smsc: Smsc
    shop: CustomersServer
    angry: CustomersServer
    mail: MailServer


@contextlib.asynccontextmanager
async def parties() -> AsyncIterator[Parties]:
    async def refuse(
        server: CustomersServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read(reader)
        writer.write(NO)
        await writer.drain()

    mail = MailServer()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(mail, hostname="mail.example"), "127.0.0.1", 0)
    mail.port = listening.sockets[0].getsockname()[1]
    try:
        async with Smsc(answer) as smsc, customers_server() as shop, customers_server(refuse) as angry:
            yield Parties(smsc, shop, angry, mail)
    finally:
        listening.close()


def answer(pdu: p.SubmitSm) -> Answer:
    """The carrier takes most messages, refuses one for good, and gives ids that are canaries."""
    if pdu.short_message.startswith(b"refused"):
        return int(S.ESME_RINVDSTADR)
    return f"{TEXT}-{pdu.destination_addr}"


def prepared(folder: Path, them: Parties) -> None:
    terminal = CliRunner(env=environment(folder))
    link = f"host=127.0.0.1 --set port={them.smsc.port} --set system_id=us --set password={LINK_PASSWORD}"
    for line in f"""
        reseller add acme --password {PASSWORD} --credits 1000
        customer add shop --reseller acme --credits 500
        user add {USER} --customer shop --password {PASSWORD}
        user smpp {USER} --system-id {SYSTEM_ID} --password {SMPP_PASSWORD}
        number add {NUMBER} --user {USER}
        number add {POOL_NUMBER} --pool
        carrier add wire --kind smpp --set {link}
        route add 6 wire
        user set {USER} push={them.shop.url(f"/{TOKEN}?t={{{{text}}}}&f={{{{from}}}}")}
        user set {USER} statusPush={them.angry.url(f"/{TOKEN}?t={{{{text}}}}&to={{{{to}}}}")}
    """.strip().splitlines():
        done = terminal.invoke(main, line.split())
        assert done.exit_code == 0, (line, done.output)


@dataclass
class Running:
    """The server: its doors, and all that it has written."""

    http: int
    smpp: int
    said: dict[str, str]

    async def read(self, path: str, body: bytes | None = None) -> str:
        url = f"http://127.0.0.1:{self.http}/{path}"
        octets: bytes = await asyncio.to_thread(lambda: urlopen(url, body, 20).read())
        return octets.decode()

    async def call(self, path: str, **form: str) -> dict[str, Any]:
        body = urlencode({"username": USER, "password": PASSWORD, **form}).encode()
        found: dict[str, Any] = json.loads(await self.read(f"services/rest/{path}", body))
        return found


@contextlib.asynccontextmanager
async def serving(folder: Path, them: Parties) -> AsyncIterator[Running]:
    """`rejoinder serve`; ended with the block, and what it said is read then."""
    settings = {
        "smpp_listen": "127.0.0.1:0",
        "log_level": "debug",
        "push_allow": "127.0.0.0/8",
        "smtp_host": "127.0.0.1",
        "smtp_port": str(them.mail.port),
        "smtp_from": "sms@centre.example",
        "smtp_tls": "none",
    }
    more = {f"REJOINDER_{name.upper()}": value for name, value in settings.items()}
    with (folder / "stderr").open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "rejoinder", "serve"),
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **environment(folder), **more},
        )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(2)]
    doors = [re.search(door, "".join(lines)) for door in (HTTP, SMPP)]
    assert all(doors), (folder / "stderr").read_text()
    running = Running(*(int(door[1]) for door in doors if door), {})
    try:
        yield running
        running.said["metrics"] = await running.read("metrics")
    finally:
        process.terminate()
        rest = await process.stdout.read()
        status = await process.wait()
    running.said["stdout"] = "".join(lines) + rest.decode()
    running.said["stderr"] = (folder / "stderr").read_text()
    assert status == 0


async def customer_talks(esme: Esme, them: Parties) -> None:
    """Everything a bound customer can ask for, taken and refused."""
    assert await esme.bind(SYSTEM_ID, WRONG) == S.ESME_RINVPASWD
    assert await esme.bind(TEXT, SMPP_PASSWORD) == S.ESME_RINVSYSID
    assert await esme.bind(SYSTEM_ID, SMPP_PASSWORD) == 0
    for text in (TEXT, f"refused {TEXT}"):
        assert (await esme.submit(text, HANDSET, source_addr=NUMBER, registered_delivery=1)).status == 0
    half = b"\x05\x00\x03\x07\x02\x01" + TEXT.encode()
    assert (await esme.submit(to=HANDSET, source_addr=NUMBER, short_message=half, esm_class=0x40)).status == 0
    long = ((int(Tag.MESSAGE_PAYLOAD), TEXT.encode() * 40),)
    assert (await esme.submit(to=HANDSET, source_addr=NUMBER, short_message=b"", tlvs=long)).status == 0
    for bad in (
        {"to": TEXT},
        {"source_addr": HANDSET},
        {"schedule_delivery_time": TEXT},
        {"short_message": b"\xff" + TEXT.encode(), "esm_class": 0x40},
        {"short_message": b"", "tlvs": ((int(Tag.MESSAGE_PAYLOAD), TEXT.encode() * 200),)},
    ):
        with contextlib.suppress(ValueError):
            assert (await esme.submit(**{"to": HANDSET, "source_addr": NUMBER, **bad})).status != 0  # type: ignore[arg-type]
    for question in (
        p.QuerySm(TEXT),
        p.CancelSm(message_id=TEXT),
        p.ReplaceSm(TEXT, short_message=TEXT.encode()),
    ):
        assert (await esme.ask(question)).status != 0
    await them.smsc.until(lambda smsc: len(smsc.submits) >= 6)


async def carrier_talks(them: Parties) -> None:
    """Receipts and handsets' texts, whole, in parts and such as nobody understands."""
    smsc = them.smsc
    for ref, word in (
        (f"{TEXT}-{HANDSET}", "DELIVRD"),
        (TEXT, "DELIVRD"),
        (TEXT, HANDSET),
        (TEXT, f"said {TEXT}"),
    ):
        assert await smsc.receipt(ref, word, source_addr=HANDSET, destination_addr=NUMBER) == 0
    mo = {"source_addr": HANDSET, "destination_addr": NUMBER}
    part = b"\x05\x00\x03\x07\x02\x01" + TEXT.encode()
    for pdu in (
        p.DeliverSm(**mo, short_message=TEXT.encode()),
        p.DeliverSm(**mo, short_message=part, esm_class=0x40),
        p.DeliverSm(**mo, short_message=b"\xd8\x3d" + TEXT.encode(), data_coding=8),
        p.DeliverSm(source_addr=TEXT, destination_addr=TEXT, short_message=TEXT.encode()),
        p.DeliverSm(esm_class=4, short_message=f"id:{TEXT} text:{TEXT}".encode()),
        p.DataSm(**mo, tlvs=((int(Tag.MESSAGE_PAYLOAD), TEXT.encode()),)),
    ):
        assert await smsc.deliver(pdu) == 0


async def nonsense(port: int) -> None:
    """Bytes that are no PDU, and PDUs that are cut in the middle of a text."""
    submit = encode(p.SubmitSm(source_addr=NUMBER, destination_addr=HANDSET, short_message=TEXT.encode()), 1)
    for octets in (TEXT.encode() * 3, submit, submit[:4] + submit[4:].replace(b"\0", b"c"), submit[:30]):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()


async def by_mail(server: Running, them: Parties) -> None:
    """Two replies to messages whose replyTo is a mail address; the second is refused by the mail server."""
    for number in range(2):
        handset = f"{HANDSET[:-1]}{number}"
        sent = await server.call(
            "message/sendSingle2", text=TEXT, recipient=handset, replyTo="mailto:canary@shop.example"
        )
        assert sent["messageStatus"] == 10, sent
        reply = p.DeliverSm(source_addr=handset, destination_addr=POOL_NUMBER, short_message=TEXT.encode())
        assert await them.smsc.deliver(reply) == 0
    async with asyncio.timeout(20):
        while len(them.mail.mails) < 2:  # noqa: ASYNC110  # another process brings them
            await asyncio.sleep(0.02)


async def test_nothing_that_crosses_smpp_or_is_pushed_stands_in_a_log(tmp_path: Path) -> None:
    judged = iter([int(S.ESME_RX_T_APPN), int(S.ESME_RX_P_APPN)])
    async with parties() as them:
        await asyncio.to_thread(prepared, tmp_path, them)
        async with serving(tmp_path, them) as server:
            await them.smsc.until(lambda smsc: any(link.receives for link in smsc.links))
            # The first two deliveries are refused by the customer: for now, and for good.
            async with Esme(server.smpp, lambda _: next(judged, 0)) as esme:
                await customer_talks(esme, them)
                await carrier_talks(them)
                await esme.until(lambda: len(esme.delivered) >= 5)
            await nonsense(server.smpp)
            await by_mail(server, them)
            async with asyncio.timeout(20):
                while len(them.shop.asked) < 3 or not them.angry.asked:  # noqa: ASYNC110  # as above
                    await asyncio.sleep(0.02)
    # All of it did cross.
    assert {pdu.short_message for pdu in them.smsc.submits} >= {TEXT.encode(), f"refused {TEXT}".encode()}
    assert {bind.password for bind in them.smsc.binds} == {LINK_PASSWORD}
    assert any(TEXT.encode() in pdu.short_message for pdu in esme.delivered)
    assert any(asked.query["t"] == TEXT for asked in (*them.shop.asked, *them.angry.asked))
    assert TEXT in them.mail.mails[0]
    lines = [json.loads(line) for line in server.said["stderr"].splitlines()]
    events = {line["event"] for line in lines}
    assert {"smpp_bound", "smpp_bind_refused", "smpp_ended", "smpp_strange", "receipt_word_unknown"} <= events
    assert not events & {"smpp_request_failed", "delivery_failed", "push_failed", "smpp_courier_failed"}, (
        events
    )
    assert {stream: leaks(said) for stream, said in server.said.items()} == {
        stream: [] for stream in ("metrics", "stdout", "stderr")
    }
