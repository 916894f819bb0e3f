"""Pushes from call to customer's server over real sockets, set up by the operator's commands; on both stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from click.testing import CliRunner
from standardwebhooks import Webhook

from rejoinder.cli import main
from rejoinder.config import load
from rejoinder.endpoints.pushes import couriers
from rejoinder.flow.push_settings import new_secret
from rejoinder.flow.pushes import PushLanes
from rejoinder.flow.request import Limits
from tests.http.site import SEND, Site, login
from tests.pushes.servers import CustomersServer, customers_server

HANDSET = "61255588885"
NUMBER = "61500000002"
PATH = "/in?a={{text}}&f={{from}}&m={{MTMessageId}}"


class PushSite:
    """A site whose pushes may reach this machine, its database's command line, and a customer's server."""

    def __init__(self, site: Site, url: str) -> None:
        self.site, self.url = site, url
        self.user = site.user()
        self.carrier = site.carrier()
        site.pool("61500079987")
        site.sql("INSERT INTO number (number, customer_id) VALUES ($1, $2)", NUMBER, self.user.customer_id)
        site.changed()
        self.config(push_allow="127.0.0.0/8")

    def config(self, **settings: object) -> None:
        centre = self.site.centre
        self.lanes = PushLanes(
            centre.store, centre.clock, centre.upkeep.guard, couriers(load(None, settings), centre.clock)
        )

    def call(self, *words: str) -> Any:
        result = CliRunner().invoke(main, [*words, "--database", self.url, "--json"])
        assert result.exit_code == 0, result.output
        self.site.changed()
        return json.loads(result.stdout)

    def run(self, work: Callable[[CustomersServer], Any]) -> CustomersServer:
        """Runs `work` (in this thread) with a server's address, then brings all pushes."""

        async def served() -> CustomersServer:
            async with customers_server() as server:
                await asyncio.to_thread(work, server)
                await self._bring()
                return server

        return self.site.run(served())

    async def _bring(self) -> None:
        for courier in self.lanes._couriers.values():
            await courier.start()
        while await self.lanes.turn() == 0:
            await self.lanes.idle()
        for courier in self.lanes._couriers.values():
            await courier.stop()

    def bring(self) -> None:
        self.site.run(self._bring())

    def send(self, **params: str) -> str:
        reply = self.site.post(SEND, {**login(), "recipient": HANDSET, "text": "Hello mommy", **params})
        assert reply.code == 10, reply.json
        return str(reply.json["documentId"])

    def reply(self, number: str, text: str = "yes & no") -> None:
        self.site.run(self.site.centre.reply(self.carrier, HANDSET, number, text))


@pytest.fixture
def pushing(new_database: Callable[[], str]) -> Iterator[PushSite]:
    url = new_database()
    with Site(url) as site:
        yield PushSite(site, url)


def test_an_mo_goes_to_the_operators_setting_by_get_with_templates(pushing: PushSite) -> None:
    def work(server: CustomersServer) -> None:
        pushing.call("user", "set", "anna@shop", f"push={server.url(PATH)}")
        pushing.reply(NUMBER)

    (asked,) = pushing.run(work).asked
    assert (asked.method, asked.query) == ("GET", {"a": "yes & no", "f": HANDSET, "m": ""})
    assert pushing.call("push", "list") == []


@pytest.mark.parametrize("kind", ["user", "customer", "number"])
def test_each_setting_of_the_operator_is_used(pushing: PushSite, kind: str) -> None:
    name = {"user": "anna@shop", "customer": "shop", "number": NUMBER}[kind]

    def work(server: CustomersServer) -> None:
        changed = pushing.call(kind, "set", name, f"push={server.url()}")
        assert changed["push"] == f"GET {server.url()}"
        pushing.reply(NUMBER)

    assert len(pushing.run(work).asked) == 1


