"""What a session tells its owner."""

from __future__ import annotations

from typing import Any

import msgspec

from rejoinder.smpp.pdu import Pdu


class Requested(msgspec.Struct, frozen=True):
    """The peer asks for something. Where `pdu.response` is a class, `Session.respond` must be called, once."""

    sequence: int
    pdu: Pdu


class Answered(msgspec.Struct, frozen=True):
    """A request of ours has its answer. A generic_nack comes as the request's own response, empty, with its status."""

    sequence: int
    status: int
    pdu: Pdu
    request: Pdu
    context: Any = None


class Overdue(msgspec.Struct, frozen=True):
    """A request of ours got no answer in time; it has left the window, and a later answer is Strange."""

    sequence: int
    request: Pdu
    context: Any = None


class Strange(msgspec.Struct, frozen=True):
    """Something the peer should not have sent. It has been answered where it could be; worth a line in a log."""

    command: int
    sequence: int
    reason: str


class Ended(msgspec.Struct, frozen=True):
    """The session is over: write what is left to send, then close the connection.

    `reason`: "unbound" is a good end; "not bound in time", "silent", "the connection was lost" and others are not.
    """

    reason: str


Event = Requested | Answered | Overdue | Strange | Ended
