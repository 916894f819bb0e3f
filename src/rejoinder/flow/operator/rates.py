"""A reseller's rate table: read from a CSV file, changed as a whole or not at all, given back as it was read.

Refuses, with the numbers of the lines, what is no prefix or no price, a prefix that comes twice, and fractions of a
thousandth of a credit: nothing is rounded silently.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rejoinder.errors import Refused
from rejoinder.flow.operator import lookup, values
from rejoinder.flow.ports import Tables, Tx
from rejoinder.flow.pricing import read_prices
from rejoinder.message import money

# How a file names the price of all numbers without a longer prefix.
EVERY = "*"
# World-wide tables have some ten thousand prefixes; a transaction of this many still takes seconds.
MOST = 300_000
# A price above this is a slip of the pen: 1,000,000 credits a part.
HIGHEST = 1_000_000 * money.CREDIT
_STEP = 5_000
_SHOWN = 5
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Rate:
    """A part to numbers that begin with `prefix` costs `price`, in 1/1000 credit."""

    prefix: str
    price: int


def read_csv(lines: Iterable[str]) -> list[Rate]:
    """The rates of a file: a prefix and a price a line, with or without a line of names (`prefix`, `price`).

    Commas, semicolons or tabs between the columns; other columns are ignored. Raises Refused.
    """
    faults: list[str] = []
    found: dict[str, tuple[Rate, int]] = {}
    for number, row in _rows(lines):
        try:
            rate = _rate(row)
        except Refused as refused:
            faults.append(f"line {number}: {refused.sentence}")
            continue
        if rate.prefix in found:
            faults.append(
                f"line {number}: prefix {shown(rate.prefix)} stands on line {found[rate.prefix][1]} already"
            )
        found.setdefault(rate.prefix, (rate, number))
    if faults:
        more = f"; and {len(faults) - _SHOWN} lines more" if len(faults) > _SHOWN else ""
        raise Refused("; ".join(faults[:_SHOWN]) + more, "file")
    if not found:
        raise Refused("the file holds no rates: a prefix and a price a line are wanted", "file")
    if len(found) > MOST:
        raise Refused(f"the file has more than {MOST} rates", "file")
    return [rate for rate, _ in found.values()]


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number, prefix and price of each line that is not blank."""
    source = iter(lines)
    first = next(source, "").removeprefix("\ufeff")
    delimiter = max(_DELIMITERS, key=first.count)
    columns = (0, 1)
    for number, row in _cells(_again(first, source), delimiter):
        cells = [cell.strip() for cell in row]
        if number == 1 and cells and not cells[0].lstrip("+").isdigit() and cells[0] != EVERY:
            columns = _columns(cells)
            continue
        if any(cells):
            yield number, [cells[at] if at < len(cells) else "" for at in columns]


def _cells(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells. Raises Refused for what the csv module gives up on: a cell that is too long, say."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise Refused(f"line {reader.line_num}: {error}", "file") from None


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _columns(names: Sequence[str]) -> tuple[int, int]:
    known = [name.lower() for name in names]
    if "prefix" not in known or "price" not in known:
        raise Refused("line 1: the first line must name the columns prefix and price, or be a rate", "file")
    return known.index("prefix"), known.index("price")


def _rate(row: Sequence[str]) -> Rate:
    if not row[0]:
        raise Refused(f"the prefix is missing ({EVERY} is every number)", "prefix")
    price = values.credit_allowance("price", row[1])
    if price > HIGHEST:
        raise Refused(f"price must be at most {money.to_text(HIGHEST)} credits", "price")
    return Rate(prefix(row[0]), price)


def prefix(value: str) -> str:
    """A prefix as a file or a person writes it. Raises Refused."""
    return "" if value == EVERY else values.prefix("prefix", value)


def shown(kept: str) -> str:
    """A prefix as a file writes it."""
    return kept or EVERY


async def replace_rates(
    tx: Tx,
    reseller: str,
    rates: Sequence[Rate],
    replace: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Puts rates in, and with `replace` takes all others out; says how many were taken out. Raises NotFound."""
    reseller_id = (await lookup.one(tx, "reseller", reseller))["id"]
    gone = await tx.rates.clear(reseller_id) if replace else 0
    for at in range(0, len(rates), _STEP):
        step = rates[at : at + _STEP]
        await tx.rates.put(reseller_id, [(rate.prefix, rate.price) for rate in step])
        progress(len(step))
    return gone


async def remove_rates(tx: Tx, reseller: str, prefixes: Collection[str] | None) -> int:
    """Takes these rates out (None: all); says how many. Raises NotFound, also for a prefix that has no rate."""
    reseller_id = (await lookup.one(tx, "reseller", reseller))["id"]
    if prefixes is None:
        return await tx.rates.clear(reseller_id)
    gone = await tx.rates.drop(reseller_id, prefixes)
    if missing := sorted(set(prefixes) - set(gone)):
        raise Refused(f"prefix {shown(missing[0])} has no rate", "prefix")
    return len(gone)


async def each_rate(tables: Tables, reseller: str, start: str = "") -> AsyncIterator[Rate]:
    """A reseller's rates in order of prefix, those that begin with `start`. Raises NotFound."""
    reseller_id = (await lookup.one(tables, "reseller", reseller))["id"]
    after = start
    while True:
        page = await tables.rates.page(reseller_id, after, _STEP)
        for one, price in page:
            if not one.startswith(start):
                return
            yield Rate(one, price)
        if len(page) < _STEP:
            return
        # A blank sorts before every digit: the next prefix is the first one beyond the last.
        after = page[-1][0] + " "


async def rate_of(tables: Tables, reseller: str, number: str) -> tuple[str | None, int]:
    """The prefix that counts for a number (None: there is none) and the price of a part. Raises NotFound."""
    reseller_id = (await lookup.one(tables, "reseller", reseller))["id"]
    prices = await read_prices(tables, [(reseller_id, number)], rated=True)
    return prices.rate(reseller_id, number)
