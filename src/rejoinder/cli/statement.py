"""rejoinder statement: a customer's movements of credits as a table, CSV or JSON, written as they are read.

Refuses to hand a spreadsheet a formula: a text that begins like one gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.printing import one_line
from rejoinder.clock import SystemClock, written
from rejoinder.flow import statement as books
from rejoinder.flow.operator import lookup
from rejoinder.flow.ports import Movement, Store
from rejoinder.flow.statement import Period
from rejoinder.message import money

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = ("time", "reason", "message_id", "amount", "balance")
_WIDTHS = (20, 16, 24, 16, 16)


class Moment(click.ParamType[int]):
    """A day or a moment in ISO 8601 as microseconds UTC; `last`: of a day the end instead of its begin."""

    name = "date"

    def __init__(self, last: bool = False) -> None:
        self._last = last

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return (self._moment(value) - _EPOCH) // timedelta(microseconds=1)
        except ValueError:
            self.fail("give a day as 2026-11-01, or a moment as 2026-11-01T08:30:00", param, ctx)
        except OverflowError:
            self.fail("that is beyond the first or the last day there is", param, ctx)

    def _moment(self, value: str) -> datetime:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=self._last)


def harmless(text: str) -> str:
    """A text as a spreadsheet may have it: never a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose statement it is, over which time, and the balance it begins with (1/1000 credits)."""

    customer: str
    period: Period
    opening: int


class Form(Protocol):
    """One way to write a statement, a piece at a time."""

    def begin(self, heading: Heading) -> None: ...

    def line(self, movement: Movement, balance: int) -> None: ...

    def end(self, heading: Heading, closing: int) -> None: ...


class Table:
    """For a person."""

    def begin(self, heading: Heading) -> None:
        click.secho(self._row(_COLUMNS), bold=True)
        self._balance(heading.period.begin, "opening balance", heading.opening)

    def line(self, movement: Movement, balance: int) -> None:
        cells = (written(movement.at), movement.reason, movement.message_id or "-")
        click.echo(self._row((*cells, money.to_text(movement.amount), money.to_text(balance))))

    def end(self, heading: Heading, closing: int) -> None:
        self._balance(heading.period.end, "closing balance", closing)

    def _balance(self, at: int, word: str, balance: int) -> None:
        click.echo(self._row((written(at), word, "", "", money.to_text(balance))))

    @staticmethod
    def _row(cells: tuple[str, ...]) -> str:
        left = [f"{cell:<{width}}" for cell, width in zip(cells[:3], _WIDTHS[:3], strict=True)]
        right = [f"{cell:>{width}}" for cell, width in zip(cells[3:], _WIDTHS[3:], strict=True)]
        return one_line("  ".join(left + right)).rstrip()


class Csv:
    """For a spreadsheet: the customer in every row, so that several statements can be put together."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout)

    def begin(self, heading: Heading) -> None:
        self._customer = harmless(heading.customer)
        self._writer.writerow(("customer", *_COLUMNS))
        self._row(heading.period.begin, "opening balance", "", "", heading.opening)

    def line(self, movement: Movement, balance: int) -> None:
        amount = money.to_text(movement.amount)
        self._row(movement.at, movement.reason, movement.message_id or "", amount, balance)

    def end(self, heading: Heading, closing: int) -> None:
        self._row(heading.period.end, "closing balance", "", "", closing)

    def _row(self, at: int, reason: str, message_id: str, amount: str, balance: int) -> None:
        # Amounts may begin with "-": they are numbers, and ours.
        texts = (written(at), harmless(reason), harmless(message_id))
        self._writer.writerow((self._customer, *texts, amount, money.to_text(balance)))


class Json:
    """For a program: one object, its movements a line each."""

    def __init__(self) -> None:
        self._separator = ""

    def begin(self, heading: Heading) -> None:
        period = {"from": written(heading.period.begin), "to": written(heading.period.end)}
        head = {"customer": heading.customer, **period, "opening": money.to_number(heading.opening)}
        click.echo(json.dumps(head)[:-1] + ', "movements": [', nl=False)

    def line(self, movement: Movement, balance: int) -> None:
        cells = (written(movement.at), movement.reason, movement.message_id)
        numbers = (money.to_number(movement.amount), money.to_number(balance))
        fields = dict(zip(_COLUMNS, (*cells, *numbers), strict=True))
        click.echo(f"{self._separator}\n{json.dumps(fields)}", nl=False)
        self._separator = ","

    def end(self, heading: Heading, closing: int) -> None:
        click.echo(f'\n], "closing": {json.dumps(money.to_number(closing))}}}')


async def _write(store: Store, customer: str, period: Period, form: Form) -> None:
    record = await lookup.one(store.read, "customer", customer)
    account = record["credit_account_id"]
    balance = await store.read.credits.balance_before(account, period.begin)
    heading = Heading(lookup.full_name("customer", record), period, balance)
    form.begin(heading)
    movements: AsyncIterator[tuple[Movement, int]] = books.lines(store.read, account, period, balance)
    async for movement, after in movements:
        form.line(movement, after)
        balance = after
    form.end(heading, balance)


@click.command(
    epilog=example(
        "rejoinder statement shop --from 2026-11-01 --to 2026-11-30",
        "rejoinder statement acme/shop --csv > november.csv",
    )
)
@click.argument("customer", metavar="[RESELLER/]NAME")
@click.option(
    "--from", "begin", type=Moment(), help="First day or moment, UTC. Default: the account's first."
)
@click.option("--to", "end", type=Moment(last=True), help="Last day, or moment before which. Default: now.")
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet: one row a movement.")
@on_database
def statement(call: Call, customer: str, begin: int | None, end: int | None, as_csv: bool) -> None:
    """Show what a customer had, every movement of its credits, and what it has. Times are UTC."""
    if as_csv and call.as_json:
        raise click.UsageError("give --csv or --json, not both")
    period = Period(begin or 0, SystemClock().wall_us() + 1 if end is None else end)
    if period.end <= period.begin:
        raise click.UsageError("--from must lie before --to, and where that is not given before now")
    form: Form = Csv() if as_csv else Json() if call.as_json else Table()
    call.run(lambda store, _: _write(store, customer, period, form))
