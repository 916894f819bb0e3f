"""rejoinder.client against a served centre, on both stores: both clients, faults, and cursors that survive."""

from __future__ import annotations

import asyncio
import http.client
import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rejoinder.client import (
    AnswerNotUnderstood,
    AsyncClient,
    AsyncReseller,
    Box,
    Client,
    ClientError,
    CursorFault,
    Options,
    OutcomeUnknown,
    Refused,
    Reseller,
    Sent,
    Unavailable,
    blocking,
    waiting,
)
from rejoinder.client.values import is_final
from rejoinder.errors import UnknownCommit
from rejoinder.flow.ports import Tx
from tests.centre import HANDSET
from tests.http.clients import Both, Hours
from tests.http.fronts import Front, fronted
from tests.http.resellers import CREDIT, Trade
from tests.http.site import PASSWORD, POOL, Site, patched

OTHER = "61255588886"


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    trade = Trade(empty_site)
    trade.reseller("owner", credits=100 * CREDIT)
    trade.customer("branch", "owner")
    empty_site.user()
    empty_site.carrier(token="token")
    empty_site.pool(*POOL)
    return empty_site


@pytest.fixture
def front(site: Site) -> Iterator[Front]:
    with fronted(site.port) as front:
        yield front


@pytest.fixture(params=["blocking", "awaiting"])
def client(site: Site, request: pytest.FixtureRequest) -> Both:
    return Both(f"http://127.0.0.1:{site.port}", request.param == "awaiting")


@pytest.fixture(params=["blocking", "awaiting"])
def fronted_client(front: Front, request: pytest.FixtureRequest) -> Both:
    return Both(front.url, request.param == "awaiting")


def carrier_id(site: Site) -> int:
    return int(site.sql("SELECT id FROM carrier")[0][0])  # type: ignore[call-overload]


def replied(site: Site, *texts: str) -> list[str]:
    """Sends a message to a handset, which answers each of these texts; the mailbox then holds them."""
    # Or timestamps would run ahead of the clock, which stands still.
    site.centre.clock.pass_seconds(60)
    with Client(f"http://127.0.0.1:{site.port}", "anna@shop", PASSWORD) as client:
        sent = client.send(HANDSET, "Hello")
    number = site.run(site.centre.sender_of(sent.document_id))
    for text in texts:
        site.run(site.centre.reply(carrier_id(site), HANDSET, number, text))
    return list(texts)


def sends(site: Site) -> int:
    return int(site.sql("SELECT count(*) FROM mt")[0][0])  # type: ignore[call-overload]


def test_a_message_is_sent_found_and_paid(client: Both, site: Site) -> None:
    before = client.do("balance")
    sent = client.do("send", f"+{HANDSET}", "Coffee at ten?")
    assert (sent.recipient, sent.status, len(sent.document_id)) == (HANDSET, 10, 24)
    assert client.do("balance") == before - 1
    assert client.do("status", sent.document_id) == 10
    assert client.do("status", "5175000000000000000000ff") == 0
    page = client.do("page", Box.ALL, -1)
    assert Sent(sent.document_id, "Coffee at ten?", page.items[-1].timestamp, HANDSET) in page.items
    assert not is_final(10)
    assert is_final(2)
    assert is_final(-210)


def test_options_are_the_parameters_of_the_call(client: Both) -> None:
    for options, code in (
        (Options(sender="x"), -105),
        (Options(reply_to="sftp://x"), -240),
        (Options(rotation="x"), -109),
        (Options(encoding="x"), -110),
        (Options(client_ref="x" * 65), -110),
        (Options(validity=1), -110),
    ):
        with pytest.raises(Refused) as refused:
            client.do("send", HANDSET, "Hello", options)
        assert refused.value.code == code
        assert refused.value.sentence


def test_what_is_no_text_is_refused_by_the_api_and_not_by_python(client: Both) -> None:
    with pytest.raises(Refused, match="text") as refused:
        client.do("send", HANDSET, "half a pair: \ud83d")
    assert refused.value.code == -110