def test_a_signed_post_verifies_and_secrets_rotate(pushing: PushSite) -> None:
    first, second = new_secret(), new_secret()

    def work(server: CustomersServer) -> None:
        post = ("pushMethod=POST", f"pushSecret={first}")
        changed = pushing.call("user", "set", "anna@shop", f"push={server.url()}", *post)
        assert changed["push"] == f"POST {server.url()} (1 secret)"
        pushing.reply(NUMBER, "one")
        pushing.bring()
        changed = pushing.call("user", "set", "anna@shop", f"pushSecret={second}")
        assert changed["push"] == f"POST {server.url()} (2 secrets)"
        pushing.reply(NUMBER, "two")
        pushing.bring()
        pushing.call("user", "set", "anna@shop", "pushOldSecret=")
        pushing.reply(NUMBER, "three")

    one, two, three = pushing.run(work).asked
    good = {id(one): [first], id(two): [first, second], id(three): [second]}
    for asked in (one, two, three):
        moved = {**asked.headers}
        for secret in good[id(asked)]:
            # The site's clock stands in 2023: only the signature is of interest here.
            signature = Webhook(secret).sign(
                moved["webhook-id"], pushing_time(moved["webhook-timestamp"]), asked.body.decode()
            )
            assert signature in moved["webhook-signature"].split(" ")
        assert len(moved["webhook-signature"].split(" ")) == len(good[id(asked)])
    assert json.loads(one.body)["data"]["text"] == "one"


def pushing_time(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp), UTC)


def test_a_final_status_is_pushed_to_what_the_user_has_set(pushing: PushSite) -> None:
    found: list[str] = []

    def work(server: CustomersServer) -> None:
        pushing.call("user", "set", "anna@shop", f"statusPush={server.url()}")
        found.append(pushing.send())
        centre = pushing.site.centre
        pushing.site.run(centre.deliver(pushing.carrier))
        pushing.site.run(centre.receipt(pushing.carrier, f"r-{found[0]}-1", 5))

    (asked,) = pushing.run(work).asked
    assert asked.query == {
        "status": "UNDELIVERABLE",
        "statusCode": "5",
        "id": found[0],
        "timestamp": str(pushing.site.centre.clock.wall_s()),
        "from": "61500079987",
        "to": HANDSET,
        "text": "Hello mommy",
        "chargedAmount": "1.000",
        "numberOfParts": "1",
    }


def test_a_reply_goes_to_the_messages_reply_to_besides_the_setting(pushing: PushSite) -> None:
    ids: list[str] = []

    def work(server: CustomersServer) -> None:
        pushing.call("user", "set", "anna@shop", f"push={server.url('/set')}")
        ids.append(pushing.send(replyTo=server.url(PATH)))
        pushing.reply("61500079987")

    asked = pushing.run(work).asked
    assert sorted(one.target.partition("?")[0] for one in asked) == ["/in", "/set"]
    (own,) = [one for one in asked if one.target.startswith("/in")]
    assert own.query == {"a": "yes & no", "f": HANDSET, "m": ids[0]}


def test_a_loopback_reply_to_is_refused_when_it_is_dialled_and_says_so_in_the_list(pushing: PushSite) -> None:
    def work(server: CustomersServer) -> None:
        pushing.config()
        pushing.send(replyTo=server.url())
        pushing.reply("61500079987")

    assert pushing.run(work).dialled == 0
    metrics = pushing.site.get("/metrics").body.decode()
    assert 'rejoinder_pushes_queued{state="waiting"} 1.0' in metrics
    assert 'rejoinder_pushes_queued{state="parked"} 0.0' in metrics
    (listed,) = pushing.call("push", "list")
    assert (listed["last_error"], listed["attempts"]) == ("the address is not allowed", 1)
    assert listed["next_try"] is not None


