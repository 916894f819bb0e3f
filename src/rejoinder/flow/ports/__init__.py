"""What the journeys need from the store and from carriers, in the journeys' own words.

The one package of flow that store/ and carriers/ may import, from here and not from its modules. Refuses
everything but shapes. All methods of a `Tx` belong to one transaction; those of `Store.read` see committed
values only. "Lock" holds until the end of the transaction.
"""

from __future__ import annotations

from rejoinder.flow.ports.activation import ActivationCode, Activations
from rejoinder.flow.ports.carrier import Carrier, CarrierEvents
from rejoinder.flow.ports.credits import OPERATOR_ACCOUNT, USAGE_ACCOUNT, Credits, Funds, Movement, Transfer
from rejoinder.flow.ports.directory import (
    CarrierRow,
    CarrierState,
    Directory,
    Kind,
    Record,
    Registry,
    ResellerRow,
    RouteRow,
    SmppAccount,
    UserRow,
)
from rejoinder.flow.ports.inbound import Inbound, KeptPart, ParkedMo, Unconfirmed
from rejoinder.flow.ports.joining import Joining, JoiningPart, LongMessage
from rejoinder.flow.ports.mailboxes import EMPTY, Head, LockedMailbox, Mailboxes, Page, PageQuery
from rejoinder.flow.ports.opt_outs import OptOut, OptOuts
from rejoinder.flow.ports.outbox import (
    Claim,
    MessageRecord,
    Messages,
    MtState,
    Outbox,
    PartRecord,
    Progress,
    SubmittedPair,
)
from rejoinder.flow.ports.pushes import Push, PushCounts, Pushes, QueuedPush, TargetState
from rejoinder.flow.ports.rates import Rates
from rejoinder.flow.ports.receipts import KeptReceipt, KnownRef, Receipts
from rejoinder.flow.ports.replies import NO_MO_PUSH, Earlier, Match, MoPush, NumberOwner, Pair, Replies
from rejoinder.flow.ports.scheduled import Held, Repriced, Scheduled
from rejoinder.flow.ports.store import Store, Tables, Tx

__all__ = [
    "EMPTY",
    "NO_MO_PUSH",
    "OPERATOR_ACCOUNT",
    "USAGE_ACCOUNT",
    "ActivationCode",
    "Activations",
    "Carrier",
    "CarrierEvents",
    "CarrierRow",
    "CarrierState",
    "Claim",
    "Credits",
    "Directory",
    "Earlier",
    "Funds",
    "Head",
    "Held",
    "Inbound",
    "Joining",
    "JoiningPart",
    "KeptPart",
    "KeptReceipt",
    "Kind",
    "KnownRef",
    "LockedMailbox",
    "LongMessage",
    "Mailboxes",
    "Match",
    "MessageRecord",
    "Messages",
    "MoPush",
    "Movement",
    "MtState",
    "NumberOwner",
    "OptOut",
    "OptOuts",
    "Outbox",
    "Page",
    "PageQuery",
    "Pair",
    "ParkedMo",
    "PartRecord",
    "Progress",
    "Push",
    "PushCounts",
    "Pushes",
    "QueuedPush",
    "Rates",
    "Receipts",
    "Record",
    "Registry",
    "Replies",
    "Repriced",
    "ResellerRow",
    "RouteRow",
    "Scheduled",
    "SmppAccount",
    "Store",
    "SubmittedPair",
    "Tables",
    "TargetState",
    "Transfer",
    "Tx",
    "Unconfirmed",
    "UserRow",
]
