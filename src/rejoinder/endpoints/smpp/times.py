"""The two times a submit may bear, absolute and relative (SMPP 3.4 §7.1.1). Pure.

Refuses (None) what is no time: letters, a 13th month, an offset of more than 12 hours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rejoinder.clock import MICROSECONDS

# YYMMDDhhmmss, tenths of a second, quarters of an hour from UTC, and on which side of it; or R for relative.
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])", re.ASCII)
_MOST_QUARTERS = 48


def moment(text: str, now: int) -> int | None:
    """The moment that `text` means, in microseconds UTC; `now` is what relative ones count from."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    years, months, days, hours, minutes, seconds, tenths, quarters = map(int, found.groups()[:8])
    if found[9] == "R":
        # §7.1.1.2 has no calendar: a year is 365 days and a month 30.
        since = timedelta(
            days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds
        )
        return now + since // timedelta(microseconds=1)
    if quarters > _MOST_QUARTERS:
        return None
    try:
        local = datetime(2000 + years, months, days, hours, minutes, seconds, tenths * 100_000, UTC)
    except ValueError:
        return None
    offset = timedelta(minutes=15 * quarters) * (-1 if found[9] == "-" else 1)
    return int((local - offset).timestamp()) * MICROSECONDS + tenths * 100_000


def written(at: int) -> str:
    """An absolute time in UTC, as query_sm_resp's final_date has it; empty for 0."""
    if not at:
        return ""
    return datetime.fromtimestamp(at // MICROSECONDS, UTC).strftime("%y%m%d%H%M%S000+")
