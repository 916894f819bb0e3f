"""What a world is at one moment: mailboxes, open transactions, clients, clocks; all of it hashable values.

Refuses nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.property.cursor.model import Answer, Box, Bundle, Head, Message, Row, Scope, View


class Poll(NamedTuple):
    """A poll under way: what it does next, and what it has read so far."""

    stage: str  # "page" (or "head", where that is read last), "lock", "commit"
    head: Head
    kept: Any = None  # what a wrong variant keeps from its first page
    reach: tuple[int, int] | None = None  # of the moments since its first read: see promise.py


class Client(NamedTuple):
    """A poller that passes newestMessageTimestamp back. `owed`, `got`: sets of message numbers, as bits.

    `answered`: it has had its first answer, so it is owed whatever is stored from now on.
    """

    since: int
    answered: bool
    owed: int
    got: int
    poll: Poll | None


class Work(NamedTuple):
    """An open transaction: rows that it holds, as it has changed them, and what waits for its commit.

    `bundle` is still to be stored, once all its rows are locked; `stale`: rows that were read without a lock.
    """

    bundle: Bundle
    rows: tuple[tuple[int, Row], ...]
    added: tuple[tuple[int, Message], ...] = ()
    answers: tuple[tuple[int, Answer, int], ...] = ()  # client, answer, the clock it was made by
    stale: tuple[tuple[int, Row], ...] = ()


class State(NamedTuple):
    now: int
    boxes: tuple[Box, ...]
    works: tuple[Work, ...]
    clients: tuple[Client, ...]
    held: tuple[bool, ...]  # per process: its last seal of a mailbox ahead of the clock is less than 2 s old
    floor: int = -1
    backup: tuple[Box, ...] | None = None  # () when it has been put back


def first_state(scope: Scope) -> State:
    box = Box(Row(0, 0, 0), 0, ())
    clients = tuple(Client(start.since, False, 0, 0, None) for start in scope.clients)
    return State(scope.clock[0], (box,) * scope.boxes, (), clients, (False,) * scope.processes)


def with_item(items: tuple[Any, ...], place: int, item: object) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])


def with_poll(s: State, place: int, poll: Poll | None) -> State:
    # Spelled out: the searches spend a tenth of their time here, and `_replace` is three times slower.
    now, boxes, works, clients, held, floor, backup = s
    since, answered, owed, got, _ = clients[place]
    clients = with_item(clients, place, Client(since, answered, owed, got, poll))
    return State(now, boxes, works, clients, held, floor, backup)


def bits(messages: View) -> int:
    return sum(1 << m.number for m in messages)


def pruned(s: State, scope: Scope, place: int) -> State:
    """Forgets messages of a mailbox that no poll can come back to, so that different pasts become one state."""
    row, _, messages = s.boxes[place]
    least = row.last
    if not messages or messages[0].timestamp >= least:
        return s
    for client, start in zip(s.clients, scope.clients, strict=True):
        if start.box == place:
            least = min(least, client.since)
            if client.poll is not None and client.poll.stage == "page":
                least = min(least, client.poll.head.last)
    if messages[0].timestamp >= least:
        return s
    return left_with(s, scope, place, tuple(m for m in messages if m.timestamp >= least))


def left_with(s: State, scope: Scope, place: int, left: View) -> State:
    """Nothing but these messages is left of a mailbox, and nobody is owed the others."""
    row, made, _ = s.boxes[place]
    known = bits(left) | -1 << made
    clients = tuple(
        client._replace(owed=client.owed & known, got=client.got & known) if start.box == place else client
        for client, start in zip(s.clients, scope.clients, strict=True)
    )
    return s._replace(boxes=with_item(s.boxes, place, Box(row, made, left)), clients=clients)


def without_phantoms(s: State, scope: Scope) -> State:
    """What was never committed, or is lost with the disk, bears a number that the next message will get."""
    clients = []
    for client, start in zip(s.clients, scope.clients, strict=True):
        made = (1 << s.boxes[start.box].made) - 1
        clients.append(client._replace(got=client.got & made, owed=client.owed & made))
    return s._replace(clients=tuple(clients))
