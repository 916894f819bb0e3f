"""`python -m faults.points POINT TURN serve …`: the server, which kills itself the TURNth time it passes a named point.

The points are places in the product's own code, wrapped from outside, so that nothing of this is in the product.
`-` as POINT: none. Others take a protection out, for negative controls (CONTROLS).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rejoinder.carriers import smpp_client, smpp_link
from rejoinder.flow import claims, dispatch, inbound, mailbox, outcomes, receipts, submit
from rejoinder.message.model import Fate, Outcome
from rejoinder.smpp.window import KeepAlive

# Set in the environment of samples.
SHORT_LEASES = "FAULTS_SHORT_LEASES"
# Set in the environment of harnesses that break links: a carrier is called again at once, not after a minute.
SHORT_LINKS = "FAULTS_SHORT_LINKS"


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at(owner: Any, name: str, turn: int, after: bool) -> None:
    """Wraps an async method: the kill comes before or after the TURNth call's own work."""
    right: Callable[..., Any] = getattr(owner, name)
    turns = itertools.count(1)

    async def wrapped(*args: Any, **named: Any) -> Any:
        due = next(turns) == turn
        if due and not after:
            _kill()
        result = await right(*args, **named)
        if due and after:
            _kill()
        return result

    setattr(owner, name, wrapped)


# Name → (class, method, whether the kill comes after the method's work).
POINTS: dict[str, tuple[Any, str, bool]] = {
    "send_committed_not_answered": (submit.Submissions, "_store_all", True),
    "submitting_committed_not_written": (dispatch.CarrierLane, "_carry", False),
    "answer_read_not_committed": (dispatch.CarrierLane, "_keep", False),
    "answer_committed": (dispatch.CarrierLane, "_record_all", True),
    "mo_committed_not_acknowledged": (inbound.MoIntake, "_store_all", True),
    "receipt_committed_not_acknowledged": (receipts.ReceiptIntake, "_store_all", True),
    "sealed_not_answered": (mailbox.MailboxPolls, "poll", True),
}


def _without_durability() -> None:
    from rejoinder.store import sqlite

    right = sqlite._connect

    def connect(path: str) -> Any:
        connection = right(path)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    sqlite._connect = connect
    sqlite._check_durable = lambda _: None


def _acknowledging_first() -> None:
    right = inbound.MoIntake.take
    under_way: set[asyncio.Task[None]] = set()

    async def later(self: Any, part: Any) -> None:
        await asyncio.sleep(0.2)
        await right(self, part)

    async def take(self: Any, part: Any) -> None:
        task = asyncio.create_task(later(self, part))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    inbound.MoIntake.take = take  # type: ignore[method-assign]  # the protection taken out


def _forgetting_doubt() -> None:
    right = smpp_link.Handover.settle

    def settle(self: Any, outcome: Outcome) -> None:
        lost = outcome.fate is Fate.UNKNOWN
        right(self, replace(outcome, fate=Fate.THROTTLED) if lost else outcome)

    smpp_link.Handover.settle = settle  # type: ignore[method-assign]  # the protection taken out


def _believing_silence() -> None:
    KeepAlive.dead = lambda self, now: False  # type: ignore[method-assign]  # the protection taken out


def _counting_throttles() -> None:
    right = smpp_client.SmppCarrier._fate

    def fate(self: Any, status: int) -> Fate:
        found = right(self, status)
        return Fate.LATER if found is Fate.THROTTLED else found

    smpp_client.SmppCarrier._fate = fate  # type: ignore[method-assign]  # the protection taken out


# Name → what takes the protection out.
CONTROLS = {
    "not_durable": _without_durability,  # SQLite no longer waits for its disk
    "acknowledges_first": _acknowledging_first,  # MOs are acknowledged before they are stored
    "forgets_doubt": _forgetting_doubt,  # what a lost link left without an answer is sent again as if it were new
    "believes_silence": _believing_silence,  # a link that says nothing is never dead
    "counts_throttles": _counting_throttles,  # a throttled message counts as tried, and waits as long as a faulty one
}


def _shorten_leases() -> None:
    """For samples: what a killed process had in its hands comes back after seconds instead of a minute."""
    for module in (claims, outcomes, dispatch):
        module.LEASE_US = 4_000_000  # type: ignore[attr-defined]  # each has imported it
    dispatch.RENEW_SECONDS = 1.0


def _shorten_links() -> None:
    smpp_client.FIRST_SECONDS, smpp_client.LONGEST_SECONDS = 0.05, 0.2


def main() -> None:
    point, turn = sys.argv[1], int(sys.argv[2])
    if os.environ.get(SHORT_LEASES):
        _shorten_leases()
    if os.environ.get(SHORT_LINKS):
        _shorten_links()
    if point in CONTROLS:
        CONTROLS[point]()
    elif point != "-":
        owner, name, after = POINTS[point]
        _at(owner, name, turn, after)
    from rejoinder.cli import main as rejoinder

    sys.argv = ["rejoinder", *sys.argv[3:]]
    rejoinder()


if __name__ == "__main__":
    main()
