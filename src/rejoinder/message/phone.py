"""Addresses of messages: recipients, senders, our own numbers and the handsets that write to us.

Each function turns what was given into its one canonical form, digits without a leading `+`, and answers None
for what it refuses: blanks and punctuation inside a number, non-ASCII digits, wrong lengths. Source: contract
§1 "numbers", -104, -105.
"""

from __future__ import annotations

import re

_RECIPIENT = re.compile(r"\+?([0-9]{8,16})")
_NUMBER = re.compile(r"\+?([0-9]{3,16})")
_DIGITS = re.compile(r"[0-9]+")
_NAME = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{2,11}")
_HANDSET_NUMBER = re.compile(r"\+?([0-9]{1,20})")
_MAX_HANDSET = 20
# Digits of a national number without its leading zero.
_LEAST_NATIONAL = 6


def recipient(value: str) -> str | None:
    """The digits of a number a message may be sent to (8 to 16 of them, -104 otherwise), or None."""
    found = _RECIPIENT.fullmatch(value)
    return found[1] if found else None


def sender(value: str) -> str | None:
    """A sender: the digits of a number (3 to 16) or a name as it was given, or None (-105).

    A name is 2 to 11 ASCII letters and digits with at least one letter; its case is kept, because networks
    show it.
    """
    return number(value) or (value if _NAME.fullmatch(value) else None)


def number(value: str) -> str | None:
    """The digits of one of our own numbers (3 to 16, short codes included), or None."""
    found = _NUMBER.fullmatch(value)
    return found[1] if found else None


def is_number(value: str) -> bool:
    """Whether `value` consists of ASCII digits only: a canonical number, not a name."""
    return _DIGITS.fullmatch(value) is not None


def may_be(named: str, number: str) -> bool:
    """Whether a handset's number as a network names it may be `number`: in national form, or with zeros before it.

    What is no number (a name, a short code) is none of a handset we wrote to.
    """
    short, long = sorted((named.lstrip("0"), number.lstrip("0")), key=len)
    return len(short) >= _LEAST_NATIONAL and long.endswith(short)


def handset(value: str) -> str | None:
    """Who an MO comes from, or None. Networks also send names and short codes here, so more is taken than as
    a recipient.

    Blanks around it are dropped. A number of 1 to 20 digits loses its `+`; any other 1 to 20 printable
    characters stay.
    """
    value = value.strip()
    found = _HANDSET_NUMBER.fullmatch(value)
    if found:
        return found[1]
    return value if 1 <= len(value) <= _MAX_HANDSET and value.isprintable() else None
