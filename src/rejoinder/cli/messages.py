"""rejoinder message: what became of one message, for whoever is asked about it."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.printing import Fields, json_text, print_fields, print_table
from rejoinder.clock import written
from rejoinder.errors import NotFound
from rejoinder.flow.desk import NEVER
from rejoinder.flow.ports import MessageRecord, PartRecord, Tables
from rejoinder.message import money, status


@click.group()
def message() -> None:
    """Messages that users sent (MTs)."""


async def _found(tables: Tables, document_id: str) -> tuple[MessageRecord, list[PartRecord]]:
    found = await tables.messages.record(document_id)
    if found is None:
        raise NotFound(
            f"message {document_id!r} is not there; 80 hours after its final status it is forgotten", "id"
        )
    return found


def _moment(at: int | None) -> str | None:
    return written(at) if at and at < NEVER else None


def _fields(document_id: str, one: MessageRecord) -> Fields:
    fields: Fields = {
        "id": document_id,
        "user": one.username,
        "recipient": one.recipient,
        "sender": one.sender,
        "status": one.status,
        "status_word": status.word(one.status),
        "parts": one.parts,
        "charge": money.to_text(one.charge),
        "resent": bool(one.resent),
        "accepted_at": _moment(one.accepted_at),
        "release_at": _moment(one.release_at),
        "expires_at": _moment(one.expires_at),
        "finished_at": _moment(one.finished_at),
    }
    if one.carrier is not None:
        waits = {"carrier": one.carrier, "attempts": one.attempts, "in_hand": bool(one.submitting)}
        fields["waits"] = {**waits, "next_try": _moment(one.due_at)}
    return fields


def _part(one: PartRecord) -> Fields:
    words = {"status": one.status, "status_word": status.word(one.status)}
    return {"number": one.number, "carrier": one.carrier, **words, "carriers_id": one.ref}


@message.command("show", epilog=example("rejoinder message show 51750a01e4b0d1406c9c5fdb"))
@click.argument("document_id", metavar="ID")
@on_database
def show(call: Call, document_id: str) -> None:
    """Show where a message stands, for which carrier it waits, and what each part's carrier called it.

    Part 0 is a message that its carrier took whole. `in_hand`: the carrier has it, or may have it, and has not answered.
    """
    record, parts = call.read(lambda tables: _found(tables, document_id))
    fields, rows = _fields(document_id, record), [_part(one) for one in parts]
    if call.as_json:
        click.echo(json_text({**fields, "at_carriers": rows}))
        return
    print_fields(fields)
    if rows:
        click.echo()
        print_table(("number", "carrier", "status", "status_word", "carriers_id"), rows)
