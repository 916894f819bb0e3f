"""Credits in words and numbers: inside they are integers of 1/1000 credit, outside decimals with up to three places.

Refuses (with None) exponents, blanks, non-ASCII digits, a fourth decimal place and more than 12 digits before
the point: so every amount fits a double exactly as it is printed. Source: contract §5, §9, §12.
"""

from __future__ import annotations

import re

CREDIT = 1000
_AMOUNT = re.compile(r"([+-]?)([0-9]{1,12})(?:\.([0-9]{1,3}))?")


def from_text(text: str) -> int | None:
    """Thousandths of a credit, or None: "2.5" is 2500, "-1" is -1000."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    sign, whole, decimals = found.groups()
    amount = int(whole) * CREDIT + int((decimals or "").ljust(3, "0"))
    return -amount if sign == "-" else amount


def to_text(amount: int) -> str:
    """Whole credits without decimals, else three: "250", "12.500", "-0.001" (contract §5)."""
    whole, thousandths = divmod(abs(amount), CREDIT)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{thousandths:03}" if thousandths else f"{sign}{whole}"


def with_decimals(amount: int) -> str:
    """Always three decimals: "0.000", "2.500" (contract §10, chargedAmount)."""
    whole, thousandths = divmod(abs(amount), CREDIT)
    return f"{'-' if amount < 0 else ''}{whole}.{thousandths:03}"


def to_number(amount: int) -> int | float:
    """For JSON numbers: 1500, 12.5 (contract §9)."""
    return amount / CREDIT if amount % CREDIT else amount // CREDIT
