"""Mailboxes filled by SQL straight into the store's tables: one thousand messages or ten million.

The rows are those that flow would have written: ids that bear their second, the JSON fragment as allMessages shows it,
`last` at the newest second. It refuses nothing: the columns are those of store/sql/, and another set fails loudly.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from bench.databases import Database
from bench.texts import texts

POOL = 100  # as many as a page: each page holds every text once, so all pages weigh the same
CHUNK = 1_000_000  # rows of one statement; PostgreSQL is given ten minutes for each
PER_SECOND = 2  # ten million messages reach back 58 days, less than the 90 days of retention
NUMBER = "61480000001"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A filled mailbox: message i, from 0, bears second `first` + i // 2; odd ones are received unless `only_mt`."""

    user_id: int
    first: int
    count: int

    @property
    def last(self) -> int:
        """The newest second; 0 for an empty mailbox."""
        return self.first + (self.count - 1) // PER_SECOND if self.count else 0

    def since(self, skipped: int) -> int:
        """The cursor after the oldest `skipped` messages, an even number."""
        return self.first + skipped // PER_SECOND - 1


def fill(
    database: Database, user_ids: list[int], count: int, now: int, *, only_mt: bool = False
) -> list[Mailbox]:
    """Give each user the same `count` messages, two a second, the newest an hour old; ids differ by user.

    The texts come from a pool by turns, so that an answer has the same bytes, ids aside, whatever the user.
    """
    first = now - 3600 - count // PER_SECOND
    mailboxes = [Mailbox(user_id, first, count) for user_id in user_ids]
    if not count:
        return mailboxes
    database.run("CREATE TABLE bench_text (number INTEGER PRIMARY KEY, quoted TEXT NOT NULL)")
    rows = ", ".join(
        f"({number}, '{_quoted(json.dumps(text, ensure_ascii=False))}')"
        for number, text in enumerate(texts(POOL))
    )
    database.run(f"INSERT INTO bench_text VALUES {rows}")
    for mailbox in mailboxes:
        for begin in range(0, count, CHUNK):
            end = min(begin + CHUNK, count)
            database.run(_insertion(database.kind, mailbox, begin, end, only_mt=only_mt))
        last_count = (count - 1) % PER_SECOND + 1
        database.run(
            f"UPDATE mailbox SET last = {mailbox.last}, last_count = {last_count}, "
            f"last_received = {0 if only_mt else mailbox.last} WHERE box_id = {mailbox.user_id}"
        )
    database.run("DROP TABLE bench_text")
    database.settle()
    return mailboxes


def fill_queue(database: Database, count: int, *, carrier: int = 1, customer: int = 1, user: int = 1) -> None:
    """So many messages as flow would have stored them, waiting for that carrier; one statement a table."""
    now = time.time_ns() // 1000
    later = now + 172_800_000_000
    hexed, rows = (
        "printf('%024x', n)",
        "WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < {})",
    )
    if database.kind == "postgres":
        hexed, rows = "lpad(to_hex(n), 24, '0')", "WITH q AS (SELECT generate_series(1, {}) AS n)"
    rows, recipient = rows.format(count), "CAST(61400000000 + n AS text)"
    database.run(
        "INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, accepted_at, expires_at) "
        f"{rows} SELECT {hexed}, {user}, {customer}, {recipient}, '{NUMBER}', 10, 1, 0, {now}, {later} FROM q"
    )
    database.run(
        "INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until) "
        f"{rows} SELECT {hexed}, {carrier}, {customer}, {recipient}, '{NUMBER}', 'Hello mommy', 'gsm', 1, {now}, {later} "
        "FROM q"
    )
    database.settle()


def series(database: Database, first: int, last: int) -> str:
    """The beginning of a statement: a table `q` with a column `n` from first to last, in that order."""
    if database.kind == "sqlite":
        return f"WITH RECURSIVE q (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM q WHERE n < {last})"
    return f"WITH q AS (SELECT generate_series({first}, {last}) AS n)"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _insertion(kind: str, mailbox: Mailbox, begin: int, end: int, *, only_mt: bool) -> str:
    """The statement that writes messages `begin` to `end` of a mailbox, in the order of its key.

    An id is 8 digits of second, 6 of user, 10 of number. The message before an odd one bears the same second.
    """
    if kind == "sqlite":
        numbers = (
            f"WITH RECURSIVE n (i) AS (SELECT {begin} UNION ALL SELECT i + 1 FROM n WHERE i < {end - 1})"
        )
        source, ids = "n", "printf('%08x%06x%010x', {second}, {user}, {i})"
    else:
        numbers, source = "", f"generate_series({begin}, {end - 1}) AS n (i)"
        ids = "lpad(to_hex({second}), 8, '0') || lpad(to_hex({user}), 6, '0') || lpad(to_hex({i}), 10, '0')"
    second = f"(CAST({mailbox.first} AS BIGINT) + i / {PER_SECOND})"
    message, origin = (ids.format(second=second, user=mailbox.user_id, i=i) for i in ("i", "i - 1"))
    return f"""
        INSERT INTO entry (box_id, timestamp, id, incoming, shown, arrived_at)
        {numbers}
        SELECT {mailbox.user_id}, second, id, incoming,
          '{{"documentId":"' || id || '","text":' || quoted || ',"timestamp":' || second ||
          CASE WHEN incoming
            THEN ',"from":"' || handset || '","recipient":"{NUMBER}","originDocumentId":"' || origin || '"}}'
            ELSE ',"recipient":"' || handset || '"}}' END,
          second * 1000000
        FROM (
          SELECT {second} AS second, {message} AS id, {origin} AS origin, quoted,
            {"false" if only_mt else "i % 2 = 1"} AS incoming, CAST(61500000000 + i / 2 % 1000000 AS TEXT) AS handset
          FROM {source} CROSS JOIN bench_text WHERE number = i % {POOL}
        ) AS m"""
