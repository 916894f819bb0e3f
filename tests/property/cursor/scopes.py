"""The small worlds that are searched to their last state. Each is there for what its name says.

One larger world would hold them all and never be finished; what they leave out between them is three
pollers, five messages and four seconds (search.py --depth widens them by hand). Refuses nothing.
"""

from __future__ import annotations

from tests.property.cursor.model import Bundle, Scope, Start

RECEIVED: Bundle = ((0, True),)
SENT: Bundle = ((0, False),)
TWO_RECEIVED: Bundle = ((0, True), (0, True))
SENT_AND_RECEIVED: Bundle = ((0, False), (0, True))
OVER_TWO: tuple[Bundle, ...] = (((0, True), (1, True)), ((1, True), (0, True)))

RECEIVING = (RECEIVED, TWO_RECEIVED)
MIXED = (RECEIVED, SENT, SENT_AND_RECEIVED)

SCOPES = {
    scope.name: scope
    for scope in (
        Scope("before and at now", (Start(0), Start(1)), RECEIVING, any_time=True),
        Scope("at and beyond now", (Start(1), Start(2)), RECEIVING, any_time=True, far=1),
        Scope("a clock that only ticks", (Start(0), Start(1)), RECEIVING, steps_back=False),
        Scope("beyond now, 3 seconds, 4 messages", (Start(4),), RECEIVING, 4, (1, 2, 3), far=1),
        Scope("pages of 2 among 4", (Start(0), Start(0)), RECEIVING, 4, (1,), second_holds=3),
        Scope("both views", (Start(0), Start(0, received_only=True)), MIXED, clock=(1,)),
        Scope("received only, from beyond now", (Start(3, received_only=True),), MIXED, 4, any_time=True),
        Scope("retention", (Start(0),), RECEIVING, 4, retention=True),
        Scope("group commit", (Start(0), Start(1)), RECEIVING, any_time=True, group_commit=True),
        Scope("holds", (Start(0), Start(3)), RECEIVING, clock=(1,), ahead=0, crashes=False),
        Scope("holds of two processes", (Start(0), Start(3, process=1)), clock=(1,), ahead=0, processes=2),
        Scope("two mailboxes", (Start(0), Start(0, box=1)), OVER_TWO, 4, (1,), boxes=2),
        Scope("a backup put back", (Start(0),), messages=4, backups=True),
        Scope(
            "hasMoreMessages at every moment", (Start(0, received_only=True), Start(0)), (RECEIVED, SENT),
            clock=(1,), ahead=0, page_holds=1, crashes=False, every_moment=True,
        ),
    )
}  # fmt: skip
