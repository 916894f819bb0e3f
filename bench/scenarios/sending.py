"""Sends as wrk makes them: 32 connections, a new recipient each time, every answer looked at.

It refuses a run in which one text was not accepted: `Faulty` with the first other answer.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from bench.databases import Database
from bench.load import Faulty, Load
from bench.process import Server
from bench.scenarios.run import Contender, Run
from bench.server import PASSWORD, SEND, username
from bench.texts import encoded

TEXTS = 500
FIRST_RECIPIENT = 61_400_000_000
BLOCK = 1_000_000  # recipients of one run: more than any can use


class Call(NamedTuple):
    """How a gateway is sent to; see send.lua."""

    method: str
    path: str
    fields: str
    success: str


# No two runs of a process share a recipient, so that no reply pair is used again.
_blocks = itertools.count()


def sending(run: Run, name: str, server: Server, database: Database | None = None) -> Contender:
    """A contender that takes texts; `database` is what works beside its server."""
    file = run.new_folder() / "texts"
    file.write_text(encoded(TEXTS))
    processes = [server.pid, *(database.processes if database else [])]

    def load(seconds: float) -> Load:
        return send(run, server, file, seconds)

    return Contender(name, load, processes)


def send(run: Run, server: Server, file: Path, seconds: float) -> Load:
    """Texts from the file for so long; all of them accepted. Raises `Faulty`."""
    return send_by(run, ours(credentials(0)), server.url, file, seconds)


def credentials(index: int) -> str:
    """A bench's user and its password, as fields of a form."""
    return urlencode({"username": username(index), "password": PASSWORD})


def ours(fields: str) -> Call:
    """Our call, with these fields before the recipient."""
    return Call("POST", SEND, f"{fields}&recipient=", '"messageStatus": ?10[,}]')


def send_by(
    run: Run, call: Call, url: str, file: Path, seconds: float, recipients: int = FIRST_RECIPIENT
) -> Load:
    """The same by another call, or to other numbers. Raises `Faulty`."""
    first = recipients + next(_blocks) * BLOCK
    load = run.generator.send(url, [str(file), *call, str(first)], seconds)
    if load.refused:
        raise Faulty(f"not accepted: {load.refused}")
    return load
