"""`python -m faults.points POINT TURN serve …`: the server, which kills itself the TURNth time it passes a named point.

The points are places in the product's own code, wrapped from outside, so that nothing of this is in the product.
`-` as POINT: none. Two take a protection out, for negative controls: `not_durable` (SQLite no longer waits for its disk)
and `acknowledges_first` (MOs are acknowledged before they are stored).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from rejoinder.flow import claims, dispatch, inbound, mailbox, outcomes, receipts, submit

# Set in the environment of samples.
SHORT_LEASES = "FAULTS_SHORT_LEASES"


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


CONTROLS = {"not_durable": _without_durability, "acknowledges_first": _acknowledging_first}


def _shorten_leases() -> None:
    """For samples: what a killed process had in its hands comes back after seconds instead of a minute."""
    for module in (claims, outcomes, dispatch):
        module.LEASE_US = 4_000_000  # type: ignore[attr-defined]  # each has imported it
    dispatch.RENEW_SECONDS = 1.0


def main() -> None:
    point, turn = sys.argv[1], int(sys.argv[2])
    if os.environ.get(SHORT_LEASES):
        _shorten_leases()
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
