"""Mailboxes filled by SQL, as the store itself would have left them, and a reader that walks through pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rejoinder.flow.ports import UserRow
from tests.centre import START
from tests.http.site import ALL_MESSAGES, Site, login

HANDSET = "61255588885"
NUMBER = "61500079987"


@dataclass(frozen=True)
class Filled:
    """One message of a mailbox: its second relative to START (before the clock's now), its id, its direction."""

    second: int
    number: int
    incoming: bool = False

    @property
    def id(self) -> str:
        return f"{START + self.second:08x}{self.number:016x}"

    @property
    def shown(self) -> dict[str, object]:
        head = {"documentId": self.id, "text": f"text {self.number}", "timestamp": START + self.second}
        if self.incoming:
            return {**head, "from": HANDSET, "recipient": NUMBER, "originDocumentId": None}
        return {**head, "recipient": HANDSET}


def fill(site: Site, user: UserRow, messages: Iterable[Filled]) -> list[Filled]:
    """Puts messages into a mailbox nobody has read or written yet; they come back in the order of the contract."""
    stored = sorted(messages, key=lambda one: (one.second, one.id))
    if not stored:
        return stored
    rows = ",".join(
        f"({user.id},{START + one.second},'{one.id}',{str(one.incoming).upper()},'{json.dumps(one.shown)}',0)"
        for one in stored
    )
    site.sql(f"INSERT INTO entry (box_id, timestamp, id, incoming, shown, arrived_at) VALUES {rows}")
    last = stored[-1].second
    count = sum(one.second == last for one in stored)
    received = max((START + one.second for one in stored if one.incoming), default=0)
    site.sql(
        "UPDATE mailbox SET last = $1, last_count = $2, last_received = $3 WHERE box_id = $4",
        START + last,
        count,
        received,
        user.id,
    )
    return stored


def pages(site: Site, username: str, since: int = 0, path: str = ALL_MESSAGES) -> Iterator[dict[str, object]]:
    """Every page from `since` on, by passing newestMessageTimestamp back, the first empty one included."""
    while True:
        reply = site.get(path, {**login(username), "since": str(since)})
        assert reply.http_status == 200
        page = reply.json
        assert page["status"] == 0, page
        yield page
        if not listed(page):
            return
        assert page["newestMessageTimestamp"] > since
        since = page["newestMessageTimestamp"]


def listed(page: dict[str, object]) -> list[dict[str, object]]:
    """The messages of a page in both lists, or in the one of `messages`."""
    lists = [page[name] for name in ("messages", "incomingMessages", "outgoingMessages") if name in page]
    return [message for one in lists for message in one]  # type: ignore[attr-defined]
