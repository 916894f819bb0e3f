"""Kannel as an operator runs it: bearerbox and smsbox, one SMPP link, sends over HTTP, receipts and MOs to a URL.

It refuses a Kannel that would lose receipts unless asked for one: they lie in SQLite, in a table with the index that
finds them, in WAL mode, which costs one fsync a change in place of several. The message store is the spool, a file a
message, which Kannel does not fsync.
"""

from __future__ import annotations

import contextlib
import http.client
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from bench.debian import Tool
from bench.measure import SERVER_CORE
from bench.process import Server, free_ports, running, wait_until_it_listens

USER = PASSWORD = "tester"
ADMIN = "admin"
BOXES = ("bearerbox", "smsbox")
SEND = "/cgi-bin/sendsms"  # takes GETs alone
START_SECONDS = 20.0

CORE = """\
group = core
admin-port = {admin}
admin-password = {password}
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = {log_level}
"""

IN_MEMORY = "dlr-storage = internal\n"

DURABLE = """\
store-type = spool
store-location = "{folder}/spool"
dlr-storage = sqlite3

group = sqlite3-connection
id = receipts
database = "{folder}/receipts.db"
lock-timeout = 10000

group = dlr-db
id = receipts
table = dlr
field-smsc = smsc
field-timestamp = ts
field-source = source
field-destination = destination
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = boxc
"""

LINK_AND_BOX = """
group = smsc
smsc = smpp
smsc-id = network
host = 127.0.0.1
port = {port}
smsc-username = "{system_id}"
smsc-password = "{smpp_password}"
system-type = ""
transceiver-mode = true
interface-version = 34
max-pending-submits = {window}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
log-file = "{folder}/smsbox.log"
log-level = {log_level}

group = sendsms-user
username = {user}
password = {user_password}
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{mo_url}"
"""

# A receipt is looked for by link and id, and one row taken away; without the index that is a scan of all.
RECEIPTS = (
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE dlr (smsc TEXT, ts TEXT, source TEXT, destination TEXT, service TEXT, url TEXT, mask INTEGER, "
    "status INTEGER, boxc TEXT)",
    "CREATE INDEX dlr_ref ON dlr (ts, smsc)",
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a Kannel is set up with: bearerbox and smsbox, where it binds and as whom, where it brings MOs.

    `mo_url`: with Kannel's escapes, %p for the handset. `log_level`: from 0, everything, to 4, panics alone.
    """

    boxes: tuple[Tool, Tool]
    port: int
    system_id: str
    password: str
    mo_url: str
    window: int = 10  # Kannel's own default
    durable: bool = True
    log_level: int = 3


class Kannel:
    """A running gateway: `url` takes sends, `processes` are the roots whose CPU time is Kannel's."""

    def __init__(self, folder: Path, admin: int, send: int, boxes: list[Server]) -> None:
        self._folder = folder
        self._admin = admin
        self.port, self.url = send, boxes[1].url
        self.processes = [box.pid for box in boxes]

    def status(self) -> str:
        """What bearerbox says of itself; nothing while it doesn't answer."""
        address = f"http://127.0.0.1:{self._admin}/status.txt?password={ADMIN}"
        away = contextlib.suppress(OSError, http.client.HTTPException)
        with away, urllib.request.urlopen(address, timeout=10) as answer:
            return str(answer.read().decode(errors="replace"))
        return ""

    def wait_until_bound(self) -> None:
        """Raises RuntimeError with the ends of its logs when the link stays down."""
        deadline = time.monotonic() + START_SECONDS
        while "(online" not in self.status():
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kannel did not bind: {log_ends(self._folder)}")
            time.sleep(0.05)


@contextlib.contextmanager
def serving(setup: Setup, folder: Path, core: int | None = SERVER_CORE) -> Iterator[Kannel]:
    """A bound Kannel in a folder of its own, on that core. Raises RuntimeError."""
    admin, box, send = free_ports(3)
    configuration = folder / "kannel.conf"
    configuration.write_text(_configuration(setup, folder, admin=admin, box=box, send=send))
    if setup.durable:
        (folder / "spool").mkdir(exist_ok=True)
        _make_receipts(folder / "receipts.db")
    started = []
    with contextlib.ExitStack() as stack:
        for name, tool, port in zip(BOXES, setup.boxes, (admin, send), strict=True):
            output = folder / f"{name}.out"
            command = [str(tool.path), "-v", "4", str(configuration)]
            url = f"http://127.0.0.1:{port}"
            server = running(command, output, environment=tool.environment, url=url, core=core)
            started.append(stack.enter_context(server))
            wait_until_it_listens(port, output)
        kannel = Kannel(folder, admin, send, started)
        kannel.wait_until_bound()
        yield kannel


def log_ends(folder: Path) -> str:
    """The last words of both boxes."""
    return "".join(file.read_text(errors="replace")[-1500:] for file in sorted(folder.glob("*box.*")))


def _configuration(setup: Setup, folder: Path, **ports: int) -> str:
    text = CORE + (DURABLE if setup.durable else IN_MEMORY) + LINK_AND_BOX
    return text.format(
        folder=folder,
        password=ADMIN,
        user=USER,
        user_password=PASSWORD,
        port=setup.port,
        system_id=setup.system_id,
        smpp_password=setup.password,
        window=setup.window,
        mo_url=setup.mo_url,
        log_level=setup.log_level,
        **ports,
    )


def _make_receipts(file: Path) -> None:
    connection = apsw.Connection(str(file))
    try:
        for statement in RECEIPTS:
            connection.execute(statement)
    finally:
        connection.close()
