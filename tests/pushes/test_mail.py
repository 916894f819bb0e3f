"""Replies by mail through an SMTP server that wants TLS and a log-in; and that nothing secret is said without them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from rejoinder.clock import SystemClock
from rejoinder.config import load
from rejoinder.endpoints.pushes import couriers
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_records import Brought
from rejoinder.flow.push_settings import PushSetting
from rejoinder.flow.pushes import Courier

USER, PASSWORD = "rejoinder", "canary-of-a-mail-password"
TEXT = "Ja gern 🎉 – um zehn"
VALUES = {
    "MTMessageId": "4" * 24,
    "MOMessageId": "5" * 24,
    "timestamp": 1700000000,
    "from": "61255588885",
    "to": "61500079987",
    "text": TEXT,
}
# aiosmtpd means STARTTLS by TLS, and warns where the connection is encrypted from its beginning.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
TAKEN = Brought(True)
UNUSABLE = Brought(False, "the mail server can't be used", trouble=True)
SENDER = "sms@centre.example"
PARCEL = Parcel("mo_555_7", "mail", "mo", 1700000000, PushSetting("mailto:desk@shop.example"), VALUES)


@dataclass
class MailServer:
    """The operator's mail server: what it got, who logged in, and whether it saw anything that was not encrypted."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)

    def authenticate(
        self, server: SMTP, _session: object, _envelope: object, _mechanism: str, data: Any
    ) -> AuthResult:
        self.tried.append((data.login.decode(), data.password.decode()))
        self._note(server)
        return AuthResult(success=self.tried[-1] == (USER, PASSWORD), handled=False)

    async def handle_DATA(self, server: SMTP, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self._note(server)
        assert envelope.rcpt_tos == ["desk@shop.example"]
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]  # EmailMessage by its policy
        return "250 OK"

    def _note(self, server: SMTP) -> None:
        assert server.transport is not None
        self.secured.append(server.transport.get_extra_info("ssl_object") is not None)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's authorities are the test's own."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@asynccontextmanager
async def mail_server(
    authority: trustme.CA, tls: str, name: str = "127.0.0.1", auth: bool = True
) -> AsyncIterator[MailServer]:
    """`tls`: the setting that suits it; `name`: whose certificate it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    found = MailServer()
    starting = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
    login: dict[str, Any] = {"auth_exclude_mechanism": ["LOGIN", "PLAIN"]}
    if auth:
        login = {
            "authenticator": found.authenticate,
            "auth_required": True,
            "auth_require_tls": tls == "starttls",
        }

    def protocol() -> SMTP:
        return SMTP(found, hostname="mail.example", **starting, **login)  # type: ignore[arg-type]  # its own names

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def courier(port: int, tls: str, password: str = PASSWORD) -> Courier:
    """As the operator's settings make it."""
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_from": SENDER,
        "smtp_user": USER,
        "smtp_password": password,
        "smtp_tls": tls,
    }
    return couriers(load(None, settings), SystemClock())["mail"]


async def bring(port: int, tls: str, password: str = PASSWORD) -> Brought:
    return await courier(port, tls, password).bring(PARCEL)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_reply_goes_out_logged_in_and_encrypted(
    authority: trustme.CA, trusted: None, tls: str
) -> None:
    async with mail_server(authority, tls) as server:
        assert await bring(server.port, tls) == TAKEN
    (mail,) = server.mails
    assert mail.get_content().strip() == TEXT
    assert (mail["To"], mail["X-In-Reply-To-Message-Id"]) == ("desk@shop.example", "4" * 24)
    assert server.tried == [(USER, PASSWORD)]
    assert set(server.secured) == {True}


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_wrong_password_is_told_by_its_status_and_by_nothing_else(
    authority: trustme.CA, trusted: None, tls: str
) -> None:
    async with mail_server(authority, tls) as server:
        assert await bring(server.port, tls, "canary-wrong") == Brought(False, "SMTP status 535")
    assert server.mails == []
    assert ("canary-wrong" in {password for _, password in server.tried}) is True


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("name", ["unknown authority", "another.example"])
async def test_a_certificate_that_is_not_the_servers_ends_it_before_anything_is_said(
    authority: trustme.CA, trusted: None, tls: str, name: str
) -> None:
    issuer = trustme.CA() if name == "unknown authority" else authority
    async with mail_server(issuer, tls, "127.0.0.1" if issuer is not authority else name) as server:
        assert await bring(server.port, tls) == UNUSABLE
    assert (server.mails, server.tried) == ([], [])


@pytest.mark.parametrize(
    ("asked", "offered"), [("starttls", "none"), ("starttls", "tls"), ("tls", "starttls")]
)
async def test_a_server_that_is_secured_in_another_way_gets_neither_password_nor_text(
    authority: trustme.CA, trusted: None, monkeypatch: pytest.MonkeyPatch, asked: str, offered: str
) -> None:
    # Both wait for the other's first word, until the time is up.
    monkeypatch.setattr("rejoinder.endpoints.pushes.mail.SECONDS", 0.5)
    async with mail_server(authority, offered) as server:
        brought = await bring(server.port, asked)
    assert (brought.ok, brought.trouble) == (False, True)
    assert (server.mails, server.tried) == ([], [])


async def test_a_server_without_a_log_in_gets_no_password(authority: trustme.CA, trusted: None) -> None:
    async with mail_server(authority, "starttls", auth=False) as server:
        assert await bring(server.port, "starttls") == UNUSABLE
    assert (server.mails, server.tried) == ([], [])


async def test_a_server_that_takes_its_time_with_every_command_takes_no_more_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found as a mail that went out twice: each command had 20 seconds, and the push's lease was over before the last."""
    monkeypatch.setattr("rejoinder.endpoints.pushes.mail.SECONDS", 0.4)
    said, hung_up = [], asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            said.append(line.split()[0])
            await asyncio.sleep(0.15)
            writer.write(b"354 go on\r\n" if said[-1] == b"DATA" else b"250 OK\r\n")
        writer.close()
        hung_up.set()

    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_from": SENDER, "smtp_tls": "none"}
        plain = couriers(load(None, settings), SystemClock())["mail"]
        assert await plain.bring(PARCEL) == Brought(False, "no answer from the mail server", trouble=True)
        await hung_up.wait()
    assert said[0] == b"EHLO"
    assert b"QUIT" not in said