@pytest.mark.parametrize(
    "error",
    [
        Refused(-210, "not enough credits"),
        AnswerNotUnderstood(403, "no JSON"),
        Unavailable("away"),
        CursorFault("c"),
    ],
)
def test_an_error_comes_whole_out_of_another_process(error: ClientError) -> None:
    """Pools of processes pickle what was raised; one that can't be read there breaks the whole pool."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_refusal_has_code_and_sentence_and_no_secret(site: Site) -> None:
    for awaiting in (False, True):
        both = Both(f"http://127.0.0.1:{site.port}", awaiting, password="canary-of-a-password")
        for name, args, code in (("balance", (), 3), ("send", (HANDSET, "canary-text"), -200)):
            with pytest.raises(Refused) as refused:
                both.do(name, *args)
            assert refused.value.code == code
            assert "canary" not in str(refused.value)
        assert both.hours.slept == []


def test_replies_are_polled_once_over_restarts(client: Both, site: Site, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    client.take(-1, "poll", cursor, once=True)
    wanted = replied(site, "one", "two", "three")
    got = client.take(-1, "poll", cursor, once=True)
    assert [one.text for one in got] == wanted
    assert all(one.origin_document_id and one.sender == HANDSET for one in got)
    assert client.take(-1, "poll", cursor, once=True) == []
    replied(site, "four")
    assert [one.text for one in client.take(-1, "poll", cursor, once=True)] == ["four"]


def test_a_page_left_in_the_middle_comes_again_whole(client: Both, site: Site, tmp_path: Path) -> None:
    """The cursor is saved when the last message of an answer has been dealt with, and not before."""
    cursor = tmp_path / "cursor"
    client.take(-1, "poll", cursor, once=True)
    wanted = replied(site, "one", "two", "three")
    assert [one.text for one in client.take(2, "poll", cursor, once=True)] == wanted[:2]
    assert [one.text for one in client.take(3, "poll", cursor, once=True)] == wanted
    assert [one.text for one in client.take(-1, "poll", cursor, once=True)] == wanted
    assert client.take(-1, "poll", cursor, once=True) == []


def test_a_first_poll_begins_where_it_is_told(client: Both, site: Site, tmp_path: Path) -> None:
    replied(site, "old")
    newest = client.do("page", Box.RECEIVED, 0).items[-1].timestamp
    assert client.take(-1, "poll", tmp_path / "cursor", start=newest, once=True) == []
    replied(site, "new")
    assert [one.text for one in client.take(-1, "poll", tmp_path / "cursor", once=True)] == ["new"]


def test_sent_and_received_come_in_one_order(client: Both, site: Site, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    client.take(-1, "poll_all", cursor, once=True)
    replied(site, "one", "two")
    got = client.take(-1, "poll_all", cursor, once=True)
    assert [one.text for one in got] == ["Hello", "one", "two"]
    assert [one.timestamp for one in got] == sorted(one.timestamp for one in got)


def test_a_poller_waits_for_what_comes_later(client: Both, site: Site, tmp_path: Path) -> None:
    """A server that answers an empty poll at once is not asked again before two seconds are over."""
    cursor = tmp_path / "cursor"
    client.take(-1, "poll", cursor, once=True)
    waited = client.hours
    waited.wakes = lambda: replied(site, "late") and None if len(waited.slept) == 3 else None
    assert [one.text for one in client.take(1, "poll", cursor, wait=0)] == ["late"]
    assert waited.slept == [2.0, 2.0, 2.0]


def test_what_was_not_taken_is_tried_again_when_the_server_says_so(
    fronted_client: Both, front: Front, site: Site
) -> None:
    front.script = ["503", "429", "drop"]
    fronted_client.do("balance")
    assert fronted_client.hours.slept == [7.0, 3.0, 1.0]


def test_pauses_grow_to_half_a_minute_and_end_with_patience(front: Front) -> None:
    front.script = ["drop"] * 10
    both = Both(front.url, awaiting=False)
    with pytest.raises(Unavailable, match=r"creditBalance: the connection failed .*given up after 30 s"):
        both.do("balance")
    assert both.hours.slept == [0.25, 0.5, 1, 2, 4, 8]


def test_a_poller_outlives_an_outage(fronted_client: Both, front: Front, tmp_path: Path) -> None:
    front.script = ["drop"] * 20
    fronted_client.take(-1, "poll", tmp_path / "cursor", once=True)
    assert len(fronted_client.hours.slept) == 20
    assert max(fronted_client.hours.slept) == 30


def test_a_poller_outlives_a_server_that_starts_anew_behind_its_proxy(
    fronted_client: Both, front: Front, tmp_path: Path
) -> None:
    front.script = ["502", "504"] * 10
    fronted_client.take(-1, "poll", tmp_path / "cursor", once=True)
    assert len(fronted_client.hours.slept) == 20


@pytest.mark.parametrize("fault", ["lost", "drop", "503", "502", "504"])
def test_a_send_is_repeated_and_yet_sent_once(
    fronted_client: Both, front: Front, site: Site, fault: str
) -> None:
    before = sends(site)
    front.script = [fault]
    sent = fronted_client.do("send", HANDSET, "once only")
    assert (len(front.seen), sends(site)) == (2, before + 1)
    assert fronted_client.do("status", sent.document_id) == 10


def test_a_send_that_was_never_answered_is_unknown(fronted_client: Both, front: Front, site: Site) -> None:
    before, options = sends(site), Options(client_ref=f"ref {uuid4().hex}")
    front.script = ["lost", *["503"] * 20]
    with pytest.raises(OutcomeUnknown):
        fronted_client.do("send", HANDSET, "Who knows?", options)
    front.script = []
    fronted_client.do("send", HANDSET, "Who knows?", options)
    assert sends(site) == before + 1


def test_a_repetition_that_is_refused_for_its_time_says_nothing_of_the_lost_send(
    fronted_client: Both, front: Front, site: Site
) -> None:
    """Its answer was lost, and when it was repeated its time had come: it is stored, charged and will be sent."""
    before, options = sends(site), Options(schedule_at=int(site.centre.clock.wall_s()) + 30)
    fronted_client.hours.wakes = lambda: site.centre.clock.pass_seconds(60)
    front.script = ["lost"]
    with pytest.raises(OutcomeUnknown, match="-111"):
        fronted_client.do("send", HANDSET, "Later", options)
    assert sends(site) == before + 1
    options = Options(schedule_at=int(site.centre.clock.wall_s()) + 30)
    front.script = ["lost"]
    with pytest.raises(OutcomeUnknown, match="-111"):
        fronted_client.do("send_multiple", [HANDSET, "12", OTHER], "Later", options)
    assert sends(site) == before + 3
    # What was refused without a lost try is refused, and so is what no time changes.
    with pytest.raises(Refused, match="scheduleAt"):
        fronted_client.do("send", HANDSET, "Later", options)
    front.script = ["lost"]
    with pytest.raises(Refused, match="recipient"):
        fronted_client.do("send", "12", "Never")


def credits_adders(url: str) -> list[Callable[[], Decimal]]:
    """Half a credit for a customer, by either client."""

    def blocking() -> Decimal:
        with Reseller(url, "owner", PASSWORD, timing=Hours()) as owner:
            return owner.add_credits("branch", "0.5")

    async def awaiting() -> Decimal:
        async with AsyncReseller(url, "owner", PASSWORD, timing=Hours()) as owner:
            return await owner.add_credits("branch", "0.5")

    return [blocking, lambda: asyncio.run(awaiting())]


def balance(site: Site) -> Decimal:
    with Reseller(f"http://127.0.0.1:{site.port}", "owner", PASSWORD) as owner:
        return owner.balance("branch")


def test_what_would_be_done_twice_is_not_repeated(front: Front, site: Site) -> None:
    """Credits: unknown after a lost answer; tried again where nothing was done."""
    before = balance(site)
    for add in credits_adders(front.url):
        front.script = ["lost"]
        with pytest.raises(OutcomeUnknown, match="may have been carried out"):
            add()
        for nothing_done in ("503", "429"):
            front.script = [nothing_done]
            add()
        before += Decimal("1.5")
        assert balance(site) == before
        front.script, front.seen = ["502"], []
        with pytest.raises(OutcomeUnknown):
            add()
        assert len(front.seen) == 1


def test_credits_whose_commit_is_in_doubt_are_not_moved_twice(site: Site) -> None:
    """The database goes away within the commit: the server answers 503 as always, and yet may have done it."""
    store, before = site.centre.store, balance(site)
    for add in credits_adders(f"http://127.0.0.1:{site.port}"):
        write = store.write

        async def committed(work: Callable[[Tx], Awaitable[object]], write: Any = write) -> object:
            await write(work)
            raise UnknownCommit("the database went away during a commit")

        with patched(store, "write", committed), pytest.raises(OutcomeUnknown):
            add()
        before += Decimal("0.5")
        assert balance(site) == before


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a server that takes connections and says nothing: over TLS none ever comes about."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def test_a_connection_that_never_came_about_in_time_has_done_nothing(
    mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (blocking, waiting):
        monkeypatch.setattr(module, "TIMEOUT", 0.1)
    for add in credits_adders(mute):
        with pytest.raises(Unavailable, match="addCredits"):
            add()


def test_another_server_is_not_understood(fronted_client: Both, front: Front) -> None:
    for script, status in (("page", 403), ("redirect", 302)):
        front.script = [script]
        with pytest.raises(AnswerNotUnderstood) as wrong:
            fronted_client.do("balance")
        assert wrong.value.http_status == status


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://host",
        "http://",
        "/services",
        "http://host:abc",
        "http://host:99999",
        "http://host:0",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match="url must be"):
            kind(url, "anna@shop", PASSWORD)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "can't be read"),
        ("{}", "no cursor"),
        ('{"username": "bob@shop", "box": "messages", "since": 5}', "another user"),
        ('{"username": "anna@shop", "box": "allMessages", "since": 5}', "another kind of poll"),
    ],
)
def test_a_file_that_is_not_this_pollers_cursor_is_refused(
    client: Both, tmp_path: Path, content: str, says: str
) -> None:
    (tmp_path / "cursor").write_text(content)
    with pytest.raises(CursorFault, match=says):
        client.take(-1, "poll", tmp_path / "cursor", once=True)
    assert (tmp_path / "cursor").read_text() == content


def test_a_cursor_that_cannot_be_saved_ends_the_poll(client: Both, site: Site, tmp_path: Path) -> None:
    replied(site, "one")
    with pytest.raises(CursorFault, match="can't be saved"):
        client.take(-1, "poll", tmp_path / "missing" / "cursor", once=True)


# A poller that writes down what it got, and dies without a word where it is told to.
POLLER = """
import os, sys
from rejoinder.client import Client
url, cursor, journal, dies_after = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with Client(url, "anna@shop", sys.argv[5]) as client, open(journal, "a", buffering=1) as file:
    for number, message in enumerate(client.poll(cursor, once=True), 1):
        file.write(f"{message.document_id} {message.text}\\n")
        if number == dies_after:
            os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("dies_after", [3])
