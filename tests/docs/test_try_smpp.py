"""docs/howto/try-smpp.md, its commands run as they stand: the simulated SMSC, a centre behind it, customers that bind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import trustme
from click.testing import CliRunner

from rejoinder.cli import main
from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import EsmClass
from rejoinder.smpp.content import read_content
from rejoinder.smpp.receipt_text import fields_of
from rejoinder.smpp.style import DefaultAlphabet, Style
from tests.docs.tables import ROOT
from tests.docs.test_tour import soon, tour
from tests.journeys.served import COMMAND, environment
from tests.peers.centre import PROGRAMS, program
from tests.peers.fetched import Program
from tests.smpp.esme import Esme

HTTP = re.compile(r"listens on (http://\S+)")
SMPP = re.compile(r"SMPP(?: with TLS)? on 127\.0\.0\.1:(\d+)")
HANDSET, SENDER = "61255588885", "61500079987"


def blocks() -> list[list[str]]:
    """The commands of the page, one list a code block."""
    page = (ROOT / "docs/howto/try-smpp.md").read_text(encoding="utf-8")
    found = re.findall(r"^```\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [block.strip().splitlines() for block in found]


@dataclass
class Running:
    """A server that a command started: the lines it said, and its doors."""

    process: subprocess.Popen[str]
    said: str
    errors: Path

    @property
    def http(self) -> str:
        found = HTTP.search(self.said)
        assert found, self.said
        return found[1]

    @property
    def smpp(self) -> int:
        found = SMPP.search(self.said)
        assert found, self.said
        return int(found[1])

    def call(self, path: str, **form: str) -> dict[str, Any]:
        body = urlencode({"username": "anna@acme", "password": "secret2", **form}).encode()
        with urllib.request.urlopen(f"{self.http}/services/rest/{path}", body, 20) as answer:  # noqa: S310  # http to this machine
            found: dict[str, Any] = json.load(answer)
            return found


@contextlib.contextmanager
def running(
    command: str, folder: Path, doors: int, ends_by: signal.Signals = signal.SIGTERM
) -> Iterator[Running]:
    """The command until a signal that must end it cleanly. `doors`: how many it says that it listens on."""
    words = shlex.split(command)
    assert words.pop(0) == "rejoinder"
    errors = folder / f"stderr-{words[0]}"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [str(COMMAND), *words],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=folder,
            env={**environment(folder), "TMPDIR": str(folder)},
        )
    assert process.stdout is not None
    said = ""
    try:
        while len(HTTP.findall(said)) + len(SMPP.findall(said)) < doors:
            line = process.stdout.readline()
            assert line, errors.read_text()
            said += line
        yield Running(process, said, errors)
    finally:
        process.send_signal(ends_by)
        said += process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert not re.search("Traceback|error", errors.read_text())


@contextlib.contextmanager
def smsc(folder: Path, *more: str) -> Iterator[Running]:
    """The page's simulated SMSC, at a port that the system chooses."""
    ((command,), *_) = blocks()
    ends_by = signal.SIGINT if more else signal.SIGTERM  # the page's Ctrl-C, and what ends services
    with running(f"{command} --listen 127.0.0.1:0 {shlex.join(more)}", folder, 2, ends_by) as started:
        assert list(folder.glob("rejoinder-smsc-*"))
        yield started
    assert list(folder.glob("rejoinder-smsc-*")) == [], "nothing is kept"


def operator(folder: Path, *lines: str) -> None:
    """The operator's commands, one after the other."""
    terminal = CliRunner(env=environment(folder))
    for line in lines:
        words = shlex.split(line)
        assert words.pop(0) == "rejoinder"
        done = terminal.invoke(main, words)
        assert done.exit_code == 0, (line, done.output)


def test_the_page_has_five_commands_and_the_last_server() -> None:
    assert [len(block) for block in blocks()] == [1, 3, 2]


