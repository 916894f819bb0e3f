"""Durable storage: one transaction over all topics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeVar

from rejoinder.flow.ports.activation import Activations
from rejoinder.flow.ports.credits import Credits
from rejoinder.flow.ports.directory import Directory, Registry
from rejoinder.flow.ports.inbound import Inbound
from rejoinder.flow.ports.joining import Joining
from rejoinder.flow.ports.mailboxes import Mailboxes
from rejoinder.flow.ports.opt_outs import OptOuts
from rejoinder.flow.ports.outbox import Messages, Outbox
from rejoinder.flow.ports.pushes import Pushes
from rejoinder.flow.ports.rates import Rates
from rejoinder.flow.ports.receipts import Receipts
from rejoinder.flow.ports.replies import Replies
from rejoinder.flow.ports.scheduled import Scheduled

T = TypeVar("T")


class Tables(Protocol):
    """All topics of the store, over one session."""

    @property
    def mailboxes(self) -> Mailboxes: ...

    @property
    def credits(self) -> Credits: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def messages(self) -> Messages: ...

    @property
    def receipts(self) -> Receipts: ...

    @property
    def replies(self) -> Replies: ...

    @property
    def inbound(self) -> Inbound: ...

    @property
    def joining(self) -> Joining: ...

    @property
    def pushes(self) -> Pushes: ...

    @property
    def opt_outs(self) -> OptOuts: ...

    @property
    def scheduled(self) -> Scheduled: ...

    @property
    def rates(self) -> Rates: ...

    @property
    def activations(self) -> Activations: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def registry(self) -> Registry: ...


Tx = Tables


class Store(Protocol):
    """Durable storage. `write` runs one transaction and returns after it is on disk.

    The work may await nothing but its transaction's methods, and may be run again from its start when
    the database asks for it: it changes nothing outside. Raises StoreUnavailable when nothing was kept.
    """

    @property
    def read(self) -> Tables: ...

    @property
    def reads_at_once(self) -> bool:
        """Whether reads never wait, so that a caller need not make a task for them."""

    @property
    def warnings(self) -> list[str]:
        """What the operator should know of the database it stands on, in sentences."""

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T: ...

    def on_stored(self, listener: Callable[[Collection[int] | None], None]) -> None:
        """The listener is told, after each commit, which boxes got entries; None: any of them may have."""

    def on_queued(self, listener: Callable[[str], None]) -> None:
        """After a commit the listener is told each target that got pushes; called in the writer's event loop."""

    async def check(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""

    async def close(self) -> None:
        """Finishes what waits, then lets the database go."""
