"""MOs by mail to a `mailto:` replyTo, through the operator's SMTP server.

Refuses header injection (headers are made by the library from single lines) and takes 20 seconds at most. Our own
server is the operator's, so that no guard stands before it; addresses and texts are never logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote

import aiosmtplib

from rejoinder.flow.push_content import Parcel, plain
from rejoinder.flow.push_records import Brought

SECONDS = 20.0
_FAREWELL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's server. `tls`: none, starttls, or tls from the first byte. `user` may be empty."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: str = "starttls"


class MailCourier:
    """A `Courier` for channel mail. `trust`: another set of authorities than the system's."""

    def __init__(self, server: MailServer, trust: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._trust = trust

    async def start(self) -> None:
        """Connects to nothing yet."""

    async def stop(self) -> None:
        """Keeps no connection."""

    async def bring(self, parcel: Parcel) -> Brought:
        """One try, one connection."""
        try:
            await self._send(_mail(parcel, self._server.sender))
        except aiosmtplib.SMTPRecipientsRefused:
            return Brought(False, "the mail server refused the address")
        except aiosmtplib.SMTPResponseException as error:
            return Brought(False, f"SMTP status {error.code}", trouble=400 <= error.code < 500)
        except TimeoutError:
            return Brought(False, "no answer from the mail server", trouble=True)
        except (aiosmtplib.SMTPException, OSError, ValueError):
            return Brought(False, "the mail server can't be used", trouble=True)
        return Brought(True)

    async def _send(self, mail: EmailMessage) -> None:
        """Returns when the server has taken it. Raises what the client raises."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._trust,
            timeout=SECONDS,
        )
        try:
            # Around all of it: the client's own time is that of each command, and the push's lease would be over.
            async with asyncio.timeout(SECONDS):
                await client.connect()
                await client.send_message(mail)
            # What is taken is taken; the good-bye is only polite.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL_SECONDS)
        finally:
            client.close()


def _mail(parcel: Parcel, sender: str) -> EmailMessage:
    values = {name: plain(value) for name, value in parcel.values.items()}
    message = EmailMessage()
    message["From"] = sender
    message["To"] = unquote(parcel.address.url.partition(":")[2])
    message["Subject"] = f"SMS from {values['from']} to {values['to']}"
    message["Date"] = formatdate(parcel.at, usegmt=True)
    # The same over all tries, so that mail servers drop a repetition.
    message["Message-ID"] = f"<{parcel.id}@{sender.rpartition('@')[2]}>"
    message["X-Message-Id"] = values["MOMessageId"]
    if values["MTMessageId"]:
        message["X-In-Reply-To-Message-Id"] = values["MTMessageId"]
    message.set_content(values["text"])
    return message
