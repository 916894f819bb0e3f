"""Foreign SMPP clients at our server: each binds, sends short, long, accented and emoji texts, gets receipts and MOs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.debian import Unavailable
from rejoinder.message.text import gsm_decode
from tests.peers import fetched
from tests.peers.centre import PROGRAMS, SENDER, Centre, program, told
from tests.peers.fetched import Program

LONG = "In the long run every text is longer than a hundred and sixty characters. " * 4 + "The end."
TEXTS = {
    "61255500001": "Hello mommy",
    "61255500002": LONG,
    "61255500003": "Où? à la crèmerie, señor Müller: 3 £",
    "61255500004": "See you on Saturday 🎉🐕 Zoë",
}
ANSWER = "Réponse 🎉"
RECEIPT = re.compile(r"^id:(\S+) .*stat:DELIVRD", re.IGNORECASE | re.DOTALL)


def python_program(name: str) -> Program:
    return Program((sys.executable, str(PROGRAMS / name)), {"PYTHONWARNINGS": "ignore"})


def node_program() -> Program:
    node = fetched.node()
    return Program((*node.words, str(PROGRAMS / "node_client.js")), node.environment)


def perl_program() -> Program:
    perl = fetched.net_smpp()
    return Program((*perl.words, str(PROGRAMS / "net_smpp_client.pl")), perl.environment)


# Client → how it is started, and in how many pieces it sends the long text.
CLIENTS: dict[str, tuple[Callable[[], Program], int]] = {
    "smpplib": (lambda: python_program("smpplib_client.py"), 2),
    "aiosmpplib": (lambda: python_program("aiosmpplib_client.py"), 1),
    "smpp34": (lambda: python_program("smpp34_client.py"), 1),
    "npm smpp": (node_program, 1),
    "Net::SMPP": (perl_program, 3),
}


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(f"sqlite:///{tmp_path / 'peers.db'}")
    made.accounts()
    made.carrier("simulator", reply=ANSWER)
    with made.serving():
        yield made


def text_of(event: dict[str, Any]) -> str:
    """A delivery's text: as the program read it, or its octets by their data_coding."""
    if "text" in event:
        return str(event["text"])
    octets = bytes.fromhex(event["deliver"])
    return octets.decode("utf-16-be") if event["data_coding"] == 8 else gsm_decode(octets)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_foreign_client_sends_and_gets_its_receipts_and_answers(name: str, centre: Centre) -> None:
    start, pieces = CLIENTS[name]
    try:
        started = start()
    except Unavailable as unavailable:
        pytest.skip(f"{name} can't be had: {unavailable}")
    sent, answered = len(TEXTS) - 1 + pieces, len(TEXTS)
    messages = [{"to": to, "text": text} for to, text in TEXTS.items()]
    with program(started, told(centre, messages, deliveries=sent + answered)) as reports:
        accepted = reports.until("accepted", sent)
        reports.until("unbound")
    assert [one["status"] for one in accepted] == [0] * sent
    deliveries = [one for one in reports.seen if "source" in one]
    receipts = [one for one in deliveries if one["esm_class"] & 4]
    found = [RECEIPT.match(text_of(one)) for one in receipts]
    assert {one[1] for one in found if one} == {one["accepted"] for one in accepted}
    answers = [one for one in deliveries if not one["esm_class"] & 4]
    assert [text_of(one) for one in answers] == [ANSWER] * answered
    assert {(one["source"], one["destination"]) for one in answers} == {(to, SENDER) for to in TEXTS}
    shown = centre.messages(incoming=answered, outgoing=len(TEXTS))
    assert {one["recipient"]: one["text"] for one in shown["outgoingMessages"]} == TEXTS
    known = {one["documentId"]: one["recipient"] for one in shown["outgoingMessages"]}
    assert all(known[one["originDocumentId"]] == one["from"] for one in shown["incomingMessages"])
