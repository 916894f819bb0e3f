"""Our client at foreign SMPP servers: binds, sends short, long, accented and emoji texts, takes receipts and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.debian import Unavailable
from rejoinder.message.text import gsm_decode
from tests.peers import fetched
from tests.peers.centre import PROGRAMS, SENDER, Centre, Reports, program
from tests.peers.fetched import Program
from tests.peers.test_customers import TEXTS, python_program


def node_program() -> Program:
    node = fetched.node()
    return Program((*node.words, str(PROGRAMS / "node_server.js")), node.environment)


SERVERS: dict[str, Callable[[], Program]] = {
    "npm smpp": node_program,
    "smpp34": lambda: python_program("smpp34_server.py"),
}


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    made = Centre(f"sqlite:///{tmp_path / 'peers.db'}")
    made.accounts()
    return made


def piece(event: dict[str, Any]) -> str:
    """The text of one submit_sm as the server read it: smpp34 leaves octets and their header to its user."""
    if "text" in event:
        return str(event["text"])
    octets = bytes.fromhex(event["octets"])
    if event["esm_class"] & 0x40:
        octets = octets[octets[0] + 1 :]
    return octets.decode("utf-16-be") if event["data_coding"] == 8 else gsm_decode(octets)


def place(event: dict[str, Any]) -> int:
    """Which part of a long text it is: the last octet of the header's concatenation element; 0 for a whole one."""
    if "parts" in event:
        return max((int(element[-2:], 16) for element in event["parts"]), default=0)
    octets = bytes.fromhex(event["octets"])
    return octets[octets[0]] if event["esm_class"] & 0x40 else 0


def taken_by(reports: Reports, pieces: int) -> dict[str, str]:
    """Recipient → its whole text: servers may report parts in another order than they came."""
    found: dict[str, str] = {}
    for event in sorted(reports.until("taken", pieces), key=place):
        found[event["to"]] = found.get(event["to"], "") + piece(event)
    return found


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", SERVERS)
def test_texts_reach_a_foreign_server_and_its_receipts_and_answers_come_back(
    name: str, centre: Centre
) -> None:
    try:
        started = SERVERS[name]()
    except Unavailable as unavailable:
        pytest.skip(f"{name} can't be had: {unavailable}")
    with program(started) as reports:
        port = reports.until("port")[0]["port"]
        centre.carrier("smpp", host="127.0.0.1", port=str(port), system_id="rejoinder", password="secret7")
        with centre.serving(smpp=False):
            assert reports.until("bound")[0]["bound"]
            sent = {
                centre.call("message/sendSingle2", sender=SENDER, recipient=to, text=text)["documentId"]: to
                for to, text in TEXTS.items()
            }
            # The long text has two parts at the network; each is receipted and answered.
            assert taken_by(reports, len(TEXTS) + 1) == TEXTS
            acknowledged = reports.until("acknowledged", 2 * (len(TEXTS) + 1))
            assert {one["acknowledged"] for one in acknowledged} == {0}
            shown = centre.messages(incoming=len(TEXTS) + 1, outgoing=len(TEXTS))
            answers = shown["incomingMessages"]
            assert all(one["text"].startswith("Réponse 🎉 à ") for one in answers), json.dumps(answers)
            assert {one["originDocumentId"]: one["from"] for one in answers} == sent
            statuses = {one: centre.call("message/status", documentId=one)["messageStatus"] for one in sent}
            assert set(statuses.values()) == {"2"}
        reports.until("unbound")
