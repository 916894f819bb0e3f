"""A user proves its phone: a code goes there by SMS, and whoever brings it back activates the user (contract §9).

Refuses (2) users that are active already, phone numbers that no SMS reaches, a sixth code within 24 hours, and codes
that are wrong, expired or void after ten tries; (320) what the reseller, who pays for the SMS, can't pay for.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from rejoinder.clock import MICROSECONDS, Clock
from rejoinder.errors import Overloaded
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.desk import Accepted
from rejoinder.flow.operator.accounts import changing
from rejoinder.flow.ports import ActivationCode, Record, Store, Tables, Tx
from rejoinder.flow.refusals import CallRefused
from rejoinder.flow.request import Draft, MessageRefused
from rejoinder.flow.submit import Submissions
from rejoinder.message import phone
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.model import Rotation
from rejoinder.message.text import Alphabet

DIGITS = 6
CODES_A_DAY = 5
TRIES = 10
# An hour: networks deliver within minutes, people look at their phones within the hour.
LIFETIME_SECONDS = 3600
_DAY_US = 86_400 * MICROSECONDS


class Activation:
    """Sends codes and takes them back."""

    def __init__(self, store: Store, clock: Clock, accounts: Accounts, submissions: Submissions) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._submissions = submissions

    async def send_code(self, username: str) -> None:
        """Sends the user a new code, which voids those before. Raises CallRefused 200, 2, 320."""
        user = await self._user(username)
        recipient = phone.recipient(user["phone_number"].replace(" ", ""))
        if recipient is None:
            raise _refused("username", "the user has no phone number that an SMS reaches")
        # Before anything is hashed: a call that nobody pays for must not cost a core's time.
        await _check_day(self._store.read, user["id"], self._clock.wall_us())
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        code_id = await self._keep(user["id"], await self._accounts.passwords.hashed(code))
        try:
            await self._send(user, recipient, f"{code} is your activation code.")
        except (CallRefused, Overloaded):
            # Nothing was sent: it must not count, and the code before still holds.
            await self._store.write(lambda tx: tx.activations.remove(code_id))
            raise

    async def activate(self, username: str, code: str) -> None:
        """Makes the user active. The code that did it may be brought again, so that a lost answer does no harm.
        Raises CallRefused 200, 2.
        """
        record = await self._record(username)
        known = await self._store.read.activations.newest(record["id"])
        if known is None:
            active = "the user is active already" if record["activated"] else "no code was sent"
            raise _refused("username", active)
        await self._check(known, code)
        if not record["activated"]:
            await changing(self._store, lambda tx: tx.registry.change("user", record, {"activated": True}))
            self._accounts.forget()

    async def _check(self, known: ActivationCode, code: str) -> None:
        if self._clock.wall_us() >= known.expires_at:
            raise _refused("activationCode", "it has expired")
        # Counted before it is looked at: many tries at once are ten at most.
        if not await self._store.write(lambda tx: tx.activations.count_try(known.id, TRIES)):
            raise _refused("activationCode", f"void after {TRIES} tries")
        if not await self._accounts.passwords.matches(("code", known.id), known.code_hash, code):
            raise _refused("activationCode", "it is wrong")

    async def _record(self, username: str) -> Record:
        found = await self._store.read.registry.find("user", {"username": username})
        if not found:
            raise CallRefused(AccountCode.NO_USER, "username: there is no such user", "username")
        return found[0]

    async def _user(self, username: str) -> Record:
        """A user that may be sent a code."""
        user = await self._record(username)
        if user["disabled"] or user["blocked"]:
            raise _refused("username", "the user is blocked or disabled")
        if user["activated"]:
            raise _refused("username", "the user is active already")
        return user

    async def _keep(self, user_id: int, code_hash: str) -> int:
        now = self._clock.wall_us()

        async def work(tx: Tx) -> int:
            await tx.activations.hold(user_id)
            await tx.activations.forget(user_id, now - _DAY_US)
            await _check_day(tx, user_id, now)
            return await tx.activations.add(user_id, code_hash, now, now + LIFETIME_SECONDS * MICROSECONDS)

        return await self._store.write(work)

    async def _send(self, user: Record, recipient: str, text: str) -> None:
        """By the platform itself: from the pool, in no mailbox, paid by the reseller."""
        (reseller,) = await self._store.read.registry.find("reseller", {"id": user["reseller_id"]})
        caller = await self._accounts.user(user["username"])
        assert caller is not None  # users are never removed
        payer = replace(caller, source_address="", credit_account_id=reseller["credit_account_id"])
        wanted = Draft(
            recipient=recipient,
            sender="",
            text=text,
            body=text,
            alphabet=Alphabet.GSM,
            parts=1,
            reply_to=None,
            rotation=Rotation.MAX_ROTATION,
            client_ref="",
            validity=LIFETIME_SECONDS,
            unlisted=True,
        )
        (outcome,) = await self._submissions.submit_drafts(payer, [wanted])
        if not isinstance(outcome, Accepted):
            raise _unsent(outcome)


async def _check_day(tables: Tables, user_id: int, now: int) -> None:
    if await tables.activations.count(user_id, now - _DAY_US) >= CODES_A_DAY:
        raise _refused("username", f"a user gets {CODES_A_DAY} codes a day")


def _refused(parameter: str, fault: str) -> CallRefused:
    return CallRefused(AccountCode.INVALID_VALUE, f"{parameter}: {fault}", parameter)


def _unsent(refused: MessageRefused) -> CallRefused:
    if refused.code == MessageError.NOT_ENOUGH_CREDITS:
        return CallRefused(AccountCode.INSUFFICIENT_CREDITS, "username: the reseller has not enough credits")
    return _refused("username", f"no code can be sent to that phone number: {refused.sentence}")
