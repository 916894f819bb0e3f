"""MT step 1a for many recipients of one text (contract §13): each is judged by itself, and each once. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from rejoinder.flow.request import Draft, Limits, MessageRefused, SendRequest, checked_recipient, draft
from rejoinder.message import phone
from rejoinder.message.codes import MessageError

MOST_RECIPIENTS = 1000


def drafts(request: SendRequest, limits: Limits, now: int) -> dict[str, Draft | MessageRefused]:
    """One text for many recipients, joined by commas: a draft or a refusal for each, once, under its canonical form.

    Raises MessageRefused (-104) for a list without any, or with more than a call may have.
    """
    named = {phone.recipient(piece) or piece: piece for piece in request.recipient.split(",") if piece}
    if not 0 < len(named) <= MOST_RECIPIENTS:
        raise MessageRefused(
            MessageError.INVALID_RECIPIENT, f"recipient must name 1 to {MOST_RECIPIENTS} numbers", "recipient"
        )
    found: dict[str, Draft | MessageRefused] = {}
    first: Draft | MessageRefused | None = None
    for recipient, piece in named.items():
        try:
            checked_recipient(piece)
        except MessageRefused as refused:
            found[recipient] = refused
            continue
        if first is None:
            first = _judged(replace(request, recipient=recipient), limits, now)
        found[recipient] = _readdressed(first, recipient) if isinstance(first, Draft) else first
    return found


def _judged(request: SendRequest, limits: Limits, now: int) -> Draft | MessageRefused:
    try:
        return draft(request, limits, now)
    except MessageRefused as refused:
        return refused


def _readdressed(first: Draft, recipient: str) -> Draft:
    """The same message to another recipient. Its reference counts for each recipient by itself: with a prefix that is
    longer than any clientRef may be, so that it never meets one of a single message.
    """
    reference = f"{f'sendMultiple to {recipient}':<65}{first.client_ref}" if first.client_ref else ""
    return replace(first, recipient=recipient, client_ref=reference)
