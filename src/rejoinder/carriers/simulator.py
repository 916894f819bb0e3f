"""A network in this process: it takes parts, rolls its dice, sends receipts and lets handsets answer.

Refuses nothing that a message can hold; what it does to messages is scripted by its settings (handset.py).
Its handsets and what they still have to say live in memory.
"""

from __future__ import annotations

import itertools
import random
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

from rejoinder.carriers.deliveries import Deliveries, Delivery
from rejoinder.carriers.handset import HandsetScript, read_script
from rejoinder.carriers.templates import Template
from rejoinder.clock import Clock
from rejoinder.flow.ports import CarrierEvents, CarrierRow
from rejoinder.message import parts
from rejoinder.message.model import Fate, InboundPart, Outcome, Outgoing, Receipt
from rejoinder.message.phone import is_number
from rejoinder.message.status import Status
from rejoinder.message.text import AUTO, Alphabet, for_carrier

# How many messages are remembered that a handset has not whole yet, or may be sent a second time.
_REMEMBERED = 20_000
# More would not fit the 255 parts of a long message, were every character a pair of surrogates.
_LONGEST_REPLY = 8_000
_REFERENCES = 65_536


class Simulator:
    """A `Carrier` without a network. One per CarrierRow of kind `simulator`."""

    whole = False

    def __init__(self, row: CarrierRow, events: CarrierEvents, clock: Clock) -> None:
        script = read_script(row.settings)
        self.window = script.network.window
        self.throughput = script.network.throughput
        self._every = script.every
        self._numbers = script.numbers
        self._carrier_id = row.id
        # Dice of a simulation, not a secret; a seed makes a run repeatable.
        self._random = random.Random(script.network.seed or None)  # noqa: S311
        self.deliveries = Deliveries(events, clock, self.window)
        # A letter first: no receipt's id may be taken for a decimal one (message/reference.py).
        self._ref_prefix = "f" + secrets.token_hex(6)
        self._refs = itertools.count(1)
        self._references = itertools.count(self._random.randrange(_REFERENCES))
        self._lines: dict[str, Iterator[Template]] = {}
        self._heard: OrderedDict[str, set[int]] = OrderedDict()
        # Customers' long messages that a handset has not whole yet: number to text.
        self._long: OrderedDict[tuple[str, str, int, int], dict[int, tuple[bytes, Alphabet]]] = OrderedDict()
        self._up = False

    async def start(self) -> None:
        self._up = True

    async def stop(self) -> None:
        """Sends nothing more; receipts and replies that handsets still had are gone."""
        self._up = False
        await self.deliveries.stop()

    def state(self) -> str:
        return "up" if self._up else "down"

    def ready(self) -> bool:
        return self._up

    def last_error(self) -> str:
        return ""

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Each part gets an outcome and a receipt of its own, as the script says; the handset answers once."""
        if not self._up:
            return [
                Outcome(number, Fate.LATER, reason="the simulated network is down")
                for number in message.numbers
            ]
        if self.deliveries.full():
            return [
                Outcome(number, Fate.THROTTLED, reason="too much is on its way") for number in message.numbers
            ]
        script = self._numbers.get(message.recipient, self._every)
        outcomes, early = [], []
        for number in message.numbers:
            outcome, ref = self._submit(number, script)
            outcomes.append(outcome)
            if ref is not None:
                early += self._receipts(message, ref, script)
        if early:
            await self.deliveries.hand_in(tuple(early))
        if self._complete(message, outcomes):
            text = self._heard_out(message)
            if text is not None:
                self._reply(message, text, script)
        return outcomes

    def _rolled(self, percent: float) -> bool:
        return percent > 0 and self._random.random() * 100 < percent

    def _new_ref(self) -> str:
        return f"{self._ref_prefix}{next(self._refs):08x}"

    def _submit(self, number: int, script: HandsetScript) -> tuple[Outcome, str | None]:
        """The answer to one part, and its id where the network took it."""
        if self._rolled(script.reject_percent):
            return Outcome(number, Fate.REFUSED, reason="rejected by the script"), None
        if self._rolled(script.throttle_percent):
            return Outcome(number, Fate.THROTTLED, reason="throttled by the script"), None
        ref = self._new_ref()
        if self._rolled(script.lose_answer_percent):
            return Outcome(number, Fate.UNKNOWN, reason="the answer was lost by the script"), ref
        return Outcome(number, Fate.ACCEPTED, ref), ref

    def _receipts(self, message: Outgoing, ref: str, script: HandsetScript) -> list[Delivery]:
        """Those to be handed in before the submit is answered; the others are put on their way."""
        if script.receipts == "never" or self._rolled(script.lose_receipt_percent):
            return []
        receipt = partial(
            Receipt,
            self._carrier_id,
            ref,
            Status.DELIVERED,
            recipient=message.recipient,
            sender=message.sender,
        )
        if script.receipts == "before":
            return [receipt]
        batch = (receipt, receipt) if script.receipts == "twice" else (receipt,)
        self.deliveries.put(batch, script.delay)
        return []

    def _complete(self, message: Outgoing, outcomes: list[Outcome]) -> bool:
        """Whether the handset has the whole message by now, and had it not before."""
        arrived = {it.number for it in outcomes if it.fate in (Fate.ACCEPTED, Fate.UNKNOWN)}
        certain = all(it.fate is Fate.ACCEPTED for it in outcomes)
        heard = self._heard.pop(message.id, None)
        if heard is None and certain and len(arrived) == message.parts:
            return True
        if heard is None and not arrived:
            return False
        before = heard or set()
        # Remembered also when it is whole: a lost answer brings it a second time, and nobody answers twice.
        self._heard[message.id] = before | arrived
        if len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)
        return len(before) < message.parts == len(before | arrived)

    def _heard_out(self, message: Outgoing) -> str | None:
        """The text that the handset shows now; None: nothing to read, or parts of it are still missing."""
        if message.alphabet == Alphabet.BINARY:
            return None
        found = parts.read_udh(bytes.fromhex(message.udh))[0] if message.udh else None
        if found is None or found.total == 1:
            return message.text
        key = (message.recipient, message.sender, found.reference, found.total)
        piece = (parts.user_data(message), Alphabet(message.alphabet))
        heard = self._long.pop(key, {}) | {found.number: piece}
        if len(heard) == found.total:
            return parts.join_octets(heard)
        self._long[key] = heard
        if len(self._long) > _REMEMBERED:
            self._long.popitem(last=False)
        return None

    def _reply(self, message: Outgoing, heard: str, script: HandsetScript) -> None:
        # A name can't be answered, by a real handset either.
        if not script.reply or not is_number(message.sender) or not self._answers(script):
            return
        for turn in range(1, script.replies + 1):
            text = self._next_line(message.recipient, script).fill(
                {
                    "recipient": message.recipient,
                    "sender": message.sender,
                    "text": heard,
                    "id": message.id,
                    "duplicate": "true" if message.possible_duplicate else "false",
                }
            )
            batch = self._as_parts(message, text[:_LONGEST_REPLY], script)
            self.deliveries.put(batch, script.delay + script.reply_delay * turn)

    def _next_line(self, handset: str, script: HandsetScript) -> Template:
        if len(script.reply) == 1:
            return script.reply[0]
        # The handsets that share a script take turns in its lines.
        owner = handset if handset in self._numbers else ""
        return next(self._lines.setdefault(owner, itertools.cycle(script.reply)))

    def _answers(self, script: HandsetScript) -> bool:
        return script.reply_percent >= 100 or self._rolled(script.reply_percent)

    def _as_parts(self, message: Outgoing, text: str, script: HandsetScript) -> tuple[Delivery, ...]:
        text, alphabet = for_carrier(text, AUTO)
        pieces = parts.split(text, alphabet, 0)
        reference = next(self._references) % _REFERENCES if len(pieces) > 1 else 0
        batch: list[Delivery] = [
            partial(
                InboundPart,
                self._carrier_id,
                message.recipient,
                message.sender,
                piece.text,
                carrier_ref=self._new_ref(),
                reference=reference,
                number=piece.number,
                total=piece.total,
            )
            for piece in pieces
        ]
        if script.reply_order == "reversed":
            batch.reverse()
        if script.repeat_replies:
            return tuple(delivery for delivery in batch for _ in range(2))
        return tuple(batch)
