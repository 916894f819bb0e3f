"""uvicorn's HTTP/1.1 protocol with brakes: sends refused before they cost anything, a time and a size for each request.

While as much is under way as can be stored in time (flow/admission.py) a plain send is answered 503 before a task is made
for it, and, where its head is known, before it is parsed (protocol.py, refusals.py). One with an unusual head goes the
normal way and is refused there. Who has not brought a whole request in `patience` seconds is answered 408 and closed:
heads and bodies that drip in keep a connection no longer than that. One whose bytes outside its body (target, headers,
the frames of chunks, trailers) pass all measure is answered 413 or 431 before its end: the parser would keep them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.refusals import Refusals
from rejoinder.endpoints.http.responses import Family, Response, fault, too_large
from rejoinder.endpoints.http.under_way import Prepared, UnderWay, written
from rejoinder.endpoints.http.upgrades import SteadyProtocol
from rejoinder.flow.admission import Admission
from rejoinder.message.codes import AccountCode

# More than a target that is still answered by its own call (SIZE), and headers as other servers take them, have.
_MOST_OUTSIDE = 8 * SIZE
_TOO_MUCH = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request's head is too long", 431)
_TOO_LONG = too_large(Family.ACCOUNT)
_NOT_HTTP = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request is not HTTP", 400)
# Requests that wait behind another one's answer: clients that pipeline send a handful, and each takes 2 KB.
_MOST_PIPELINED = 200
_TOO_MANY = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "too many requests wait on this connection", 400)
_CUT_OFF = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request was cut off", 400)
_TOO_SLOW = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request did not come in time", 408)


class _TooManyAtOnce(Exception):
    """More requests wait on one connection than are kept."""


class Brakes:
    """What all connections of a server share."""

    def __init__(self, admission: Admission, patience: float) -> None:
        self.admission = admission
        self.patience = patience
        self.refusals = Refusals(admission)


class BrakingProtocol(SteadyProtocol):
    """One connection. `brakes` and `polls`, which are the paths that may wait, stand on a subclass (protocol.py)."""

    brakes: Brakes
    polls: Collection[bytes]
    # Whether a request has begun and not ended; since when the client owes the rest of one.
    _midway = False
    _owed_since: float | None = None
    _patience: asyncio.TimerHandle | None = None
    # The octets of the request at hand that are none of its body.
    _outside = 0
    # What ends the connection once all requests before it are answered.
    _at_end: Response | None = None
    # When something was last answered without uvicorn's cycles.
    _used_at = 0.0
    # Whether a send of this connection is counted as under way.
    _entered = False
    # The client says nothing more, and still gets its answer.
    _said_all = False
    # Octets of answers that a slow reader left when that was last looked at.
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._owed_since = self.loop.time()
        self._patience = self.loop.call_later(self.brakes.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self.leave()
        # uvicorn forgets its timer where the connection was reset, and all that hangs on it for as long.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._outside = len(data) + (self._outside if self._midway else 0)
        super().data_received(data)
        if self._midway and self._outside > _MOST_OUTSIDE and not self.transport.is_closing():
            self.end_with(_TOO_LONG if len(self.url) > SIZE else _TOO_MUCH)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio takes it, uvicorn never says it
        """A client may end its side with its last call, of which it must hear; one that waits in a poll has left."""
        if self._midway:
            # The rest of it can't come any more.
            self.end_with(_CUT_OFF)
            return True
        cycle: Any = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        self._said_all = under_way and (bool(self.pipeline) or not self._may_wait(cycle))
        return self._said_all

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise _TooManyAtOnce  # to the parser, which then reads nothing more
        self._midway = True
        self._owed_since = self.loop.time()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        self.of_a_body(len(body))
        super().on_body(body)

    def of_a_body(self, octets: int) -> None:
        """So much of what came is bounded as a body, where that is read."""
        self._outside -= octets

    def on_message_complete(self) -> None:
        self.came_whole()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.leave()
        last = not self.pipeline
        super().on_response_complete()
        if last and self._at_end is not None and not self.transport.is_closing():
            ending, self._at_end = self._at_end, None
            self.end_with(ending)
        elif last and self._said_all:
            self.transport.close()

    def let_in(self, path: bytes) -> bool:
        """Whether a call may go on; a send that may not is refused, and counted."""
        refusals = self.brakes.refusals
        if path not in refusals.series:
            return True
        admission = self.brakes.admission
        if admission.full():
            self.cycle = refusals.owe(self, path)  # type: ignore[assignment]  # it has what uvicorn asks of a cycle
            return False
        self._entered = True
        admission.enter()
        return True

    def refuse(self, owed: UnderWay, answer: Prepared) -> None:
        """Gives the refusal that was owed."""
        owed.response_complete = True
        if self.transport.is_closing():
            return
        self.transport.write(answer.of(self.server_state.default_headers))
        if owed.keep_alive:
            self.answered_at_once()
        else:
            self.transport.close()
            self.on_response_complete()

    def came_whole(self) -> None:
        """The client owes nothing more of its request."""
        self._midway, self._owed_since, self._outside = False, None, 0

    def is_free(self) -> bool:
        """Nothing that came before is still under way, and the client reads what it gets."""
        return (
            # uvicorn's annotation leaves out that a new connection has none.
            (self.cycle is None or self.cycle.response_complete)  # type: ignore[redundant-expr]
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def answered_at_once(self) -> None:
        """What uvicorn does after an answer, where it had nothing to do with it: without a new timer for each."""
        self._used_at = self.loop.time()
        if self._unsettled() or self.timeout_keep_alive_task is None:
            self.on_response_complete()
            return
        self.leave()
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def _unsettled(self) -> bool:
        """Whether something has to follow the answer just given."""
        return bool(self.pipeline) or self._at_end is not None or self._said_all

    def timeout_keep_alive_handler(self) -> None:
        # One timer serves many answers: setting one each time cost as much as a poll's answer.
        answered = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # as above
        under_way = self._midway or not answered
        left = self._used_at + self.timeout_keep_alive - self.loop.time()
        if under_way or left > 0:
            seconds = self.timeout_keep_alive if under_way else left
            self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def leave(self) -> None:
        """The send of this connection that was under way is answered, or nobody waits for its answer."""
        if self._entered:
            self._entered = False
            self.brakes.admission.leave()

    def _look(self) -> None:
        """Whether the client has owed the rest of a request for too long; one timer serves all requests."""
        now, patience = self.loop.time(), self.brakes.patience
        if self._reads_nothing():
            self.transport.abort()
            return
        if self._owed_since is not None and (self.flow.read_paused or self._answers_another()):
            # It may have sent everything: we do not read.
            self._owed_since = now
        left = patience if self._owed_since is None else self._owed_since + patience - now
        if left > 0:
            self._patience = self.loop.call_later(left, self._look)
        elif not self.transport.is_closing():
            if self._midway:
                self.end_with(_TOO_SLOW)
            else:
                self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.end_with(_TOO_MANY if len(self.pipeline) >= _MOST_PIPELINED else _NOT_HTTP)

    def end_with(self, response: Response) -> None:
        """Answers what has not come whole, or is no HTTP, and hangs up: after the answers to all before it, which were
        carried out and must not be taken for refused.
        """
        if self._at_end is None and self._owes_an_answer():
            self._at_end = response
        if self._at_end is not None:
            self.flow.pause_reading()
            return
        self.transport.write(written(response, (), closes=True))
        self.transport.close()

    def _may_wait(self, cycle: Any) -> bool:
        path = cycle.path if isinstance(cycle, UnderWay) else cycle.scope["path"].encode()
        return path in self.polls

    def _reads_nothing(self) -> bool:
        """Whether the client has taken none of what waits for it since this was last asked."""
        before, self._unread = self._unread, 0
        if self.flow.write_paused:
            self._unread = self.transport.get_write_buffer_size()
        return 0 < before <= self._unread

    def _owes_an_answer(self) -> bool:
        """Whether a request before the one at hand has no answer yet; the one at hand will not get its own."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        if not getattr(cycle, "more_body", False):
            return True
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            return True
        return False

    def _answers_another(self) -> bool:
        """Whether an earlier request, which came whole, has no answer yet."""
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete and not getattr(cycle, "more_body", False)
