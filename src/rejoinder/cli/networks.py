"""rejoinder carrier, route."""

from __future__ import annotations

from collections.abc import Mapping

import click

from rejoinder.cli.call import Call, example, on_database, pairs
from rejoinder.cli.nouns import Filter, Noun, add_common
from rejoinder.flow.operator import fields, networks, values
from rejoinder.flow.ports import Record, Tx

# Written out, so that --help need not load the carriers; test_command_line.py compares it with theirs.
KINDS = ("simulator", "http", "smpp")


@click.group()
def carrier() -> None:
    """Carriers: links to networks."""


@click.group()
def route() -> None:
    """Routes: which carrier takes messages to which numbers."""


def check_settings(kind: str, settings: Mapping[str, str]) -> None:
    """The carriers' own check. Raises ConfigInvalid."""
    from rejoinder.carriers import registry

    registry.check_settings(kind, settings)


@carrier.command(
    "add",
    epilog=example(
        "rejoinder carrier add demo --kind simulator --set delay=0.5",
        "rejoinder carrier add acme --kind http --set url=https://sms.example/send \\",
        """  --set 'body={"to": "{{recipient}}", "text": "{{text}}"}' --set id_path=id""",
    ),
)
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of its kind.")
@on_database
def add_carrier(call: Call, name: str, kind: str, settings: tuple[str, ...]) -> None:
    """Add a carrier."""
    given = {fields.snake_case(key): value for key, value in pairs(settings) if value}
    checked = values.carrier_name("name", name)
    added = call.change(lambda tx, _: networks.add_carrier(tx, checked, kind, given, check_settings))
    call.done("carrier", added, "added {}")


@route.command(
    "add", epilog=example('rejoinder route add "" demo', "rejoinder route add 61 acme --priority 1")
)
@click.argument("prefix")
@click.argument("carrier")
@click.option("--priority", type=int, default=0, show_default=True, help="The lower is tried first.")
@click.option(
    "--weight", default="1", show_default=True, help="Its share among routes of the same priority, 1 to 1000."
)
@click.option(
    "--on-unknown",
    type=click.Choice(["resend", "fail"]),
    default="resend",
    show_default=True,
    help="What becomes of a message whose submission the carrier never answered.",
)
@on_database
def add_route(call: Call, prefix: str, carrier: str, **given: str) -> None:
    """Send messages to numbers that begin with PREFIX to CARRIER; "" is every number."""
    digits = values.prefix("prefix", prefix)
    settings = {
        "priority": values.integer("priority", str(given["priority"])),
        "weight": values.weight("weight", given["weight"]),
        "on_unknown": given["on_unknown"],
    }
    added = call.change(lambda tx, _: networks.add_route(tx, digits, carrier, settings))
    call.done("route", added, "added {}")


async def _change_carrier(tx: Tx, name: str, changes: Mapping[str, object]) -> Record:
    return await networks.change_carrier(tx, name, changes, check_settings)


add_common(
    carrier,
    Noun(
        "carrier",
        "NAME",
        "demo",
        ("id", "name", "kind", "state", "in_flight", "window", "rate", "queue", "last_error"),
        "delay=2 number.61500000001.reply=Yes",
        _change_carrier,
        removable=True,
    ),
)
add_common(
    route,
    Noun(
        "route",
        "PREFIX[/CARRIER]",
        "61/acme",
        ("prefix", "carrier", "priority", "weight", "on_unknown", "sender"),
        "priority=2",
        networks.change_route,
        removable=True,
        filters=(Filter("carrier", "carrier_id"),),
    ),
)
