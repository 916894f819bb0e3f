"""The 503s that an overloaded server owes, at a pace that leaves nine tenths of the core to what was let in.

Refuses to judge who is refused: that is brakes.py. What it costs: docs/adr/0010.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Protocol

from rejoinder.endpoints.http.responses import Family, unavailable
from rejoinder.endpoints.http.under_way import Prepared, UnderWay
from rejoinder.flow.admission import Admission
from rejoinder.observe import HTTP_ANSWERS, log

# So many at once, and then none for so long: 2,500 a second cost a tenth of a core, reading what they refuse included.
IN_A_TURN = 25
REST_SECONDS = 0.01
_PATHS = ("/services/rest/message/sendSingle2", "/services/rest/message/sendMultiple")


class Refusable(Protocol):
    """A connection that can be refused its call."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport

    def refuse(self, owed: UnderWay, answer: Prepared) -> None: ...


class Refusals:
    """The refusals that are owed, the oldest first.

    Who waits for one brings nothing new. Given where they were read, or as soon as could be, they brought the next
    requests at once, and what was let in waited for seconds.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._owed: deque[tuple[Refusable, UnderWay]] = deque()
        # Whether a turn is to come: the next, or the one after a rest.
        self._turning = False
        self._answer = Prepared(unavailable(Family.MESSAGE))
        # Looked up once: a counter's labels() costs more than the refusal.
        self.series: Mapping[bytes, Any] = {
            path.encode(): HTTP_ANSWERS.labels(path, "503") for path in _PATHS
        }
        self._given: Counter[bytes] = Counter()

    def owe(self, connection: Refusable, path: bytes) -> UnderWay:
        """Has this connection's call refused soon."""
        owed = UnderWay(path, ends=False)
        self._owed.append((connection, owed))
        self._given[path] += 1
        if not self._turning:
            self._turning = True
            connection.loop.call_soon(self._give_some, connection.loop)
        return owed

    def _give_some(self, loop: asyncio.AbstractEventLoop) -> None:
        owed, now = self._owed, loop.time()
        self._turning = bool(owed)
        if not owed:
            return
        for path, count in self._given.items():
            self._admission.refused(now, count)
            self.series[path].inc(count)
        self._given.clear()
        for _ in range(min(IN_A_TURN, len(owed))):
            connection, under_way = owed.popleft()
            try:
                connection.refuse(under_way, self._answer)
            except Exception as error:  # noqa: BLE001  # the refusal's outermost line: the others are still owed theirs
                log.error("refusal_failed", exc_info=error)
                connection.transport.abort()
        loop.call_later(REST_SECONDS, self._give_some, loop)
