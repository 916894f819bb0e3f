"""rejoinder mo, clock, database: what an operator puts right by hand."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.printing import Fields, json_text, print_table
from rejoinder.clock import written
from rejoinder.flow.ports import ParkedMo, Tables

PAGE = 1000


@click.group()
def mo() -> None:
    """MOs: texts from handsets that nobody could take."""


@click.group()
def clock() -> None:
    """The wall clock."""


@click.group()
def database() -> None:
    """The database."""


async def _parked(tables: Tables) -> list[ParkedMo]:
    found: list[ParkedMo] = []
    while page := await tables.inbound.parked(found[-1].id if found else "", PAGE):
        found += page
    return found


def _fields(parked: ParkedMo) -> Fields:
    return {
        "id": parked.id,
        "from": parked.mo.sender,
        "to": parked.mo.recipient,
        "text": parked.mo.text,
        "received_at": written(parked.mo.received_at),
        "reason": parked.reason,
    }


@mo.command("list", epilog=example("rejoinder mo list --parked"))
@click.option("--parked", is_flag=True, help="Those that wait for `rejoinder mo claim`, as without it.")
@on_database
def list_parked(call: Call, parked: bool) -> None:
    """List parked MOs, the oldest first; with --json an array."""
    found = [_fields(one) for one in call.read(_parked)]
    if call.as_json:
        click.echo(json_text(found))
    else:
        print_table(("id", "from", "to", "received_at", "reason", "text"), found)


@mo.command("claim", epilog=example("rejoinder mo claim 51750a01e4b0d1406c9c5fdb --user 1234321@acme"))
@click.argument("parked_id", metavar="ID")
@click.option("--user", required=True, metavar="USERNAME", help="Whose mailbox it goes to.")
@on_database
def claim(call: Call, parked_id: str, user: str) -> None:
    """Give a parked MO to a user, who sees it as one that arrived just now.

    Where it says STOP, it opts out. Further such words are taken from the server's settings, so name their file.
    """
    from rejoinder.config import load
    from rejoinder.flow.inbound import claim_parked
    from rejoinder.flow.optouts import words
    from rejoinder.message.objectid import ObjectIds

    config = load(call.config)
    known = words(config.opt_out_words, config.opt_in_words)
    document_id = call.run(
        lambda store, clock: claim_parked(store, clock, ObjectIds(), parked_id, user, known)
    )
    call.answer(
        f"user {user!r} has it as {document_id}", {"id": parked_id, "documentId": document_id, "user": user}
    )


@clock.command("accept", epilog=example("rejoinder clock accept"))
@on_database
def accept(call: Call) -> None:
    """Let running servers believe the wall clock after a step of more than an hour."""
    call.run(lambda store, _: store.write(lambda tx: tx.registry.accept_clock()))
    call.answer("the clock is accepted", {"accepted": True})


@database.command("restored", epilog=example("rejoinder database restored --database sqlite:///rejoinder.db"))
@on_database
def restored(call: Call) -> None:
    """After a backup was restored and before the server starts: no second is given out twice."""
    call.run(lambda store, clock: store.write(lambda tx: tx.mailboxes.restored(clock.wall_s())))
    call.answer("mailboxes move on from a minute ahead of now", {"restored": True})