def test_a_killed_poller_misses_nothing(site: Site, tmp_path: Path, dies_after: int) -> None:
    """Killed between the last message of an answer and its cursor: that answer comes again, and no other."""
    cursor, journal = tmp_path / "cursor", tmp_path / "journal"
    url = f"http://127.0.0.1:{site.port}"

    def run(dies: int) -> int:
        words = [sys.executable, "-c", POLLER, url, str(cursor), str(journal), str(dies), PASSWORD]
        return subprocess.run(words, check=False, timeout=60).returncode

    assert run(0) == 0
    journal.unlink(missing_ok=True)
    before = json.loads(cursor.read_text())
    wanted = replied(site, "one", "two", "three")
    assert run(dies_after) == -9
    assert json.loads(cursor.read_text()) == before
    assert run(0) == 0
    lines = [line.split(" ", 1)[1] for line in journal.read_text().splitlines()]
    assert lines == wanted[:dies_after] + wanted
    assert len(set(journal.read_text().splitlines())) == 3, "a repetition has the same id"
    assert run(0) == 0
    assert len(journal.read_text().splitlines()) == dies_after + 3


def test_many_calls_at_once_share_one_client(site: Site) -> None:
    async def all_at_once() -> list[Any]:
        async with AsyncClient(f"http://127.0.0.1:{site.port}", "anna@shop", PASSWORD) as client:
            work: list[Coroutine[Any, Any, Any]] = [client.send(OTHER, f"number {n}") for n in range(20)]
            return await asyncio.gather(*work)

    sent = asyncio.run(all_at_once())
    assert len({one.document_id for one in sent}) == 20


