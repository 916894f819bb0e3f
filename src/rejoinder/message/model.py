"""The values that travel through the journeys: MT, MO, part, receipt, and what carriers make of them.

Refuses I/O and behaviour: only shapes. Times `*_at` are microseconds UTC, `timestamp` whole seconds,
money 1/1000 credits, ids 24 hex digits (docs/glossary.md).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Billing(StrEnum):
    """How an account pays: pre-paid never falls below 0, post-paid has no limit."""

    PRE_PAID = "pre_paid"
    POST_PAID = "post_paid"


class Rotation(StrEnum):
    """How a reply number is chosen from the pool (contract §11)."""

    MAX_ROTATION = "max_rotation"
    CONVERSATION = "conversation"


class State(StrEnum):
    """What an account may do, the gravest first."""

    DISABLED = "disabled"
    BLOCKED = "blocked"
    INACTIVE = "not_activated"
    ACTIVE = "active"


class ShownMt(msgspec.Struct, frozen=True):
    """An outgoing message as allMessages shows it (contract §2); the field order is the contract's."""

    documentId: str
    text: str
    timestamp: int
    recipient: str


class ShownMo(msgspec.Struct, frozen=True):
    """An incoming message as allMessages and messages show it (contract §2, §4)."""

    documentId: str
    text: str
    timestamp: int
    sender: str = msgspec.field(name="from")
    recipient: str
    originDocumentId: str | None


class ShownStatus(msgspec.Struct, frozen=True):
    """A final status as unreadFinalStatuses shows it (contract §8). `chargedAmount`: digits, three decimals."""

    documentId: str
    recipient: str
    messageStatus: int
    timestamp: int
    numberOfParts: int
    chargedAmount: msgspec.Raw


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One row of a box: where it stands (timestamp, id) and the JSON it is shown as, encoded once."""

    box_id: int
    timestamp: int
    id: str
    incoming: bool
    shown: bytes


class Mt(msgspec.Struct, frozen=True, gc=False):
    """A message we send, from acceptance to its final status.

    `receipts`: which the customer asked for (SMPP's registered_delivery); `release_at`: until then it waits; `payer_id`:
    the credit account that paid, where it isn't the customer's. `asked_sender` and `service_type`: as a customer's
    session gave them (None: it came by another door).
    """

    id: str
    user_id: int
    customer_id: int
    recipient: str
    sender: str
    status: int
    parts: int
    charge: int
    reply_to: str | None
    accepted_at: int
    expires_at: int
    receipts: int = 0
    release_at: int = 0
    payer_id: int | None = None
    asked_sender: str = ""
    service_type: str | None = None


class QueueRow(msgspec.Struct, frozen=True, gc=False):
    """An MT's place in the outbox: what a carrier needs and when it is due.

    `tried` names the carriers that refused it; `unknown` says that the last submit's answer was lost;
    `duplicate` that it may already have reached the handset. `udh` is the hex of a user data header that the
    customer wrote; `octets` the hex of the user data where `text` cannot say it all (a pair that the customer cut
    between two parts); `flash`: shown at once, not stored by the handset (class 0). `own_sender`: the
    user's, where routes may put their own in its place; empty where they may not.
    """

    id: str
    carrier_id: int
    customer_id: int
    recipient: str
    sender: str
    text: str
    alphabet: str
    parts: int
    due_at: int
    valid_until: int
    attempts: int = 0
    tried: str = ""
    unknown: bool = False
    duplicate: bool = False
    udh: str = ""
    octets: str = ""
    flash: bool = False
    own_sender: str = ""


class PartRow(msgspec.Struct, frozen=True, gc=False):
    """What a carrier has of a message. Number 0 is the whole message (carriers that take long texts whole)."""

    mt_id: str
    number: int
    carrier_id: int
    status: int
    ref: str | None
    ref_key: str | None


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """What is handed to a carrier: the message and the numbers of the parts still to be sent.

    `udh`, `octets` and `flash` as in the queue (QueueRow); with a `udh` the message is one part.
    """

    id: str
    recipient: str
    sender: str
    text: str
    alphabet: str
    parts: int
    numbers: tuple[int, ...]
    valid_until: int
    possible_duplicate: bool
    udh: str = ""
    octets: str = ""
    flash: bool = False


class Fate(StrEnum):
    """What became of a part at the carrier. UNSENT: nothing of it left this machine, for the link was down."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    THROTTLED = "throttled"
    UNSENT = "unsent"
    UNKNOWN = "unknown"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The carrier's answer for one part: its fate, the carrier's id where it gave one, a reason in words."""

    number: int
    fate: Fate
    ref: str | None = None
    reason: str = ""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A carrier's word about a part it has. `recipient` and `sender` help where the id was never learnt."""

    carrier_id: int
    ref: str
    status: int
    received_at: int
    recipient: str | None = None
    sender: str | None = None


class Brought(msgspec.Struct, frozen=True, gc=False):
    """How a link whose deliveries have no ids brought one: as its how-manieth, and a digest of all that was delivered.

    `doubtful`: a link of this carrier began or ended lately, so that this may be what a lost one has brought before.
    """

    link: int
    number: int
    digest: int
    doubtful: bool


class InboundPart(msgspec.Struct, frozen=True, gc=False):
    """A text or a part of one as a carrier delivered it. `carrier_ref` makes a repetition known, else `brought`.

    `octets`: a part's user data without its header, in hex, and `alphabet` what it is written in: a pair that was cut
    between two parts is only whole in them. Empty where the carrier gives texts.
    """

    carrier_id: int
    sender: str
    recipient: str
    text: str
    received_at: int
    carrier_ref: str | None = None
    reference: int = 0
    number: int = 1
    total: int = 1
    octets: str = ""
    alphabet: str = ""
    brought: Brought | None = None


class Mo(msgspec.Struct, frozen=True, gc=False):
    """A whole MO, joined, before it is matched."""

    carrier_id: int
    sender: str
    recipient: str
    text: str
    received_at: int
