"""A client of the HTTP API for programs: `Client` blocks, `AsyncClient` awaits; both do the same.

    from rejoinder.client import Client

    with Client("http://127.0.0.1:8080", "anna@acme", "secret2") as client:
        sent = client.send("61255588885", "Coffee at ten?")
        for message in client.poll("anna.cursor"):
            print(message.sender, message.text, message.origin_document_id)

A call that was not taken (503, 429, no connection) is tried again with growing pauses; a send carries a
`clientRef`, its own where you give none, so that a repetition is never a second message. What the API refuses is
raised as `Refused`, with its code and sentence. Refuses to log passwords or texts, and to guess: an outcome that
is not known is raised as `OutcomeUnknown`.
"""

from rejoinder.client.blocking import Client
from rejoinder.client.calls import Box, Options
from rejoinder.client.cursor import CursorFault
from rejoinder.client.errors import AnswerNotUnderstood, ClientError, OutcomeUnknown, Refused, Unavailable
from rejoinder.client.resellers import AsyncReseller, Reseller
from rejoinder.client.values import Answered, FinalStatus, Message, Page, Received, Sent, Submitted
from rejoinder.client.waiting import AsyncClient

__all__ = [
    "AnswerNotUnderstood",
    "Answered",
    "AsyncClient",
    "AsyncReseller",
    "Box",
    "Client",
    "ClientError",
    "CursorFault",
    "FinalStatus",
    "Message",
    "Options",
    "OutcomeUnknown",
    "Page",
    "Received",
    "Refused",
    "Reseller",
    "Sent",
    "Submitted",
    "Unavailable",
]
