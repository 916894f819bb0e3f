"""rejoinder push: what waits to be brought to customers' servers, and what was given up."""

from __future__ import annotations

import click

from rejoinder.cli.call import Call, example, on_database
from rejoinder.cli.printing import Fields, json_text, print_table
from rejoinder.clock import written
from rejoinder.flow.ports import Push

# What a database counts rows with.
_HIGHEST_ID = 2**63 - 1


@click.group()
def push() -> None:
    """Pushes: MOs and final statuses on their way to customers' servers."""


def _moment(at: int | None) -> str | None:
    return None if at is None else written(at)


def _fields(one: Push) -> Fields:
    queued = one.queued
    # 0 is "as early as can be": since it was queued.
    due = None if one.due_at is None else max(one.due_at, queued.queued_at)
    return {
        "id": one.id,
        "kind": queued.kind,
        "message": queued.message_id,
        "target": queued.target,
        "channel": queued.channel,
        "queued_at": _moment(queued.queued_at),
        "attempts": one.attempts,
        "last_error": one.last_error,
        "next_try": _moment(due),
        "parked_at": _moment(one.parked_at),
    }


@push.command("list", epilog=example("rejoinder push list --parked", "rejoinder push list --json"))
@click.option("--parked", is_flag=True, help="Only those that were given up after 24 hours.")
@on_database
def list_pushes(call: Call, parked: bool) -> None:
    """List what waits and why: tries, the last error, the next try; with --json an array.

    One without a next try is behind another of its handset, or parked. What an SMPP session is to pull
    waits for one, and for its next try.
    """
    from rejoinder.flow.operator.pushes import all_pushes

    found = [_fields(one) for one in call.read(lambda tables: all_pushes(tables, parked))]
    if call.as_json:
        click.echo(json_text(found))
    else:
        print_table(
            (
                "id",
                "kind",
                "message",
                "target",
                "attempts",
                "last_error",
                "parked_at" if parked else "next_try",
            ),
            found,
        )


@push.command(
    "replay",
    epilog=example(
        "rejoinder push replay 17", "rejoinder push replay --target mo:user:3", "rejoinder push replay --all"
    ),
)
@click.argument("push_id", type=click.IntRange(1, _HIGHEST_ID), required=False, metavar="[ID]")
@click.option("--target", metavar="TARGET", help="All parked ones of a target, as `push list` names it.")
@click.option("--all", "every", is_flag=True, help="All parked ones.")
@on_database
def replay_pushes(call: Call, push_id: int | None, target: str | None, every: bool) -> None:
    """Try parked pushes again, at once and by the whole plan; their webhook-id stays the same."""
    from rejoinder.flow.operator.pushes import replay

    if (push_id is not None, target is not None, every).count(True) != 1:
        raise click.UsageError("give one of ID, --target and --all")
    count = call.run(lambda store, clock: replay(store, clock.wall_us(), push_id, target))
    call.answer(f"{count} pushes are tried again", {"replayed": count})


@push.command("secret", epilog=example("rejoinder push secret"))
def secret() -> None:
    """Make a secret for `set … pushSecret=`; it is kept nowhere yet."""
    from rejoinder.flow.push_settings import new_secret

    click.echo(new_secret())
