"""A program that knows docs/api alone does everything in it: from no account to replies, statuses and refunds.

`Api` and the story are written as a reader of those pages would write them, with urllib; beside it stand the
operator (the command line) and a network with phones (README: a carrier that speaks HTTP; docs/api: inbound, receipt).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.journeys.served import COMMAND, environment, serving

OPENER = build_opener(ProxyHandler({}))
PATIENCE = 30
PHONE, OTHER, THIRD = "61255588887", "61255588885", "61255588886"


@dataclass(frozen=True)
class Api:
    """POST a form, read JSON."""

    url: str

    def __call__(self, call: str, **form: Any) -> dict[str, Any]:
        with OPENER.open(f"{self.url}/services/rest/{call}", urlencode(form).encode()) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


def soon(ask: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Asks until the answer is as it should be."""
    ends = time.monotonic() + PATIENCE
    while not good(answer := ask()):
        assert time.monotonic() < ends, answer
        time.sleep(0.05)  # the server is a process with a clock of its own
    return answer


@dataclass
class Network:
    """What a carrier's web server gets, and what it then posts to us."""

    port: int = 0
    url: str = ""
    sent: list[dict[str, str]] = field(default_factory=list)

    def to(self, handset: str) -> list[dict[str, str]]:
        return [one for one in self.sent if one["to"] == handset]

    def post(self, kind: str, **delivery: str) -> None:
        headers = {"Authorization": "Bearer token1", "Content-Type": "application/json"}
        request = Request(  # noqa: S310  # http to this machine
            f"{self.url}/carriers/wire/{kind}", json.dumps(delivery).encode(), headers
        )
        with OPENER.open(request) as answer:
            assert json.load(answer) == {"status": 0}


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            network.sent.append(message)
            body = json.dumps({"message": {"id": f"n{len(network.sent)}"}}).encode()
            message["id"] = f"n{len(network.sent)}"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        network.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="network")
        thread.start()
        try:
            yield network
        finally:
            server.shutdown()
            thread.join(10)


@pytest.fixture
def api(tmp_path: Path, network: Network) -> Iterator[Api]:
    """The operator makes a reseller, a carrier, a pool, and starts the server."""
    body = '{"to": "{{recipient}}", "from": "{{sender}}", "text": "{{text}}"}'
    for words in (
        "reseller add acme --password secret1 --credits 1000 --free-credits 3 --require-activation",
        "number add 61500079987 --pool",
        "number add 61500079988 --pool",
        f"carrier add wire --kind http --set url=http://127.0.0.1:{network.port}/send --set id_path=message.id "
        "--set token=token1 --set",
        "route add 61 wire",
    ):
        more = [f"body={body}"] if words.endswith("--set") else []
        subprocess.run(
            [str(COMMAND), *words.split(), *more],
            check=True,
            env=environment(tmp_path),
            capture_output=True,
            timeout=60,
        )
    with serving(tmp_path) as url, contextlib.ExitStack():
        network.url = url
        yield Api(url)


ACME = {"resellerName": "acme", "resellerPassword": "secret1"}
ADMIN = {"reseller": "acme", "password": "secret1", "customer": "store"}
BERT = {"username": "bert@acme", "password": "secret3"}


def opened(api: Api, network: Network) -> None:
    """A customer and its first user, whose phone gets a code."""
    made = api(
        "customer-user/create",
        **BERT,
        **ACME,
        customer="store",
        applyFreeCredits="true",
        phoneNumber=f"+{PHONE}",
    )
    assert made == {"status": 0}
    assert api("user/creditBalance", **BERT)["status"] == 220
    assert api("user/sendActivationCode", username="bert@acme") == {"status": 0}
    soon(lambda: network.to(PHONE), bool)
    code = "".join(filter(str.isdigit, network.to(PHONE)[0]["text"]))
    assert api("user/activate", username="bert@acme", activationCode=code) == {"status": 0}
    assert api("user/creditBalance", **BERT) == {"creditBalance": "3", "status": "0"}


def funded(api: Api) -> None:
    assert api("admin/addCredits", **ADMIN, creditsToAdd="7.5") == {"credits": 10.5, "status": 0}
    assert api("admin/balance", **ADMIN) == {"credits": 10.5, "status": 0}
    assert api("admin/addCredits", **ADMIN, creditsToAdd="-100")["status"] == 320


