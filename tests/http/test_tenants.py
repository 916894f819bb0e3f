"""Tenants: what belongs to another is answered as what is not there, in every call, to every role (issue 4).

Generated from the table of operations. Every parameter stands below either as one that names something that may
belong to somebody, or as one that doesn't: a new operation, or a new parameter, fails until it is put there. Where
the contract gives a code of its own (-230, 420, and the names that are unique over all), nothing but that code and
its sentence is in the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from tests.centre import HANDSET
from tests.http.deliveries import deliver
from tests.http.every_operation import CALLS, WAYS, Caller, Way, ask, codes, furnish
from tests.http.resellers import ACTIVATE, ADD_CREDITS, BALANCE, CREATE_BOTH, CREATE_USER, SEND_CODE, Trade
from tests.http.site import CANCEL, POOL, SEND_MULTIPLE, STATUS, WRONG_PASSWORD, Reply, Site, login

ANNAS_NUMBER, SHOPS_NUMBER, ANNAS_NAME = "61400000001", "61400000002", "ANNASHOP"
ANNAS_HANDSET, OPTED_OUT = "61255512345", "61255598765"
ANNAS_TEXT, ANNAS_REF = "canary of a text of annas", "canary-of-a-reference"
TOKEN = "token-of-the-carrier"
# What must not be in an answer to anybody else, unless he brought it himself.
CANARIES = (ANNAS_TEXT, ANNAS_HANDSET, ANNAS_NUMBER, SHOPS_NUMBER, ANNAS_NAME, ANNAS_REF)

# What a parameter may name that belongs to somebody; and something of that kind which is not there.
MISSING: Mapping[str, tuple[str, ...]] = {
    "documentId": ("5175000000000000000000ff",),
    "customerId": ("ffffffffffffffffffffffff",),
    "customer": ("nobodys",),
    "name": ("nobodys",),
    "username": ("nobody@shop",),
    "reseller": ("nobody",),
    "resellerName": ("nobody",),
    "sender": ("61499999999", "NOBODYS"),
    "sourceAddress": ("61499999999", "NOBODYS"),
    "recipient": ("61255500000",),
    "clientRef": ("nobodys-reference",),
}
NOBODYS = frozenset(
    """
    password resellerPassword since wait text replyTo rotation encoding validity scheduleAt creditsToAdd
    applyFreeCredits contactName email phoneNumber integrationId rotationAlgorithm billingType
    swappingSourceAddressAllowed finalStatusPush activationCode
    """.split()  # noqa: SIM905  # reads as what it is: words
)
# The contract's own codes for what is there and not the caller's.
OWN_CODES: Mapping[tuple[str, str], int] = {
    (STATUS, "documentId"): -230,
    (CANCEL, "documentId"): -230,
    (ADD_CREDITS, "customer"): 420,
    (BALANCE, "customer"): 420,
    (CREATE_USER, "customerId"): 420,
    # User names are unique over all: who wants a taken one must be told (contract §9).
    (CREATE_BOTH, "username"): 201,
    (CREATE_USER, "username"): 201,
    # Without a password: 2 for a user who needs no code, 200 for nobody (contract §9).
    (ACTIVATE, "username"): 2,
    (SEND_CODE, "username"): 2,
}
# Log-ins: account calls tell 3 from 200, and 3 from 400 (contract §1); message calls don't.
LOGIN_CODE = 3
# Where also the owner is answered as if it were not there: the sender is looked at when a message is sent.
SAME_FOR_OWNER = {(CREATE_USER, "sourceAddress")}


@dataclass(frozen=True)
class World:
    """Anna's shop, and everybody else; `mine`: the ids of what is anna's."""

    site: Site
    trade: Trade
    carrier: int
    mine: dict[str, str] = field(default_factory=dict)

    def send(self, caller: Caller, **more: str) -> str:
        user = self.site.run(self.site.centre.accounts.user(caller.username))
        assert user is not None
        return self.site.run(self.site.centre.send(user, **more)).id


ANNA = Caller(own={})
# Her colleague, another customer's user, another reseller's; and those who may not call at all.
OTHERS = {
    "colleague": Caller("bob@shop", own={}),
    "other customer's": Caller("carl@firm", own={}),
    "other reseller's": Caller("rita@abroad", "rival", "abroad", own={}),
    "blocked": Caller("blocked@firm", "stopped", "stops", own={}),
    "disabled": Caller("disabled@firm", "rival", "abroad", own={}),
    "inactive": Caller("inactive@firm", "rival", "abroad", own={}),
    "stranger": Caller("carl@firm", "rival", "abroad", password=WRONG_PASSWORD, own={}),
}


@pytest.fixture(scope="module")
def world(empty_site: Site) -> World:
    site = empty_site
    trade = furnish(site)
    site.user("bob@shop")
    for name in ("carl", "blocked", "disabled", "inactive"):
        flags = {
            "blocked": {"blocked": True},
            "disabled": {"disabled": True},
            "inactive": {"activated": False},
        }
        site.user(f"{name}@firm", "firm", **flags.get(name, {}))  # type: ignore[arg-type]  # columns alone
    trade.reseller("rival", billing="post_paid")
    trade.customer("abroad", "rival", billing="post_paid")
    trade.user("rita@abroad", "abroad")
    trade.reseller("stopped", billing="post_paid")
    trade.customer("stops", "stopped", billing="post_paid")
    trade.set("reseller", "stopped", blocked=True)
    carrier = site.carrier(token=TOKEN)
    site.carrier("other", prefix="999", token=TOKEN)
    site.pool(*POOL)
    world = World(site, trade, carrier)
    annas(world)
    for caller in (ANNA, *OTHERS.values()):
        caller.own["customerId"] = trade.customer_id(caller.customer)
        if caller.reseller != "stopped" and caller.password != WRONG_PASSWORD:
            caller.own["documentId"] = world.send(caller)
        caller.own.setdefault("documentId", MISSING["documentId"][0])
    return world


def annas(world: World) -> None:
    """What is anna's: numbers, a name, messages under way and delivered, an answer, a reference, an opt-out."""
    site = world.site
    ((anna, shop),) = site.sql("SELECT id, customer_id FROM user_account WHERE username = 'anna@shop'")
    site.sql("INSERT INTO number (number, user_id) VALUES ($1, $2)", ANNAS_NUMBER, anna)
    site.sql("INSERT INTO number (number, customer_id) VALUES ($1, $2)", SHOPS_NUMBER, shop)
    site.sql("INSERT INTO sender (customer_id, name) VALUES ($1, $2)", shop, ANNAS_NAME)
    site.sql("INSERT INTO opt_out (customer_id, handset, since) VALUES ($1, $2, 0)", shop, OPTED_OUT)
    site.changed()
    sent = world.send(ANNA, text=ANNAS_TEXT, recipient=ANNAS_HANDSET, client_ref=ANNAS_REF)
    site.run(site.centre.deliver(world.carrier))
    site.run(
        site.centre.reply(world.carrier, ANNAS_HANDSET, site.run(site.centre.sender_of(sent)), ANNAS_TEXT)
    )
    site.centre.clock.pass_seconds(1)
    world.mine["customer"] = world.trade.customer_id("shop")
    world.mine.update(sent=sent, waiting=world.send(ANNA, text=ANNAS_TEXT, recipient=ANNAS_HANDSET))
    several = Way("POST", SEND_MULTIPLE)
    more = {"text": ANNAS_TEXT, "recipient": ANNAS_HANDSET, "clientRef": ANNAS_REF}
    assert ask(site, several, ANNA.request(several, **more)).http_status == 200
    ((shown,),) = site.sql("SELECT shown FROM entry WHERE incoming")
    world.mine["mo"] = json.loads(str(shown))["documentId"]


