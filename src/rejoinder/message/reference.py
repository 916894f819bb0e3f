"""Carriers' message ids: the submit's answer and the receipt often name one message in two ways, and this
finds the pair.

One side writes hex and the other decimal, one pads with zeros, one changes the case. A stored id has one key;
a receipt's id has several forms, each with the key to look for. Refuses an empty id: it has no form and
matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

RAW = "raw"
"""The receipt names the id as it was stored, but for case, blanks and leading zeros."""
DECIMAL_TO_HEX = "decimal_to_hex"
"""The receipt names in decimal what was stored in hex."""
HEX_TO_DECIMAL = "hex_to_decimal"
"""The receipt names in hex what was stored in decimal."""

_DECIMAL = re.compile("[0-9]{1,64}")
_HEX = re.compile("[0-9a-f]{1,64}")
# Short ids meet by chance, long ones do not: a carrier that counts from 1 has "16" in decimal and in hex (22)
# within a minute; two readings of the same 8 digits lie hundreds of millions of messages apart.
_TELLING_DIGITS = 8
# A receipt's id is asked for five times on its way.
_REMEMBERED = 4096


@lru_cache(maxsize=_REMEMBERED)
def key(ref: str) -> str:
    """The one spelling an id is stored and looked up under: no blanks around, lower case, no leading zeros.

    "000" has the key "0"; an id of blanks only has the key "".
    """
    bare = ref.strip().lower()
    return bare.lstrip("0") or bare[-1:]


@lru_cache(maxsize=_REMEMBERED)
def forms(ref: str) -> tuple[tuple[str, str], ...]:
    """The forms a receipt's id may have and the key to look for under each, in order of preference, each key
    once.
    """
    raw = key(ref)
    if not raw:
        return ()
    found = {raw: RAW}
    if _DECIMAL.fullmatch(raw):
        found.setdefault(format(int(raw), "x"), DECIMAL_TO_HEX)
    if _HEX.fullmatch(raw):
        found.setdefault(str(int(raw, 16)), HEX_TO_DECIMAL)
    return tuple((form, wanted) for wanted, form in found.items())


def best(ref: str, candidates: Iterable[str], learnt: str | None = None) -> tuple[str, str] | None:
    """The stored id a receipt's id means and the form that says so, or None when no candidate fits.

    `candidates` are the stored ids found under the keys of `forms(ref)`, best first (the caller puts the
    newest there); `learnt` is the form this carrier was proved to use (see `proves`). A candidate in the
    learnt form wins, then the same spelling, then the order of `forms`; within a form the same spelling, then
    the order of candidates.
    """
    wanted = sorted(forms(ref), key=lambda form: form[0] != learnt)
    stored = list(candidates)
    for form, wanted_key in wanted:
        fitting = [candidate for candidate in stored if key(candidate) == wanted_key]
        if fitting:
            return (ref if ref in fitting else fitting[0]), form
    return None


def proves(ref: str, stored: str, form: str) -> bool:
    """Whether this match shows the carrier's form beyond chance, so that it may be learnt.

    It does when only one form can bring the two together: a letter in one of them, or 8 digits or more. A
    match of short decimal ids proves nothing, and learning from it would send all later receipts to the wrong
    messages.
    """
    told = {name for name, wanted in forms(ref) if wanted == key(stored)}
    if told != {form}:
        return False
    digits = key(ref)
    return not (digits.isdecimal() and key(stored).isdecimal()) or len(digits) >= _TELLING_DIGITS
