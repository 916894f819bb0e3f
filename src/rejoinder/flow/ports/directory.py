"""What running journeys read of accounts, numbers, carriers and routes, and what the operator changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


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
    # Networks that it may log in from, separated by commas; empty: all.
    allow_ip: str = ""
    # What numbers must begin with that its customer may send to, separated by blanks; empty: all.
    prefixes: str = ""
    # Whether a route may put its own sender in place of the user's.
    swaps_sender: bool = False


@dataclass(frozen=True, slots=True)
class SmppAccount:
    """What a user binds to our SMPP server with. `throughput`: messages a second, 0 without limit; `allow_ip`:
    networks separated by blanks, none for all; `window`: submits under way on one bind;
    `origin_tag`: the TLV that names, in an MO, the message it answers, 0 for none.
    """

    user_id: int
    username: str
    system_id: str
    password_hash: str
    enabled: bool
    idempotent_reference: bool
    max_binds: int
    window: int
    throughput: int
    allow_ip: str
    long_mo: str
    default_alphabet: str
    origin_tag: int


@dataclass(frozen=True, slots=True)
class ResellerRow:
    """A reseller as a log-in meets it; what else it decides is read in the transaction that uses it."""

    id: int
    name: str
    password_hash: str
    blocked: bool
    disabled: bool


@dataclass(frozen=True, slots=True)
class RouteRow:
    """Messages to numbers that begin with `prefix` may go to this carrier; lower priority first, equals by weight."""

    prefix: str
    carrier_id: int
    priority: int
    on_unknown: str
    carrier: str
    weight: int = 1
    sender: str = ""


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """A carrier as it was added: its kind and its settings, all strings."""

    id: int
    name: str
    kind: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CarrierState:
    """How a carrier's link stands. `window`: how many messages may be under way now; `rate`: parts a second lately."""

    carrier_id: int
    state: str
    window: int
    in_flight: int
    rate: float
    last_error: str


class Directory(Protocol):
    """What running journeys read of accounts, numbers, carriers and routes."""

    async def user(self, username: str) -> UserRow | None: ...

    async def smpp_account(self, system_id: str) -> SmppAccount | None: ...

    async def reseller(self, name: str) -> ResellerRow | None: ...

    async def version(self) -> tuple[int, int]:
        """Counts of changes to the directory, and of `clock accept`."""

    async def pool(self) -> list[str]: ...

    async def routes(self) -> list[RouteRow]: ...

    async def carriers(self) -> list[CarrierRow]: ...

    async def put_states(self, states: Sequence[CarrierState], at: int) -> None:
        """How carriers stand, for other processes to read (`rejoinder carrier list`)."""

    async def may_send_as(self, user_id: int, customer_id: int, sender: str) -> bool: ...

    async def changed(self) -> None:
        """Tells running servers to look again."""


Kind = Literal["reseller", "customer", "user", "number", "sender", "carrier", "route", "smpp_account"]


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

    async def open_boxes(self, user_ids: Sequence[int]) -> None:
        """A mailbox and a box of final statuses for each of these new users."""

    async def accept_clock(self) -> None: ...
