"""Activation over HTTP (contract §9): a code by SMS that nobody's mailbox shows, paid by the reseller; five a day."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from rejoinder.flow import ledger
from rejoinder.flow.password_checks import MOST_WAITING
from rejoinder.flow.receipts import Moves, move
from rejoinder.message.status import Status
from tests.http.calls import is_error
from tests.http.resellers import ACTIVATE, CREATE_BOTH, CREDIT, SEND_CODE, Trade, good
from tests.http.site import ALL_MESSAGES, CREDIT_BALANCE, POOL, SEND, STATUS, Client, Site, patched

PHONE = "+61 255 588 885"
HANDSET = "61255588885"
_numbers = count(1)


@pytest.fixture(scope="module")
def trade(empty_site: Site) -> Trade:
    trade = Trade(empty_site)
    trade.reseller("strict", credits=10_000 * CREDIT, require_activation=True)
    trade.customer("shop", "strict", credits=100 * CREDIT)
    trade.site.carrier()
    trade.site.pool(*POOL)
    return trade


def inactive(trade: Trade, phone: str = PHONE, **fields: object) -> str:
    username = f"new{next(_numbers)}@strict"
    trade.user(username, "strict/shop", activated=False, phone_number=phone, **fields)
    return username


def send(trade: Trade, username: str) -> object:
    reply = trade.post(SEND_CODE, {"username": username})
    assert is_error(reply.json, "status") == (reply.json != {"status": 0})
    return reply.code


def newest_sms(trade: Trade) -> tuple[str, str, str]:
    """Recipient, sender and text of what was queued last."""
    ((recipient, sender, text),) = trade.site.sql(
        "SELECT recipient, sender, text FROM outbox ORDER BY id DESC LIMIT 1"
    )
    return str(recipient), str(sender), str(text)


def code_of(trade: Trade) -> str:
    found = re.fullmatch(r"([0-9]{6}) is your activation code\.", newest_sms(trade)[2])
    assert found
    return found[1]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def activate(trade: Trade, username: str, code: str) -> object:
    return trade.post(ACTIVATE, {"username": username, "activationCode": code}).code


def login(username: str) -> dict[str, str]:
    return {"username": username, "password": "correct-horse-battery"}


def test_a_code_goes_to_the_phone_and_activates(trade: Trade) -> None:
    username = inactive(trade)
    assert send(trade, username) == 0
    recipient, sender, _ = newest_sms(trade)
    assert (recipient, sender in POOL) == (HANDSET, True)
    assert trade.site.get(CREDIT_BALANCE, login(username)).code == 220
    assert trade.site.post(SEND, {**login(username), "text": "x", "recipient": HANDSET}).code == -201
    code = code_of(trade)
    assert activate(trade, username, wrong(code)) == 2
    assert trade.site.get(CREDIT_BALANCE, login(username)).code == 220
    assert activate(trade, username, code) == 0
    assert trade.site.get(CREDIT_BALANCE, login(username)).code == "0"
    assert trade.site.post(SEND, {**login(username), "text": "x", "recipient": HANDSET}).code == 10


def test_what_customer_user_create_made_is_activated_the_same_way(trade: Trade) -> None:
    request = good(trade, CREATE_BOTH, "strict", "shop") | {"phoneNumber": PHONE}
    assert trade.post(CREATE_BOTH, request).code == 0
    username = str(request["username"])
    assert send(trade, username) == 0
    assert activate(trade, username, code_of(trade)) == 0
    assert trade.site.get(CREDIT_BALANCE, {"username": username, "password": "new"}).code == "0"


def test_the_same_code_again_answers_0_because_an_answer_may_be_lost(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    code = code_of(trade)
    assert [activate(trade, username, code) for _ in range(3)] == [0, 0, 0]
    assert activate(trade, username, wrong(code)) == 2


def test_the_sms_is_in_no_mailbox_and_nobodys_document(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    activate(trade, username, code_of(trade))
    ((mt_id, user_id),) = trade.site.sql("SELECT id, user_id FROM mt ORDER BY id DESC LIMIT 1")
    page = trade.site.get(ALL_MESSAGES, {**login(username), "since": "0"}).json
    assert (page["outgoingMessages"], page["incomingMessages"]) == ([], [])
    assert user_id == 0
    assert trade.site.get(STATUS, {**login(username), "documentId": str(mt_id)}).code == -230
    entries = trade.site.sql("SELECT count(*) FROM entry WHERE id = $1", mt_id)
    assert entries == [(0,)]


def test_the_reseller_pays_and_is_paid_back_where_every_carrier_refused(trade: Trade) -> None:
    username = inactive(trade)
    before = trade.credits("reseller", "strict"), trade.credits("customer", "shop")
    send(trade, username)
    assert (trade.credits("reseller", "strict"), trade.credits("customer", "shop")) == (
        before[0] - CREDIT,
        before[1],
    )
    ((mt_id,),) = trade.site.sql("SELECT id FROM mt ORDER BY id DESC LIMIT 1")
    moves = Moves(ended={str(mt_id): Status.REJECTED}, refund={str(mt_id)})
    now = trade.site.centre.clock.wall_us()
    assert trade.site.run(trade.site.centre.store.write(lambda tx: move(tx, moves, now)))
    assert (trade.credits("reseller", "strict"), trade.credits("customer", "shop")) == before
    assert trade.site.sql("SELECT count(*) FROM entry WHERE id = $1", mt_id) == [(0,)], (
        "a final status nobody asked for"
    )
    assert trade.site.run(ledger.check(trade.site.centre.store.read)).right


def test_a_reseller_without_credits_is_320_and_nothing_counts(trade: Trade) -> None:
    if not trade.there("reseller", name="broke"):
        trade.reseller("broke", require_activation=True)
        trade.customer("poor", "broke", credits=100 * CREDIT)
    username = f"poor{next(_numbers)}@broke"
    trade.user(username, "poor", activated=False, phone_number=PHONE)
    queued = trade.site.sql("SELECT count(*) FROM outbox")
    assert [send(trade, username) for _ in range(7)] == [320] * 7
    assert trade.site.sql("SELECT count(*) FROM outbox") == queued
    assert trade.site.sql(
        "SELECT count(*) FROM activation_code WHERE user_id = (SELECT id FROM user_account WHERE username = $1)",
        username,
    ) == [(0,)]


def test_a_code_that_could_not_be_sent_leaves_the_one_before_in_force(trade: Trade) -> None:
    trade.reseller("last", credits=CREDIT, require_activation=True)
    trade.customer("only", "last")
    trade.user("only@last", "only", activated=False, phone_number=PHONE)
    assert send(trade, "only@last") == 0
    code = code_of(trade)
    assert send(trade, "only@last") == 320
    assert activate(trade, "only@last", code) == 0


def test_five_codes_a_day(trade: Trade) -> None:
    username = inactive(trade)
    assert [send(trade, username) for _ in range(6)] == [0] * 5 + [2]
    trade.site.centre.clock.pass_seconds(86_399)
    assert send(trade, username) == 2
    trade.site.centre.clock.pass_seconds(1)
    assert [send(trade, username) for _ in range(6)] == [0] * 5 + [2]


def test_five_codes_a_day_whatever_comes_at_once(trade: Trade) -> None:
    username = inactive(trade)

    def ask(_: int) -> object:
        with contextlib.closing(Client(trade.site.port)) as client:
            return client.post(SEND_CODE, {"username": username}).code

    with ThreadPoolExecutor(12) as threads:
        codes = list(threads.map(ask, range(12)))
    assert sorted(map(str, codes)) == ["0"] * 5 + ["2"] * 7


def test_only_the_newest_code_counts(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    first = code_of(trade)
    while True:
        send(trade, username)
        if code_of(trade) != first:
            break
    assert activate(trade, username, first) == 2
    assert activate(trade, username, code_of(trade)) == 0


def test_ten_wrong_tries_void_a_code(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    code = code_of(trade)
    for malformed in ("12345", "1234567", "abcdef", "１２３４５６", " 12345"):
        assert activate(trade, username, malformed) == 2  # can't be right, so it is no try
    assert [activate(trade, username, wrong(code)) for _ in range(9)] == [2] * 9
    assert activate(trade, username, code) == 0
    other = inactive(trade)
    send(trade, other)
    code = code_of(trade)
    assert [activate(trade, other, wrong(code)) for _ in range(10)] == [2] * 10
    reply = trade.post(ACTIVATE, {"username": other, "activationCode": code})
    assert (reply.code, "void" in reply.json["error"]) == (2, True)
    send(trade, other)
    assert activate(trade, other, code_of(trade)) == 0


def test_of_many_tries_at_once_ten_are_looked_at(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    code = code_of(trade)

    def attempt(_: int) -> str:
        request = {"username": username, "activationCode": wrong(code)}
        with contextlib.closing(Client(trade.site.port)) as client:
            return str(client.post(ACTIVATE, request).json["error"])

    with ThreadPoolExecutor(15) as threads:
        sentences = list(threads.map(attempt, range(25)))
    assert sum("wrong" in sentence for sentence in sentences) == 10
    assert sum("void" in sentence for sentence in sentences) == 15


def test_a_code_expires(trade: Trade) -> None:
    username = inactive(trade)
    send(trade, username)
    code = code_of(trade)
    trade.site.centre.clock.pass_seconds(3_600)
    reply = trade.post(ACTIVATE, {"username": username, "activationCode": code})
    assert (reply.code, "expired" in reply.json["error"]) == (2, True)


def test_the_code_is_on_disk_as_a_hash_alone(trade: Trade) -> None:
    send(trade, inactive(trade))
    ((stored,),) = trade.site.sql("SELECT code_hash FROM activation_code ORDER BY id DESC LIMIT 1")
    assert str(stored).startswith("$argon2id$")
    assert code_of(trade) not in str(stored)


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        (SEND_CODE, {}, 1),
        (SEND_CODE, {"username": ""}, 1),
        (SEND_CODE, {"username": "a b"}, 2),
        (SEND_CODE, {"username": b"%ff"}, 2),
        (SEND_CODE, {"username": "nobody"}, 200),
        (ACTIVATE, {"username": "nobody"}, 1),
        (ACTIVATE, {"activationCode": "123456"}, 1),
        (ACTIVATE, {"username": "a b", "activationCode": ""}, 1),
        (ACTIVATE, {"username": "nobody", "activationCode": "12345"}, 2),
        (ACTIVATE, {"username": "nobody", "activationCode": b"%ff"}, 2),
        (ACTIVATE, {"username": "nobody", "activationCode": "123456"}, 200),
    ],
)
def test_parameters(trade: Trade, path: str, params: dict[str, str | bytes | None], expected: int) -> None:
    assert trade.post(path, params).code == expected
    assert trade.site.get(path).http_status == 405


@pytest.mark.parametrize("phone", ["", "1234567", "+", "12345678901234567"])
def test_a_user_without_a_number_that_an_sms_reaches_is_2(trade: Trade, phone: str) -> None:
    assert send(trade, inactive(trade, phone)) == 2


def test_users_that_need_no_code(trade: Trade) -> None:
    username = inactive(trade)
    assert activate(trade, username, "123456") == 2  # none was sent
    trade.site.sql("UPDATE user_account SET activated = TRUE WHERE username = $1", username)
    trade.site.changed()
    assert send(trade, username) == 2
    assert activate(trade, username, "123456") == 2
    for state in ("blocked", "disabled"):
        other = inactive(trade)
        trade.site.sql(f"UPDATE user_account SET {state} = TRUE WHERE username = $1", other)
        assert send(trade, other) == 2


def test_no_route_and_no_pool_number_are_2(trade: Trade) -> None:
    trade.site.sql("UPDATE route SET prefix = '61'")
    trade.site.changed()
    assert send(trade, inactive(trade, "+49 1512 3456789")) == 2
    trade.site.sql("DELETE FROM number")
    trade.site.changed()
    assert send(trade, inactive(trade)) == 2


def test_a_sixth_code_costs_no_hash_and_hashes_do_not_pile_up(trade: Trade) -> None:
    trade.site.pool("61500079989")  # the test above took the others
    username = inactive(trade)
    passwords = trade.site.centre.accounts.passwords
    with patched(passwords, "_hashing", MOST_WAITING):
        reply = trade.site.post(SEND_CODE, {"username": username})
        assert (reply.http_status, reply.code, reply.headers["retry-after"]) == (503, 9999, "1")
    assert [send(trade, username) for _ in range(5)] == [0] * 5
    with patched(passwords, "_hashing", MOST_WAITING):
        assert send(trade, username) == 2
