"""The command line as people and programs call it: words, exit statuses, JSON, and nothing secret."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from rejoinder import __version__
from rejoinder.carriers import registry
from rejoinder.cli import main, networks
from rejoinder.clock import ManualClock, SystemClock
from rejoinder.flow.ports import ParkedMo
from rejoinder.message.model import Fate, Mo, Outcome
from rejoinder.message.objectid import ObjectIds
from rejoinder.store import open_store
from tests.centre import Centre

COMMAND = Path(sys.executable).with_name("rejoinder")
SECRET = "s3cret-never-shown"


class Terminal:
    """Calls commands in this process, on one database."""

    def __init__(self, database: str) -> None:
        self.database = database

    def call(self, *words: str, given: str | None = None) -> Result:
        environment = {"REJOINDER_DATABASE": self.database, "COLUMNS": "200"}
        result = CliRunner().invoke(main, words, env=environment, input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert SECRET not in result.output + result.stderr
        return result

    def done(self, *words: str, given: str | None = None) -> str:
        """What a command that must succeed says to a person."""
        result = self.call(*words, given=given)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str) -> str:
        """The sentence of a command that must be refused."""
        result = self.call(*words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.stderr
        return result.stderr


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (tmp_path / "centre.db").touch()  # of a new one it would be said that it is new
    return Terminal(f"sqlite:///{tmp_path / 'centre.db'}")


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    """Reseller acme, its customer shop, its user anna@acme."""
    terminal.done("reseller", "add", "acme", "--password", SECRET)
    terminal.done("customer", "add", "shop", "--reseller", "acme", "--credits", "500")
    terminal.done("user", "add", "anna@acme", "--customer", "shop", "--password", SECRET)
    return terminal


def leaves(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below this one with the words that call it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, *words, name)


LEAVES = dict(leaves(main))
PROMISED = """
    serve · demo · reseller add · reseller list · reseller show · reseller set · customer add · customer list ·
    customer show · customer set · user add · user list · user show · user set · user activate · user block ·
    user unblock · user disable · user enable · user password · number add · number list · number show · number set ·
    number remove · sender allow · sender list · sender show · sender remove · carrier add · carrier list ·
    carrier show · carrier set · carrier remove · route add · route list · route show · route remove · credits add ·
    rate import · rate list · rate export · rate show · rate remove ·
    ledger check · message show · mo list · mo claim ·
    optout list · optout add · optout remove · clock accept · database restored ·
    user smpp · user expire-password · push list · push replay · push secret · statement · smsc
