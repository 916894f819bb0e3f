"""rejoinder.client, the calls that are rarer: final statuses, taking back, many at once, and what a reseller does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from rejoinder.client import Answered, Box, FinalStatus, Options, OutcomeUnknown, Refused
from rejoinder.message.status import Status
from tests.centre import HANDSET
from tests.http.clients import Both, BothResellers
from tests.http.fronts import Front, fronted
from tests.http.resellers import CREDIT, Trade
from tests.http.site import PASSWORD, POOL, Site
from tests.http.test_activation import code_of

OTHER = "61255588886"
_names = count(1)


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """On SQLite alone: what a client does is decided by no database."""
    return lambda: f"sqlite:///{tmp_path_factory.mktemp('site') / 'centre.db'}"


@pytest.fixture(scope="module")
def trade(empty_site: Site) -> Trade:
    trade = Trade(empty_site)
    trade.reseller("owner", credits=1000 * CREDIT, free_credits=5 * CREDIT, require_activation=True)
    trade.customer("branch", "owner", credits=10 * CREDIT)
    trade.user("carl@owner", "owner/branch")
    empty_site.user()
    empty_site.carrier()
    empty_site.pool(*POOL)
    return trade


@pytest.fixture(scope="module")
def site(trade: Trade) -> Site:
    return trade.site


@pytest.fixture
def front(site: Site) -> Iterator[Front]:
    with fronted(site.port) as front:
        yield front


@pytest.fixture(params=["blocking", "awaiting"])
def client(front: Front, request: pytest.FixtureRequest) -> Both:
    return Both(front.url, request.param == "awaiting")


@pytest.fixture(params=["blocking", "awaiting"])
def owner(front: Front, request: pytest.FixtureRequest) -> Both:
    return BothResellers(front.url, request.param == "awaiting", "owner")


def network(site: Site, *statuses: Status) -> None:
    """The carrier takes what is queued, in its order, and reports these statuses."""
    site.centre.clock.pass_seconds(60)
    carrier_id = int(site.sql("SELECT id FROM carrier")[0][0])  # type: ignore[call-overload]
    taken = site.run(site.centre.deliver(carrier_id))
    for (claim, outgoing), status in zip(taken, statuses, strict=True):
        for number in outgoing.numbers:
            site.run(site.centre.receipt(carrier_id, f"r-{claim.row.id}-{number}", status))


def cleared(site: Site) -> None:
    """Nothing waits for the carrier any more."""
    site.sql("DELETE FROM outbox")


def test_final_statuses_are_polled_once_over_restarts(client: Both, site: Site, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    cleared(site)
    client.take(-1, "poll_statuses", cursor, once=True)
    short, long = client.do("send", HANDSET, "Hello"), client.do("send", OTHER, "x" * 200)
    assert client.take(-1, "poll_statuses", cursor, once=True) == []
    network(site, Status.DELIVERED, Status.UNDELIVERABLE)
    got = client.take(-1, "poll_statuses", cursor, once=True)
    assert sorted(got, key=lambda one: one.parts) == [
        FinalStatus(short.document_id, HANDSET, 2, got[0].timestamp, 1, Decimal("1.000")),
        FinalStatus(long.document_id, OTHER, 5, got[-1].timestamp, 2, Decimal("2.000")),
    ]
    assert client.take(-1, "poll_statuses", cursor, once=True) == []
    third = client.do("send", HANDSET, "Once more")
    network(site, Status.DELIVERED)
    (found,) = client.take(-1, "poll_statuses", cursor, once=True)
    assert found.document_id == third.document_id
    assert client.do("page", Box.STATUSES, -1).items[-1] == found


def test_a_message_is_taken_back_and_refunded_or_is_told_why_not(client: Both, site: Site) -> None:
    cleared(site)
    before = client.do("balance")
    waiting = client.do(
        "send", HANDSET, "Not yet", Options(schedule_at=int(site.centre.clock.wall_s()) + 3600)
    )
    queued = client.do("send", HANDSET, "Now")
    assert client.do("balance") == before - 2
    assert [client.do("cancel", one.document_id) for one in (waiting, queued)] == [4, 4]
    assert [client.do("cancel", one.document_id) for one in (waiting, queued)] == [4, 4]
    assert client.do("balance") == before
    sent = client.do("send", HANDSET, "Gone")
    network(site, Status.SENT)
    assert client.do("cancel", sent.document_id) == client.do("status", sent.document_id) == 11
    assert client.do("cancel", "5175000000000000000000ff") == 0
    with pytest.raises(Refused) as refused:
        Both(f"http://127.0.0.1:{site.port}", False, "carl@owner").do("cancel", sent.document_id)
    assert refused.value.code == -230


@pytest.mark.parametrize("fault", ["lost", "503"])
def test_a_cancellation_is_repeated_and_yet_refunded_once(
    client: Both, front: Front, site: Site, fault: str
) -> None:
    before = client.do("balance")
    sent = client.do("send", HANDSET, "Back, please")
    front.script, front.seen = [fault], []
    assert client.do("cancel", sent.document_id) == 4
    assert len(front.seen) == 2
    assert client.do("balance") == before


def test_one_text_to_many_is_answered_for_each(client: Both) -> None:
    before = client.do("balance")
    first, wrong, second = client.do(
        "send_multiple", [HANDSET, "12", f"+{OTHER}"], "To all", Options(validity=600)
    )
    assert [(one.recipient, one.status, one.accepted) for one in (first, second)] == [
        (HANDSET, 10, True),
        (OTHER, 10, True),
    ]
    assert (wrong, wrong.accepted) == (Answered(None, "12", -104, wrong.error), False)
    assert "recipient" in wrong.error
    assert client.do("balance") == before - 2
    assert [client.do("status", one.document_id) for one in (first, second)] == [10, 10]


@pytest.mark.parametrize("fault", ["lost", "503"])
def test_many_are_repeated_and_yet_sent_once_each(client: Both, front: Front, fault: str) -> None:
    before = client.do("balance")
    front.script, front.seen = [fault], []
    answers = client.do("send_multiple", [HANDSET, OTHER], "Once each")
    assert len(front.seen) == 2
    assert [one.status for one in answers] == [10, 10]
    assert client.do("balance") == before - 2


def test_a_call_that_is_refused_as_a_whole_is_raised(client: Both) -> None:
    for recipients, code in (([], -104), ([f"612{number:08}" for number in range(1001)], -104)):
        with pytest.raises(Refused) as refused:
            client.do("send_multiple", recipients, "Hello")
        assert (refused.value.code, bool(refused.value.sentence)) == (code, True)


def test_a_reseller_makes_accounts_and_moves_credits(owner: Both, front: Front) -> None:
    name = f"store{next(_names)}"
    customer_id = owner.do("create_customer", name, billingType="PRE_PAID", rotationAlgorithm="CONVERSATION")
    assert len(customer_id) == 24
    assert owner.do("balance", name) == 0
    assert owner.do("add_credits", name, "12.5") == Decimal("12.5")
    assert owner.do("add_credits", name, -2) == Decimal("10.5")
    # Python writes it 1E+1.
    assert owner.do("add_credits", name, Decimal(10).normalize()) == Decimal("20.5")
    assert owner.do("balance", name) == Decimal("20.5")
    username = f"user@{name}"
    user_id = owner.do(
        "create_user", username, PASSWORD, customer_id, email="u@shop.example", phoneNumber=HANDSET
    )
    assert len(user_id) == 24
    with pytest.raises(Refused) as refused:
        Both(front.url, False, username).do("balance")
    assert refused.value.code == 220, "this reseller requires activation"


def test_a_new_user_opens_its_account_with_the_code_that_came_by_sms(
    owner: Both, trade: Trade, front: Front
) -> None:
    name = f"store{next(_names)}"
    username = f"user@{name}"
    more = {"applyFreeCredits": "true", "phoneNumber": f"+{HANDSET}"}
    assert owner.do("create_customer_user", name, username, PASSWORD, **more) is None
    assert owner.do("balance", name) == 5
    assert owner.do("send_activation_code", username) is None
    code = code_of(trade)
    with pytest.raises(Refused, match="activationCode") as refused:
        owner.do("activate", username, "000000" if code != "000000" else "000001")
    assert refused.value.code == 2
    assert owner.do("activate", username, code) is None
    assert Both(front.url, False, username).do("balance") == 5


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("create_customer", ("branch",), 301),
        ("create_customer", ("no blanks",), 2),
        ("create_customer", ("postpaid",), 321),
        ("create_user", ("carl@owner", PASSWORD, "0" * 24), 201),
        ("add_credits", ("nowhere", 1), 300),
        ("add_credits", ("branch", 10**6), 320),
        ("add_credits", ("branch", "a lot"), 2),
        ("balance", ("nowhere",), 300),
        ("activate", ("nobody@owner", "123456"), 200),
        ("send_activation_code", ("nobody@owner",), 200),
    ],
)
def test_what_a_reseller_is_refused_has_its_code(
    owner: Both, name: str, args: tuple[object, ...], code: int
) -> None:
    more = {"email": "u@shop.example", "phoneNumber": HANDSET} if name == "create_user" else {}
    with pytest.raises(Refused) as refused:
        owner.do(name, *args, **more)
    assert (refused.value.code, bool(refused.value.sentence)) == (code, True)


def test_an_account_whose_making_was_not_answered_is_unknown_and_not_made_twice(
    owner: Both, front: Front
) -> None:
    name = f"store{next(_names)}"
    front.script = ["lost"]
    with pytest.raises(OutcomeUnknown):
        owner.do("create_customer", name, billingType="PRE_PAID")
    assert owner.do("balance", name) == 0


# Programs that have no aiohttp, and one that would load it if it were asked to.
WITHOUT = """
import sys
sys.modules["aiohttp"] = None
from rejoinder.client import Client, Reseller
with Client(sys.argv[1], "anna@shop", sys.argv[2]) as client:
    print(client.send("61255588885", "Hello").status)
assert sys.modules["aiohttp"] is None
"""


def test_a_program_that_blocks_needs_no_aiohttp(site: Site) -> None:
    words = [sys.executable, "-c", WITHOUT, f"http://127.0.0.1:{site.port}", PASSWORD]
    done = subprocess.run(words, check=False, timeout=60, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("10\n", "")


def test_what_a_client_logs_of_its_retries_holds_no_text_number_or_password(
    client: Both, front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.script = ["503", "drop", "429", "lost"]
    with caplog.at_level("DEBUG"):
        client.do("send", HANDSET, "canary-text", Options(sender="", client_ref=f"canary-{uuid4().hex}"))
    said = [record.getMessage() for record in caplog.records if record.name.startswith("rejoinder.client")]
    assert len(said) == 4
    assert not [line for line in said if "canary" in line or HANDSET in line or PASSWORD in line]
