"""The operator's journeys on both stores: accounts, credits, numbers, carriers, routes (contract §1, §9, §11, §12)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from rejoinder.errors import ConfigInvalid, NotFound, Refused
from rejoinder.flow import ledger
from rejoinder.flow.operator import accounts, fields, lookup, networks, numbers
from rejoinder.flow.operator.accounts import NewCustomer, NewReseller, NewUser, changing
from rejoinder.flow.operator.shown import state
from rejoinder.flow.ports import Head, Kind, Record, Store, Tables, Tx

NOW = 1_700_000_000_000_000

Change = Callable[[Tx, str, Mapping[str, object]], Awaitable[Record]]


def no_check(kind: str, settings: Mapping[str, str]) -> None:
    """A carrier's kind that takes everything."""


def refuses_everything(kind: str, settings: Mapping[str, str]) -> None:
    raise ConfigInvalid(f"{kind} can't have {', '.join(settings)}", "settings")


async def _carrier(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    return await networks.change_carrier(tx, name, changes, no_check)


CHANGES: dict[Kind, Change] = {
    "reseller": accounts.change_reseller,
    "customer": accounts.change_customer,
    "user": accounts.change_user,
    "number": numbers.change_number,
    "carrier": _carrier,
    "route": networks.change_route,
}


class Operator:
    """The operator's commands in short."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def reseller(self, name: str = "acme", **fields: object) -> Record:
        new = NewReseller(name=name, password_hash="-", **fields)  # type: ignore[arg-type]  # tests give the right ones
        return await changing(self.store, lambda tx: accounts.add_reseller(tx, new, NOW))

    async def customer(self, name: str = "shop", reseller: str = "acme", **fields: object) -> Record:
        new = NewCustomer(name=name, **fields)  # type: ignore[arg-type]  # as above

        async def added(tx: Tx) -> Record:
            return await accounts.add_customer(tx, await lookup.one(tx, "reseller", reseller), new, NOW)

        return await changing(self.store, added)

    async def user(self, username: str = "anna@acme", customer: str = "shop", **fields: object) -> Record:
        new = NewUser(username=username, password_hash="-", **fields)  # type: ignore[arg-type]  # as above

        async def added(tx: Tx) -> Record:
            return await accounts.add_user(tx, await lookup.one(tx, "customer", customer), new, NOW)

        return await changing(self.store, added)

    async def number(self, number: str, customer: str | None = None, user: str | None = None) -> Record:
        return await changing(self.store, lambda tx: numbers.add_number(tx, number, customer, user))

    async def carrier(self, name: str = "demo", **settings: str) -> Record:
        work = lambda tx: networks.add_carrier(tx, name, "simulator", settings, no_check)  # noqa: E731 - one line
        return await changing(self.store, work)

    async def route(self, prefix: str = "", carrier: str = "demo", priority: int = 0) -> Record:
        return await changing(
            self.store,
            lambda tx: networks.add_route(
                tx, prefix, carrier, {"priority": priority, "weight": 1, "on_unknown": "resend"}
            ),
        )

    async def set(self, kind: Kind, name: str, /, **given: str) -> Record:
        changes = fields.changes(kind, given.items())
        return await changing(self.store, lambda tx: CHANGES[kind](tx, name, changes))

    async def grant(self, record: Record, amount: int) -> None:
        account = record["credit_account_id"]
        await self.store.write(lambda tx: ledger.grant(tx, account, amount, NOW))

    async def remove(self, kind: Kind, name: str) -> None:
        async def gone(tx: Tx) -> None:
            await tx.registry.remove(kind, await lookup.one(tx, kind, name))

        await changing(self.store, gone)

    async def show(self, kind: Kind, name: str) -> Record:
        return await lookup.one(self.store.read, kind, name)


@pytest.fixture
async def operator(store: Store) -> Operator:
    """Reseller acme, its customer shop, its user anna@acme."""
    made = Operator(store)
    await made.reseller()
    await made.customer()
    await made.user()
    return made


async def names(tables: Tables, kind: Kind) -> list[object]:
    return [record["name"] for record in await tables.registry.find(kind, {})]


async def test_a_user_is_made_with_its_two_boxes_and_can_be_looked_up_by_its_calls(
    operator: Operator,
) -> None:
    user = await operator.show("user", "anna@acme")
    for box_id in (user["id"], -user["id"]):
        assert await operator.store.read.mailboxes.head(box_id) == Head(0, 0, 0)
    row = await operator.store.read.directory.user("anna@acme")
    assert row is not None
    assert (row.id, row.activated, row.blocked, row.disabled) == (user["id"], True, False, False)
    assert (user["customer"], user["reseller"]) == ("shop", "acme")


async def test_a_taken_name_is_refused_and_nothing_of_the_second_is_kept(operator: Operator) -> None:
    accounts_before = await operator.store.read.credits.counts()
    for adding in (operator.reseller(), operator.customer(credits=5000), operator.user()):
        with pytest.raises(Refused, match="exists already"):
            await adding
    assert await operator.store.read.credits.counts() == accounts_before


async def test_a_customers_name_is_unique_within_its_reseller_only(operator: Operator) -> None:
    await operator.reseller("bell")
    await operator.customer("shop", "bell")
    with pytest.raises(Refused, match="say which of acme/shop, bell/shop"):
        await operator.show("customer", "shop")
    with pytest.raises(Refused, match="ambiguous"):
        await operator.user("bert@bell", "shop")
    assert (await operator.user("bert@bell", "bell/shop"))["reseller"] == "bell"


async def test_a_customers_name_may_have_slashes(operator: Operator) -> None:
    await operator.customer("shop/north")
    assert (await operator.show("customer", "shop/north"))["name"] == "shop/north"
    assert (await operator.show("customer", "acme/shop/north"))["name"] == "shop/north"


UNKNOWN: list[tuple[Kind, str]] = [
    ("reseller", "x"),
    ("customer", "x"),
    ("customer", "x/shop"),
    ("user", "ANNA@acme"),
    ("number", "123"),
    ("sender", "X"),
    ("carrier", "x"),
    ("route", "61"),
]


async def test_an_unknown_name_is_not_found(operator: Operator) -> None:
    for kind, name in UNKNOWN:
        with pytest.raises(NotFound):
            await operator.show(kind, name)


async def test_names_that_look_like_sql_are_names(operator: Operator) -> None:
    name = "x'); -- $1 ?1 :a"
    with pytest.raises(NotFound):
        await operator.show("user", name)
    nasty = name.replace(" ", "_")
    await operator.user(nasty)
    assert (await operator.show("user", nasty))["username"] == nasty


async def test_no_column_but_the_tables_own_can_be_written_or_asked_for(operator: Operator) -> None:
    user = await operator.show("user", "anna@acme")
    with pytest.raises(KeyError):
        await operator.store.write(lambda tx: tx.registry.change("user", user, {"id = 1; --": 1}))
    with pytest.raises(KeyError):
        await operator.store.read.registry.find("user", {"1 = 1 OR id": 1})


async def test_two_additions_at_once_make_one_user(operator: Operator) -> None:
    results = await asyncio.gather(*(operator.user("bert@acme") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, Refused) for result in results) == 4
    assert (await names(operator.store.read, "user")).count("bert@acme") == 1


async def test_a_change_is_announced_to_running_servers(operator: Operator) -> None:
    before = await operator.store.read.directory.version()
    await operator.number("61500000001")
    after = await operator.store.read.directory.version()
    assert (after[0] > before[0], after[1]) == (True, before[1])


async def test_a_refused_change_announces_nothing(operator: Operator) -> None:
    before = await operator.store.read.directory.version()
    with pytest.raises(Refused):
        await operator.user()
    assert await operator.store.read.directory.version() == before


async def test_an_accepted_clock_is_counted_apart(operator: Operator) -> None:
    before = await operator.store.read.directory.version()
    await operator.store.write(lambda tx: tx.registry.accept_clock())
    assert await operator.store.read.directory.version() == (before[0], before[1] + 1)


# -- States


async def test_a_users_state_is_set_by_its_word(operator: Operator) -> None:
    for word in ("not_activated", "blocked", "active", "disabled", "active"):
        assert state(await operator.set("user", "anna@acme", state=word)) == word


async def test_unblocking_does_not_activate(operator: Operator) -> None:
    await operator.user("bert@acme", activated=False)
    await operator.set("user", "bert@acme", blocked="true")
    assert state(await operator.set("user", "bert@acme", blocked="false")) == "not_activated"


@pytest.mark.parametrize(("kind", "name"), [("reseller", "acme"), ("customer", "shop")])
async def test_a_reseller_or_customer_blocks_and_disables_all_its_users(
    operator: Operator, kind: Kind, name: str
) -> None:
    for word in ("blocked", "disabled", "active"):
        await operator.set(kind, name, state=word)
        row = await operator.store.read.directory.user("anna@acme")
        assert row is not None
        assert (row.blocked, row.disabled) == (word == "blocked", word == "disabled")
        assert state(await operator.show("user", "anna@acme")) == "active"


# -- Settings


SETTINGS: list[tuple[Kind, str, dict[str, str], dict[str, object]]] = [
    ("reseller", "acme", {"freeCredits": "2.5"}, {"free_credits": 2500}),
    ("reseller", "acme", {"require_activation": "true"}, {"require_activation": True}),
    ("customer", "shop", {"rotation": "conversation"}, {"rotation": "conversation"}),
    (
        "customer",
        "shop",
        {"integrationId": "7", "contactName": "B"},
        {"integration_id": "7", "contact_name": "B"},
    ),
    (
        "customer",
        "acme/shop",
        {"email": "a@b", "phoneNumber": "+61 5"},
        {"email": "a@b", "phone_number": "+61 5"},
    ),
    ("user", "anna@acme", {"sourceAddress": "SHOP"}, {"source_address": "SHOP"}),
    ("user", "anna@acme", {"swappingSourceAddressAllowed": "yes"}, {"swapping_source_address_allowed": True}),
    ("user", "anna@acme", {"passwordExpired": "true"}, {"password_expired": True}),
    ("user", "anna@acme", {"username": "anne@acme"}, {"name": "anne@acme"}),
    ("customer", "shop", {"name": "store"}, {"name": "store", "reseller": "acme"}),
]


async def test_every_setting_is_stored_and_shown(operator: Operator) -> None:
    for kind, name, given, stored in SETTINGS:
        changed = await operator.set(kind, name, **given)
        assert {key: changed[key] for key in stored} == stored


async def test_a_new_name_must_be_free(operator: Operator) -> None:
    await operator.user("bert@acme")
    await operator.customer("store")
    await operator.reseller("bell")
    await operator.customer("market", "bell")
    for kind, name, key, taken in (
        ("user", "bert@acme", "username", "anna@acme"),
        ("customer", "store", "name", "shop"),
        ("reseller", "bell", "name", "acme"),
    ):
        with pytest.raises(Refused, match="exists already"):
            await operator.set(kind, name, **{key: taken})  # type: ignore[arg-type]  # the kinds stand above
    assert (await operator.set("customer", "market", name="shop"))["reseller"] == "bell"


async def test_a_new_password_is_the_one_that_is_checked(operator: Operator) -> None:
    before = await operator.store.read.directory.user("anna@acme")
    await operator.set("user", "anna@acme", passwordExpired="true")
    await operator.set("user", "anna@acme", password="n3w")
    after = await operator.store.read.directory.user("anna@acme")
    assert before is not None
    assert after is not None
    assert after.password_hash != before.password_hash
    assert not after.password_expired


# -- Billing and credits


async def test_a_post_paid_customer_under_a_pre_paid_reseller_is_refused(operator: Operator) -> None:
    with pytest.raises(Refused, match="clash"):
        await operator.customer("store", billing="post_paid")
    with pytest.raises(Refused, match="clash"):
        await operator.set("customer", "shop", billing="post_paid")
    await operator.set("reseller", "acme", billing="post_paid")
    assert (await operator.set("customer", "shop", billing="post_paid"))["billing"] == "post_paid"
    with pytest.raises(Refused, match="clash"):
        await operator.set("reseller", "acme", billing="pre_paid")


async def test_a_pre_paid_reseller_can_not_make_post_paid_customers_by_default(operator: Operator) -> None:
    with pytest.raises(Refused, match="default_customer_billing"):
        await operator.reseller("bell", default_customer_billing="post_paid")
    with pytest.raises(Refused, match="default_customer_billing"):
        await operator.set("reseller", "acme", default_customer_billing="post_paid")
    both = await operator.set("reseller", "acme", billing="post_paid", default_customer_billing="post_paid")
    assert (both["billing"], both["default_customer_billing"]) == ("post_paid", "post_paid")


async def test_credits_come_from_the_operator_and_go_back_and_the_ledger_sums_up(operator: Operator) -> None:
    store = await operator.customer("store", credits=1500)
    await operator.grant(store, 2000)
    await operator.grant(store, -3500)
    assert (await operator.show("customer", "store"))["balance"] == 0
    report = await ledger.check(operator.store.read)
    assert (report.right, report.transfers) == (True, 3)


async def test_a_pre_paid_account_never_falls_below_zero(operator: Operator) -> None:
    store = await operator.customer("store", credits=1500)
    with pytest.raises(Refused, match="insufficient credits"):
        await operator.grant(store, -1501)
    assert (await operator.show("customer", "store"))["balance"] == 1500


async def test_of_ten_withdrawals_at_once_only_what_is_there_is_taken(operator: Operator) -> None:
    store = await operator.customer("store", credits=3000)
    results = await asyncio.gather(*(operator.grant(store, -1000) for _ in range(10)), return_exceptions=True)
    assert sum(result is None for result in results) == 3
    assert (await operator.show("customer", "store"))["balance"] == 0
    assert (await ledger.check(operator.store.read)).right


async def test_no_credits_move_nothing(operator: Operator) -> None:
    before = await operator.store.read.credits.counts()
    await operator.grant(await operator.show("customer", "shop"), 0)
    assert await operator.store.read.credits.counts() == before


async def test_an_account_below_zero_can_not_become_pre_paid(operator: Operator) -> None:
    bell = await operator.reseller("bell", billing="post_paid")
    await operator.grant(bell, -1)
    with pytest.raises(Refused, match="below 0"):
        await operator.set("reseller", "bell", billing="pre_paid")
    await operator.grant(bell, 1)
    assert (await operator.set("reseller", "bell", billing="pre_paid"))["billing"] == "pre_paid"


async def test_an_account_holds_no_more_than_a_balance_can_say(operator: Operator) -> None:
    shop = await operator.show("customer", "shop")
    await operator.grant(shop, 10**15)
    with pytest.raises(Refused, match="more credits"):
        await operator.grant(shop, 1)


async def test_a_balance_that_is_not_what_the_ledger_sums_to_is_found(operator: Operator) -> None:
    store = await operator.customer("store", credits=1500)

    async def harm(tx: Tx) -> None:
        await tx.registry._session.raw(  # type: ignore[attr-defined]  # does harm on purpose
            "UPDATE credit_account SET balance = $1 WHERE id = $2", 1501, store["credit_account_id"]
        )

    await operator.store.write(harm)
    report = await ledger.check(operator.store.read)
    assert not report.right
    assert report.differences == [(store["credit_account_id"], "customer", 1501, 1500)]


# -- Numbers and senders


async def test_a_number_is_the_pools_a_customers_or_a_users(operator: Operator) -> None:
    await operator.number("61500000001")
    await operator.number("61500000002", customer="shop")
    await operator.number("61500000003", user="anna@acme")
    assert await operator.store.read.directory.pool() == ["61500000001"]
    owners = await operator.store.read.replies.owners(["61500000001", "61500000002", "61500000003"])
    user = await operator.show("user", "anna@acme")
    assert [(owner.customer_id, owner.user_id) for _, owner in sorted(owners.items())] == [
        (None, None),
        (user["customer_id"], None),
        (None, user["id"]),
    ]


async def test_a_number_is_there_once(operator: Operator) -> None:
    await operator.number("61500000001")
    with pytest.raises(Refused, match="already"):
        await operator.number("61500000001", customer="shop")


OWNERS: list[tuple[dict[str, str], tuple[str | None, str | None]]] = [
    ({"owner": "pool"}, (None, None)),
    ({"owner": "customer:acme/shop"}, ("shop", None)),
    ({"owner": "user:anna@acme"}, (None, "anna@acme")),
    ({"customer": "shop"}, ("shop", None)),
    ({"user": "anna@acme"}, (None, "anna@acme")),
    ({"user": ""}, (None, None)),
]


async def test_a_number_changes_hands(operator: Operator) -> None:
    await operator.number("61500000001", user="anna@acme")
    for given, owner in OWNERS:
        changed = await operator.set("number", "+61500000001", **given)
        assert (changed["customer"], changed["username"]) == owner


async def test_an_owner_that_is_none_is_refused(operator: Operator) -> None:
    await operator.number("61500000001")
    for given in (
        {"owner": "shop"},
        {"owner": "customer:"},
        {"owner": ""},
        {"customer": "shop", "user": "u"},
    ):
        with pytest.raises(Refused):
            await operator.set("number", "61500000001", **given)


async def test_the_inbox_of_a_number_is_a_user_of_its_own_customer(operator: Operator) -> None:
    await operator.customer("store")
    await operator.user("bert@acme", "store")
    await operator.number("61500000001", customer="shop")
    with pytest.raises(Refused, match="own customer"):
        await operator.set("number", "61500000001", inbox="bert@acme")
    assert (await operator.set("number", "61500000001", inbox="anna@acme"))["inbox"] == "anna@acme"
    assert (await operator.set("number", "61500000001", customer="shop"))["inbox"] == "anna@acme"
    moved = await operator.set("number", "61500000001", customer="store", inbox="bert@acme")
    assert (moved["customer"], moved["inbox"]) == ("store", "bert@acme")
    assert (await operator.set("number", "61500000001", inbox=""))["inbox"] is None
    await operator.set("number", "61500000001", inbox="bert@acme")
    assert (await operator.set("number", "61500000001", owner="pool"))["inbox"] is None
    with pytest.raises(Refused, match="only a customer's number"):
        await operator.set("number", "61500000001", inbox="anna@acme")


async def test_an_allowed_sender_may_be_used_until_it_is_removed(operator: Operator) -> None:
    user = await operator.show("user", "anna@acme")

    async def allowed() -> bool:
        return await operator.store.read.directory.may_send_as(user["id"], user["customer_id"], "SHOP")

    assert not await allowed()
    await changing(operator.store, lambda tx: numbers.allow_sender(tx, "SHOP", "shop"))
    assert await allowed()
    with pytest.raises(Refused, match="already"):
        await changing(operator.store, lambda tx: numbers.allow_sender(tx, "SHOP", "shop"))
    await operator.remove("sender", "SHOP")
    assert not await allowed()


async def test_a_sender_that_two_customers_use_is_removed_by_its_longer_name(operator: Operator) -> None:
    await operator.customer("store")
    for customer in ("shop", "store"):
        await changing(operator.store, lambda tx, to=customer: numbers.allow_sender(tx, "SHOP", to))  # type: ignore[misc]  # a default binds the loop's name
    with pytest.raises(Refused, match="acme/shop/SHOP, acme/store/SHOP"):
        await operator.remove("sender", "SHOP")
    await operator.remove("sender", "store/SHOP")
    assert (await operator.show("sender", "SHOP"))["customer"] == "shop"


async def test_a_removed_number_is_no_longer_in_the_pool(operator: Operator) -> None:
    await operator.number("61500000001")
    await operator.remove("number", "+61500000001")
    assert await operator.store.read.directory.pool() == []


# -- Carriers and routes


async def test_a_carriers_settings_are_merged_and_an_empty_one_is_removed(operator: Operator) -> None:
    await operator.carrier(delay="1", reply="Yes")
    changed = await operator.set("carrier", "demo", delay="2", reply="", seed="7")
    assert changed["settings"] == {"delay": "2", "seed": "7"}
    (row,) = await operator.store.read.directory.carriers()
    assert row.settings == {"delay": "2", "seed": "7"}


async def test_settings_that_the_carriers_kind_refuses_change_nothing(operator: Operator) -> None:
    with pytest.raises(ConfigInvalid):
        await changing(
            operator.store,
            lambda tx: networks.add_carrier(tx, "demo", "http", {"a": "b"}, refuses_everything),
        )
    await operator.carrier(delay="1")
    with pytest.raises(ConfigInvalid):
        await changing(
            operator.store,
            lambda tx: networks.change_carrier(tx, "demo", {"settings": {"delay": "x"}}, refuses_everything),
        )
    assert (await operator.show("carrier", "demo"))["settings"] == {"delay": "1"}


async def test_a_carriers_name_is_there_once_and_free_again_after_its_removal(operator: Operator) -> None:
    first = await operator.carrier()
    await operator.route()
    with pytest.raises(Refused, match="already"):
        await operator.carrier()
    await operator.remove("carrier", "demo")
    assert await operator.store.read.directory.routes() == []
    second = await operator.carrier()
    assert second["id"] != first["id"]
    with pytest.raises(NotFound):
        await operator.show("route", "")


async def test_a_carrier_takes_a_free_name_only(operator: Operator) -> None:
    await operator.carrier("demo")
    await operator.carrier("other")
    with pytest.raises(Refused, match="already"):
        await operator.set("carrier", "other", name="demo")
    assert (await operator.set("carrier", "other", name="third"))["name"] == "third"


async def test_a_prefix_has_one_route_to_each_carrier(operator: Operator) -> None:
    await operator.carrier("demo")
    await operator.carrier("other")
    await operator.route("61", "demo")
    await operator.route("61", "other", priority=1)
    with pytest.raises(Refused, match="already"):
        await operator.route("61", "demo", priority=7)
    with pytest.raises(Refused, match="61/demo, 61/other"):
        await operator.remove("route", "61")
    changed = await operator.set("route", "+61/other", priority="-1", on_unknown="fail")
    assert (changed["priority"], changed["on_unknown"]) == (-1, "fail")
    rows = await operator.store.read.directory.routes()
    assert [(row.carrier, row.priority, row.on_unknown) for row in rows] == [
        ("other", -1, "fail"),
        ("demo", 0, "resend"),
    ]
    await operator.remove("route", "61/other")
    assert (await operator.show("route", "61"))["carrier"] == "demo"


async def test_the_empty_prefix_is_a_route_like_any_other(operator: Operator) -> None:
    await operator.carrier()
    await operator.route("")
    assert (await operator.show("route", ""))["id"] == "/demo"
    assert (await operator.show("route", "/demo"))["prefix"] == ""
    await operator.remove("route", "")
    assert await operator.store.read.directory.routes() == []
