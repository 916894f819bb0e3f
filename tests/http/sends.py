"""A site to send from, and what sendSingle2 is asked and looked at with."""

from __future__ import annotations

from tests.http.calls import BY_PATH, is_error
from tests.http.site import ALL_MESSAGES, CREDIT_BALANCE, POOL, SEND, Reply, Site, login

GOOD = BY_PATH[SEND].good
OWN_NUMBER = "61400000001"
CUSTOMERS_NUMBER = "61400000002"
FOREIGN_NUMBER = "61400000003"
NO_ROUTE = "4915112345678"
USED = "a-reference-of-another-text"
_TOUCHED = (
    "mt",
    "outbox",
    "entry",
    "reply_pair",
    "client_reference",
    "ledger_entry",
    "mt_scheduled",
    "mt_joining",
)


def furnish(site: Site) -> Site:
    """Accounts in every state, a carrier for 61, a pool, numbers and names that may and may not be used."""
    anna = site.user()
    other = site.user("other@firm", "firm")
    for name, column in (("blocked", "blocked"), ("disabled", "disabled"), ("expired", "password_expired")):
        site.user(f"{name}@shop", **{column: True})  # type: ignore[arg-type]  # columns alone
    site.user("inactive@shop", activated=False)
    site.user("named@shop", source_address="ACME")
    site.user("poor@poor", "poor", 1_000)
    site.carrier("sim", "61")
    site.pool(*POOL)
    site.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", OWN_NUMBER, anna.id)
    site.sql("INSERT INTO number (number, customer_id) VALUES ($1, $2)", CUSTOMERS_NUMBER, anna.customer_id)
    site.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", FOREIGN_NUMBER, other.id)
    site.sql("INSERT INTO sender (customer_id, name) VALUES ($1, 'ACME')", anna.customer_id)
    site.changed()
    for username in ("anna@shop", "poor@poor"):
        assert send(site, username=username, text="the first text", clientRef=USED).code == 10
    return site


def send(site: Site, **changed: str | bytes | None) -> Reply:
    params = {**GOOD, **changed}
    return site.post(SEND, {name: value for name, value in params.items() if value is not None})


def balance(site: Site, username: str = "anna@shop") -> float:
    return float(site.get(CREDIT_BALANCE, login(username)).json["creditBalance"])


def shown(site: Site, document_id: str, username: str = "anna@shop") -> dict[str, object]:
    # A mailbox that runs ahead of the clock may hold its newest second back for 2 s.
    site.centre.clock.pass_seconds(10)
    since = int(document_id[:8], 16) - 1
    answer = site.get(ALL_MESSAGES, {**login(username), "since": str(since)}).json
    found: list[dict[str, object]] = [
        one for one in answer["outgoingMessages"] if one["documentId"] == document_id
    ]
    assert len(found) == 1
    return found[0]


def sender_of(site: Site, document_id: str) -> object:
    ((sender,),) = site.sql("SELECT sender FROM mt WHERE id = $1", document_id)
    return sender


def rows(site: Site) -> list[tuple[object, ...]]:
    return site.sql("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in _TOUCHED))


def assert_error(reply: Reply) -> None:
    assert list(reply.json) == ["recipient", "messageStatus", "error"]
    assert is_error(reply.json, "messageStatus")
