"""rejoinder optout: which handsets want nothing more from a customer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.kinds import customer_option
from rejoinder.cli.printing import Fields, json_text, print_table
from rejoinder.clock import written
from rejoinder.flow.operator import optouts, values
from rejoinder.flow.ports import OptOut, Tx


@click.group()
def optout() -> None:
    """Opt-outs: handsets that wrote STOP get nothing more from that customer (-130) until they write START."""


def _when(at: int | None) -> str | None:
    return None if at is None else written(at)


def _fields(one: OptOut) -> Fields:
    return {
        "handset": one.handset,
        "since": _when(one.since),
        "number": one.number or None,
        "word": one.word or None,
        "mo_id": one.mo_id,
        "lifted_at": _when(one.lifted_at),
        "lifted_word": one.lifted_word or None,
        "lifted_mo_id": one.lifted_mo_id,
    }


@optout.command("list", epilog=example("rejoinder optout list --customer shop --history"))
@customer_option()
@click.option("--history", is_flag=True, help="Those that were taken back too.")
@on_database
def list_all(call: Call, customer: str, history: bool) -> None:
    """List a customer's opt-outs with the MO that is the evidence; with --json an array."""
    found = [_fields(one) for one in call.read(lambda tables: optouts.listed(tables, customer, history))]
    if call.as_json:
        click.echo(json_text(found))
        return
    columns = ["handset", "since", "number", "word", "mo_id"]
    print_table([*columns, "lifted_at", "lifted_word", "lifted_mo_id"] if history else columns, found)


def _change(
    call: Call, customer: str, handset: str, work: Callable[[Tx, str, str, int], Awaitable[None]]
) -> Fields:
    digits = values.handset("handset", handset)
    call.change(lambda tx, now: work(tx, customer, digits, now))
    return {"customer": customer, "handset": digits}


@optout.command("add", epilog=example("rejoinder optout add 61255588885 --customer shop"))
@click.argument("handset")
@customer_option()
@on_database
def add(call: Call, handset: str, customer: str) -> None:
    """Note that a handset wants nothing more from a customer, as it said by another way than an MO."""
    fields = _change(call, customer, handset, optouts.add)
    call.answer(f"{fields['handset']} gets nothing more from customer {customer!r}", fields)


@optout.command("remove", epilog=example("rejoinder optout remove 61255588885 --customer shop"))
@click.argument("handset")
@customer_option()
@on_database
def remove(call: Call, handset: str, customer: str) -> None:
    """Take an opt-out back, as START from the handset does."""
    fields = _change(call, customer, handset, optouts.remove)
    call.answer(f"{fields['handset']} gets messages of customer {customer!r} again", fields)
