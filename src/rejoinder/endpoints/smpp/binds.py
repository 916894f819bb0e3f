"""Who is bound: connections by user, what each account has left of its throughput, how many there are per address.

Refuses a bind beyond the account's number, and connections beyond those of the whole server or of one address.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rejoinder.endpoints.smpp.connection import Connection
from rejoinder.flow.logins import network_of
from rejoinder.flow.ports import SmppAccount
from rejoinder.flow.rates import Throughput
from rejoinder.observe import SMPP_BINDS
from rejoinder.smpp.constants import Command

# Users without a bind whose throughput is remembered; after a second there is nothing to remember.
REMEMBERED = 10_000
RECEIVING = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})
_KINDS = {
    Command.BIND_TRANSMITTER: "transmitter",
    Command.BIND_RECEIVER: "receiver",
    Command.BIND_TRANSCEIVER: "transceiver",
}


@dataclass(slots=True, eq=False)
class Bind:
    """One bound connection. `under_way`: its submits that are not answered yet."""

    connection: Connection
    account: SmppAccount
    command: Command
    under_way: int = 0

    def receives(self) -> bool:
        return self.command in RECEIVING


@dataclass(slots=True)
class _Users:
    """One user's binds and what they share."""

    account: SmppAccount
    throughput: Throughput
    binds: list[Bind] = field(default_factory=list)


class Binds:
    """All of them."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._connections: dict[Connection, str] = {}
        self._addresses: Counter[str] = Counter()
        self._users: dict[int, _Users] = {}
        self._away: dict[int, _Users] = {}

    def connections(self) -> list[Connection]:
        return list(self._connections)

    def admit(self, connection: Connection) -> bool:
        """Whether one more connection from its address may be; it is counted until `leave`."""
        address = network_of(connection.address)
        if len(self._connections) >= self._most or self._addresses[address] >= self._per_address:
            return False
        self._connections[connection] = address
        self._addresses[address] += 1
        return True

    def leave(self, connection: Connection) -> bool:
        """Its socket is closed; False when it was never admitted."""
        address = self._connections.pop(connection, None)
        if address is None:
            return False
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        return True

    def unbound(self, connection: Connection) -> None:
        """A session is over: its place among the account's binds is free, while its connection still counts."""
        bind, connection.bind = connection.bind, None
        if not isinstance(bind, Bind):
            return
        mine = self._users[bind.account.user_id]
        mine.binds.remove(bind)
        if not mine.binds:
            self._remember(self._users.pop(bind.account.user_id))
        SMPP_BINDS.labels(_KINDS[bind.command]).dec()

    def _remember(self, mine: _Users) -> None:
        """Who binds anew finds what was left: a bind more is no message more."""
        self._away[mine.account.user_id] = mine
        if len(self._away) > REMEMBERED:
            del self._away[next(iter(self._away))]

    def bind(self, connection: Connection, account: SmppAccount, command: Command, now: float) -> Bind | None:
        """Takes a bind in; None when the account has as many as it may."""
        mine = self._users.get(account.user_id) or self._away.pop(account.user_id, None)
        if mine is None:
            mine = _Users(account, Throughput(float(account.throughput), now))
        if len(mine.binds) >= account.max_binds:
            return None
        self._users[account.user_id] = mine
        bind = connection.bind = Bind(connection, account, command)
        mine.binds.append(bind)
        self.renew(bind, account, now)
        SMPP_BINDS.labels(_KINDS[command]).inc()
        return bind

    def renew(self, bind: Bind, account: SmppAccount, now: float) -> None:
        """The operator changed the account: its binds go on under the new limits."""
        mine = self._users[account.user_id]
        if mine.account.throughput != account.throughput:
            mine.throughput = Throughput(float(account.throughput), now)
        bind.account = mine.account = account

    def take(self, bind: Bind, count: int, now: float) -> int:
        """Takes up to so many messages of the account's throughput; says how many may go."""
        return self._users[bind.account.user_id].throughput.take(count, now)

    def receiving(self, user_id: int) -> list[Bind]:
        """The user's binds that take deliveries, in the order in which they came."""
        mine = self._users.get(user_id)
        return [bind for bind in mine.binds if bind.receives()] if mine else []
