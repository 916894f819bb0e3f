"""The store's topics over one session: SQL by name in, values of message/ and flow/ports out."""

from __future__ import annotations

from rejoinder.store.session import Session
from rejoinder.store.tables.activation import ActivationTables
from rejoinder.store.tables.credits import CreditTables
from rejoinder.store.tables.directory import DirectoryTables
from rejoinder.store.tables.inbound import InboundTables
from rejoinder.store.tables.joining import JoiningTables
from rejoinder.store.tables.mailboxes import MailboxTables
from rejoinder.store.tables.messages import MessageTables
from rejoinder.store.tables.opt_outs import OptOutTables
from rejoinder.store.tables.outbox import OutboxTables
from rejoinder.store.tables.pushes import PushTables
from rejoinder.store.tables.rates import RateTables
from rejoinder.store.tables.receipts import ReceiptTables
from rejoinder.store.tables.registry import RegistryTables
from rejoinder.store.tables.replies import ReplyTables
from rejoinder.store.tables.scheduled import ScheduledTables


class AllTables:
    """Every topic of the store over one session (flow/ports `Tables`)."""

    __slots__ = (
        "activations",
        "changed",
        "credits",
        "directory",
        "filled",
        "inbound",
        "joining",
        "mailboxes",
        "messages",
        "opt_outs",
        "outbox",
        "pushes",
        "queued",
        "rates",
        "receipts",
        "registry",
        "replies",
        "scheduled",
    )

    def __init__(self, session: Session) -> None:
        # Boxes whose rows this transaction changed, and those that it put entries in.
        self.changed: set[int] = set()
        self.filled: set[int] = set()
        self.mailboxes = MailboxTables(session, self.changed, self.filled)
        self.credits = CreditTables(session)
        self.outbox = OutboxTables(session)
        self.messages = MessageTables(session)
        # Targets that got pushes in this transaction; the store tells them after its commit.
        self.queued: set[str] = set()
        self.pushes = PushTables(session, self.queued)
        self.receipts = ReceiptTables(session)
        self.replies = ReplyTables(session)
        self.inbound = InboundTables(session)
        self.joining = JoiningTables(session)
        self.opt_outs = OptOutTables(session)
        self.scheduled = ScheduledTables(session)
        self.rates = RateTables(session)
        self.activations = ActivationTables(session)
        self.directory = DirectoryTables(session)
        self.registry = RegistryTables(session)
