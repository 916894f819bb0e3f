"""`python -m faults.points POINT TURN serve …`: the server, which kills itself the TURNth time it passes a named point.

The points are places in the product's own code, wrapped from outside, so that nothing of this is in the product.
`-` as POINT: none. A name of faults/without.py instead takes a protection out, for negative controls.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from faults.without import CONTROLS
from rejoinder.carriers import smpp_client, smpp_inbound, smpp_link
from rejoinder.clock import MICROSECONDS
from rejoinder.flow import claims, dispatch, inbound, mailbox, outcomes, push_records, receipts, submit

NONE = "-"
# Set in the environment of samples.
SHORT_LEASES = "FAULTS_SHORT_LEASES"
# Set in the environment of harnesses that break links: a carrier is called again at once, not after a minute.
SHORT_LINKS = "FAULTS_SHORT_LINKS"
SHORT_SECONDS, RENEW_SECONDS = 4, 1.0


def wrapper(point: str = NONE, turn: int = 0) -> tuple[str, ...]:
    """What stands before the server's command: it kills itself there, or runs without that protection."""
    return ("-m", "faults.points", point, str(turn))


def lease_seconds() -> float:
    """When what a killed process had in its hands is anybody's again."""
    return (
        SHORT_SECONDS + RENEW_SECONDS if os.environ.get(SHORT_LEASES) else claims.lease_end(0) / MICROSECONDS
    )


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


def _after_submits(turn: int) -> None:
    """The kill comes when bytes have been written the TURNth time while submits wait for their answers."""
    right = smpp_link.Link._flush
    turns = itertools.count(1)

    def flush(self: Any) -> None:
        right(self)
        if self.in_flight() and next(turns) == turn:
            _kill()

    smpp_link.Link._flush = flush  # type: ignore[method-assign]  # a point, not the product's


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
# The same where the carrier is one of SMPP.
SMPP_POINTS: dict[str, tuple[Any, str, bool]] = {
    **POINTS,
    "deliver_not_committed": (smpp_inbound.SmppDeliveries, "take", False),
    "deliver_committed_not_answered": (smpp_inbound.SmppDeliveries, "take", True),
}
SUBMIT_WRITTEN = "submit_written_not_answered"


def _shorten_leases() -> None:
    """For samples: what a killed process had in its hands comes back after seconds instead of a minute."""
    for module in (claims, outcomes, push_records):
        module.LEASE_US = SHORT_SECONDS * MICROSECONDS  # type: ignore[attr-defined]  # each has its own
    claims.RENEWED_US = int(RENEW_SECONDS * MICROSECONDS)
    dispatch.RENEW_SECONDS = RENEW_SECONDS


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
    elif point == SUBMIT_WRITTEN:
        _after_submits(turn)
    elif point != NONE:
        owner, name, after = SMPP_POINTS[point]
        _at(owner, name, turn, after)
    from rejoinder.cli import main as rejoinder

    sys.argv = ["rejoinder", *sys.argv[3:]]
    rejoinder()


if __name__ == "__main__":
    main()