def test_polls_that_wait_hold_up_no_other_call_however_many_they_are() -> None:
    """A server that answers nobody before all of them are there."""
    calls = 150

    async def all_wait() -> int:
        everybody = asyncio.Barrier(calls)

        async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"password=")
            await everybody.wait()
            body = b'{"creditBalance": "1", "status": "0"}'
            writer.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            writer.close()

        server = await asyncio.start_server(held, "127.0.0.1", 0, backlog=calls)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, AsyncClient(url, "anna@shop", PASSWORD) as client, asyncio.timeout(8):
            return len(await asyncio.gather(*(client.balance() for _ in range(calls))))

    assert asyncio.run(all_wait()) == calls


@pytest.mark.parametrize(
    ("url", "port"), [("http://[::1]", 80), ("https://[::1]/x", 443), ("http://[::1]:81", 81)]
)
def test_an_ipv6_address_needs_no_port(url: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(connection: http.client.HTTPConnection) -> None:
        asked.append((connection.host, connection.port))
        raise ConnectionRefusedError

    monkeypatch.setattr(http.client.HTTPConnection, "connect", connect)
    with pytest.raises(Unavailable), Client(url, "anna@shop", PASSWORD, patience=0) as client:
        client.balance()
    assert asked == [("::1", port)]


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_name_in_the_address_is_no_log_in(front: Front, awaiting: bool) -> None:
    Both(front.url.replace("//", "//me:canary@"), awaiting).do("balance")
    (seen,) = front.seen
    assert b"authorization" not in seen.lower()
    assert b"canary" not in seen


def test_the_poller_of_the_guide_works_as_it_stands(site: Site, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/howto/poll.md").read_text()
    program = guide.split("```python\n")[1].split("```")[0]
    assert len(program.splitlines()) <= 10
    words = [f"http://127.0.0.1:{site.port}", "anna@shop", PASSWORD, str(tmp_path / "cursor")]

    def run() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *words], check=True, capture_output=True, text=True, timeout=60
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    run()
    replied(site, "by the guide")
    assert [line.split(": ")[1] for line in run()] == ["by the guide"]
