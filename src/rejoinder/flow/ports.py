"""What the journeys need from the store and from carriers, in the journeys' own words.

The one module of flow that store/ and carriers/ may import. Refuses everything but shapes. All methods
of a `Tx` belong to one transaction; those of `Store.read` see committed values only. "Lock" holds until
the end of the transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from rejoinder.message.model import (
    Entry,
    InboundPart,
    Mo,
    Mt,
    Outcome,
    Outgoing,
    PartRow,
    QueueRow,
    Receipt,
)

T = TypeVar("T")

# Credit accounts that every store has: what the operator gives comes from the one, what is used goes to the other.
OPERATOR_ACCOUNT = 1
USAGE_ACCOUNT = 2


class Head(msgspec.Struct, frozen=True):
    """A mailbox row: highest timestamp given out, highest second answered (contract §3 rule 2)."""

    last: int
    sealed: int


@dataclass(frozen=True, slots=True)
class LockedMailbox:
    """A mailbox row under the writer's lock; `floor` is the store-wide one of contract §3 rule 8."""

    user_id: int
    last: int
    sealed: int
    last_count: int
    floor: int


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Messages of a mailbox with since < timestamp < ceiling; `received`: only those that handsets sent."""

    user_id: int
    since: int
    ceiling: int
    received: bool


# A row of a page: timestamp, incoming, the JSON it is shown as.
PageRow = tuple[int, bool, str]


class Mailboxes(Protocol):
    """Mailbox rows and entries (contract §3)."""

    async def head(self, user_id: int) -> Head: ...

    async def page(self, query: PageQuery, most: int) -> Sequence[PageRow]: ...

    async def lock(self, user_ids: Collection[int]) -> list[LockedMailbox]: ...

    async def advance(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """(user_id, last, last_count) of mailboxes that are locked."""

    async def insert(self, rows: Sequence[tuple[Entry, int]]) -> None:
        """Entries and when they truly arrived, in microseconds."""

    async def seal(self, user_id: int, second: int) -> None: ...

    async def owners(self, after: int, before: int, most: int) -> list[tuple[int, bool]]:
        """Users after `after`, ascending, and whether they have messages older than `before`."""

    async def forget(self, user_id: int, before: int, most: int) -> int: ...

    async def restored(self, now: int) -> None:
        """Raises the floor and moves mailboxes on, as contract §3 rule 8 says."""


@dataclass(frozen=True, slots=True)
class Funds:
    """A credit account under lock. Pre-paid ones never fall below 0."""

    account_id: int
    prepaid: bool
    balance: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One double entry: `amount` moves from payer to payee."""

    payer_id: int
    payee_id: int
    amount: int
    reason: str
    message_id: str | None = None


class Credits(Protocol):
    """Balances and the append-only ledger."""

    async def lock(self, account_ids: Collection[int]) -> dict[int, Funds]: ...

    async def transfer(self, transfers: Sequence[Transfer], at: int) -> None: ...

    async def balance(self, account_id: int) -> Funds: ...

    async def open(self, owner: str, billing: str) -> int: ...

    async def set_billing(self, account_id: int, billing: str) -> None: ...

    async def differences(self) -> list[tuple[int, str, int, int]]:
        """(account, owner, kept, computed) where they differ."""

    async def overcharges(self) -> list[str]: ...

    async def counts(self) -> tuple[int, int]:
        """Transfers, accounts."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A queue row that this process may now send, under a fencing number."""

    row: QueueRow
    fence: int
    claimed_at: int
    was_submitting: bool


@dataclass(frozen=True, slots=True)
class MtState:
    """What moving a message's status needs."""

    id: str
    user_id: int
    customer_id: int
    status: int
    parts: int
    charge: int


