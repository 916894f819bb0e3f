"""Who may send which request in which state: one table, after 3.4 §2.3 (table 2-1) and 5.0 §2.4.

Answers are not in it: they may be sent whenever their request was. Refuses what is not in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from rejoinder.smpp.constants import RESPONSE, Command


class Side(StrEnum):
    """The two ends of a connection: the ESME binds, the centre is bound to."""

    ESME = "esme"
    CENTRE = "centre"

    @property
    def other(self) -> Side:
        return Side.CENTRE if self is Side.ESME else Side.ESME


class State(StrEnum):
    """Where a connection stands. BINDING: a bind is not answered yet. OUTBOUND: the centre asked for one."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    CLOSED = "closed"


_TX, _RX, _TRX = State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX
_BOUND = frozenset({_TX, _RX, _TRX})
_SENDING, _RECEIVING = frozenset({_TX, _TRX}), frozenset({_RX, _TRX})
_UNBOUND = frozenset({State.OPEN, State.OUTBOUND})
_NEVER: frozenset[State] = frozenset()

# Request: the states in which the ESME may send it, and those in which the centre may.
TABLE: Mapping[int, tuple[frozenset[State], frozenset[State]]] = {
    Command.BIND_RECEIVER: (_UNBOUND, _NEVER),
    Command.BIND_TRANSMITTER: (_UNBOUND, _NEVER),
    Command.BIND_TRANSCEIVER: (_UNBOUND, _NEVER),
    Command.OUTBIND: (_NEVER, frozenset({State.OPEN})),
    Command.UNBIND: (_BOUND, _BOUND),
    Command.SUBMIT_SM: (_SENDING, _NEVER),
    Command.SUBMIT_MULTI: (_SENDING, _NEVER),
    Command.DATA_SM: (_SENDING, _RECEIVING),
    Command.DELIVER_SM: (_NEVER, _RECEIVING),
    Command.QUERY_SM: (_SENDING, _NEVER),
    Command.CANCEL_SM: (_SENDING, _NEVER),
    Command.REPLACE_SM: (_SENDING, _NEVER),
    Command.ALERT_NOTIFICATION: (_NEVER, _RECEIVING),
    # 3.4 has it in bound states; 5.0 §2.4 in all, and peers of all versions send it while a bind is judged.
    Command.ENQUIRE_LINK: (_BOUND | _UNBOUND | {State.BINDING}, _BOUND | _UNBOUND | {State.BINDING}),
}

BOUND_BY: Mapping[int, State] = {
    Command.BIND_RECEIVER: _RX,
    Command.BIND_TRANSMITTER: _TX,
    Command.BIND_TRANSCEIVER: _TRX,
}
"""The state that an accepted bind leads to."""


def may_send(side: Side, state: State, command: int) -> bool:
    """Whether that side may send the request in that state; False for what is no request."""
    return state in TABLE.get(command, (_NEVER, _NEVER))[0 if side is Side.ESME else 1]


def is_bound(state: State) -> bool:
    return state in _BOUND


def is_response(command: int) -> bool:
    return bool(command & RESPONSE)


_ALLOWED = {
    (side, state): frozenset(command for command in TABLE if may_send(side, state, command))
    for side in Side
    for state in State
}


def allowed(side: Side, state: State) -> frozenset[int]:
    """All requests that the side may send in the state, looked up once a change of state."""
    return _ALLOWED[side, state]