def annas_ids(world: World, name: str, role: str) -> list[str]:
    """What is anna's and may stand in this parameter, and is not the role's as well."""
    mine = world.mine
    ids = {
        "documentId": [mine["sent"], mine["waiting"], mine["mo"]],
        "customerId": [mine["customer"]],
        "customer": ["shop"],
        "name": ["shop"],
        "username": ["anna@shop"],
        "reseller": ["acme"],
        "resellerName": ["acme"],
        "sender": [ANNAS_NUMBER, SHOPS_NUMBER, ANNAS_NAME],
        "sourceAddress": [ANNAS_NUMBER, SHOPS_NUMBER, ANNAS_NAME],
        "recipient": [OPTED_OUT],
        "clientRef": [ANNAS_REF],
    }[name]
    # A customer's numbers, names and opt-outs are its users' in common.
    common = {SHOPS_NUMBER, ANNAS_NAME, OPTED_OUT} if role == "colleague" else set()
    return [one for one in ids if one not in common]


def plain(reply: Reply, asked: str) -> object:
    """What is compared: everything, but for the id that was asked for and those that were made."""
    body = re.sub(rf"""(["']){re.escape(asked)}\1""", '"AN ID"', reply.body.decode())
    body = re.sub(r'"[0-9a-f]{24}"', '"AN ID"', body)
    headers = {name: value for name, value in reply.headers.items() if name not in ("date", "content-length")}
    return reply.http_status, headers, body


