"""rejoinder rate."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rejoinder.cli.call import Call, Refusal, example, on_database
from rejoinder.cli.printing import json_text, print_table
from rejoinder.flow.operator import rates, values
from rejoinder.message import money

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rejoinder.flow.ports import Tables

# Below this a table is in before a bar could be read.
_LARGE = 20_000

_reseller = click.option("--reseller", required=True, metavar="NAME", help="Whose customers pay this.")


@click.group()
def rate() -> None:
    """Rates: what a part costs, by the beginning of the number. Without one a part costs 1 credit."""


@rate.command(
    "import",
    epilog=example(
        "rejoinder rate import prices.csv --reseller acme",
        "rejoinder rate import prices.csv --reseller acme --replace",
        "",
        "A line of the file is a prefix and the price of a part in credits, up to three decimals:",
        "  prefix,price",
        "  49,0.075",
        "  4915,0.08",
        "  *,0.5         (every number without a longer prefix)",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@_reseller
@click.option("--replace", is_flag=True, help="Take out all rates that are not in the file.")
@on_database
def import_file(call: Call, file: Path, reseller: str, replace: bool) -> None:
    """Put the rates of a CSV file in, all of them or, where one is wrong, none."""
    found = rates.read_csv(_lines(file))
    with _progress(len(found)) as step:
        gone = call.change(lambda tx, _: rates.replace_rates(tx, reseller, found, replace, step))
    fields: dict[str, object] = {"reseller": reseller, "rates": len(found)}
    if replace:
        call.answer(
            f"{len(found)} rates of reseller {reseller!r} stand in place of {gone}",
            {**fields, "replaced": gone},
        )
    else:
        call.answer(f"put in {len(found)} rates of reseller {reseller!r}", fields)


def _lines(file: Path) -> list[str]:
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Refusal("the file is not UTF-8 text") from None


def _progress(total: int) -> AbstractContextManager[Callable[[int], None]]:
    """What is called with how many more are in; a bar on a person's terminal."""
    if total < _LARGE or not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    return _Bar(total)


class _Bar:
    """A progress bar on stderr."""

    def __init__(self, total: int) -> None:
        self._bar: Any = click.progressbar(length=total, label="rates", file=sys.stderr)

    def __enter__(self) -> Callable[[int], None]:
        self._bar.__enter__()
        update: Callable[[int], None] = self._bar.update
        return update

    def __exit__(self, *raised: object) -> None:
        self._bar.__exit__(*raised)


async def _all(tables: Tables, reseller: str, start: str) -> list[rates.Rate]:
    return [one async for one in rates.each_rate(tables, reseller, start)]


def _array(found: list[rates.Rate]) -> str:
    return json_text(
        [{"prefix": rates.shown(one.prefix), "price": money.to_number(one.price)} for one in found]
    )


@rate.command("list", epilog=example("rejoinder rate list --reseller acme --prefix 49"))
@_reseller
@click.option("--prefix", "start", default="", metavar="DIGITS", help="Only prefixes that begin so.")
@on_database
def list_rates(call: Call, reseller: str, start: str) -> None:
    """List a reseller's rates in order of prefix; with --json an array."""
    digits = values.prefix("prefix", start)
    found = call.read(lambda tables: _all(tables, reseller, digits))
    if call.as_json:
        click.echo(_array(found))
        return
    rows: list[dict[str, object]] = [
        {"prefix": rates.shown(one.prefix), "price": money.to_text(one.price)} for one in found
    ]
    print_table(("prefix", "price"), rows)


@rate.command("export", epilog=example("rejoinder rate export --reseller acme > prices.csv"))
@_reseller
@on_database
def export(call: Call, reseller: str) -> None:
    """Write a reseller's rates as CSV, as `rate import` reads them; with --json an array, as `rate list` does."""
    found = call.read(lambda tables: _all(tables, reseller, ""))
    if call.as_json:
        click.echo(_array(found))
        return
    # Digits, points and an asterisk: nothing to quote.
    click.echo("prefix,price")
    for one in found:
        click.echo(f"{rates.shown(one.prefix)},{money.to_text(one.price)}")


@rate.command("show", epilog=example("rejoinder rate show 4915112345678 --reseller acme"))
@click.argument("number")
@_reseller
@on_database
def show(call: Call, number: str, reseller: str) -> None:
    """What a part to NUMBER costs, and which prefix says so."""
    digits = values.handset("number", number)
    prefix, price = call.read(lambda tables: rates.rate_of(tables, reseller, digits))
    says = "no prefix fits" if prefix is None else f"prefix {rates.shown(prefix)}"
    call.answer(
        f"{money.to_text(price)} credits a part ({says})",
        {"prefix": None if prefix is None else rates.shown(prefix), "price": money.to_number(price)},
    )


@rate.command(
    "remove",
    epilog=example(
        "rejoinder rate remove 4915 4916 --reseller acme", "rejoinder rate remove --all --reseller acme"
    ),
)
@click.argument("prefixes", nargs=-1, metavar="PREFIX …")
@_reseller
@click.option("--all", "everything", is_flag=True, help="All of the reseller's rates.")
@on_database
def remove(call: Call, prefixes: tuple[str, ...], reseller: str, everything: bool) -> None:
    """Take rates out; * is the rate of every number."""
    if everything == bool(prefixes):
        raise click.UsageError("give prefixes, or --all")
    named = None if everything else {rates.prefix(one) for one in prefixes}
    gone = call.change(lambda tx, _: rates.remove_rates(tx, reseller, named))
    call.answer(f"removed {gone} rates of reseller {reseller!r}", {"reseller": reseller, "removed": gone})
