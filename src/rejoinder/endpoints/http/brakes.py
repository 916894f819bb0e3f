"""uvicorn's HTTP/1.1 protocol with brakes: sends refused before they are parsed, a time and a size for each request.

While as much is under way as can be stored in time (flow/admission.py) a send that came in one piece is answered 503 by
its bytes alone: no parser, task or parameter. One that came in pieces, or with an unusual head, goes the normal way and
is refused there. Who has not brought a whole request in `patience` seconds is answered 408 and closed: heads and bodies
that drip in keep a connection no longer than that. One whose bytes outside its body (target, headers, the frames of
chunks, trailers) pass all measure is answered 413 or 431 before its end: the parser would keep them without end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from rejoinder.endpoints.http.params import SIZE
from rejoinder.endpoints.http.responses import Family, Response, fault, too_large, unavailable
from rejoinder.flow.admission import Admission
from rejoinder.message.codes import AccountCode
from rejoinder.observe import HTTP_ANSWERS

_SENDS = b"POST /services/rest/message/send"
_PATHS = ("/services/rest/message/sendSingle2", "/services/rest/message/sendMultiple")
_LINE = re.compile(rb"POST ([^ ?]+)(?:\?[^ ]*)? HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*(?=\r\n)", re.IGNORECASE)
# What changes how a request ends, or what follows it: judged by the parser.
_UNUSUAL = re.compile(
    rb"\r\n(?:expect|transfer-encoding|upgrade)[ \t]*:|\r\nconnection:(?![ \t]*keep-alive[ \t]*\r\n)",
    re.IGNORECASE,
)
_LONGEST_HEAD = 2048
# More than a target that is still answered by its own call (SIZE), and headers as other servers take them, have.
_MOST_OUTSIDE = 8 * SIZE
_TOO_MUCH = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request's head is too long", 431)
_TOO_LONG = too_large(Family.ACCOUNT)
_TOO_SLOW = fault(Family.ACCOUNT, AccountCode.INVALID_VALUE, "the request did not come in time", 408)


class Prepared:
    """An answer's bytes, which stay the same but for the date: made anew with it, once a second."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._made_of: Sequence[tuple[bytes, bytes]] | None = None
        self._octets = b""

    def of(self, standing: Sequence[tuple[bytes, bytes]]) -> bytes:
        if standing is not self._made_of:
            headers = [*standing, *self._response.headers()]
            lines = [STATUS_LINE[self._response.status], *(b"%b: %b\r\n" % pair for pair in headers)]
            self._made_of, self._octets = standing, b"".join([*lines, b"\r\n", self._response.body])
        return self._octets


class Brakes:
    """What all connections of a server share."""

    def __init__(self, admission: Admission, patience: float) -> None:
        self.admission = admission
        self.patience = patience
        self.refusal = Prepared(unavailable(Family.MESSAGE))
        # Looked up once: a counter's labels() costs more than the refusal.
        self.counts: Mapping[bytes, Any] = {
            path.encode(): HTTP_ANSWERS.labels(path, "503") for path in _PATHS
        }


class BrakingProtocol(HttpToolsProtocol):
    """One connection. `brakes` stands on a subclass made by protocol.py `answering`."""

    brakes: Brakes
    # Whether a request has begun and not ended; since when the client owes the rest of one.
    _midway = False
    _owed_since: float | None = None
    _patience: asyncio.TimerHandle | None = None
    # The octets of the request at hand that are none of its body.
    _outside = 0
    # What ends the connection once all requests before it are answered.
    _at_end: Response | None = None
    # The last head of a send, how long the body behind it is, and what counts its refusals.
    _send_head = b""
    _send_length = 0
    _send_count: Any = None
    # Whether a send of this connection is counted as under way.
    _entered = False

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
        whole = data.startswith(_SENDS) and not self._midway and self.is_free() and self._is_whole_send(data)
        if whole and not self.let_in(self._send_count):
            return
        self._outside = len(data) + (self._outside if self._midway else 0)
        super().data_received(data)
        if self._midway and self._outside > _MOST_OUTSIDE and not self.transport.is_closing():
            self.end_with(_TOO_LONG if len(self.url) > SIZE else _TOO_MUCH)

    def on_message_begin(self) -> None:
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

    def let_in(self, count: Any) -> bool:
        """Whether a send may go on; one that may not is answered, and counted there."""
        if self.brakes.admission.full():
            self._refuse(count)
            return False
        self._entered = True
        self.brakes.admission.enter()
        return True

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
        """What uvicorn does after an answer, where it had nothing to do with it."""
        if self.timeout_keep_alive_task is None:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1

    def leave(self) -> None:
        """The send of this connection that was under way is answered, or nobody waits for its answer."""
        if self._entered:
            self._entered = False
            self.brakes.admission.leave()

    def _is_whole_send(self, data: bytes) -> bool:
        """Whether these bytes are one send and nothing else; clients repeat their heads byte for byte."""
        end = data.find(b"\r\n\r\n") + 4
        if not 4 <= end <= _LONGEST_HEAD:
            return False
        head = data[:end]
        if head != self._send_head and not self._learn_head(head):
            return False
        return end + self._send_length == len(data)

    def _learn_head(self, head: bytes) -> bool:
        line, lengths = _LINE.match(head), _LENGTH.findall(head)
        count = self.brakes.counts.get(line[1]) if line else None
        if count is None or len(lengths) != 1 or _UNUSUAL.search(head):
            return False
        self._send_head, self._send_length, self._send_count = head, int(lengths[0]), count
        return True

    def _refuse(self, count: Any) -> None:
        now = self.loop.time()
        self._used(now)
        self._owed_since = None
        self.brakes.admission.refused(now)
        count.inc()
        self.transport.write(self.brakes.refusal.of(self.server_state.default_headers))
        self.answered_at_once()

    def _used(self, now: float) -> None:
        """Something was answered outside uvicorn's cycles, which its keep-alive timer does not know."""

    def _look(self) -> None:
        """Whether the client has owed the rest of a request for too long; one timer serves all requests."""
        now, patience = self.loop.time(), self.brakes.patience
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

    def end_with(self, response: Response) -> None:
        """Answers what has not come whole, or is no HTTP, and hangs up: after the answers to all before it, which were
        carried out and must not be taken for refused.
        """
        if self._at_end is None and self._owes_an_answer():
            self._at_end = response
        if self._at_end is not None:
            self.flow.pause_reading()
            return
        headers = [*response.headers(), (b"connection", b"close")]
        lines = [STATUS_LINE[response.status], *(b"%b: %b\r\n" % pair for pair in headers)]
        self.transport.write(b"".join([*lines, b"\r\n", response.body]))
        self.transport.close()

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