"""


@pytest.mark.parametrize("words", [tuple(one.split()) for one in PROMISED.split("·")], ids=" ".join)
def test_every_promised_command_is_there(words: tuple[str, ...]) -> None:
    assert words in LEAVES


def test_every_group_of_commands_has_a_help_with_an_example_of_its_own(terminal: Terminal) -> None:
    groups = {words[0] for words in LEAVES if len(words) > 1}
    assert len(groups) > 10
    for group in groups:
        said = terminal.done(group, "--help")
        assert said.split("Example:\n")[1].strip().startswith(f"rejoinder {group} "), group


@pytest.mark.parametrize("words", [words for words in LEAVES if words != ("demo",)], ids=" ".join)
def test_every_command_has_a_help_with_an_example_that_calls_it(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    said = terminal.done(*words, "--help")
    _, example = said.split("Example:\n")
    assert example.strip().startswith(" ".join(("rejoinder", *words)))


# These look at no store: three run a server, one makes up a secret.
WITHOUT_STORE = {("demo",), ("serve",), ("smsc",), ("push", "secret")}


@pytest.mark.parametrize("words", [words for words in LEAVES if words not in WITHOUT_STORE], ids=" ".join)
def test_every_command_takes_a_database_and_answers_in_json(words: tuple[str, ...]) -> None:
    options = {option for parameter in LEAVES[words].params for option in parameter.opts}
    assert {"--database", "--json"} <= options


def test_the_kinds_of_carriers_are_those_that_there_are() -> None:
    assert set(networks.KINDS) == set(registry.KINDS)


# Each line of the list, and what `--json` answers at least.
TOUR: list[tuple[str, dict[str, object]]] = [
    (f"reseller add acme --password {SECRET} --credits 1000.5 --free-credits 10 --require-activation",
     {"name": "acme", "state": "active", "billing": "pre_paid", "credits": 1000.5, "free_credits": 10,
      "default_customer_billing": "pre_paid", "require_activation": True}),
    (f"reseller add bell --password {SECRET} --billing post_paid --default-customer-billing post_paid",
     {"name": "bell", "billing": "post_paid", "credits": 0, "default_customer_billing": "post_paid"}),
    ("customer add shop --reseller acme --credits 500",
     {"name": "shop", "reseller": "acme", "billing": "pre_paid", "credits": 500, "rotation": "max_rotation"}),
    ("customer add shop --reseller bell --billing post_paid --rotation conversation",
     {"name": "shop", "reseller": "bell", "billing": "post_paid", "rotation": "conversation"}),
    (f"user add anna@acme --customer acme/shop --password {SECRET}",
     {"name": "anna@acme", "username": "anna@acme", "customer": "shop", "reseller": "acme", "state": "active"}),
    (f"user add bert@bell --customer bell/shop --password {SECRET} --inactive", {"state": "not_activated"}),
    ("user activate bert@bell", {"name": "bert@bell", "state": "active"}),
    ("user block bert@bell", {"state": "blocked"}),
    ("user disable bert@bell", {"state": "disabled"}),
    ("user enable bert@bell", {"state": "blocked"}),
    ("user unblock bert@bell", {"state": "active"}),
    ("number add +61500000001 --pool", {"id": "61500000001", "name": "61500000001", "owner": "pool"}),
    ("number add 61500000002 --customer acme/shop", {"owner": "customer", "customer": "shop", "user": None}),
    ("number add 61500000003 --user anna@acme", {"owner": "user", "customer": None, "user": "anna@acme"}),
    ("number set 61500000002 inbox=anna@acme", {"inbox": "anna@acme"}),
    ("sender allow SHOP --customer acme/shop", {"name": "SHOP", "customer": "shop"}),
    ("carrier add demo --kind simulator --set delay=0.5", {"name": "demo", "settings": {"delay": "0.5"}}),
    ("route add 61 demo --priority 2", {"id": "61/demo", "name": "61", "carrier": "demo", "priority": 2}),
    ("credits add --customer acme/shop 12.5", {"name": "shop", "credits": 512.5}),
    ("credits add --reseller acme -0.5", {"name": "acme", "credits": 1000}),
    ("reseller set acme freeCredits=20", {"free_credits": 20}),
    ("customer set acme/shop rotation=conversation contactName=A", {"rotation": "conversation", "contact_name": "A"}),
    (f"user set anna@acme sourceAddress=SHOP password={SECRET}", {"source_address": "SHOP"}),
    ("carrier set demo delay= reply=Yes", {"settings": {"reply": "Yes"}}),
    (f"user password anna@acme --password {SECRET}", {"name": "anna@acme"}),
    ("number remove 61500000003", {"name": "61500000003"}),
    ("sender remove SHOP", {"name": "SHOP"}),
    ("route remove 61", {"name": "61"}),
    ("carrier remove demo", {"name": "demo"}),
    ("ledger check", {"right": True, "transfers": 4, "accounts": 4, "differences": [], "overcharged": []}),
    ("clock accept", {"accepted": True}),
    ("database restored", {"restored": True}),
]  # fmt: skip


def test_the_whole_list_of_commands_works_and_answers_in_json(terminal: Terminal) -> None:
    for line, expected in TOUR:
        answer = terminal.json(*line.split())
        assert {key: answer[key] for key in expected} == expected, line
        if line.split()[0] not in {"ledger", "clock", "database"}:
            assert {"id", "name"} <= set(answer), line


def test_every_prefix_is_the_empty_one(shop: Terminal) -> None:
    shop.done("carrier", "add", "demo", "--kind", "simulator")
    assert shop.json("route", "add", "", "demo")["prefix"] == ""
    assert shop.json("route", "show", "")["carrier"] == "demo"
    assert "removed" in shop.done("route", "remove", "")


def test_lists_are_arrays_in_json_and_a_line_each_for_a_person(shop: Terminal) -> None:
    shop.done("customer", "add", "store", "--reseller", "acme")
    shop.done("user", "add", "bert@acme", "--customer", "store", "--password", SECRET)
    assert [one["name"] for one in shop.json("user", "list")] == ["anna@acme", "bert@acme"]
    assert [one["name"] for one in shop.json("user", "list", "--customer", "store")] == ["bert@acme"]
    lines = shop.done("user", "list").splitlines()
    assert len(lines) == 3
    assert lines[0].split()[:2] == ["id", "name"]
    assert shop.json("carrier", "list") == []


def test_numbers_are_listed_by_their_owners(shop: Terminal) -> None:
    shop.done("number", "add", "61500000001", "--pool")
    shop.done("number", "add", "61500000002", "--customer", "shop")
    assert [one["name"] for one in shop.json("number", "list", "--pool")] == ["61500000001"]
    assert [one["name"] for one in shop.json("number", "list", "--customer", "shop")] == ["61500000002"]


def test_show_gives_each_field_a_line_and_names_what_can_be_set(shop: Terminal) -> None:
    said = shop.done("user", "show", "anna@acme")
    assert "source_address" in said
    assert "password_expired" in said.splitlines()[-1]


def test_a_person_is_told_what_was_done_in_one_line(shop: Terminal) -> None:
    assert shop.done("user", "block", "anna@acme") == "user 'anna@acme' is blocked\n"
    assert (
        shop.done("credits", "add", "--customer", "shop", "0.5")
        == "customer 'acme/shop' has 500.500 credits\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        "reseller add acme --password x",
        "reseller add a@b --password x",
        "customer add store --reseller nobody",
        "customer add store --reseller acme --billing post_paid",
        "user add anna@acme --customer shop --password x",
        "user show nobody",
        "user set anna@acme colour=red",
        "user set anna@acme state=asleep",
        "number add 12 --pool",
        "number set 61500000001 inbox=anna@acme",
        "credits add --customer shop -501",
        "carrier add demo --kind simulator --set colour=red",
        "carrier add .. --kind simulator",
        "route add 61 nobody",
        "mo claim 51750a01e4b0d1406c9c5fdb --user anna@acme",
        "optout add 12 --customer shop",
        "optout add 61255588885 --customer nobody",
        "optout remove 61255588885 --customer shop",
        "user set anna@acme allow_ip=192.0.2.300",
        "user list --config centre.toml --database=",
        "user list --database postgresql://me@[::1/centre",
        "user list --database sqlite:////no/such/folder/centre.db",
        "user list --database mysql://nowhere",
        "serve --config /no/such/file",
    ],
)
def test_what_is_refused_ends_with_one_and_a_sentence(shop: Terminal, words: str) -> None:
    assert shop.refused(*words.split()).startswith("rejoinder: ")


@pytest.mark.parametrize(
    "words",
    [
        "user add bert@acme --customer shop",
        "user add bert@acme --password x",
        "user set anna@acme",
        "user set anna@acme colour",
        "number add 61500000001",
        "number add 61500000001 --pool --customer shop",
        "credits add 5",
        "credits add --customer shop 1e3",
        "credits add --customer shop --quick 5",
        "carrier add demo --kind pigeon",
        "customer add store --reseller acme --billing later",
        "route add 61 demo --priority high",
        "push replay 99999999999999999999",
        "push replay 0",
        "number list --pool --customer shop",
        "nonsense",
        "user show \udcff",
    ],
)
def test_wrong_usage_ends_with_two(shop: Terminal, words: str) -> None:
    result = shop.call(*words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error:" in result.stderr


def test_an_owner_without_a_name_does_not_put_a_number_into_the_pool(shop: Terminal) -> None:
    for kind in ("user", "customer"):
        assert f"{kind} '' does not exist" in shop.refused("number", "add", "61500000009", f"--{kind}", "")
    assert shop.json("number", "list") == []


def test_a_secret_of_pushes_that_cannot_be_is_not_taken_for_their_url(shop: Terminal) -> None:
    said = shop.refused("user", "set", "anna@acme", "push=https://shop.example/x", "pushSecret=short")
    assert "push must have secrets" in said


@pytest.mark.parametrize("special", "/#?")
def test_a_password_that_cuts_the_databases_url_is_not_repeated(terminal: Terminal, special: str) -> None:
    url = f"postgresql://me:{SECRET}{special}more@127.0.0.1:1/centre"
    said = terminal.refused("user", "list", "--database", url)
    assert "percent-encode" in said


def test_a_password_file_may_begin_with_a_byte_order_mark(shop: Terminal, tmp_path: Path) -> None:
    (tmp_path / "marked").write_text(SECRET + "\r\n", encoding="utf-8-sig")
    shop.done("user", "password", "anna@acme", "--password-file", str(tmp_path / "marked"))
    assert asyncio.run(takes_password(shop.database, "anna@acme"))


async def takes_password(database: str, username: str) -> bool:
    store = await open_store(database, SystemClock())
    user = await store.read.directory.user(username)
    await store.close()
    assert user is not None
    return PasswordHasher().verify(user.password_hash, SECRET)


def test_a_password_may_come_from_a_file_or_from_standard_input(shop: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    shop.done("user", "password", "anna@acme", "--password-file", str(file))
    shop.done("user", "password", "anna@acme", "--password-file", "-", given=SECRET + "\n")
    file.write_text("\n")
    assert "password" in shop.refused("user", "password", "anna@acme", "--password-file", str(file))
    file.write_bytes(b"\xff\xfe")
    assert shop.call("user", "password", "anna@acme", "--password-file", str(file)).exit_code == 2


def test_an_expired_password_holds_until_a_new_one_is_given(shop: Terminal) -> None:
    assert not shop.json("user", "show", "anna@acme")["password_expired"]
    assert "password" in shop.done("user", "expire-password", "anna@acme")
    assert shop.json("user", "show", "anna@acme")["password_expired"]
    shop.done("user", "password", "anna@acme", "--password", SECRET)
    assert not shop.json("user", "show", "anna@acme")["password_expired"]


def test_a_carriers_secrets_are_never_printed(terminal: Terminal) -> None:
    settings = [f"headers=Authorization: Bearer {SECRET}", f"token={SECRET}"]
    settings += [
        f"url=https://me:{SECRET}@sms.example/send",
        f'body={{"password": "{SECRET}", "to": "{{{{recipient}}}}"}}',
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    for as_json in ((), ("--json",)):
        terminal.call("carrier", "remove", "acme")
        said = terminal.done("carrier", "add", "acme", "--kind", "http", *words, *as_json)
        said += terminal.done("carrier", "show", "acme", *as_json)
        said += terminal.done("carrier", "list", *as_json)
        assert "***" in said


def test_a_name_can_not_steer_the_terminal(shop: Terminal) -> None:
    assert "\x1b" not in shop.call("user", "show", "\x1b[31mred").stderr


async def park(database: str, parked: ParkedMo) -> None:
    store = await open_store(database, SystemClock())
    await store.write(lambda tx: tx.inbound.park([parked]))
    await store.close()


def test_parked_mos_are_listed_and_claimed_once(shop: Terminal) -> None:
    arrived = 1_700_000_000_000_000
    asked = ParkedMo(
        "6553f100a1b2c3d4e5f60718", Mo(1, "61255588885", "61500000001", "hi\x1b[2J", arrived), "pool"
    )
    asyncio.run(park(shop.database, asked))
    (listed,) = shop.json("mo", "list", "--parked")
    assert (listed["id"], listed["from"], listed["to"]) == (asked.id, "61255588885", "61500000001")
    assert (listed["text"], listed["received_at"]) == ("hi\x1b[2J", "2023-11-14T22:13:20Z")
    assert "\x1b" not in shop.done("mo", "list", "--parked")
    assert shop.json("mo", "claim", asked.id, "--user", "anna@acme")["id"] == asked.id
    assert shop.json("mo", "list", "--parked") == []
    assert "no parked MO" in shop.refused("mo", "claim", asked.id, "--user", "anna@acme")


async def sent(database: str) -> str:
    """A message that its carrier took, and has called W-1."""
    store = await open_store(database, SystemClock())
    centre = Centre(store, ManualClock(int(time.time())), ObjectIds())
    user, carrier = await centre.account("ben@shop"), await centre.carrier("wire")
    await centre.pool("61500079987")
    accepted = await centre.send(user, "not for the operator")
    ((claim, _),) = (await centre.claim(carrier)).outgoing
    await centre.answer(claim, [Outcome(1, Fate.ACCEPTED, "W-1")])
    await store.close()
    return accepted.id


def test_one_message_is_shown_with_its_carriers_id_and_without_its_text(terminal: Terminal) -> None:
    mt_id = asyncio.run(sent(terminal.database))
    shown = terminal.json("message", "show", mt_id)
    assert (shown["id"], shown["user"], shown["status_word"], shown["charge"]) == (
        mt_id,
        "ben@shop",
        "SENT",
        "1",
    )
    assert "waits" not in shown
    assert shown["at_carriers"] == [
        {"number": 1, "carrier": "wire", "status": 11, "status_word": "SENT", "carriers_id": "W-1"}
    ]
    said = terminal.done("message", "show", mt_id)
    assert "W-1" in said
    assert "not for the operator" not in said
    assert "is not there" in terminal.refused("message", "show", "0" * 24)


def test_the_same_commands_work_on_postgresql(postgres_url: str) -> None:
    terminal = Terminal(postgres_url)
    terminal.done("reseller", "add", "acme", "--password", SECRET, "--credits", "5")
    assert terminal.json("reseller", "show", "acme")["credits"] == 5
    assert "exists already" in terminal.refused("reseller", "add", "acme", "--password", SECRET)


def run(*words: str, folder: Path, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command as a process of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REJOINDER_")}
    return subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        env=kept | environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_command_says_its_version(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"rejoinder, version {__version__}\n", "")


def test_without_a_database_it_makes_one_in_the_current_folder(tmp_path: Path) -> None:
    done = run("reseller", "add", "acme", "--password-file", "-", "--json", folder=tmp_path, given=SECRET)
    assert (done.returncode, done.stderr) == (0, "rejoinder: rejoinder.db is a new database\n")
    assert json.loads(done.stdout)["name"] == "acme"
    # Carriers' passwords stand in it.
    assert (tmp_path / "rejoinder.db").stat().st_mode & 0o777 == 0o600
    again = run("reseller", "show", "acme", folder=tmp_path, REJOINDER_DATABASE="sqlite:///other.db")
    assert (again.returncode, again.stdout, again.stderr) == (
        1,
        "",
        "rejoinder: other.db is a new database\nrejoinder: reseller 'acme' does not exist\n",
    )


def test_commands_find_the_database_in_the_servers_settings(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text('database = "sqlite:///named.db"\n')
    run(
        "reseller",
        "add",
        "acme",
        "--password-file",
        "-",
        "--config",
        "centre.toml",
        folder=tmp_path,
        given=SECRET,
    )
    assert (tmp_path / "named.db").is_file()
    shown = run("reseller", "show", "acme", folder=tmp_path, REJOINDER_CONFIG="centre.toml")
    assert (shown.returncode, shown.stderr) == (0, "")
    other = run(
        "reseller", "list", "--database", "sqlite:///other.db", "--config", "centre.toml", folder=tmp_path
    )
    assert (other.returncode, "acme" in other.stdout) == (0, False)
    missing = run("reseller", "list", "--config", "none.toml", folder=tmp_path)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "configuration file" in missing.stderr


def test_a_mistyped_setting_in_the_environment_is_named(tmp_path: Path) -> None:
    given = {"REJOINDER_RETENTON": "30", "REJOINDER_RETENTION": "30"}
    ended = run("serve", "--smpp-tls-cert", "none.pem", folder=tmp_path, **given)
    assert ended.returncode == 1
    assert "REJOINDER_RETENTON is no setting" in ended.stderr
    assert "REJOINDER_RETENTION is" not in ended.stderr


def test_the_demo_leaves_the_operators_database_alone_and_takes_its_server_along(tmp_path: Path) -> None:
    environment = {**os.environ, "REJOINDER_DATABASE": "sqlite:///mine.db", "COLUMNS": "200"}
    demo = subprocess.Popen(
        [COMMAND, "demo", "--count", "3", "--keep"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    said = [next(line for line in demo.stdout if "keeps running on" in line)]
    said += [next(line for line in demo.stdout if "Ctrl-C ends it" in line)]
    address = said[0].split("running on ")[1].split(";")[0]
    host, port = address.removeprefix("http://").split(":")
    socket.create_connection((host, int(port)), 10).close()
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(30) == 128 + signal.SIGTERM
    demo.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 10)
    assert not (tmp_path / "mine.db").exists()


def test_without_a_terminal_no_password_is_asked_for(tmp_path: Path) -> None:
    done = run("reseller", "add", "acme", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_list_may_be_cut_by_the_program_that_reads_it(shop: Terminal) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{COMMAND} user list --database {shop.database} | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_running_server_sees_a_change_within_a_second(shop: Terminal) -> None:
    server = subprocess.Popen(
        [COMMAND, "serve", "--database", shop.database, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        root = server.stdout.readline().rpartition(" ")[2].strip()

        def status(username: str) -> object:
            query = urlencode({"username": username, "password": SECRET, "since": "0"})
            with urllib.request.urlopen(f"{root}/services/rest/user/allMessages?{query}") as answer:  # noqa: S310 - our own
                return json.load(answer)["status"]

        assert (status("anna@acme"), status("bert@acme")) == (0, 200)
        shop.done("user", "add", "bert@acme", "--customer", "shop", "--password", SECRET)
        shop.done("user", "disable", "anna@acme")
        deadline = time.monotonic() + 1
        while (seen := (status("anna@acme"), status("bert@acme"))) != (3, 0):
            assert time.monotonic() < deadline, seen
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
        assert server.stdout is not None
        server.stdout.close()


def test_opt_outs_are_added_listed_and_removed(shop: Terminal) -> None:
    shop.json("optout", "add", "+61255588885", "--customer", "shop")
    shop.refused("optout", "add", "61255588885", "--customer", "acme/shop")
    (listed,) = shop.json("optout", "list", "--customer", "shop")
    assert (listed["handset"], listed["mo_id"], listed["lifted_at"]) == ("61255588885", None, None)
    shop.json("optout", "remove", "61255588885", "--customer", "shop")
    assert shop.json("optout", "list", "--customer", "shop") == []
    (lifted,) = shop.json("optout", "list", "--customer", "shop", "--history")
    assert lifted["lifted_at"] is not None


def test_a_users_networks_are_shown_as_they_were_understood(shop: Terminal) -> None:
    changed = shop.json("user", "set", "anna@acme", "allow_ip=192.0.2.7/24, 2001:db8::1")
    assert changed["allow_ip"] == "192.0.2.0/24,2001:db8::1/128"
    assert shop.json("user", "set", "anna@acme", "allowIp=")["allow_ip"] == ""


def test_rates_are_put_in_whole_or_not_at_all_and_given_back_as_they_were_read(
    shop: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("prefix,price\n4915,0.080\n*,0.500\n")
    assert "2 rates" in shop.done("rate", "import", str(file), "--reseller", "acme")
    assert shop.done("rate", "export", "--reseller", "acme") == "prefix,price\n*,0.500\n4915,0.080\n"
    assert shop.json("rate", "list", "--reseller", "acme", "--prefix", "49") == [
        {"prefix": "4915", "price": 0.08}
    ]
    assert shop.json("rate", "show", "+4915112345678", "--reseller", "acme") == {
        "prefix": "4915",
        "price": 0.08,
    }
    file.write_text("61,0.1\n49,cheap\n49,-1\n")
    sentence = shop.refused("rate", "import", str(file), "--reseller", "acme", "--replace")
    assert "line 2" in sentence
    assert "line 3" in sentence
    assert len(shop.json("rate", "list", "--reseller", "acme")) == 2
    file.write_text(f"61,0.1\n62,{'9' * 200_000}\n")
    assert "line 2" in shop.refused("rate", "import", str(file), "--reseller", "acme")
    assert shop.json("rate", "export", "--reseller", "acme") == shop.json(
        "rate", "list", "--reseller", "acme"
    )
    file.write_text("61,0.1\n")
    assert shop.json("rate", "import", str(file), "--reseller", "acme", "--replace") == {
        "reseller": "acme",
        "rates": 1,
        "replaced": 2,
    }
    assert "removed 1" in shop.done("rate", "remove", "61", "--reseller", "acme")
    assert "61 has no rate" in shop.refused("rate", "remove", "61", "--reseller", "acme")
    assert "does not exist" in shop.refused("rate", "import", str(file), "--reseller", "nobody")
