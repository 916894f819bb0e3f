"""The baseline's application: one call, written straight on. Its database's URL stands in BASELINE_DATABASE.

It refuses wrong names and passwords as the contract says and takes everything else for granted.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, Query, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.baseline.models import AllMessages, Incoming, Message, Outgoing, User

PAGE = 100
REMEMBERED_SECONDS = 300.0

# As many connections as the load has: with fewer, SQLAlchemy would open and close one for every request beyond them.
engine = create_async_engine(os.environ["BASELINE_DATABASE"], pool_size=40, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(title="Baseline")
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
key = secrets.token_bytes(32)
verified: dict[bytes, float] = {}


async def session() -> AsyncIterator[AsyncSession]:
    """A session of the request's own."""
    async with sessions() as opened:
        yield opened


async def password_is_right(user: User, password: str) -> bool:
    """Verified by argon2, or five minutes ago at most."""
    remembered = hashlib.blake2b(
        f"{user.password_hash}\0{password}".encode(), key=key, digest_size=16
    ).digest()
    if verified.get(remembered, 0.0) > time.monotonic():
        return True
    try:
        await asyncio.to_thread(hasher.verify, user.password_hash, password)
    except VerifyMismatchError:
        return False
    verified[remembered] = time.monotonic() + REMEMBERED_SECONDS
    return True


def refusal(status: int, sentence: str) -> JSONResponse:
    """An error answer of the contract."""
    return JSONResponse({"status": status, "error": sentence}, headers={"Cache-Control": "no-store"})


@app.get("/services/rest/user/allMessages", response_model=AllMessages)
async def all_messages(
    response: Response,
    username: Annotated[str, Query(min_length=1)],
    password: Annotated[str, Query(min_length=1)],
    since: Annotated[int, Query()],
    database: Annotated[AsyncSession, Depends(session)],
) -> AllMessages | JSONResponse:
    """Everything a user sent and received since a moment."""
    user = await database.scalar(select(User).where(User.username == username))
    if user is None:
        return refusal(200, "username does not exist.")
    if user.blocked or not await password_is_right(user, password):
        return refusal(3, "password does not match.")
    found = await database.scalars(
        select(Message)
        .where(Message.user_id == user.id, Message.timestamp > since)
        .order_by(Message.timestamp, Message.document_id)
        .limit(PAGE + 1)
    )
    messages = list(found)
    page = messages[:PAGE]
    response.headers["Cache-Control"] = "no-store"
    return AllMessages(
        newestMessageTimestamp=page[-1].timestamp if page else since,
        hasMoreMessages=len(messages) > PAGE,
        incomingMessages=[incoming(message) for message in page if message.incoming],
        outgoingMessages=[outgoing(message) for message in page if not message.incoming],
    )


def incoming(message: Message) -> Incoming:
    """A received message as it is shown."""
    return Incoming(
        documentId=message.document_id,
        text=message.text,
        timestamp=message.timestamp,
        sender=message.sender or "",
        recipient=message.recipient,
        originDocumentId=message.origin_document_id,
    )


def outgoing(message: Message) -> Outgoing:
    """A sent message as it is shown."""
    return Outgoing(
        documentId=message.document_id,
        text=message.text,
        timestamp=message.timestamp,
        recipient=message.recipient,
    )