def named(way: Way, name: str, nothing: str) -> dict[str, str]:
    """What is not there; where the call makes it, a name that is new in each request."""
    return {} if way.makes(name) else {name: nothing}


def is_login(way: Way, name: str) -> bool:
    """Whether this is the name that a caller logs in with (and not one that the call makes)."""
    if name == "username":
        return "password" in way.names and not way.makes(name)
    return name in ("reseller", "resellerName")


def own_code(way: Way, name: str) -> int | None:
    if is_login(way, name) and way.word == "status":
        return LOGIN_CODE
    return OWN_CODES.get((way.path, name))


def is_of(role: str, way: Way) -> bool:
    """Resellers' calls are made by resellers: these roles have one of their own."""
    return not way.of_resellers or role in ("other reseller's", "blocked", "stranger")


CASES = [
    (way, name, role)
    for way in WAYS
    for name in way.names
    if name not in NOBODYS
    for role in OTHERS
    if is_of(role, way)
]


def test_every_parameter_of_every_operation_is_sorted() -> None:
    names = {parameter.name for call in CALLS.values() for parameter in call.parameters}
    assert names - NOBODYS - set(MISSING) == set(), "say what these name, in MISSING or in NOBODYS"
    assert set(MISSING) & NOBODYS == set()
    assert {path for path, _ in OWN_CODES} <= set(CALLS)


def test_every_operation_of_the_server_has_its_cases(world: World) -> None:
    served = {path for path in world.site.get("/openapi.json").json["paths"] if path.startswith("/services/")}
    assert served == {way.path for way in WAYS}
    assert served - {way.path for way, _, _ in CASES} == set()


def annas_rows(site: Site) -> list[list[tuple[object, ...]]]:
    """All that is the shop's, or of it, in the store."""
    shop = "(SELECT id FROM customer WHERE name = 'shop' AND reseller_id = (SELECT id FROM reseller WHERE name = 'acme'))"
    annas_id = "(SELECT id FROM user_account WHERE username = 'anna@shop')"
    return [
        site.sql(f"SELECT * FROM mt WHERE user_id = {annas_id} ORDER BY id"),
        site.sql(
            f"SELECT * FROM outbox WHERE id IN (SELECT id FROM mt WHERE user_id = {annas_id}) ORDER BY id"
        ),
        site.sql(f"SELECT * FROM client_reference WHERE user_id = {annas_id}"),
        site.sql(f"SELECT * FROM opt_out WHERE customer_id = {shop}"),
        site.sql(f"SELECT * FROM customer WHERE id = {shop}"),
        site.sql(f"SELECT * FROM number WHERE user_id = {annas_id} OR customer_id = {shop} ORDER BY number"),
        site.sql("SELECT * FROM user_account WHERE username = 'anna@shop'"),
        site.sql(f"SELECT * FROM conversation WHERE user_id = {annas_id}"),
        site.sql(f"SELECT * FROM reply_pair WHERE user_id = {annas_id} ORDER BY number"),
    ]