def test_smpplib_binds_to_the_simulated_smsc_sends_and_gets_receipts_and_answers(tmp_path: Path) -> None:
    texts = {"61255500001": "Hello", "61255500002": "See you on Saturday 🎉"}
    client = Program(
        (sys.executable, str(PROGRAMS / "smpplib_client.py")), {**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    with smsc(tmp_path) as centre:
        assert "Bind with system_id smsc and password secret; Ctrl-C ends it." in centre.said
        told = {
            "host": "127.0.0.1",
            "port": centre.smpp,
            "system_id": "smsc",
            "password": "secret",
            "sender": SENDER,
            "messages": [{"to": to, "text": text} for to, text in texts.items()],
            "deliveries": 2 * len(texts),
            "seconds": 25,
        }
        with program(client, json.dumps(told)) as reports:
            accepted = reports.until("accepted", len(texts))
            reports.until("unbound")
    assert [one["status"] for one in accepted] == [0, 0]
    came = [one for one in reports.seen if "source" in one]
    receipts = [bytes.fromhex(one["deliver"]).decode() for one in came if one["esm_class"] & 4]
    found = [re.search(r"id:(\S+) .*stat:(\w+)", receipt) for receipt in receipts]
    assert {(one[1], one[2]) for one in found if one} == {(one["accepted"], "DELIVRD") for one in accepted}
    answers = {
        (
            one["source"],
            bytes.fromhex(one["deliver"]).decode("utf-16-be" if one["data_coding"] == 8 else "ascii"),
        )
        for one in came
        if not one["esm_class"] & 4
    }
    assert answers == {(to, f"You said: {text}") for to, text in texts.items()}


def test_a_centre_behind_the_simulated_smsc_as_the_page_says(tmp_path: Path) -> None:
    _, (carrier, route, serve), _ = blocks()
    accounts = tour()[0][1].splitlines()
    ours = [line for line in accounts if re.match(r"rejoinder (reseller|customer|user|number) ", line)]
    assert len(ours) == 4
    with smsc(tmp_path) as far:
        carrier = carrier.replace("port=2775", f"port={far.smpp}")
        assert str(far.smpp) in carrier
        operator(tmp_path, *ours, carrier, route)
        with running(serve, tmp_path, 1) as near:
            sent = near.call("message/sendSingle2", recipient=HANDSET, text="Coffee at ten? 🎉")
            assert sent["messageStatus"] == 10
            mailbox = soon(
                lambda: near.call("user/allMessages", since="0", wait="5"),
                lambda page: page["incomingMessages"],
            )
            (answer,) = mailbox["incomingMessages"]
            assert (answer["text"], answer["from"]) == ("You said: Coffee at ten? 🎉", HANDSET)
            assert answer["originDocumentId"] == sent["documentId"]
            final = soon(
                lambda: near.call("message/status", documentId=sent["documentId"]),
                lambda found: found["messageStatus"] == "2",
            )
            assert final["messageStatus"] == "2"


def test_customers_bind_with_tls_as_the_page_says(tmp_path: Path) -> None:
    *_, (account, serve) = blocks()
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(tmp_path / "chain.pem", append=True)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    accounts = [
        line for line in tour()[0][1].splitlines() if line.startswith("rejoinder ") and "serve" not in line
    ]
    operator(tmp_path, *accounts, account)
    open_port = serve.replace("0.0.0.0:2775", "127.0.0.1:0")
    assert open_port != serve

    async def talk(server: Running) -> tuple[str, list[p.DeliverSm]]:
        async with Esme(server.smpp, tls=trust) as esme:
            assert await esme.bind("anna", "secret3") == 0
            answer = await esme.submit("Coffee at ten?", HANDSET, source_addr="", registered_delivery=1)
            assert answer.status == 0
            await esme.until(lambda: len(esme.delivered) == 2)
            esme.put(p.Unbind())
            await esme.until(lambda: bool(esme.ended))
        return answer.pdu.message_id, esme.delivered  # type: ignore[attr-defined]

    with running(open_port, tmp_path, 2) as server:
        message_id, delivered = asyncio.run(talk(server))
        shown = server.call("user/allMessages", since="0")
    assert [one["documentId"] for one in shown["outgoingMessages"]] == [message_id], (
        "each message_id is the documentId"
    )
    said = {pdu.esm_class: pdu.short_message.decode() for pdu in delivered}
    assert fields_of(said.pop(EsmClass.RECEIPT))["stat"] == "DELIVRD"
    assert said == {0: "Yes please! (Coffee at ten?)"}


def test_the_simulated_smsc_behaves_as_its_options_say(tmp_path: Path) -> None:
    options = (
        "--system-id me --password other7 --throughput 2 --alphabet iso-8859-1 --long-mo payload --window 5"
    )
    more = [*options.split(), "--receipts", "never", "--set", "number.61255500009.receipts=after"]

    async def talk(centre: Running) -> None:
        async with Esme(centre.smpp) as esme:
            assert await esme.bind("smsc", "secret") == S.ESME_RINVSYSID
            assert await esme.bind("me", "secret") == S.ESME_RINVPASWD
            assert await esme.bind("me", "other7") == 0
            sending = [
                esme.put(
                    p.SubmitSm(
                        source_addr="Shop",
                        destination_addr=f"6125550000{number}",
                        short_message="é".encode("latin-1"),
                        registered_delivery=1,
                    )
                )
                for number in (9, 8, 7)
            ]
            assert [(await one).status for one in sending] == [0, 0, S.ESME_RTHROTTLED]
            await esme.until(lambda: bool(esme.delivered))
        (receipt,) = esme.delivered
        assert (receipt.source_addr, receipt.esm_class) == ("61255500009", EsmClass.RECEIPT)

    async def submitted(esme: Esme) -> int:
        return (await esme.submit("x" * 250, "61255500006", source_addr=SENDER)).status

    async def listen(centre: Running) -> p.DeliverSm:
        async with Esme(centre.smpp) as esme:
            await esme.bind("me", "other7")
            while await submitted(esme) == S.ESME_RTHROTTLED:
                pass  # the account's throughput outlives its session
            await esme.until(lambda: bool(esme.delivered))
        return esme.delivered[0]

    with smsc(tmp_path, *more) as centre:
        asyncio.run(talk(centre))
        whole = asyncio.run(listen(centre))
    assert read_content(whole, Style(DefaultAlphabet.LATIN1)).text() == "You said: " + "x" * 250
    assert whole.short_message == b"", "it comes as message_payload"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--set", "colour=red"], 1, "colour"),
        (["--receipts", "sometimes"], 1, "receipts"),
        (["--throughput", "-1"], 1, "--throughput"),
        (["--password", ""], 1, "--password"),
        (["--listen", "nowhere"], 1, "--listen must be"),
        (["--http", "nowhere"], 1, "--http must be"),
        (["--alphabet", "klingon"], 2, "--alphabet"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int, says: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = CliRunner().invoke(main, ["smsc", "--listen", "127.0.0.1:0", *words])
    assert (done.exit_code, says in done.stderr) == (status, True), done.stderr
    assert isinstance(done.exception, SystemExit)
    assert list(tmp_path.iterdir()) == []
