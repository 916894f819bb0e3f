"""Texts as people send them, the same on every machine: for filled mailboxes and for sends.

Made from a seed: mostly one part of GSM letters, one in twenty with letters or emoji outside of it.
"""

from __future__ import annotations

import random
from urllib.parse import quote_plus

WORDS = (  # noqa: SIM905 -- prose is easier to read and to change
    "ok see you at the station tonight your parcel arrives tomorrow between 9 and 11 please call us back when are "
    "you home code is valid for ten minutes thanks for the reminder running late will be there soon happy birthday "
    "don't forget milk bread and coffee appointment confirmed reply yes or no balance due payment received meeting "
    "moved to friday morning same place sorry can't talk now text me"
).split()
BEYOND_GSM = ("см. завтра", "好的", "👍", "Zażółć", "😀 bis gleich")


def texts(count: int, seed: int = 1) -> list[str]:
    """So many texts of 12 to 150 characters."""
    source = random.Random(seed)
    made = []
    for index in range(count):
        text = " ".join(source.choices(WORDS, k=source.randint(3, 24)))[: source.randint(40, 150)].strip()
        made.append(f"{text} {source.choice(BEYOND_GSM)}" if index % 20 == 0 else text)
    return made


def encoded(count: int, seed: int = 2, beyond_gsm: str = "") -> str:
    """The same as fields of a form, a text a line; `beyond_gsm`: what a text of other letters has to say besides."""
    lines = (f"text={quote_plus(text)}{'' if text.isascii() else beyond_gsm}" for text in texts(count, seed))
    return "\n".join(lines) + "\n"