class Outbox(Protocol):
    """MTs, their parts and their places in the queue."""

    async def insert(self, mts: Sequence[Mt], rows: Sequence[QueueRow]) -> None: ...

    async def due(
        self, carrier_id: int, now: int, most: int, customer_id: int | None = None
    ) -> list[Claim]: ...

    async def customers_waiting(self, carrier_id: int, after: int, most: int) -> list[int]: ...

    async def mark_claimed(self, claims: Sequence[Claim], now: int, lease: int) -> None: ...

    async def put_parts(self, rows: Sequence[tuple[str, int, int]]) -> None:
        """(mt_id, number, carrier_id) about to be handed over."""

    async def renew(self, held: Sequence[tuple[str, int]], lease: int) -> None: ...

    async def fences(self, ids: Collection[str]) -> dict[str, int]: ...

    async def requeue(self, rows: Sequence[QueueRow]) -> None: ...

    async def drop(self, ids: Collection[str]) -> None: ...

    async def strays(self, now: int, most: int) -> list[Claim]:
        """Messages that wait for a carrier which is gone, and are in nobody's hands."""

    async def next_due(self, carrier_id: int) -> int | None: ...

    async def lengths(self) -> dict[int, int]: ...


class Messages(Protocol):
    """MTs' statuses and their parts'."""

    async def lock(self, ids: Collection[str]) -> list[MtState]: ...

    async def parts(self, ids: Collection[str]) -> list[PartRow]: ...

    async def set_parts(self, rows: Sequence[PartRow]) -> None: ...

    async def drop_parts(self, ids: Collection[str]) -> None:
        """Forgets what a carrier had of these messages: another one gets them."""

    async def set_statuses(self, rows: Sequence[tuple[str, int, int | None]]) -> None:
        """(id, status, finished_at where the status is final)."""

    async def mark_resent(self, ids: Collection[str]) -> None: ...

    async def status(self, mt_id: str) -> tuple[int, str, int] | None:
        """(user_id, recipient, status)."""

    async def payers(self, ids: Collection[str]) -> dict[str, int]:
        """The credit accounts that paid for these messages."""

    async def expired(self, now: int, most: int) -> list[str]: ...

    async def forget_finished(self, before: int, most: int) -> int: ...


