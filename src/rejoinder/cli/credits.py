"""rejoinder credits, ledger."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, Refusal, example, on_database
from rejoinder.cli.kinds import Credits, customer_option
from rejoinder.flow import ledger as books
from rejoinder.flow.operator import lookup
from rejoinder.flow.ports import Kind, Record, Tx
from rejoinder.message import money


@click.group("credits")
def credits_group() -> None:
    """Credits: what sending costs."""


@click.group()
def ledger() -> None:
    """The ledger: every credit that moved, by double entry."""


async def _add(tx: Tx, kind: Kind, name: str, amount: int, now: int) -> Record:
    record = await lookup.one(tx, kind, name)
    await books.grant(tx, record["credit_account_id"], amount, now)
    return await lookup.one(tx, kind, lookup.full_name(kind, record))


# A negative amount is an argument here, not an option.
@credits_group.command(
    "add",
    context_settings={"ignore_unknown_options": True},
    epilog=example(
        "rejoinder credits add --customer shop 500", "rejoinder credits add --reseller acme -12.5"
    ),
)
@click.argument("amount", metavar="N", type=Credits(negative=True))
@click.option("--reseller", metavar="NAME")
@customer_option(required=False)
@on_database
def add(call: Call, amount: int, reseller: str | None, customer: str | None) -> None:
    """Move N credits from the operator's account; a negative N takes them away."""
    if (reseller is None) == (customer is None):
        raise click.UsageError("give one of --reseller and --customer")
    kind: Kind = "customer" if reseller is None else "reseller"
    name = str(customer if reseller is None else reseller)
    record = call.run(
        lambda store, clock: store.write(lambda tx: _add(tx, kind, name, amount, clock.wall_us()))
    )
    call.done(kind, record, f"{{}} has {money.to_text(record['balance'])} credits")


@ledger.command("check", epilog=example("rejoinder ledger check"))
@on_database
def check(call: Call) -> None:
    """Compare every balance with the ledger, and every message's price with what was charged; 1 if they differ."""
    report = call.read(books.check)
    differences = [
        {"account": account, "owner": owner, "kept": money.to_number(kept), "ledger": money.to_number(summed)}
        for account, owner, kept, summed in report.differences
    ]
    call.answer(
        f"{report.transfers} transfers over {report.accounts} accounts: "
        + (
            "all is right"
            if report.right
            else f"wrong balances: {differences}, wrongly charged: {report.overcharged}"
        ),
        {
            "right": report.right,
            "transfers": report.transfers,
            "accounts": report.accounts,
            "differences": differences,
            "overcharged": report.overcharged,
        },
    )
    if not report.right:
        raise Refusal("balances or charges differ from the ledger")
