"""Kannel 1.4.5 as a customer: bearerbox binds, smsbox sends over HTTP, receipts and answers come back to its URLs."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.debian import Unavailable
from bench.peers import kannel
from tests.peers import fetched
from tests.peers.centre import SENDER, SMPP_PASSWORD, SYSTEM_ID, Centre
from tests.peers.test_customers import ANSWER, TEXTS


class Sink:
    """What Kannel calls: the query of each request, by path."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[tuple[str, dict[str, str]]] = queue.SimpleQueue()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                # Octets are kept as they are: Kannel says which characters they are.
                sink.calls.put((path, dict(urllib.parse.parse_qsl(query, encoding="latin-1"))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, wanted: int, seconds: float = 30.0) -> list[tuple[str, dict[str, str]]]:
        deadline = time.monotonic() + seconds
        found: list[tuple[str, dict[str, str]]] = []
        while len(found) < wanted:
            try:
                found.append(self.calls.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"{len(found)} of {wanted} calls came: {found}") from None
        return found


def send(gateway: kannel.Kannel, to: str, text: str, dlr_url: str) -> str:
    """/cgi-bin/sendsms: UCS-2 where the GSM alphabet does not do."""
    query = {
        "username": kannel.USER,
        "password": kannel.PASSWORD,
        "from": SENDER,
        "to": to,
        "text": text,
        "charset": "UTF-8",
        "coding": "2" if any(ord(char) > 0x2000 for char in text) else "0",
        "dlr-mask": "3",
        "dlr-url": dlr_url,
    }
    address = f"http://127.0.0.1:{gateway.port}{kannel.SEND}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(110)
def test_kannel_sends_and_gets_its_receipts_and_answers(tmp_path: Path) -> None:
    try:
        boxes = (fetched.kannel("bearerbox"), fetched.kannel("smsbox"))
    except Unavailable as unavailable:
        pytest.skip(f"Kannel can't be had: {unavailable}")
    centre = Centre(f"sqlite:///{tmp_path / 'peers.db'}")
    centre.accounts()
    centre.carrier("simulator", reply=ANSWER)
    sink = Sink()
    mo_url = f"{sink.url}/mo?from=%p&to=%P&text=%b&coding=%c"
    with contextlib.ExitStack() as stack:
        stack.enter_context(centre.serving())
        setup = kannel.Setup(boxes, centre.smpp, SYSTEM_ID, SMPP_PASSWORD, mo_url, durable=False, log_level=0)
        gateway = stack.enter_context(kannel.serving(setup, tmp_path, core=None))
        for to, text in TEXTS.items():
            assert send(gateway, to, text, f"{sink.url}/dlr?to={to}&kind=%d").startswith("0: Accepted")
        # The long text goes out in two parts; Kannel reports one receipt for the message.
        calls = sink.take(2 * len(TEXTS))
        receipts = {query["to"]: query["kind"] for path, query in calls if path == "/dlr"}
        assert receipts == dict.fromkeys(TEXTS, "1")
        answers = [query for path, query in calls if path == "/mo"]
        # Coding 2 is UCS-2; %b are the octets.
        assert {
            (query["coding"], query["text"].encode("latin-1").decode("utf-16-be")) for query in answers
        } == {("2", ANSWER)}
        assert {query["from"].lstrip("+ ") for query in answers} == set(TEXTS)
        shown = centre.messages(incoming=len(TEXTS), outgoing=len(TEXTS))
        assert {one["recipient"]: one["text"] for one in shown["outgoingMessages"]} == TEXTS
    sink.server.shutdown()
    sink.server.server_close()
