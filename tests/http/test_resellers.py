"""The resellers' calls over HTTP (contract §9): every parameter, every code, what is on disk afterwards."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from rejoinder.flow.passwords import hash_password
from tests.http.calls import is_error
from tests.http.resellers import (
    ADD_CREDITS,
    BALANCE,
    CREATE_BOTH,
    CREATE_CUSTOMER,
    CREATE_USER,
    CREDIT,
    SECRET,
    Trade,
    good,
)
from tests.http.site import ALL_MESSAGES, CREDIT_BALANCE, SEND, WRONG_PASSWORD, Client, Site, encoded

CALLS = (ADD_CREDITS, BALANCE, CREATE_BOTH, CREATE_CUSTOMER, CREATE_USER)
each_call = pytest.mark.parametrize("path", CALLS, ids=lambda path: path.split("/", 3)[3])
HEX_ID = "0123456789abcdef"


@pytest.fixture(scope="module")
def trade(empty_site: Site) -> Trade:
    trade = Trade(empty_site)
    trade.reseller("acme", credits=1_000 * CREDIT, free_credits=5 * CREDIT)
    trade.reseller("rival", credits=1_000 * CREDIT)
    trade.customer("shop", credits=100 * CREDIT)
    trade.customer("theirs", "rival", credits=100 * CREDIT)
    return trade


def code(reply_or_trade: Trade, path: str, **changed: str | bytes | None) -> object:
    reply = reply_or_trade.post(path, {**good(reply_or_trade, path), **changed})
    assert is_error(reply.json, "status") == (reply.code != 0)
    return reply.code


# Parameters (contract §9, §1).

REQUIRED = {
    ADD_CREDITS: "reseller password customer creditsToAdd",
    BALANCE: "reseller password customer",
    CREATE_BOTH: "username password customer resellerName resellerPassword applyFreeCredits",
    CREATE_CUSTOMER: "name resellerName resellerPassword",
    CREATE_USER: "username password resellerName resellerPassword customerId email phoneNumber",
}
OPTIONAL = {
    ADD_CREDITS: "",
    BALANCE: "",
    CREATE_BOTH: "contactName email phoneNumber",
    CREATE_CUSTOMER: "integrationId rotationAlgorithm billingType",
    CREATE_USER: "finalStatusPush sourceAddress swappingSourceAddressAllowed",
}


def _pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(path, name) for path, names in table.items() for name in names.split()]


@pytest.mark.parametrize(("path", "name"), _pairs(REQUIRED))
def test_a_required_parameter_that_is_absent_or_empty_is_1(trade: Trade, path: str, name: str) -> None:
    for value in (None, ""):
        reply = trade.post(path, {**good(trade, path), name: value})
        assert reply.code == 1
        assert reply.json["error"].startswith(name)


@pytest.mark.parametrize(("path", "name"), _pairs(REQUIRED) + _pairs(OPTIONAL))
def test_a_parameter_that_is_no_text_is_2_and_nothing_is_made(trade: Trade, path: str, name: str) -> None:
    before = (
        len(trade.site.sql("SELECT id FROM customer")),
        len(trade.site.sql("SELECT id FROM user_account")),
    )
    for value in (b"%ff", b"%00", b"%", b"%ed%a0%80"):
        reply = trade.post(path, {**good(trade, path), name: value})
        assert reply.code == 2
        assert reply.json["error"].startswith(name)
    assert before == (
        len(trade.site.sql("SELECT id FROM customer")),
        len(trade.site.sql("SELECT id FROM user_account")),
    )


@pytest.mark.parametrize(("path", "name"), _pairs(OPTIONAL))
def test_an_optional_parameter_that_is_empty_is_absent(trade: Trade, path: str, name: str) -> None:
    billing = {"billingType": "PRE_PAID"} if path == CREATE_CUSTOMER and name != "billingType" else {}
    expected = 321 if name == "billingType" else 0  # its default is POST_PAID, and acme is pre-paid
    assert code(trade, path, **billing, **{name: ""}) == expected


LONG = "x" * 256
INVALID = [
    *((path, name, value) for path, name in (
        (ADD_CREDITS, "customer"), (BALANCE, "customer"), (CREATE_BOTH, "customer"), (CREATE_CUSTOMER, "name"),
        (CREATE_BOTH, "username"), (CREATE_USER, "username"),
    ) for value in ("a b", " ab", "ab ", "a\tb", "a\u00a0b", LONG)),
    *((path, name, value) for path, name in (
        (ADD_CREDITS, "reseller"), (BALANCE, "reseller"), (CREATE_BOTH, "resellerName"),
        (CREATE_CUSTOMER, "resellerName"), (CREATE_USER, "resellerName"),
    ) for value in ("ac me", "acme ", "ac@me", LONG)),
    *((ADD_CREDITS, "creditsToAdd", value) for value in (
        "one", "1.0001", "1e3", "0x1", "1,5", " 1", "1 ", "--1", "1.", ".5", "NaN", "Infinity", "١", "１", "1_000",
        "1000000000000000",
    )),
    *((CREATE_BOTH, "applyFreeCredits", value) for value in ("yes", "1", "0", "tru", "true ", "ja")),
    *((CREATE_USER, "swappingSourceAddressAllowed", value) for value in ("yes", "1", "0", "fals")),
    *((path, "email", value) for path in (CREATE_BOTH, CREATE_USER) for value in (
        "desk", "@", "desk@", "@shop", "a b@shop.example", "a@b@c", LONG + "@b",
    )),
    *((path, "phoneNumber", value) for path in (CREATE_BOTH, CREATE_USER) for value in (
        "61-255", "(61)", "six", "٦١", "61\t2", "1" * 256,
    )),
    (CREATE_BOTH, "contactName", "a\nb"),
    (CREATE_BOTH, "contactName", LONG),
    (CREATE_CUSTOMER, "integrationId", LONG),
    *((CREATE_CUSTOMER, "rotationAlgorithm", value) for value in ("MAX", "MAX-ROTATION", "CONVERSATION ", "1")),
    *((CREATE_CUSTOMER, "billingType", value) for value in ("PREPAID", "PRE-PAID", "POST_PAID ", "later")),
    *((CREATE_USER, "sourceAddress", value) for value in ("A", "twelve-chars", "ABCDEFGHIJKL", "12", "1" * 17, "A B")),
    *((path, "password", "x" * 256) for path in (CREATE_BOTH, CREATE_USER)),
    *((CREATE_USER, "finalStatusPush", value) for value in (
        "https://shop.example/", "{}", "[]", "null", '{"type": "URL"}', '{"type": "MAIL", "data": {"url": "https://a/"}}',
        '{"type": "URL", "data": {}}', '{"type": "URL", "data": {"url": "ftp://shop.example/"}}',
        '{"type": "URL", "data": {"url": ""}}', '{"type": "URL", "data": {"url": "https://shop.example/?x={{nothing}}"}}',
        '{"type": "URL", "data": {"url": "https://{{from}}.example/"}}', '{"type": "URL", "data": {"url": 5}}',
        '{"type": "URL", "data": {"url": "https://a/", "method": "PUT"}}',
        '{"type": "URL", "data": {"url": "https://a/", "method": "POST"}}',
        '{"type": "URL", "data": {"url": "https://a/", "method": "POST", "secrets": ["whsec_short"]}}',
    )),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "value"), INVALID)
def test_an_invalid_value_is_2(trade: Trade, path: str, name: str, value: str) -> None:
    reply = trade.post(path, {**good(trade, path), name: value})
    assert reply.code == 2
    assert reply.json["error"].startswith(name)


VALID = [
    *((CREATE_USER, "finalStatusPush", value) for value in (
        '{"type": "URL", "data": {"url": "https://shop.example/status?s={{status}}&t={{text}}"}}',
        '{"data":{"url":"http://shop.example:8080"},"type":"URL"}',
        '{"type":"URL","data":{"url":"https://a/","method":"POST","secrets":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}}',
    )),
    *((ADD_CREDITS, "creditsToAdd", value) for value in ("1", "0", "+1", "-1", "0.5", "1.25", "1.125", "-0.001", "007")),
    *((CREATE_BOTH, "applyFreeCredits", value) for value in ("true", "TRUE", "False", "fAlSe")),
    *((CREATE_USER, "swappingSourceAddressAllowed", value) for value in ("true", "FALSE", "True")),
    *((path, "phoneNumber", value) for path in (CREATE_BOTH, CREATE_USER) for value in (
        "+61 255 588 885", "1", "++", "   ",
    )),
    *((path, "email", value) for path in (CREATE_BOTH, CREATE_USER) for value in (
        "a@b", "d.e+f@g.example", "ü@ö.example",
    )),
    (CREATE_BOTH, "contactName", "Ü ö/=+"),
    *((CREATE_CUSTOMER, "rotationAlgorithm", value) for value in ("MAX_ROTATION", "CONVERSATION", "conversation")),
    (CREATE_CUSTOMER, "integrationId", "id 7"),
    *((CREATE_USER, "sourceAddress", value) for value in ("SHOP", "A1", "61500000001", "+61500000001", "123")),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "value"), VALID)
def test_a_valid_value_is_0(trade: Trade, path: str, name: str, value: str) -> None:
    assert code(trade, path, **{name: value}) == 0


@each_call
def test_old_names_of_parameters_are_taken(trade: Trade, path: str) -> None:
    older = {"reseller": "resellerName", "customer": "customerName", "resellerName": "reseller"}
    params = {older.get(name, name): value for name, value in good(trade, path).items()}
    assert trade.post(path, params).code == 0


@each_call
def test_the_newer_of_two_names_counts(trade: Trade, path: str) -> None:
    params = good(trade, path)
    name, older = ("reseller", "resellerName") if "reseller" in params else ("resellerName", "reseller")
    assert code(trade, path, **{older: "nobody"}) == 0
    assert code(trade, path, **{older: params[name], name: "nobody"}) == 400
    assert code(trade, path, **{older: params[name], name: ""}) == 0


def test_changes_take_post_only_and_balance_get_as_well(trade: Trade) -> None:
    for path in CALLS:
        given = {name: value for name, value in good(trade, path).items() if value is not None}
        reply = trade.site.get(path, given)
        if path == BALANCE:
            assert (reply.http_status, reply.code) == (200, 0)
        else:
            assert (reply.http_status, reply.headers["allow"], reply.code) == (405, "POST", 2)


def test_a_post_may_carry_its_parameters_in_the_query_string(trade: Trade) -> None:
    given = {name: value for name, value in good(trade, CREATE_CUSTOMER).items() if value is not None}
    assert trade.site.request("POST", CREATE_CUSTOMER, encoded(given)).code == 0


# Who calls.


@each_call
def test_unknown_wrong_disabled_and_blocked_resellers(trade: Trade, path: str) -> None:
    name, password = (
        ("reseller", "password") if path in (ADD_CREDITS, BALANCE) else ("resellerName", "resellerPassword")
    )
    for state in ("blocked", "disabled"):
        if not trade.there("reseller", name=state):
            trade.reseller(state, credits=CREDIT)
            trade.customer("theirs", state)
            trade.set("reseller", state, **{state: True})
    blocked = 3 if path == CREATE_BOTH else 4  # 4 is not among its codes
    for reseller, secret, expected in (
        ("nobody", SECRET, 400),
        ("ACME", SECRET, 400),
        ("acme", WRONG_PASSWORD, 3),
        ("acme", SECRET + " ", 3),
        ("disabled", SECRET, 3),
        ("blocked", SECRET, blocked),
        ("blocked", WRONG_PASSWORD, 3),
    ):
        reply = trade.post(path, {**good(trade, path), name: reseller, password: secret})
        assert reply.code == expected, reseller
        assert reply.json["error"].startswith(f"{name}: ") == (expected == 400)


def test_a_users_name_and_password_are_no_resellers(trade: Trade) -> None:
    trade.user("anna@acme", "acme/shop")
    assert code(trade, BALANCE, reseller="anna") == 400
    assert code(trade, BALANCE, reseller="anna@acme") == 2


def test_a_new_reseller_password_counts_at_once_and_the_old_no_more(trade: Trade) -> None:
    trade.reseller("changer")
    trade.customer("own", "changer")
    assert code(trade, BALANCE, reseller="changer", customer="own") == 0
    trade.set("reseller", "changer", password_hash=hash_password("another"))
    assert code(trade, BALANCE, reseller="changer", customer="own") == 3
    assert code(trade, BALANCE, reseller="changer", customer="own", password="another") == 0


# Credits.

SHOWN = [
    (0, "0"), (1, "0.001"), (10, "0.01"), (500, "0.5"), (1_000, "1"), (1_500_000, "1500"), (12_345, "12.345"),
    (123_456_789_012_345, "123456789012.345"), (10**15, "1000000000000"),
]  # fmt: skip


@pytest.mark.parametrize(("thousandths", "shown"), SHOWN)
def test_credits_are_a_number_whole_or_with_up_to_three_decimals(
    trade: Trade, thousandths: int, shown: str
) -> None:
    if not trade.there("customer", name="counted"):
        trade.customer("counted", "rival")
    account = "(SELECT credit_account_id FROM customer WHERE name = 'counted')"
    trade.site.sql(f"UPDATE credit_account SET balance = $1 WHERE id = {account}", thousandths)
    for path, more in ((BALANCE, {}), (ADD_CREDITS, {"creditsToAdd": "0"})):
        reply = trade.post(path, {**good(trade, path, "rival", "counted"), **more})
        assert reply.body.decode() == f'{{"credits":{shown},"status":0}}'


def test_credits_move_by_double_entry_there_and_back(trade: Trade) -> None:
    trade.reseller("bank", credits=10 * CREDIT)
    trade.customer("till", "bank")
    own = [
        trade.record(kind, name)["credit_account_id"]
        for kind, name in (("reseller", "bank"), ("customer", "till"))
    ]
    before = len(trade.ledger())
    for amount, till in (("2.5", 2.5), ("-0.5", 2), ("-2", 0), ("10", 10)):
        reply = trade.post(ADD_CREDITS, {**good(trade, ADD_CREDITS, "bank", "till"), "creditsToAdd": amount})
        assert reply.json == {"credits": till, "status": 0}
        assert trade.credits("reseller", "bank") == (10 - till) * CREDIT
        assert trade.credits("customer", "till") == till * CREDIT
    assert trade.ledger()[before:] == [
        (own[0], own[1], 2_500, "credits"),
        (own[1], own[0], 500, "credits"),
        (own[1], own[0], 2_000, "credits"),
        (own[0], own[1], 10_000, "credits"),
    ]


@pytest.mark.parametrize("amount", ["10.001", "-5.001", "999999999999.999", "-999999999999.999"])
def test_a_pre_paid_side_never_falls_below_0(trade: Trade, amount: str) -> None:
    if not trade.there("reseller", name="poor"):
        trade.reseller("poor", credits=10 * CREDIT)
        trade.customer("purse", "poor", credits=5 * CREDIT)
    before = trade.ledger()
    reply = trade.post(ADD_CREDITS, {**good(trade, ADD_CREDITS, "poor", "purse"), "creditsToAdd": amount})
    assert (reply.code, "credits" in reply.json) == (320, False)
    assert trade.ledger() == before
    assert (trade.credits("reseller", "poor"), trade.credits("customer", "purse")) == (
        10 * CREDIT,
        5 * CREDIT,
    )


def test_a_post_paid_reseller_has_no_limit_and_its_post_paid_customers_hold_no_credits(trade: Trade) -> None:
    trade.reseller("later", billing="post_paid", default_customer_billing="post_paid")
    trade.customer("prepaid", "later")
    trade.customer("billed", "later", billing="post_paid")
    given = good(trade, ADD_CREDITS, "later", "prepaid")
    assert trade.post(ADD_CREDITS, {**given, "creditsToAdd": "250000.5"}).json == {
        "credits": 250000.5,
        "status": 0,
    }
    assert trade.credits("reseller", "later") == -250_000_500
    for amount in ("1", "-1", "0"):
        assert trade.post(ADD_CREDITS, {**given, "customer": "billed", "creditsToAdd": amount}).code == 421


def test_a_post_paid_customer_under_a_pre_paid_reseller_is_321(trade: Trade) -> None:
    trade.customer("clash", credits=0)
    account = "(SELECT credit_account_id FROM customer WHERE name = 'clash')"
    trade.site.sql(f"UPDATE credit_account SET billing = 'post_paid' WHERE id = {account}")
    assert code(trade, ADD_CREDITS, customer="clash") == 321


def test_more_than_an_account_holds_is_2(trade: Trade) -> None:
    trade.reseller("mint", billing="post_paid")
    trade.customer("vault", "mint", credits=999_999_999_999 * CREDIT)
    given = good(trade, ADD_CREDITS, "mint", "vault")
    assert trade.post(ADD_CREDITS, {**given, "creditsToAdd": "1.001"}).code == 2
    assert trade.post(ADD_CREDITS, {**given, "creditsToAdd": "1"}).json["credits"] == 10**12


def test_a_post_paid_customers_balance_is_what_it_has_used(trade: Trade) -> None:
    trade.customer("spender", "later" if trade.there("reseller", name="later") else "rival")
    account = "(SELECT credit_account_id FROM customer WHERE name = 'spender')"
    trade.site.sql(f"UPDATE credit_account SET billing = 'post_paid', balance = -2500 WHERE id = {account}")
    owner = str(trade.record("customer", "spender")["reseller"])
    assert trade.post(BALANCE, good(trade, BALANCE, owner, "spender")).json == {"credits": -2.5, "status": 0}


# Other resellers' customers.


@pytest.mark.parametrize("path", [ADD_CREDITS, BALANCE])
def test_anothers_customer_is_420_and_nobodys_300(trade: Trade, path: str) -> None:
    before = trade.ledger()
    assert code(trade, path, customer="theirs") == 420
    assert code(trade, path, customer="nobodys") == 300
    assert trade.ledger() == before


def test_a_name_that_two_resellers_have_is_each_ones_own(trade: Trade) -> None:
    for owner, has in (("acme", 3), ("rival", 4)):
        trade.customer("twin", owner, credits=has * CREDIT)
        assert trade.post(BALANCE, good(trade, BALANCE, owner, "twin")).json["credits"] == has
    assert trade.post(ADD_CREDITS, good(trade, ADD_CREDITS, "acme", "twin")).json["credits"] == 4
    assert trade.credits("customer", "rival/twin") == 4 * CREDIT


def test_a_user_of_anothers_customer_is_420_and_of_nobodys_300(trade: Trade) -> None:
    foreign = trade.customer_id("rival/theirs")
    assert code(trade, CREATE_USER, customerId=foreign) == 420
    number = len(trade.site.sql("SELECT id FROM user_account"))
    own = trade.customer_id("acme/shop")
    for unknown in ("f" * 24, "0" * 24, own[:8] + "f" * 16, "0" * 8 + own[8:], own.upper() + "a", own[:-1], "7", "shop",
                    own + "0", "٧", own[8:].lstrip("0")):  # fmt: skip
        assert code(trade, CREATE_USER, customerId=unknown) == 300, unknown
    assert len(trade.site.sql("SELECT id FROM user_account")) == number


# What is made.


def test_customer_user_create_makes_a_customer_and_its_user_who_can_log_in(trade: Trade) -> None:
    params = {
        **good(trade, CREATE_BOTH),
        "username": "61500000001@acme",
        "customer": "bakery",
        "contactName": "Front desk",
        "email": "desk@bakery.example",
        "phoneNumber": "+61 5",
    }
    assert trade.post(CREATE_BOTH, params).json == {"status": 0}
    customer, user = trade.record("customer", "bakery"), trade.record("user", "61500000001@acme")
    assert (customer["reseller"], customer["billing"], customer["balance"]) == ("acme", "pre_paid", 0)
    assert [customer[name] for name in ("contact_name", "email", "phone_number", "rotation")] == [
        "Front desk", "desk@bakery.example", "+61 5", "max_rotation",
    ]  # fmt: skip
    assert (user["customer"], user["activated"], user["phone_number"]) == ("bakery", True, "+61 5")
    login = {"username": "61500000001@acme", "password": "new"}
    assert trade.site.get(CREDIT_BALANCE, login).json == {"creditBalance": "0", "status": "0"}
    assert trade.site.get(ALL_MESSAGES, {**login, "since": "0"}).code == 0


def test_free_credits_come_from_the_resellers_own(trade: Trade) -> None:
    trade.reseller("giver", credits=8 * CREDIT, free_credits=5 * CREDIT)
    first, second, third = (
        good(trade, CREATE_BOTH, "giver") | {"customer": f"gift{n}", "username": f"gift{n}"}
        for n in (1, 2, 3)
    )
    assert trade.post(CREATE_BOTH, {**first, "applyFreeCredits": "TRUE"}).code == 0
    assert (trade.credits("reseller", "giver"), trade.credits("customer", "gift1")) == (
        3 * CREDIT,
        5 * CREDIT,
    )
    assert trade.ledger()[-1][2:] == (5 * CREDIT, "free_credits")
    assert trade.post(CREATE_BOTH, {**second, "applyFreeCredits": "true"}).code == 320
    assert not trade.there("customer", name="gift2")
    assert not trade.there("user", username="gift2")
    assert trade.post(CREATE_BOTH, {**third, "applyFreeCredits": "false"}).code == 0
    assert trade.credits("reseller", "giver") == 3 * CREDIT


def test_its_billing_is_the_resellers_default(trade: Trade) -> None:
    trade.reseller(
        "monthly", billing="post_paid", default_customer_billing="post_paid", free_credits=2 * CREDIT
    )
    params = {**good(trade, CREATE_BOTH, "monthly"), "customer": "payer", "applyFreeCredits": "true"}
    assert trade.post(CREATE_BOTH, params).code == 0
    payer = trade.record("customer", "payer")
    assert (payer["billing"], payer["balance"], trade.credits("reseller", "monthly")) == (
        "post_paid",
        2_000,
        -2_000,
    )


def test_customer_create_answers_the_id_that_user_create_takes(trade: Trade) -> None:
    reply = trade.post(
        CREATE_CUSTOMER,
        {
            **good(trade, CREATE_CUSTOMER),
            "name": "kiosk",
            "integrationId": "k-7",
            "rotationAlgorithm": "CONVERSATION",
        },
    )
    customer_id = reply.json["customerId"]
    assert set(reply.json) == {"customerId", "status"}
    assert (len(customer_id), set(customer_id) <= set(HEX_ID)) == (24, True)
    assert int(customer_id[:8], 16) == trade.site.centre.clock.wall_us() // 1_000_000
    kiosk = trade.record("customer", "kiosk")
    assert [kiosk[name] for name in ("billing", "integration_id", "rotation")] == [
        "pre_paid",
        "k-7",
        "conversation",
    ]
    made = trade.post(
        CREATE_USER,
        {
            **good(trade, CREATE_USER),
            "customerId": customer_id,
            "username": "till@acme",
            "sourceAddress": "+61500000009",
            "swappingSourceAddressAllowed": "true",
        },
    )
    assert set(made.json) == {"userId", "status"}
    assert len(made.json["userId"]) == 24
    user = trade.record("user", "till@acme")
    assert [user[name] for name in ("customer", "source_address", "swapping_source_address_allowed", "email")] == [
        "kiosk", "61500000009", True, "a@b.example",
    ]  # fmt: skip
    assert trade.site.get(CREDIT_BALANCE, {"username": "till@acme", "password": "new"}).json["status"] == "0"


def test_a_source_address_that_is_not_the_users_own_sends_nothing(trade: Trade) -> None:
    assert code(trade, CREATE_USER, username="liar@acme", sourceAddress="BANK") == 0
    sent = {"username": "liar@acme", "password": "new", "text": "hi", "recipient": "61255588885"}
    assert trade.site.post(SEND, sent).code == 13


def test_billing_is_post_paid_by_default_which_a_pre_paid_reseller_answers_with_321(trade: Trade) -> None:
    assert code(trade, CREATE_CUSTOMER, name="default", billingType=None) == 321
    assert code(trade, CREATE_CUSTOMER, name="default", billingType="POST_PAID") == 321
    assert not trade.there("customer", name="default")
    trade.reseller("credit", billing="post_paid")
    params = {**good(trade, CREATE_CUSTOMER, "credit"), "name": "default", "billingType": None}
    assert trade.post(CREATE_CUSTOMER, params).code == 0
    assert trade.record("customer", "default")["billing"] == "post_paid"


def test_names_that_are_taken(trade: Trade) -> None:
    trade.customer("mine")
    trade.user("one@acme", "mine")
    assert code(trade, CREATE_CUSTOMER, name="mine") == 301
    assert code(trade, CREATE_BOTH, customer="mine") == 301
    assert code(trade, CREATE_BOTH, username="one@acme", customer="unmade") == 201
    assert code(trade, CREATE_USER, username="one@acme") == 201
    assert not trade.there("customer", name="unmade")
    # A customer's name is free elsewhere, a user's nowhere.
    assert (
        trade.post(CREATE_CUSTOMER, {**good(trade, CREATE_CUSTOMER, "rival", "theirs"), "name": "mine"}).code
        == 0
    )
    assert (
        trade.post(CREATE_USER, {**good(trade, CREATE_USER, "rival", "theirs"), "username": "one@acme"}).code
        == 201
    )


def test_where_the_reseller_requires_it_users_start_inactive(trade: Trade) -> None:
    trade.reseller("strict", require_activation=True)
    trade.customer("first", "strict")
    assert trade.post(CREATE_BOTH, {**good(trade, CREATE_BOTH, "strict"), "username": "a@strict"}).code == 0
    assert (
        trade.post(CREATE_USER, {**good(trade, CREATE_USER, "strict", "first"), "username": "b@strict"}).code
        == 0
    )
    for username in ("a@strict", "b@strict"):
        login = {"username": username, "password": "new"}
        assert trade.site.get(CREDIT_BALANCE, login).code == 220
        assert trade.site.get(ALL_MESSAGES, {**login, "since": "0"}).code == 220
        assert trade.site.post(SEND, {**login, "text": "hi", "recipient": "61255588885"}).code == -201


# At once.


def test_of_many_who_create_one_name_at_once_exactly_one_does(trade: Trade) -> None:
    for path, names, taken in (
        (CREATE_CUSTOMER, {"name": "raced"}, 301),
        (CREATE_USER, {"username": "raced@acme"}, 201),
        (CREATE_BOTH, {"username": "both@acme", "customer": "both"}, 201),
        (CREATE_BOTH, {"customer": "one-of-many"}, 301),
    ):
        request = {name: value for name, value in {**good(trade, path), **names}.items() if value is not None}

        def create(n: int, path: str = path, request: dict[str, str | bytes] = request) -> object:
            own = (
                {"username": f"racer{n}@acme"} if "customer" in request and "both" not in str(request) else {}
            )
            with contextlib.closing(Client(trade.site.port)) as client:
                return client.post(path, {**request, **own}).code

        with ThreadPoolExecutor(20) as threads:
            codes = sorted(cast("list[int]", list(threads.map(create, range(20)))))
        assert codes == [0] + [taken] * 19
    assert len(trade.site.sql("SELECT id FROM user_account WHERE username LIKE 'racer%'")) == 1
