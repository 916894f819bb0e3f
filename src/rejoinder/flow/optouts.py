"""Opt-outs: a handset that answers STOP gets nothing more from that customer until it writes START (-130).

Only a whole text that is one of the words counts, blanks around it and its case aside: "stop it" is a reply as any
other. Refuses nothing: the MO goes to its mailbox as well, and is named with its word as evidence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rejoinder.flow.ports import OptOut, Tx
from rejoinder.flow.setup import Setup
from rejoinder.message.model import Mo
from rejoinder.observe import OPT_OUTS

# The words that carriers and their trade bodies ask for (CTIA, Messaging Principles and Best Practices).
OUT = ("STOP", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "STOPALL")
BACK = ("START",)
# Longer texts are not looked at.
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Received:
    """An MO in a mailbox, and the customer whose it is."""

    customer_id: int
    mo: Mo
    mo_id: str


@dataclass(frozen=True, slots=True)
class Words:
    """What handsets write to get nothing more (`out`), and to get messages again (`back`), folded."""

    out: frozenset[str]
    back: frozenset[str]

    def meaning(self, text: str) -> bool | None:
        """True: it opts out; False: it takes that back; None: a text as any other."""
        if len(text) > _LONGEST:
            return None
        word = folded(text)
        if word in self.out:
            return True
        return False if word in self.back else None


def words(out: str = "", back: str = "") -> Words:
    """The standing words and the operator's: separated by commas, each after its language if one is named
    (`fr: ARRET, es: BAJA`).
    """
    return Words(_listed(OUT, out), _listed(BACK, back))


def _listed(standing: Iterable[str], more: str) -> frozenset[str]:
    own = (word.rpartition(":")[2] for word in more.split(","))
    return frozenset(folded(word) for word in (*standing, *own) if word.strip())


def folded(text: str) -> str:
    """How words are compared: without blanks around them, in one case, accents composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


class OptOuts:
    """Notes what handsets write, in the transaction that stores their MOs."""

    def __init__(self, setup: Setup, known: Words) -> None:
        self._setup = setup
        self._words = known

    async def note(self, tx: Tx, received: Sequence[Received], now: int) -> None:
        """Stores what these MOs begin and end, in their order; a STOP that stands already is kept as it was."""
        told = [
            (meaning, one) for one in received if (meaning := self._words.meaning(one.mo.text)) is not None
        ]
        for out, group in groupby(told, key=lambda pair: pair[0]):
            # Of two in one batch the first stands. Sorted: all transactions meet handsets in one order.
            rows = {(one.customer_id, one.mo.sender): _row(one, now) for _, one in reversed(list(group))}
            ordered = [rows[key] for key in sorted(rows)]
            if out:
                await self._begin(tx, ordered)
            else:
                await tx.opt_outs.lift(ordered)

    async def _begin(self, tx: Tx, rows: Sequence[OptOut]) -> None:
        await tx.opt_outs.begin(rows)
        if not self._setup.opt_outs:
            # The first one of all: every server must begin to look.
            await tx.directory.changed()

    def noted(self, received: Sequence[Received]) -> None:
        """Once the transaction is on disk."""
        for one in received:
            meaning = self._words.meaning(one.mo.text)
            if meaning is not None:
                OPT_OUTS.labels("out" if meaning else "back").inc()
                self._setup.opt_outs = self._setup.opt_outs or meaning


def _row(one: Received, now: int) -> OptOut:
    return OptOut(one.customer_id, one.mo.sender, now, one.mo.recipient, one.mo_id, one.mo.text.strip())