def test_a_parked_push_is_listed_and_replayed(pushing: PushSite) -> None:
    def work(server: CustomersServer) -> None:
        server.answer = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
        pushing.call("user", "set", "anna@shop", f"push={server.url()}")
        pushing.reply(NUMBER)
        pushing.bring()
        pushing.site.centre.clock.pass_seconds(86_401)
        pushing.site.run(pushing.site.centre.upkeep.forget())
        (parked,) = pushing.call("push", "list", "--parked")
        assert (parked["last_error"], parked["kind"], parked["next_try"]) == ("HTTP status 503", "mo", None)
        server.answer = b"HTTP/1.1 204 Yes\r\n\r\n"
        assert pushing.call("push", "replay", "--target", parked["target"]) == {"replayed": 1}
        # The command line has the real time, long after the site's clock.
        pushing.site.sql("UPDATE push SET due_at = 0")
        pushing.site.sql("UPDATE push_target SET due_at = 0")

    asked = pushing.run(work).asked
    assert len(asked) == 2
    assert asked[0].headers["webhook-id"] == asked[1].headers["webhook-id"]
    assert pushing.call("push", "list") == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("push=ftp://shop.example/",), "must be a URL that begins with http"),
        (("push=https://shop.example/?x={{nothing}}",), "which is none of"),
        (("push=https://{{from}}.example/",), "template in the server's name"),
        (("pushMethod=POST",), "must be given first"),
        (("push=https://a.example/", "pushMethod=POST"), "needs a secret"),
        (("push=https://a.example/", "pushMethod=PUT"), "method"),
        (("push=https://a.example/", "pushSecret=guess"), "whsec_"),
        (("push=https://a.example/?s={{statusCode}}",), "which is none of"),
    ],
)
def test_a_setting_that_could_not_be_used_is_refused_and_changes_nothing(
    pushing: PushSite, words: tuple[str, ...], fault: str
) -> None:
    result = CliRunner().invoke(main, ["user", "set", "anna@shop", *words, "--database", pushing.url])
    assert result.exit_code == 1
    assert fault in result.stderr
    assert pushing.site.sql("SELECT mo_push FROM user_account") == [("",)]


def test_secrets_are_never_shown(pushing: PushSite) -> None:
    secret = new_secret()
    words = (
        "push=https://u:pw-canary@a.example/?token=url-canary&t={{text}}",
        "pushMethod=POST",
        f"pushSecret={secret}",
    )
    pushing.call("user", "set", "anna@shop", *words)
    shown = json.dumps([pushing.call("user", "show", "anna@shop"), pushing.call("user", "list")])
    assert all(canary not in shown for canary in (secret, "pw-canary", "url-canary"))


def test_a_pool_number_has_no_push_and_a_new_owner_does_not_inherit_one(pushing: PushSite) -> None:
    refused = CliRunner().invoke(
        main, ["number", "set", "61500079987", "push=https://a.example/", "--database", pushing.url]
    )
    assert refused.exit_code == 1
    assert "reply pool" in refused.stderr
    pushing.call("number", "set", NUMBER, "push=https://a.example/")
    pushing.site.user("other@firm", "firm")
    assert pushing.call("number", "set", NUMBER, "owner=customer:firm")["push"] == ""


class Mailbox:
    """An SMTP server's handler: keeps what it is given, or refuses."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]  # EmailMessage by its policy
            self.to += envelope.rcpt_tos
        return self.answer


@pytest.fixture
def mailbox(pushing: PushSite) -> Iterator[tuple[Mailbox, int]]:
    handler = Mailbox()

    async def listen() -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: SMTP(handler, hostname="mail.example"), "127.0.0.1", 0)

    async def close(server: asyncio.Server) -> None:
        server.close()

    server = pushing.site.run(listen())
    yield handler, server.sockets[0].getsockname()[1]
    pushing.site.run(close(server))


def test_a_mailto_reply_to_is_refused_without_a_mail_server_and_used_with_one(
    pushing: PushSite, mailbox: tuple[Mailbox, int]
) -> None:
    handler, port = mailbox
    params = {**login(), "recipient": HANDSET, "text": "x", "replyTo": "mailto:desk@shop.example"}
    refused = pushing.site.post(SEND, params)
    assert refused.code == -240
    assert "mail server" in refused.json["error"]
    pushing.site.centre.submissions.limits = Limits(mail=True)
    pushing.config(smtp_host="127.0.0.1", smtp_port=port, smtp_from="sms@centre.example", smtp_tls="none")
    sent = pushing.send(replyTo="mailto:desk@shop.example")
    handler.answer = "451 later"
    pushing.reply("61500079987", "ü & <b>\nSubject: evil")
    pushing.bring()
    (waiting,) = pushing.call("push", "list")
    assert (waiting["last_error"], waiting["channel"]) == ("SMTP status 451", "mail")
    handler.answer = "250 OK"
    pushing.site.centre.clock.pass_seconds(400)
    pushing.bring()
    (mail,) = handler.mails
    assert handler.to == ["desk@shop.example"]
    assert (mail["From"], mail["Subject"]) == ("sms@centre.example", f"SMS from {HANDSET} to 61500079987")
    assert mail.get_content().replace("\r\n", "\n").strip() == "ü & <b>\nSubject: evil"
    assert mail["X-In-Reply-To-Message-Id"] == sent
    assert pushing.call("push", "list") == []
