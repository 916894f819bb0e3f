"""What is to be pushed of an MO or a final status, and to which targets; stored in the message's own transaction.

Pure. Refuses nothing: a setting or an address that cannot be reached is met when it is tried (pushes.py).
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from urllib.parse import urlsplit

from rejoinder.flow.ports import MtState, QueuedPush
from rejoinder.flow.replies import Belongs
from rejoinder.flow.smpp_receipts import Wish
from rejoinder.message.model import Mo
from rejoinder.message.objectid import timestamp_of

WEB, MAIL, SMPP = "web", "mail", "smpp"
MO, STATUS = "mo", "status"
# Into so many targets a user's replyTo servers are put.
REPLY_TARGETS = 32


def of_status(mt: MtState, status: int, charged: int, now: int) -> list[QueuedPush]:
    """The pushes of a final status: to what its user has set, and to the sessions that asked for a receipt.

    `charged` in 1/1000 credits, `now` in microseconds.
    """
    found = []
    if mt.status_push:
        found.append(_status(mt, status, charged, now))
    wish = Wish.read(mt.receipts)
    if wish.wants(status):
        back = "" if wish.reference is None else str(wish.reference)
        one = _status(mt, status, charged, now)
        found.append(replace(one, channel=SMPP, target=smpp_target(mt.user_id), address=back))
    return found


def _status(mt: MtState, status: int, charged: int, now: int) -> QueuedPush:
    return QueuedPush(
        channel=WEB,
        target=f"status:user:{mt.user_id}",
        kind=STATUS,
        message_id=mt.id,
        mt_id=mt.id,
        entry_id=mt.entry_id or mt.id,
        user_id=mt.user_id,
        entry_at=timestamp_of(mt.id) if mt.entry_at is None else mt.entry_at,
        handset=mt.recipient,
        queued_at=now,
        sender=mt.sender,
        status=status,
        parts=mt.parts,
        charge=charged,
    )


def of_mo(mo: Mo, mo_id: str, to: Belongs, now: int) -> list[QueuedPush]:
    """The pushes of an MO that a user got: the most specific setting; its sessions; the message's replyTo."""
    assert to.user_id is not None
    targets = []
    setting = _setting(mo, to)
    if setting:
        targets.append((WEB, setting, ""))
    if to.push.smpp:
        targets.append((SMPP, smpp_target(to.user_id), ""))
    if to.match is not None and to.match.reply_to:
        targets.append((*reply_target(to.user_id, to.match.reply_to), to.match.reply_to))
    return [
        QueuedPush(
            channel=channel,
            target=target,
            kind=MO,
            message_id=mo_id,
            mt_id=to.match.mt_id if to.match else "",
            entry_id=mo_id,
            user_id=to.user_id,
            entry_at=timestamp_of(mo_id),
            handset=mo.sender,
            queued_at=now,
            sender=mo.recipient,
            address=address,
        )
        for channel, target, address in targets
    ]


def _setting(mo: Mo, to: Belongs) -> str:
    """Contract §10: of the settings of number, user and customer the most specific one."""
    if to.push.number:
        return f"mo:number:{mo.recipient}"
    if to.push.user:
        return f"mo:user:{to.user_id}"
    return f"mo:customer:{to.customer_id}" if to.push.customer else ""


def reply_target(user_id: int, reply_to: str) -> tuple[str, str]:
    """Channel and target of a replyTo: a user's pushes to one server, or to one mail address, go in order.

    Servers share a bounded number of targets per user: nobody can make ever more of them.
    """
    if reply_to[:7].lower() == "mailto:":
        return MAIL, f"mail:{user_id}:{_bucket(reply_to[7:].lower())}"
    found = urlsplit(reply_to)
    return WEB, f"reply:{user_id}:{_bucket(f'{found.scheme}://{found.netloc}'.lower())}"


def _bucket(server: str) -> int:
    return zlib.crc32(server.encode("utf-8", "replace")) % REPLY_TARGETS


def smpp_target(user_id: int) -> str:
    """Whose sessions pull it."""
    return f"smpp:{user_id}"