@dataclass(frozen=True, slots=True)
class KnownRef:
    """A part that a carrier's id may mean."""

    key: str
    ref: str
    mt_id: str
    number: int


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt that waits for its part."""

    id: int
    key: str
    ref: str
    status: int
    sender: str | None = None


class Receipts(Protocol):
    """Carriers' ids and receipts that wait for theirs."""

    async def lock_carriers(self, carrier_ids: Collection[int]) -> None:
        """Serialises "store an id, look for its receipt" with "look for an id, keep the receipt"."""

    async def by_ref(self, carrier_id: int, keys: Collection[str]) -> list[KnownRef]: ...

    async def keep(self, rows: Sequence[tuple[Receipt, str]]) -> None: ...

    async def kept(self, carrier_id: int, keys: Collection[str]) -> list[KeptReceipt]: ...

    async def kept_to(self, carrier_id: int, recipient: str, since: int) -> list[KeptReceipt]: ...

    async def drop(self, ids: Collection[int]) -> None: ...

    async def forget(self, before: int, most: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """The latest message from a number to a handset."""

    handset: str
    number: str
    user_id: int
    mt_id: str
    conversation: bool
    used_at: int


@dataclass(frozen=True, slots=True)
class Match:
    """What a reply on a pair answers."""

    user_id: int
    customer_id: int
    mt_id: str
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class NumberOwner:
    """Whose a number is; neither customer nor user: the reply pool's. `inbox` takes unprovoked MOs."""

    customer_id: int | None
    user_id: int | None
    inbox_user_id: int | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A message sent before under the same clientRef."""

    mt_id: str
    digest: str
    recipient: str
    status: int


class Replies(Protocol):
    """Who wrote to which handset from which number (contract §11), and client references."""

    async def lock_handsets(self, handsets: Collection[str]) -> None:
        """Serialises the choice of pool numbers for these handsets."""

    async def pairs(self, handsets: Collection[str]) -> list[Pair]: ...

    async def conversations(self, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """(user_id, handset) -> number."""

    async def put(self, pairs: Sequence[Pair], talks: Sequence[Pair]) -> None:
        """Pairs written on, and conversations (with their latest message)."""

    async def matches(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Match]: ...

    async def owners(self, numbers: Collection[str]) -> dict[str, NumberOwner]: ...

    async def references(
        self, keys: Collection[tuple[int, str]], since: int
    ) -> dict[tuple[int, str], Earlier]: ...

    async def put_references(self, rows: Sequence[tuple[int, str, str, str]], at: int) -> None:
        """(user_id, reference, mt_id, digest)."""

    async def forget_references(self, before: int, most: int) -> int: ...

    async def forget_pairs(self, before: int, most: int) -> int: ...

    async def forget_conversations(self, before: int, most: int) -> int: ...


@dataclass(frozen=True, slots=True)
class ParkedMo:
    """An MO that nobody could take, with the reason."""

    id: str
    mo: Mo
    reason: str


@dataclass(frozen=True, slots=True)
class QueuedPush:
    """An MO for a message's replyTo."""

    mo_id: str
    user_id: int
    target: str
    mt_id: str
    handset: str
    due_at: int
    timestamp: int


class Inbound(Protocol):
    """MOs on their way to a mailbox."""

    async def note_seen(self, rows: Sequence[tuple[int, str, int]]) -> set[tuple[int, str]]:
        """(carrier, id, at): remembers them, gives back those that are new."""

    async def forget_seen(self, before: int, most: int) -> int: ...

    async def keep_part(self, part: InboundPart) -> None: ...

    async def kept_parts(self, part: InboundPart) -> dict[int, tuple[str, int]]:
        """number -> (text, received_at) of the long MO this part belongs to."""

    async def drop_parts(self, part: InboundPart) -> None: ...

    async def stale(self, before: int, most: int) -> list[InboundPart]: ...

    async def park(self, parked: Sequence[ParkedMo]) -> None: ...

    async def parked(self, after: str, most: int) -> list[ParkedMo]: ...

    async def take_parked(self, parked_id: str) -> ParkedMo | None: ...

    async def queue_pushes(self, pushes: Sequence[QueuedPush]) -> None: ...


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as a call meets it: itself, and what its customer and reseller decide for it."""

    id: int
    username: str
    password_hash: str
    password_expired: bool
    activated: bool
    blocked: bool
    disabled: bool
    source_address: str
    customer_id: int
    credit_account_id: int
    rotation: str
    reseller_id: int


@dataclass(frozen=True, slots=True)
class RouteRow:
    """Messages to numbers that begin with `prefix` may go to this carrier; lower priority first."""

    prefix: str
    carrier_id: int
    priority: int
    on_unknown: str
    carrier: str


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """A carrier as it was added: its kind and its settings, all strings."""

    id: int
    name: str
    kind: str
    settings: Mapping[str, str]


class Directory(Protocol):
    """What running journeys read of accounts, numbers, carriers and routes."""

    async def user(self, username: str) -> UserRow | None: ...

    async def version(self) -> tuple[int, int]:
        """Counts of changes to the directory, and of `clock accept`."""

    async def pool(self) -> list[str]: ...

    async def routes(self) -> list[RouteRow]: ...

    async def carriers(self) -> list[CarrierRow]: ...

    async def may_send_as(self, user_id: int, customer_id: int, sender: str) -> bool: ...

    async def changed(self) -> None:
        """Tells running servers to look again."""


Kind = Literal["reseller", "customer", "user", "number", "sender", "carrier", "route"]
# Column to value; which columns there are differs by kind.
Record = Mapping[str, Any]


class Registry(Protocol):
    """What the operator's commands read and change (columns: store/tables/registry.py)."""

    async def add(self, kind: Kind, fields: Record) -> bool:
        """False: one of that name is there already, nothing was added."""

    async def find(self, kind: Kind, where: Record) -> list[Record]:
        """Those whose columns have these values; all of them for an empty `where`."""

    async def change(self, kind: Kind, record: Record, fields: Record) -> None:
        """`record` is one that `find` gave."""

    async def remove(self, kind: Kind, record: Record) -> None:
        """A carrier's routes go with it."""

    async def open_mailbox(self, user_id: int) -> None: ...

    async def accept_clock(self) -> None: ...


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

    async def check(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""

    async def close(self) -> None:
        """Finishes what waits, then lets the database go."""


class CarrierEvents(Protocol):
    """Where carriers hand in what comes from networks. Returns after it is on disk."""

    async def receipt(self, receipt: Receipt) -> None: ...

    async def inbound(self, part: InboundPart) -> None: ...


class Carrier(Protocol):
    """A link to a network. `whole`: it takes long texts in one piece, as part number 0."""

    whole: bool
    window: int

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Hands over the parts named in `message.numbers`; one outcome each. Never raises for a network's fault."""

    def state(self) -> str:
        """A word for the operator: up, down, or what is wrong."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...
