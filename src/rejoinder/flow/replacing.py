"""Another text, time or validity for a scheduled message, before its release; the charge follows the new text.

Refuses what is not waiting any more: a message that has a mailbox entry is what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from rejoinder.clock import Clock
from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.ports import USAGE_ACCOUNT, Held, MtState, Repriced, Store, Transfer, Tx, UserRow
from rejoinder.flow.pricing import read_prices
from rejoinder.flow.request import Draft, Limits, MessageRefused
from rejoinder.flow.submit import Submissions
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status
from rejoinder.message.text import Alphabet


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands in place of what was scheduled. None: as it was. `octets` and `alphabet` come together.

    `validity` in seconds, `release_at` in microseconds UTC, `receipts` the bits of registered_delivery.
    """

    octets: bytes | None = None
    alphabet: Alphabet = Alphabet.GSM
    validity: int | None = None
    release_at: int | None = None
    receipts: int | None = None


# What is wanted, read with the draft that it replaces. Pure; may raise RejoinderError.
ReadReplacement = Callable[[Draft], Replacement]


class Replacements:
    """Changes scheduled messages."""

    def __init__(self, store: Store, clock: Clock, submissions: Submissions) -> None:
        self._store = store
        self._clock = clock
        self._submissions = submissions

    async def replace(self, user: UserRow, document_id: str, read: ReadReplacement) -> bool:
        """Whether it was replaced: False where no message of this user waits under that id.

        `read` gives what is wanted, from the draft that stands: a door may have to know how that one was coded. Raises
        what it raises, and MessageRefused for content that would not be accepted, with the codes of a send.
        """
        now, limits = self._clock.wall_us(), self._submissions.limits
        rated = self._submissions.terms().rated

        async def work(tx: Tx) -> bool:
            found = await _waiting(tx, user, document_id)
            if found is None:
                return False
            state, held = found
            old = Draft.read(held.draft)
            draft = replaced(old, read(old), limits, now)
            charge = await _charge(tx, user, draft, rated)
            await _settle(tx, user, state, charge, now)
            await tx.scheduled.change([replace(held, release_at=draft.release_at, draft=draft.written())])
            row = Repriced(draft.parts, charge, draft.receipts, draft.release_at)
            await tx.scheduled.reprice(document_id, row)
            return True

        return await self._store.write(work)


async def _waiting(tx: Tx, user: UserRow, document_id: str) -> tuple[MtState, Held] | None:
    """The message under its lock, where it is this user's and still waits."""
    states = await tx.messages.lock([document_id])
    held = (await tx.scheduled.of([document_id])).get(document_id)
    if held is None or states[0].user_id != user.id or states[0].status != Status.SUBMITTED:
        return None
    return states[0], held


def replaced(old: Draft, wanted: Replacement, limits: Limits, now: int) -> Draft:
    """The draft with what is to be changed of it, judged as a new one. Raises MessageRefused."""
    octets, alphabet = wanted.octets, wanted.alphabet
    if octets is None:
        octets, alphabet = old.user_data(), Alphabet(old.alphabet)
    judged = coded_draft(
        CodedRequest(
            recipient=old.recipient,
            sender=old.sender,
            octets=octets,
            alphabet=alphabet,
            udh=bytes.fromhex(old.udh),
            flash=old.flash,
            receipts=old.receipts if wanted.receipts is None else wanted.receipts,
            validity=old.validity if wanted.validity is None else wanted.validity,
            release_at=old.release_at if wanted.release_at is None else wanted.release_at,
        ),
        limits,
        now,
    )
    text = judged.text if wanted.octets is not None else old.text
    return replace(judged, text=text, client_ref=old.client_ref, reply_to=old.reply_to, rotation=old.rotation)


async def _charge(tx: Tx, user: UserRow, draft: Draft, rated: bool) -> int:
    prices = await read_prices(tx, [(user.reseller_id, draft.recipient)], rated)
    return draft.parts * prices.per_part(user.reseller_id, draft.recipient)


async def _settle(tx: Tx, user: UserRow, state: MtState, charge: int, now: int) -> None:
    """Charges what it costs more, or gives back what it costs less. Raises MessageRefused: -210."""
    account = user.credit_account_id
    funds = (await tx.credits.lock([account]))[account]
    more = charge - state.charge
    if more > 0 and funds.prepaid and funds.balance < more:
        raise MessageRefused(MessageError.NOT_ENOUGH_CREDITS, "the customer has not enough credits")
    if more > 0:
        await tx.credits.transfer([Transfer(account, USAGE_ACCOUNT, more, "charge", state.id)], now)
    elif more < 0:
        await tx.credits.transfer([Transfer(USAGE_ACCOUNT, account, -more, "reduction", state.id)], now)