def sent(api: Api, network: Network) -> list[str]:
    """One text to one handset, one to two; the ids of what was accepted."""
    one = api("message/sendSingle2", **BERT, recipient=OTHER, text="Coffee at ten?", clientRef="a")
    assert one["messageStatus"] == 10
    again = api("message/sendSingle2", **BERT, recipient=OTHER, text="Coffee at ten?", clientRef="a")
    assert again["documentId"] == one["documentId"]
    many = api("message/sendMultiple", **BERT, recipient=f"{THIRD},12", text="Tea?")
    assert [each["messageStatus"] for each in many["messages"]] == [10, -104]
    soon(lambda: network.to(OTHER) + network.to(THIRD), lambda got: len(got) == 2)
    assert api("user/creditBalance", **BERT)["creditBalance"] == "8.500"
    return [one["documentId"], many["messages"][0]["documentId"]]


def answered(api: Api, network: Network, ids: list[str]) -> None:
    """The handset answers; the poll names the message that it answers, once."""
    taken = network.to(OTHER)[0]
    network.post("inbound", **{"from": OTHER, "to": taken["from"], "text": " Yes please!", "id": "m1"})
    network.post("inbound", **{"from": OTHER, "to": taken["from"], "text": " Yes please!", "id": "m1"})
    page = soon(lambda: api("user/allMessages", **BERT, since=0), lambda page: page["incomingMessages"])
    ((reply),) = page["incomingMessages"]
    assert (reply["text"], reply["from"], reply["originDocumentId"]) == (" Yes please!", OTHER, ids[0])
    assert [one["documentId"] for one in page["outgoingMessages"]] == ids
    assert api("user/messages", **BERT, since=0)["messages"] == [reply]
    empty = api("user/allMessages", **BERT, since=page["newestMessageTimestamp"])
    assert (empty["incomingMessages"], empty["outgoingMessages"]) == ([], [])


def settled(api: Api, network: Network, ids: list[str]) -> None:
    """Receipts come; the final statuses are read."""
    network.post("receipt", id=network.to(OTHER)[0]["id"], status="DELIVRD")
    network.post("receipt", id=network.to(THIRD)[0]["id"], status="UNDELIV")
    ask = lambda: api("user/unreadFinalStatuses", **BERT, since=0)  # noqa: E731
    page = soon(ask, lambda page: len(page["statuses"]) == 2)
    finals = {one["documentId"]: one for one in page["statuses"]}
    assert {known: finals[known]["messageStatus"] for known in ids} == {ids[0]: 2, ids[1]: 5}
    assert (finals[ids[0]]["numberOfParts"], finals[ids[0]]["chargedAmount"]) == (1, 1)
    assert api("message/status", **BERT, documentId=ids[0])["messageStatus"] == "2"


def taken_back(api: Api) -> None:
    """A scheduled message is cancelled and its credit comes back."""
    later = int(time.time()) + 3600
    waiting = api("message/sendSingle2", **BERT, recipient=OTHER, text="Too late?", scheduleAt=later)
    assert waiting["messageStatus"] == 10
    assert api("user/creditBalance", **BERT)["creditBalance"] == "7.500"
    cancelled = {"documentId": waiting["documentId"], "messageStatus": 4}
    assert api("message/cancel", **BERT, documentId=waiting["documentId"]) == cancelled
    assert api("user/creditBalance", **BERT)["creditBalance"] == "8.500"


def enlarged(api: Api) -> None:
    """A second customer with a user of its own, who sees nothing of the first."""
    customer = api("customer/create", **ACME, name="branch", billingType="PRE_PAID")["customerId"]
    carl = {"username": "carl@acme", "password": "secret4"}
    more = {"customerId": customer, "email": "carl@shop.example", "phoneNumber": "+61 255 588 888"}
    assert api("user/create", **ACME, **carl, **more)["status"] == 0
    assert api("user/allMessages", **carl, since=0)["status"] == 220


def test_a_program_written_from_the_documents_alone_does_everything(api: Api, network: Network) -> None:
    opened(api, network)
    funded(api)
    ids = sent(api, network)
    answered(api, network, ids)
    settled(api, network, ids)
    taken_back(api)
    enlarged(api)
