"""The baseline's tables in a filled PostgreSQL database of ours, with the same users, passwords and messages.

It copies what our mailboxes show, so that both servers owe the same answers; the two sets of tables share no name.
"""

from __future__ import annotations

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from bench.baseline.models import Base
from bench.databases import Database

USERS = """
  INSERT INTO users (id, username, password_hash, blocked)
  SELECT id, username, password_hash, false FROM user_account
"""
MESSAGES = """
  INSERT INTO messages (user_id, document_id, incoming, text, timestamp, sender, recipient, origin_document_id)
  SELECT box_id, m ->> 'documentId', incoming, m ->> 'text', timestamp, m ->> 'from', m ->> 'recipient',
    m ->> 'originDocumentId'
  FROM (SELECT box_id, timestamp, incoming, shown::json AS m FROM entry ORDER BY box_id, timestamp, id) AS shown
"""


def copy_mailboxes(database: Database) -> None:
    """Make the baseline's tables and indexes and fill them from ours."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's own lack
    for table in Base.metadata.sorted_tables:
        database.run(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            database.run(str(CreateIndex(index).compile(dialect=dialect)))
    database.run(USERS)
    database.run(MESSAGES)
    database.settle()


def address(url: str) -> str:
    """A postgresql:// URL as SQLAlchemy wants it for asyncpg."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)
