"""rejoinder user smpp: what a user binds to the SMPP server with."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.passwords import with_optional_password
from rejoinder.cli.printing import json_text, print_fields, public
from rejoinder.flow.operator import smpp


@click.command(
    "smpp",
    epilog=example(
        "rejoinder user smpp 1234321@acme --system-id shop --password secret3",
        "rejoinder user smpp 1234321@acme --allow-ip 192.0.2.0/24 --throughput 50",
        "rejoinder user smpp 1234321@acme",
        "rejoinder user smpp 1234321@acme --remove",
    ),
)
@click.argument("username")
@click.option(
    "--system-id", metavar="S", help="The name in the bind. SMPP 3.4 has room for 15, and 8 of a password."
)
@click.option("--max-binds", type=int, metavar="N", help="Binds at once, to each server (4).")
@click.option("--window", type=int, metavar="N", help="Submits under way on one bind (100).")
@click.option(
    "--throughput",
    type=int,
    metavar="N",
    help="Messages a second over all binds to a server; 0: no limit (0).",
)
@click.option("--allow-ip", multiple=True, metavar="CIDR", help="Binds only from there; repeatable.")
@click.option(
    "--long-mo", type=click.Choice(smpp.LONG_MO), help="A long MO goes out as parts, or whole (parts)."
)
@click.option(
    "--alphabet", type=click.Choice(smpp.ALPHABETS), help="What data_coding 0 means, both ways (gsm)."
)
@click.option(
    "--origin-tag",
    metavar="TAG",
    help="The TLV (0x1400, say) that names, in an MO, the message it answers; 0: none.",
)
@click.option("--enable/--disable", default=None, help="Let the account bind, or not.")
@click.option("--remove", is_flag=True, help="Take the account away.")
@on_database
@with_optional_password(smpp.password)
def user_smpp(
    call: Call,
    username: str,
    remove: bool,
    password_hash: str | None,
    allow_ip: tuple[str, ...],
    **given: str | int | bool | None,
) -> None:
    """Let a user bind over SMPP, change how, or (without options) show how it does.

    A running server takes a change over within a second: binds that are no longer allowed are ended.
    """
    changes = _columns(given)
    if password_hash is not None:
        changes["password_hash"] = password_hash
    if allow_ip:
        changes["allow_ip"] = smpp.networks("--allow-ip", allow_ip)
    if remove and changes:
        raise click.UsageError("--remove takes no other option")
    if remove:
        gone = call.change(lambda tx, _: smpp.remove_account(tx, username))
        call.answer(f"user {username!r} binds no more", public("smpp_account", gone))
    elif changes:
        changed = call.change(lambda tx, _: smpp.put_account(tx, username, changes))
        call.answer(f"user {username!r} binds as {changed['system_id']}", public("smpp_account", changed))
    else:
        fields = public("smpp_account", call.read(lambda tables: smpp.account(tables, username)))
        if call.as_json:
            click.echo(json_text(fields))
        else:
            print_fields(fields)


def _columns(given: dict[str, str | int | bool | None]) -> dict[str, object]:
    """Columns and values of the options that were given."""
    found: dict[str, object] = {}
    for option, column in (
        ("max_binds", "max_binds"),
        ("window", "window_size"),
        ("throughput", "throughput"),
    ):
        number = given[option]
        if isinstance(number, int):
            found[column] = smpp.within(column, f"--{option.replace('_', '-')}", number)
    if given["system_id"] is not None:
        found["system_id"] = smpp.system_id("--system-id", str(given["system_id"]))
    if given["origin_tag"] is not None:
        found["origin_tag"] = smpp.origin_tag("--origin-tag", str(given["origin_tag"]))
    for option, column in (("long_mo", "long_mo"), ("alphabet", "default_alphabet"), ("enable", "enabled")):
        if given[option] is not None:
            found[column] = given[option]
    return found
