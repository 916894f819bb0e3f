"""creditBalance over HTTP (contract §5): strings on success, numbers in errors."""

from __future__ import annotations

import pytest

from tests.http.calls import BY_PATH, ask, is_error
from tests.http.site import CREDIT_BALANCE, POOL, SEND, WRONG_PASSWORD, Site, login


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    empty_site.user()
    empty_site.user("blocked@shop", blocked=True)
    empty_site.user("disabled@shop", disabled=True)
    empty_site.user("inactive@shop", activated=False)
    empty_site.user("rich@pre", "pre", 250_000)
    empty_site.user("also@pre", "pre")
    empty_site.user("owes@post", "post", 0, "post_paid")
    empty_site.carrier()
    empty_site.pool(*POOL)
    return empty_site


def set_balance(site: Site, customer: str, thousandths: int) -> None:
    account = "(SELECT credit_account_id FROM customer WHERE name = $2)"
    site.sql(f"UPDATE credit_account SET balance = $1 WHERE id = {account}", thousandths, customer)


PRE_PAID = [
    (250_000, "250"), (0, "0"), (1_000, "1"), (1, "0.001"), (10, "0.010"), (500, "0.500"), (250_500, "250.500"),
    (999, "0.999"), (1_010, "1.010"), (1_000_000_000, "1000000"), (123_456_789_012_345, "123456789012.345"),
]  # fmt: skip
POST_PAID = [
    (0, "0"), (-1_000, "-1"), (-1, "-0.001"), (-500, "-0.500"), (-2_500, "-2.500"), (-1_001, "-1.001"),
    (-10**12, "-1000000000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("username", "customer", "thousandths", "shown"),
    [("rich@pre", "pre", *case) for case in PRE_PAID] + [("owes@post", "post", *case) for case in POST_PAID],
)
def test_balance_and_status_are_strings_with_three_decimals_unless_whole(
    site: Site, username: str, customer: str, thousandths: int, shown: str
) -> None:
    set_balance(site, customer, thousandths)
    for method in ("get", "post"):
        reply = ask(site, method, CREDIT_BALANCE, login(username))
        assert reply.http_status == 200
        assert list(reply.json.items()) == [("creditBalance", shown), ("status", "0")]


def test_the_balance_is_the_customers(site: Site) -> None:
    set_balance(site, "pre", 3_000)
    assert site.post(SEND, BY_PATH[SEND].with_(username="also@pre", text="x" * 161)).code == 10
    for username in ("rich@pre", "also@pre"):
        assert site.get(CREDIT_BALANCE, login(username)).json["creditBalance"] == "1"


def test_a_post_paid_customer_answers_what_it_has_used_negative(site: Site) -> None:
    set_balance(site, "post", 0)
    assert site.post(SEND, BY_PATH[SEND].with_(username="owes@post", text="x" * 161)).code == 10
    assert site.get(CREDIT_BALANCE, login("owes@post")).json == {"creditBalance": "-2", "status": "0"}


ERRORS = [
    ({"username": None}, 1),
    ({"username": ""}, 1),
    ({"password": None}, 1),
    ({"password": ""}, 1),
    ({"username": "an na@shop"}, 2),
    ({"username": "anna@shop "}, 2),
    ({"username": "nobody@shop"}, 200),
    ({"password": WRONG_PASSWORD}, 3),
    ({"username": "disabled@shop"}, 3),
    ({"username": "blocked@shop"}, 4),
    ({"username": "inactive@shop"}, 220),
    ({"username": "an na@shop", "password": None}, 1),
    ({"username": "an na@shop", "password": WRONG_PASSWORD}, 2),
    ({"username": "nobody@shop", "password": WRONG_PASSWORD}, 200),
    ({"username": "blocked@shop", "password": WRONG_PASSWORD}, 3),
    ({"username": "inactive@shop", "password": WRONG_PASSWORD}, 3),
]


@pytest.mark.parametrize(("changed", "status"), ERRORS)
def test_an_error_is_a_number(site: Site, changed: dict[str, str | None], status: int) -> None:
    sent = {name: value for name, value in {**login(), **changed}.items() if value is not None}
    for method in ("get", "post"):
        reply = ask(site, method, CREDIT_BALANCE, sent)
        assert (reply.http_status, reply.code) == (200, status)
        assert list(reply.json) == ["status", "error"]
        assert is_error(reply.json, "status")
