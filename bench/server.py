"""Our server as an operator runs it: accounts by the command line, `rejoinder serve` on the server's core.

It refuses to reach inside: everything is done by commands and over HTTP, but for mailboxes that bench/fill.py fills.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench.databases import Database
from bench.process import Server, running

ALL_MESSAGES = "/services/rest/user/allMessages"
MESSAGES = "/services/rest/user/messages"
SEND = "/services/rest/message/sendSingle2"
PASSWORD = "correct-horse-7"
CUSTOMER = "bench"
POOL_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's bytes as they came: head with its blank line, and body."""

    head: bytes
    body: bytes


def command() -> str:
    """The `rejoinder` beside the running Python."""
    return str(Path(sys.executable).parent / "rejoinder")


def rejoinder(database: Database, *words: str) -> str:
    """One command on that database; what it printed. Raises RuntimeError with its sentence when it refuses."""
    done = subprocess.run(
        [command(), *words, "--database", database.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"rejoinder {' '.join(words)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def accounts(database: Database, users: int) -> list[int]:
    """A post-paid customer with so many users, `user0@bench` and on, all with one password; their ids.

    One is made by command, the others are its copies by SQL: a command a user would take half a minute for fifty.
    """
    rejoinder(database, "reseller", "add", "bench-reseller", "--password", PASSWORD, "--billing", "post_paid")
    rejoinder(database, "customer", "add", CUSTOMER, "--reseller", "bench-reseller", "--billing", "post_paid")
    rejoinder(database, "user", "add", username(0), "--customer", CUSTOMER, "--password", PASSWORD)
    for index in range(1, users):
        database.run(
            "INSERT INTO user_account (customer_id, username, password_hash, created_at) "
            f"SELECT customer_id, '{username(index)}', password_hash, created_at "
            f"FROM user_account WHERE username = '{username(0)}'"
        )
    mailboxes(database)
    rows = database.run("SELECT id FROM user_account ORDER BY id")
    return [int(row) for row in rows.split("\n")]


def mailboxes(database: Database) -> None:
    """The two boxes of users that were made by SQL."""
    database.run(
        "INSERT INTO mailbox (box_id, user_id) SELECT id * sign, id FROM user_account, "
        "(SELECT 1 AS sign UNION SELECT -1) AS signs WHERE id NOT IN (SELECT user_id FROM mailbox)"
    )


def numbers_and_carrier(database: Database, kind: str = "simulator", **settings: str) -> None:
    """A pool of reply numbers, and a carrier of that kind for every number, set up as told."""
    numbers(database)
    add_carrier(database, "network", kind, "", **settings)


def numbers(database: Database) -> None:
    """A pool of reply numbers."""
    for index in range(POOL_NUMBERS):
        rejoinder(database, "number", "add", f"6148000{index:04}", "--pool")


def add_carrier(database: Database, name: str, kind: str, prefix: str, **settings: str) -> None:
    """A carrier of that kind, set up as told, for the numbers that begin so."""
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    rejoinder(database, "carrier", "add", name, "--kind", kind, *words)
    rejoinder(database, "route", "add", prefix, name)


def username(index: int) -> str:
    """The name of a bench's user."""
    return f"user{index}@bench"


def poll_path(call: str, index: int, since: int) -> str:
    """The path of a poll with its parameters."""
    return f"{call}?{urlencode({'username': username(index), 'password': PASSWORD, 'since': since})}"


@contextlib.contextmanager
def serving(database: Database, log: Path) -> Iterator[Server]:
    """`rejoinder serve` on that database, at a port of the system's choice."""
    arguments = [command(), "serve", "--database", database.url, "--listen", "127.0.0.1:0"]
    with running(arguments, log) as server:
        yield server


def get(url: str, path: str) -> Answer:
    """One GET, with the bytes as they came. Raises RuntimeError when it isn't 200."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        stream = connection.makefile("rb")
        lines = []
        while (line := stream.readline()) not in (b"\r\n", b""):
            lines.append(line)
        lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
        body = stream.read(lengths[0]) if lengths else b""
    head = b"".join(lines) + b"\r\n"
    if b" 200 " not in lines[0]:
        raise RuntimeError(f"{path.partition('?')[0]} answered {lines[0]!r} {body[:200]!r}")
    return Answer(head, body)
