"""Kannel 1.4.5 as a customer: bearerbox binds, smsbox sends over HTTP, receipts and answers come back to its URLs."""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.debian import Unavailable
from tests.peers import fetched
from tests.peers.centre import SENDER, SMPP_PASSWORD, SYSTEM_ID, Centre
from tests.peers.test_customers import ANSWER, TEXTS

CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 0
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = rejoinder
host = 127.0.0.1
port = {smpp}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
transceiver-mode = true
interface-version = 34

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
log-file = "{folder}/smsbox.log"
log-level = 0

group = sendsms-user
username = tester
password = tester
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{sink}/mo?from=%p&to=%P&text=%b&coding=%c"
"""


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


def free_ports(count: int) -> list[int]:
    """Kannel takes no port 0."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


class Kannel:
    """bearerbox and smsbox, as one gateway."""

    def __init__(self, folder: Path, smpp: int, sink: str) -> None:
        self._folder = folder
        self._admin, box, self.send = free_ports(3)
        values = {
            "smpp": smpp,
            "system_id": SYSTEM_ID,
            "password": SMPP_PASSWORD,
            "sink": sink,
            "folder": folder,
        }
        text = CONFIGURATION.format(admin=self._admin, box=box, send=self.send, **values)
        (folder / "kannel.conf").write_text(text)

    @contextlib.contextmanager
    def running(self) -> Iterator[Kannel]:
        processes = []
        try:
            for name, port in (("bearerbox", self._admin), ("smsbox", self.send)):
                box = fetched.kannel(name)
                processes.append(
                    subprocess.Popen(
                        [*box.words, str(self._folder / "kannel.conf")],
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        env=dict(box.environment),
                        cwd=self._folder,
                    )
                )
                self._wait_for(port)
            self._wait_until_bound()
            yield self
        finally:
            for process in reversed(processes):
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
                process.wait()

    def _log(self) -> str:
        return "".join(file.read_text(errors="replace")[-3000:] for file in self._folder.glob("*box.log"))

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise AssertionError(f"Kannel did not come up: {self._log()}")

    def _wait_until_bound(self) -> None:
        deadline = time.monotonic() + 20
        address = f"http://127.0.0.1:{self._admin}/status.txt?password=admin"
        while time.monotonic() < deadline:
            away = contextlib.suppress(OSError, http.client.HTTPException)
            with away, urllib.request.urlopen(address, timeout=5) as answer:
                if b"(online" in answer.read():
                    return
            time.sleep(0.05)
        raise AssertionError(f"Kannel did not bind: {self._log()}")

    def sendsms(self, to: str, text: str, dlr_url: str) -> str:
        """/cgi-bin/sendsms: UCS-2 where the GSM alphabet does not do."""
        query = {
            "username": "tester",
            "password": "tester",
            "from": SENDER,
            "to": to,
            "text": text,
            "charset": "UTF-8",
            "coding": "2" if any(ord(char) > 0x2000 for char in text) else "0",
            "dlr-mask": "3",
            "dlr-url": dlr_url,
        }
        address = f"http://127.0.0.1:{self.send}/cgi-bin/sendsms?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return str(answer.read().decode())


@pytest.mark.timeout(110)
def test_kannel_sends_and_gets_its_receipts_and_answers(tmp_path: Path) -> None:
    try:
        fetched.kannel("bearerbox")
    except Unavailable as unavailable:
        pytest.skip(f"Kannel can't be had: {unavailable}")
    centre = Centre(f"sqlite:///{tmp_path / 'peers.db'}")
    centre.accounts()
    centre.carrier("simulator", reply=ANSWER)
    sink = Sink()
    with centre.serving(), Kannel(tmp_path, centre.smpp, sink.url).running() as kannel:
        for to, text in TEXTS.items():
            assert kannel.sendsms(to, text, f"{sink.url}/dlr?to={to}&kind=%d").startswith("0: Accepted")
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
