"""The commands that every kind of record has: list, show, set, remove; one table says what differs.

Refuses nothing of its own: names are looked up and values checked in flow/operator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import click

from rejoinder.cli.call import Call, example, on_database, pairs
from rejoinder.cli.printing import json_text, print_fields, print_table, public
from rejoinder.flow.operator import fields, lookup
from rejoinder.flow.ports import Kind, Record, Tables, Tx

Change = Callable[[Tx, str, Mapping[str, object]], Awaitable[Record]]


@dataclass(frozen=True, slots=True)
class Filter:
    """An option of `list`: records whose `column` is the id of the `kind` it names."""

    kind: Kind
    column: str


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of record on the command line. `form`: how it is named; `columns`: what `list` shows a person."""

    kind: Kind
    form: str
    name: str
    columns: tuple[str, ...]
    setting: str = ""
    change: Change | None = None
    removable: bool = False
    filters: tuple[Filter, ...] = ()


def add_common(group: click.Group, noun: Noun) -> None:
    """Gives the group the noun's list and show, and set and remove where the noun has them."""
    _add_list(group, noun)
    _add_show(group, noun)
    if noun.change:
        _add_set(group, noun, noun.change)
    if noun.removable:
        _add_remove(group, noun)


def _add_list(group: click.Group, noun: Noun) -> None:
    @on_database
    def list_all(call: Call, **chosen: str | bool | None) -> None:
        found = [
            public(noun.kind, record) for record in call.read(lambda tables: _listed(tables, noun, chosen))
        ]
        if call.as_json:
            click.echo(json_text(found))
        else:
            print_table(noun.columns, found)

    for one in noun.filters:
        option = click.option(
            f"--{one.kind}", one.column, metavar="NAME", help=f"Only those of this {one.kind}."
        )
        list_all = option(list_all)
    if noun.kind == "number":
        list_all = click.option("--pool", is_flag=True, help="Only those of the reply pool.")(list_all)
    group.command(
        "list",
        help=f"List every {noun.kind}; with --json an array.",
        epilog=example(f"rejoinder {noun.kind} list"),
    )(list_all)


async def _listed(tables: Tables, noun: Noun, chosen: Mapping[str, str | bool | None]) -> list[Record]:
    where: dict[str, object] = {}
    if chosen.get("pool"):
        if any(chosen[one.column] is not None for one in noun.filters):
            raise click.UsageError("--pool takes no other filter: a number of the pool is nobody's")
        where = {"customer_id": None, "user_id": None}
    for one in noun.filters:
        name = chosen[one.column]
        if isinstance(name, str):
            where[one.column] = (await lookup.one(tables, one.kind, name))["id"]
    return await tables.registry.find(noun.kind, where)


def _keys(noun: Noun, record: Record) -> str:
    """What can be set, for the last line of `show`."""
    keys = list(fields.settable(noun.kind))
    if noun.kind == "carrier":
        from rejoinder.carriers.registry import describe

        keys += [setting.name for setting in describe(record["kind"])]
    return ", ".join(keys)


def _add_show(group: click.Group, noun: Noun) -> None:
    @group.command(
        "show",
        help=f"Show one {noun.kind}, and what can be set of it.",
        epilog=example(f"rejoinder {noun.kind} show {noun.name}"),
    )
    @click.argument("name", metavar=noun.form)
    @on_database
    def show(call: Call, name: str) -> None:
        record = call.read(lambda tables: lookup.one(tables, noun.kind, name))
        if call.as_json:
            click.echo(json_text(public(noun.kind, record)))
            return
        print_fields(public(noun.kind, record))
        if noun.change:
            click.echo(f"Keys of `{noun.kind} set`: {_keys(noun, record)}")


def _add_set(group: click.Group, noun: Noun, change: Change) -> None:
    known = ", ".join(fields.settable(noun.kind)) + (
        " and the settings of its kind (an empty value removes one)" if noun.kind == "carrier" else ""
    )

    @group.command(
        "set",
        help=f"Change settings of one {noun.kind}. Keys: {known}. camelCase is taken as well.",
        epilog=example(f"rejoinder {noun.kind} set {noun.name} {noun.setting}"),
    )
    @click.argument("name", metavar=noun.form)
    @click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE …")
    @on_database
    def set_some(call: Call, name: str, settings: tuple[str, ...]) -> None:
        changes = fields.changes(noun.kind, pairs(settings))
        call.done(noun.kind, call.change(lambda tx, _: change(tx, name, changes)), "changed {}")


def _add_remove(group: click.Group, noun: Noun) -> None:
    async def gone(tx: Tx, name: str) -> Record:
        record = await lookup.one(tx, noun.kind, name)
        await tx.registry.remove(noun.kind, record)
        return record

    @group.command(
        "remove", help=f"Remove one {noun.kind}.", epilog=example(f"rejoinder {noun.kind} remove {noun.name}")
    )
    @click.argument("name", metavar=noun.form)
    @on_database
    def remove(call: Call, name: str) -> None:
        call.done(noun.kind, call.change(lambda tx, _: gone(tx, name)), "removed {}")
