"""A message centre in one process for tests: a real store, a clock that stands still, a scripted carrier.

No socket, no timer: tests call the same flow functions as the endpoints and move time themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rejoinder.clock import ClockGuard, ManualClock
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.cancel import Cancellations
from rejoinder.flow.claims import Claimed, Lane, claim
from rejoinder.flow.desk import Accepted
from rejoinder.flow.dispatch import CarrierLane, Ground
from rejoinder.flow.finals import Final
from rejoinder.flow.inbound import MoIntake
from rejoinder.flow.mailbox import Answer, MailboxPolls, Poll
from rejoinder.flow.optouts import OptOuts, words
from rejoinder.flow.outcomes import Answered, record
from rejoinder.flow.ports import CarrierRow, Claim, MtState, Store, Transfer, Tx, UserRow
from rejoinder.flow.receipts import ReceiptIntake
from rejoinder.flow.replacing import Replacements
from rejoinder.flow.request import SendRequest
from rejoinder.flow.scheduled import Releases
from rejoinder.flow.setup import Setup
from rejoinder.flow.submit import Submissions
from rejoinder.flow.upkeep import Keeping, Upkeep
from rejoinder.message.model import Fate, InboundPart, Outcome, Outgoing, Receipt
from rejoinder.message.objectid import ObjectIds

START = 1_700_000_000
HANDSET = "61255588885"


class Network:
    """A carrier that takes all at once while its link is up."""

    whole, window = False, 10

    def __init__(self, up: bool = True) -> None:
        self.up = up
        self.got: list[Outgoing] = []
        self.asked = asyncio.Event()
        # None: it answers at once.
        self.answers: asyncio.Event | None = None

    def ready(self) -> bool:
        return self.up

    def state(self) -> str:
        return "up" if self.up else "down"

    def last_error(self) -> str:
        return ""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> list[Outcome]:
        self.got.append(outgoing)
        self.asked.set()
        if self.answers is not None:
            await self.answers.wait()
        return [accepted(outgoing, number) for number in outgoing.numbers]


@dataclass
class Centre:
    """One store with everything that stands on it."""

    store: Store
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    ids: ObjectIds = field(default_factory=lambda: ObjectIds(1 << 40))

    def __post_init__(self) -> None:
        self.setup = Setup(self.store)
        self.accounts = Accounts(self.store, self.clock)
        self.guard = ClockGuard(self.clock)
        self.submissions = Submissions(
            self.store, self.clock, self.guard, self.ids, self.accounts, self.setup
        )
        self.polls = MailboxPolls(self.store, self.clock)
        self.receipts = ReceiptIntake(self.store, self.clock, self.setup)
        self.inbound = MoIntake(
            self.store, self.clock, self.ids, OptOuts(self.setup, words("fr: ARRET, fr: Arrêt", "fr: oui"))
        )
        self.upkeep = Upkeep(self.store, self.clock, self.guard, self.setup, self.inbound, Keeping(90))
        self.releases = Releases(self.store, self.clock, self.accounts, self.submissions, self.guard)
        self.cancellations = Cancellations(self.store, self.clock)
        self.replacements = Replacements(self.store, self.clock, self.submissions)
        self.setup.on_change(self.accounts.forget)

    async def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        """Test set-up and inspection straight on the tables; marks are $1, $2."""

        async def work(tx: Tx) -> list[tuple[object, ...]]:
            rows = await tx.mailboxes._session.raw(text, *values)  # type: ignore[attr-defined]  # tests look inside
            return [tuple(row) for row in rows]

        return await self.store.write(work)

    async def account(
        self,
        username: str = "anna@shop",
        customer: str = "shop",
        funds: int = 1_000_000,
        billing: str = "pre_paid",
    ) -> UserRow:
        """A user of a customer of a reseller, with credits (1/1000) and a mailbox."""

        async def work(tx: Tx) -> int:
            return await tx.credits.open("customer", billing)

        resellers = await self.sql("SELECT id FROM reseller")
        if not resellers:
            account = await self.store.write(lambda tx: tx.credits.open("reseller", "post_paid"))
            await self.sql(
                "INSERT INTO reseller (name, password_hash, credit_account_id, default_customer_billing, created_at) "
                "VALUES ('acme', '-', $1, 'pre_paid', 0)",
                account,
            )
        found = await self.sql("SELECT id FROM customer WHERE name = $1", customer)
        if not found:
            account = await self.store.write(work)
            await self.sql(
                "INSERT INTO customer (reseller_id, name, credit_account_id, created_at) "
                "SELECT min(id), $1, $2, 0 FROM reseller",
                customer,
                account,
            )
            if funds:
                await self.store.write(
                    lambda tx: tx.credits.transfer([Transfer(1, account, funds, "credits")], 0)
                )
            found = await self.sql("SELECT id FROM customer WHERE name = $1", customer)
        await self.sql(
            "INSERT INTO user_account (customer_id, username, password_hash, created_at) VALUES ($1, $2, '-', 0)",
            found[0][0],
            username,
        )
        await self.sql(
            "INSERT INTO mailbox (box_id, user_id) SELECT id * sign, id FROM user_account, "
            "(SELECT 1 AS sign UNION SELECT -1) AS signs WHERE username = $1",
            username,
        )
        await self.changed()
        user = await self.accounts.user(username)
        assert user is not None
        return user

    async def carrier(
        self, name: str = "sim", prefix: str = "", priority: int = 0, on_unknown: str = "resend"
    ) -> int:
        """A carrier with one route; nothing runs: tests claim and answer for it."""
        await self.sql("INSERT INTO carrier (name, kind, settings) VALUES ($1, 'simulator', '{}')", name)
        ((carrier_id,),) = await self.sql("SELECT id FROM carrier WHERE name = $1 AND NOT removed", name)
        await self.sql(
            "INSERT INTO route (prefix, carrier_id, priority, on_unknown) VALUES ($1, $2, $3, $4)",
            prefix,
            carrier_id,
            priority,
            on_unknown,
        )
        await self.changed()
        assert isinstance(carrier_id, int)
        return carrier_id

    async def pool(self, *numbers: str) -> None:
        for number in numbers:
            await self.sql("INSERT INTO number (number) VALUES ($1)", number)
        await self.changed()

    async def changed(self) -> None:
        await self.store.write(lambda tx: tx.directory.changed())
        await self.setup.refresh()

    async def send(
        self, user: UserRow, text: str = "Hello mommy", recipient: str = HANDSET, **more: str
    ) -> Accepted:
        return await self.submissions.submit(user, SendRequest(text=text, recipient=recipient, **more))  # type: ignore[arg-type]  # only texts are handed in

    def lane(self, carrier_id: int, network: Network) -> CarrierLane:
        """The carrier's worker; tests start it, or take its turns themselves."""
        ground = Ground(self.store, self.clock, self.guard, self.setup, {})
        return CarrierLane(CarrierRow(carrier_id, "net", "simulator", {}), network, ground, lambda _: None)

    async def claim(self, carrier_id: int, most: int = 100, whole: bool = False, after: int = 0) -> Claimed:
        lane = Lane(carrier_id, whole, self.setup.routes, opt_outs=self.setup.opt_outs)
        now = self.clock.wall_us()
        return await self.store.write(lambda tx: claim(tx, lane, now, most, after))

    async def answer(self, claim_: Claim, outcomes: Sequence[Outcome]) -> dict[str, int]:
        routes, now = self.setup.routes, self.clock.wall_us()
        return await self.store.write(lambda tx: record(tx, [Answered(claim_, outcomes, 0.5)], routes, now))

    async def deliver(
        self, carrier_id: int, fate: Callable[[Outgoing, int], Outcome] | None = None
    ) -> list[tuple[Claim, Outgoing]]:
        """Claims what is due and answers for the carrier: accepted, with ids `r-<message>-<part>`."""
        claimed = (await self.claim(carrier_id)).outgoing
        for claim_, outgoing in claimed:
            say = fate or accepted
            await self.answer(claim_, [say(outgoing, number) for number in outgoing.numbers])
        return claimed

    async def receipt(self, carrier_id: int, ref: str, status: int = 2, **more: str) -> None:
        await self.receipts.take(Receipt(carrier_id, ref, status, self.clock.wall_us(), **more))  # type: ignore[arg-type]  # only texts

    async def reply(
        self, carrier_id: int, handset: str, number: str, text: str = " ggghhh", ref: str | None = None
    ) -> None:
        await self.inbound.take(InboundPart(carrier_id, handset, number, text, self.clock.wall_us(), ref))

    async def poll(self, user: UserRow, since: int = -1, received: bool = False) -> Answer:
        return await self.polls.poll(Poll(user.id, since, received))

    async def finals(self, user: UserRow, since: int = -1) -> Answer:
        """Final statuses not read yet (contract §8)."""
        return await self.polls.poll(Poll(-user.id, since, False))

    async def status(self, mt_id: str) -> int:
        known = await self.store.read.messages.status(mt_id)
        assert known is not None
        return known[2]

    async def balance(self, user: UserRow) -> int:
        return (await self.store.read.credits.balance(user.credit_account_id)).balance

    async def sender_of(self, mt_id: str) -> str:
        ((sender,),) = await self.sql("SELECT sender FROM mt WHERE id = $1", mt_id)
        return str(sender)


def accepted(outgoing: Outgoing, number: int) -> Outcome:
    return Outcome(number, Fate.ACCEPTED, f"r-{outgoing.id}-{number}")


def shown_in(answer: Answer) -> list[dict[str, Any]]:
    """The entries of a page, oldest first."""
    both = (answer.page.received, answer.page.sent)
    found: list[dict[str, Any]] = [one for joined in both for one in msgspec.json.decode(b"[%b]" % joined)]
    return sorted(found, key=lambda one: (one["timestamp"], one["documentId"]))


def delivered(mt_id: str, user_id: int) -> Final:
    """A message of one part that was delivered, as it is handed to what follows from that."""
    mt = MtState(
        id=mt_id,
        user_id=user_id,
        customer_id=0,
        status=10,
        parts=1,
        charge=1000,
        recipient=HANDSET,
        sender="61500079987",
        entry_id=None,
        entry_at=None,
        status_push=False,
        receipts=0,
    )
    return Final(mt, 2, 1000)


async def together(*awaitables: object) -> list[object]:
    """Runs all at once; exceptions come back as values."""
    return await asyncio.gather(*awaitables, return_exceptions=True)  # type: ignore[call-overload,no-any-return]  # any awaitables
