"""The protections that negative controls take out of the server, each from outside: nothing of it is in the product.

A harness whose control does not fail proves nothing, so there is one here, or in the harness itself, for every one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import apsw
from msgspec.structs import replace

from rejoinder.carriers import smpp_client, smpp_plan
from rejoinder.clock import ClockGuard
from rejoinder.flow import admission, claims, inbound, pushes
from rejoinder.message.model import Fate, Outcome
from rejoinder.smpp.window import KeepAlive
from rejoinder.store.tables import outbox


def _opening_with(pragma: str) -> None:
    """Every SQLite connection says this once it is open."""
    from rejoinder.store import sqlite

    right = sqlite._connect

    def connect(path: str) -> Any:
        connection = right(path)
        connection.execute(f"PRAGMA {pragma}")
        return connection

    sqlite._connect = connect


def _durability() -> None:
    """SQLite no longer waits for its disk."""
    from rejoinder.store import sqlite

    _opening_with("synchronous = NORMAL")
    sqlite._check_durable = lambda _: None


def _insisting_on_disk() -> None:
    """A PostgreSQL that answers commits before they are written is not overruled."""
    from rejoinder.store import postgres

    async def trust(_self: Any, _connection: Any) -> None:
        return

    postgres._Opening._insist_on_disk = trust  # type: ignore[method-assign]  # the protection taken out


def _commits_errors() -> None:
    """What SQLite says when a commit fails is not heard: the writers are told that all is well."""
    right = apsw.Connection

    class Careless(right):  # type: ignore[misc, valid-type]  # a class of C
        def execute(self, statements: str, *values: Any, **named: Any) -> Any:
            try:
                return super().execute(statements, *values, **named)
            except apsw.Error:
                if statements != "COMMIT":
                    raise
                if self.in_transaction:
                    super().execute("ROLLBACK")
                return None

    apsw.Connection = Careless  # type: ignore[misc]  # the protection taken out


def _storing_before_acknowledging() -> None:
    """MOs are acknowledged before they are stored."""
    right = inbound.MoIntake.take
    under_way: set[asyncio.Task[None]] = set()

    async def later(self: Any, part: Any) -> None:
        await asyncio.sleep(1)
        await right(self, part)

    async def take(self: Any, part: Any) -> None:
        task = asyncio.create_task(later(self, part))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    inbound.MoIntake.take = take  # type: ignore[method-assign]  # the protection taken out


def _doubting_the_clock() -> None:
    """The wall clock is believed, whatever it does."""
    ClockGuard.suspect = lambda _: False  # type: ignore[method-assign]  # the protection taken out


def _claims_limit() -> None:
    """Each claim reads all that is due, and then takes as much as there is room for."""
    right = outbox.OutboxTables.due

    async def due(self: Any, carrier_id: int, now: int, most: int, customer_id: int | None = None) -> Any:
        return (await right(self, carrier_id, now, 2**31 - 1, customer_id))[:most]

    outbox.OutboxTables.due = due  # type: ignore[method-assign]  # the protection taken out


def _places_for_slow_pushes() -> None:
    """One place for all tries, also for those that hang."""
    pushes.AT_ONCE, pushes.SLOW_AT_ONCE = 1, 0


def _doubt() -> None:
    """What a lost link left without an answer is sent again as if it were new."""
    right = smpp_plan.Handover.settle

    def settle(self: Any, outcome: Outcome) -> None:
        lost = outcome.fate is Fate.UNKNOWN
        right(self, replace(outcome, fate=Fate.THROTTLED) if lost else outcome)

    smpp_plan.Handover.settle = settle  # type: ignore[method-assign]  # the protection taken out


def _doubting_silence() -> None:
    """A link that says nothing is never dead."""
    KeepAlive.dead = lambda self, now: False  # type: ignore[method-assign]  # the protection taken out


def _patience_with_throttles() -> None:
    """A throttled message counts as tried, and waits as long as a faulty one."""
    right = smpp_client.SmppCarrier._fate

    def fate(self: Any, status: int) -> Fate:
        found = right(self, status)
        return Fate.LATER if found is Fate.THROTTLED else found

    smpp_client.SmppCarrier._fate = fate  # type: ignore[method-assign]  # the protection taken out


def _admission() -> None:
    """Any number of submissions may wait."""
    admission.LEAST = admission.MOST = 10**9


def _turns() -> None:
    """A carrier's queue is served oldest first, whosesoever it is."""

    async def due(tx: Any, carrier_id: int, now: int, most: int, _claimed: Any) -> Any:
        return await tx.outbox.due(carrier_id, now, most)

    claims._fair = due


def _request_time() -> None:
    """Requests may take as long as they like, and so may binds and PDUs."""
    from rejoinder.endpoints.http import brakes
    from rejoinder.smpp.session import Session

    right = brakes.Brakes.__init__

    def patient(self: Any, given: admission.Admission, _patience: float) -> None:
        right(self, given, 1e6)

    brakes.Brakes.__init__ = patient  # type: ignore[method-assign]  # the protection taken out
    Session.tick = lambda self, now: []  # type: ignore[method-assign]  # the same


def _checkpoints() -> None:
    """SQLite never brings home what is in its WAL."""
    _opening_with("wal_autocheckpoint = 0")


CONTROLS: dict[str, Callable[[], None]] = {
    "durability": _durability,
    "insisting_on_disk": _insisting_on_disk,
    "commits_errors": _commits_errors,
    "storing_before_acknowledging": _storing_before_acknowledging,
    "doubting_the_clock": _doubting_the_clock,
    "doubt": _doubt,
    "doubting_silence": _doubting_silence,
    "patience_with_throttles": _patience_with_throttles,
    "admission": _admission,
    "turns": _turns,
    "checkpoints": _checkpoints,
    "request_time": _request_time,
    "claims_limit": _claims_limit,
    "places_for_slow_pushes": _places_for_slow_pushes,
}
