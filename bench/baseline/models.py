"""The baseline's tables and the shapes of its answers."""

from __future__ import annotations

from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Of all tables."""


class User(Base):
    """Who polls."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String, unique=True)
    password_hash: Mapped[str] = mapped_column(String)
    blocked: Mapped[bool] = mapped_column(default=False)


class Message(Base):
    """A message of a mailbox, sent or received."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_by_user", "user_id", "timestamp", "document_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    document_id: Mapped[str] = mapped_column(String(24), unique=True)
    incoming: Mapped[bool]
    text: Mapped[str] = mapped_column(String)
    timestamp: Mapped[int] = mapped_column(BigInteger)
    sender: Mapped[str | None] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(16))
    origin_document_id: Mapped[str | None] = mapped_column(String(24))


class Incoming(BaseModel):
    """A received message in an answer."""

    documentId: str
    text: str
    timestamp: int
    sender: str = Field(serialization_alias="from")
    recipient: str
    originDocumentId: str | None


class Outgoing(BaseModel):
    """A sent message in an answer."""

    documentId: str
    text: str
    timestamp: int
    recipient: str


class AllMessages(BaseModel):
    """The answer of allMessages."""

    newestMessageTimestamp: int
    hasMoreMessages: bool
    incomingMessages: list[Incoming]
    outgoingMessages: list[Outgoing]
    status: int = 0
