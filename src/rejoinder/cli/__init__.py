"""The command line: one module per topic, options and answers in one form (docs of each: `rejoinder … --help`).

Refuses to hold rules: what may be done stands in flow/.
"""

from __future__ import annotations

from importlib import import_module

import click

from rejoinder import __version__
from rejoinder.cli.call import example

# Where each command stands; a module is loaded when its command is called or listed.
_COMMANDS = {
    "serve": "serve:serve",
    "demo": "demo:demo",
    "smsc": "smsc:smsc",
    "reseller": "accounts:reseller",
    "customer": "accounts:customer",
    "user": "accounts:user",
    "number": "numbers:number",
    "sender": "numbers:sender",
    "carrier": "networks:carrier",
    "route": "networks:route",
    "rate": "rates:rate",
    "credits": "credits:credits_group",
    "ledger": "credits:ledger",
    "statement": "statement:statement",
    "message": "messages:message",
    "mo": "upkeep:mo",
    "push": "pushes:push",
    "optout": "optouts:optout",
    "clock": "upkeep:clock",
    "database": "upkeep:database",
}


class _Commands(click.Group):
    """Loads a command with its name, so that `rejoinder user add` starts without the server's modules."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Bytes that are no UTF-8 arrive as lone surrogates, which no database stores.
        if any("\ud800" <= c <= "\udfff" for word in args for c in word):
            raise click.UsageError("the command line is not UTF-8", ctx)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        command: object = getattr(import_module(f"rejoinder.cli.{module}"), name)
        assert isinstance(command, click.Command)
        if isinstance(command, click.Group) and not command.epilog:
            # That of its first command, so that every --help shows one.
            command.epilog = next(iter(command.commands.values())).epilog
        return command


@click.command(cls=_Commands, epilog=example("rejoinder demo", "rejoinder user add --help"))
@click.version_option(__version__, prog_name="rejoinder")
def main() -> None:
    """Rejoinder: a two-way SMS message centre. Every reply finds the message it answers."""
