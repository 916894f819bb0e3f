"""rejoinder number, sender."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.kinds import customer_option
from rejoinder.cli.nouns import Filter, Noun, add_common
from rejoinder.flow.operator import numbers, values


@click.group()
def number() -> None:
    """Numbers that handsets can answer to: of a user, of a customer, or of the reply pool."""


@click.group()
def sender() -> None:
    """Names that customers may send under."""


@number.command(
    "add",
    epilog=example(
        "rejoinder number add 61500000001 --pool", "rejoinder number add 61255500000 --customer shop"
    ),
)
@click.argument("number")
@click.option("--pool", is_flag=True, help="A number of the reply pool.")
@customer_option(required=False)
@click.option("--user", metavar="USERNAME", help="A user's own number.")
@on_database
def add_number(call: Call, number: str, pool: bool, customer: str | None, user: str | None) -> None:
    """Add a number: to the reply pool, to a customer or to a user."""
    if (pool, customer is not None, user is not None).count(True) != 1:
        raise click.UsageError("give one of --pool, --customer and --user")
    digits = values.number("number", number)
    added = call.change(lambda tx, _: numbers.add_number(tx, digits, customer, user))
    call.done("number", added, "added {}")


@sender.command("allow", epilog=example("rejoinder sender allow SHOP --customer shop"))
@click.argument("name")
@customer_option()
@on_database
def allow(call: Call, name: str, customer: str) -> None:
    """Let a customer send under a name; '*' lets one you trust send under every name and number."""
    given = values.allowed_sender("name", name)
    call.done("sender", call.change(lambda tx, _: numbers.allow_sender(tx, given, customer)), "allowed {}")


add_common(
    number,
    Noun(
        "number",
        "NUMBER",
        "61255500000",
        ("name", "owner", "customer", "user", "inbox"),
        "inbox=1234321@acme",
        numbers.change_number,
        removable=True,
        filters=(Filter("customer", "customer_id"), Filter("user", "user_id")),
    ),
)
add_common(
    sender,
    Noun(
        "sender",
        "[[RESELLER/]CUSTOMER/]NAME",
        "shop/SHOP",
        ("name", "customer", "reseller"),
        removable=True,
        filters=(Filter("customer", "customer_id"),),
    ),
)
