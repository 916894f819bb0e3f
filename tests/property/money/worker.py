"""A process of workers who charge, refund and move credits at random until it is killed: `worker URL SEED WORKERS LOG`.

Each finished operation is one line of the log, written before the next begins: `s ID` a message that was answered
10, `n` one that was refused, `f ID STATUS` one that became final, `m` credits that moved, `p` some that were not there,
`k` an operation that was cancelled amid its work.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable

from rejoinder.clock import ManualClock
from rejoinder.errors import RejoinderError
from rejoinder.flow.ports import ResellerRow, UserRow
from rejoinder.flow.refusals import CallRefused
from rejoinder.flow.request import MessageRefused
from rejoinder.flow.reselling import Reselling
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.objectid import ObjectIds
from rejoinder.store import open_store
from tests.centre import START, Centre

CUSTOMERS = 12


class Crowd:
    """The workers of one process."""

    def __init__(self, centre: Centre, draw: random.Random, log: int) -> None:
        self._centre = centre
        self._draw = draw
        self._log = log
        self._reselling = Reselling(centre.store, centre.clock)
        self._users: list[UserRow] = []
        self._resellers: list[ResellerRow] = []
        self._carriers: list[int] = []

    async def prepare(self) -> None:
        for n in range(CUSTOMERS):
            user = await self._centre.accounts.user(f"user{n}")
            assert user is not None
            self._users.append(user)
        for name in ("acme", "later"):
            reseller = await self._centre.accounts.reseller(name)
            assert reseller is not None
            self._resellers.append(reseller)
        self._carriers = sorted(self._centre.setup.carriers)

    def say(self, line: str) -> None:
        os.write(self._log, f"{line}\n".encode())

    async def work(self) -> None:
        """One worker: an operation after the other, for ever."""
        kinds: list[Callable[[], Awaitable[None]]] = [self.debit, self.debit, self.carry, self.transfer]
        while True:
            operation = asyncio.ensure_future(self._draw.choice(kinds)())
            if self._draw.random() < 0.05:
                await asyncio.sleep(self._draw.random() * 0.003)
                operation.cancel()
            try:
                await operation
            except asyncio.CancelledError:
                self.say("k")
            except RejoinderError as error:
                self.say("e " + error.sentence)

    async def debit(self) -> None:
        """A message of one or two parts; many customers have too little for it."""
        text = "x" * self._draw.choice((10, 200))
        try:
            sent = await self._centre.send(
                self._draw.choice(self._users), text, f"6125{self._draw.randrange(10**7):07}"
            )
        except MessageRefused:
            self.say("n")
        else:
            self.say(f"s {sent.id}")

    async def carry(self) -> None:
        """A carrier takes some messages and refuses others, which every carrier does in the end: refunded."""
        for claim, outgoing in (await self._centre.claim(self._draw.choice(self._carriers), 4)).outgoing:
            fate = Fate.REFUSED if self._draw.random() < 0.7 else Fate.ACCEPTED
            outcomes = [Outcome(number, fate, f"r-{outgoing.id}-{number}") for number in outgoing.numbers]
            for mt_id, status in (await self._centre.answer(claim, outcomes)).items():
                self.say(f"f {mt_id} {status}")

    async def transfer(self) -> None:
        """Credits between a reseller and one of its customers, either way, sometimes more than there are."""
        number = self._draw.randrange(CUSTOMERS)
        amount = self._draw.choice((-1, 1)) * self._draw.randrange(1, 6_000)
        try:
            await self._reselling.add_credits(self._resellers[number % 2], f"customer{number}", amount)
        except CallRefused:
            self.say("p")
        else:
            self.say("m")


async def main(url: str, seed: int, workers: int, log: int) -> None:
    clock = ManualClock(START)
    centre = Centre(await open_store(url, clock), clock, ObjectIds())
    await centre.setup.refresh()
    crowd = Crowd(centre, random.Random(seed), log)
    await crowd.prepare()
    await asyncio.gather(*(crowd.work() for _ in range(workers)))


if __name__ == "__main__":
    appended = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), appended))