@pytest.fixture
def untouched(world: World) -> Iterator[None]:
    """Whatever the others try, what is anna's is the same afterwards."""
    before = annas_rows(world.site)
    yield
    assert annas_rows(world.site) == before


@pytest.mark.parametrize(("way", "name", "role"), CASES, ids=str)
@pytest.mark.usefixtures("untouched")
def test_what_is_anothers_is_answered_as_what_is_not_there(
    world: World, way: Way, name: str, role: str
) -> None:
    caller = OTHERS[role]
    if is_login(way, name):
        # All in this world have one password: with it, this were anna herself.
        caller = replace(caller, password=WRONG_PASSWORD)
    for asked in annas_ids(world, name, role):
        (nothing,) = [one for one in MISSING[name] if one.isdigit() == asked.isdigit()] or MISSING[name]
        # What an earlier case made under the same name is the caller's own by now: out of the way with it.
        world.site.sql(
            "UPDATE customer SET name = name || id WHERE name = 'shop' AND reseller_id <> "
            "(SELECT id FROM reseller WHERE name = 'acme')"
        )
        absent = ask(world.site, way, caller.request(way, **named(way, name, nothing)))
        found = ask(world.site, way, caller.request(way, **{name: asked}))
        code = own_code(way, name)
        if code is not None and plain(found, asked) != plain(absent, nothing):
            assert next(codes(found)) == code
            assert set(found.json) == {way.word, "error"}
            assert found.http_status == absent.http_status == 200
        else:
            assert plain(found, asked) == plain(absent, nothing)
        for reply in (absent, found):
            leaked = [one for one in CANARIES if one in reply.body.decode() and one != asked]
            assert leaked == []


CONTROLS = sorted({(way, name) for way, name, _ in CASES if not is_login(way, name)}, key=str)


@pytest.mark.parametrize(("way", "name"), CONTROLS, ids=str)
def test_the_control_its_owner_is_answered_otherwise(world: World, way: Way, name: str) -> None:
    """Else the cases above would prove nothing: the parameter would not be looked at."""
    own = {"documentId": world.mine["sent"], "sender": ANNAS_NUMBER}
    asked = own.get(name) or annas_ids(world, name, "owner")[0]
    (nothing,) = [one for one in MISSING[name] if one.isdigit() == asked.isdigit()] or MISSING[name]
    more = {"text": ANNAS_TEXT, "recipient": ANNAS_HANDSET} if name == "clientRef" else {}
    found = ask(world.site, way, ANNA.request(way, **{**more, name: asked}))
    absent = ask(world.site, way, ANNA.request(way, **more, **named(way, name, nothing)))
    if name == "clientRef":
        assert found.body == ask(world.site, way, ANNA.request(way, **{**more, name: asked})).body
        return
    assert (plain(found, asked) != plain(absent, nothing)) == ((way.path, name) not in SAME_FOR_OWNER)


@pytest.mark.usefixtures("untouched")
def test_a_receipt_of_another_carrier_moves_nothing(world: World) -> None:
    """A carrier's own token, and the id that another carrier gave: as an id that is not there."""
    replies = [
        deliver(
            world.site,
            "receipt",
            {"id": ref, "status": "UNDELIV"},
            name="other",
            authorization=f"Bearer {TOKEN}",
        )
        for ref in (f"r-{world.mine['sent']}-1", "nobodys", world.mine["sent"], world.mine["waiting"])
    ]
    assert len({(reply.http_status, reply.body) for reply in replies}) == 1


def test_a_mailbox_shows_nothing_of_anybody_else(world: World) -> None:
    for role in ("colleague", "other customer's", "other reseller's"):
        caller = OTHERS[role]
        for way in WAYS:
            if "since" in way.names:
                body = ask(world.site, way, caller.request(way, since="-1")).body.decode()
                assert [one for one in (*CANARIES, *world.mine.values()) if one in body] == []
    shown = world.site.get("/services/rest/user/allMessages", {**login(), "since": "-1"}).body.decode()
    assert ANNAS_TEXT in shown
    assert HANDSET in shown
