"""The client that awaits, on aiohttp. Refuses nothing that the blocking one takes; every method means the same.

aiohttp is loaded when a first call needs it: programs that block never do.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar, overload

from rejoinder.client import calls
from rejoinder.client.blocking import FORM, PATIENCE, REST, TIMEOUT, address
from rejoinder.client.calls import Ask, Box, Options
from rejoinder.client.cursor import CursorFile
from rejoinder.client.patience import Fault, Rest, Timing, Tries, fault_of
from rejoinder.client.timing import RealTime
from rejoinder.client.values import Answered, FinalStatus, Message, Page, Received, Submitted

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")


class AwaitingTime(Timing, Protocol):
    """A Timing that can also be awaited for seconds."""

    async def rest(self, seconds: float) -> None: ...


class _Awaited(RealTime):
    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class AsyncLine:
    """Connections to one server; carries Asks with a log-in. Made and closed in one event loop."""

    def __init__(
        self,
        url: str,
        login: Mapping[str, str],
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        timing: AwaitingTime | None = None,
    ) -> None:
        parts = address(url)
        host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{host}{parts.path.rstrip('/')}{REST}"
        self._login = login
        self._patience = patience
        self._context = context
        self.timing = timing or _Awaited()
        self._session: aiohttp.ClientSession | None = None

    async def run(self, ask: Ask[T], patience: float | None = None) -> T:
        """The call's value. Raises ClientError."""
        tries = Tries(ask, self._patience if patience is None else patience, self.timing)
        while True:
            answer = await self._once(ask)
            if not isinstance(answer, Fault):
                return tries.value(ask, *answer)
            await self.timing.rest(tries.pause(answer))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _once(self, ask: Ask[Any]) -> tuple[int, bytes] | Fault:
        # A kept connection may be closing just now, and nobody could tell whether the request was read.
        if ask.effect is calls.Effect.TWICE:
            async with self._new_session() as session:
                return await self._posted(session, ask)
        if self._session is None:
            self._session = self._new_session()
        return await self._posted(self._session, ask)

    async def _posted(self, session: aiohttp.ClientSession, ask: Ask[Any]) -> tuple[int, bytes] | Fault:
        import aiohttp

        # For the connection and for the answer each, as the blocking client has it.
        seconds = TIMEOUT + ask.seconds
        timeout = aiohttp.ClientTimeout(total=2 * seconds, connect=seconds, sock_read=seconds)
        try:
            async with session.post(
                self._base + ask.path,
                data=ask.body(self._login),
                headers={"Content-Type": FORM},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Fault(f"the connection failed ({type(error).__name__})")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Fault(f"the connection failed ({type(error).__name__})", left=True)
        return fault_of(response.status, response.headers) or (response.status, body)

    def _new_session(self) -> aiohttp.ClientSession:
        import aiohttp

        ssl_ = self._context if self._context is not None else True
        # Without a limit: polls that wait would keep all other calls from the server.
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl_, limit=0))


class AsyncClient:
    """All that a user can do, as `Client`; used with `async with`, any number of calls at once."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        patience: float = PATIENCE,
        context: ssl.SSLContext | None = None,
        *,
        timing: AwaitingTime | None = None,
    ) -> None:
        self._username = username
        self._line = AsyncLine(url, {"username": username, "password": password}, patience, context, timing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections."""
        await self._line.close()

    async def send(self, recipient: str, text: str, options: Options | None = None) -> Submitted:
        """As `Client.send`."""
        return await self._line.run(calls.send(recipient, text, (options or Options()).repeatable()))

    async def send_multiple(
        self, recipients: Sequence[str], text: str, options: Options | None = None
    ) -> Sequence[Answered]:
        """As `Client.send_multiple`."""
        ask = calls.send_multiple(recipients, text, (options or Options()).repeatable())
        return await self._line.run(ask)

    async def status(self, document_id: str) -> int:
        """As `Client.status`."""
        return await self._line.run(calls.status(document_id))

    async def cancel(self, document_id: str) -> int:
        """As `Client.cancel`."""
        return await self._line.run(calls.cancel(document_id))

    async def balance(self) -> Decimal:
        """As `Client.balance`."""
        return await self._line.run(calls.balance())

    @overload
    async def page(self, box: Literal[Box.RECEIVED], since: int, wait: int = 0) -> Page[Received]: ...
    @overload
    async def page(self, box: Literal[Box.ALL], since: int, wait: int = 0) -> Page[Message]: ...
    @overload
    async def page(self, box: Literal[Box.STATUSES], since: int, wait: int = 0) -> Page[FinalStatus]: ...

    async def page(self, box: Box, since: int, wait: int = 0) -> Page[Any]:
        """As `Client.page`."""
        return await self._line.run(calls.page(box, since, wait))

    def poll(
        self, cursor: str | os.PathLike[str], start: int = 0, wait: int = 30, once: bool = False
    ) -> AsyncIterator[Received]:
        """As `Client.poll`: at least once, from one program run to the next."""
        return self._kept(Box.RECEIVED, cursor, start, wait, once)

    def poll_all(
        self, cursor: str | os.PathLike[str], start: int = 0, wait: int = 30, once: bool = False
    ) -> AsyncIterator[Message]:
        """As `Client.poll_all`."""
        return self._kept(Box.ALL, cursor, start, wait, once)

    def poll_statuses(
        self, cursor: str | os.PathLike[str], start: int = 0, wait: int = 30, once: bool = False
    ) -> AsyncIterator[FinalStatus]:
        """As `Client.poll_statuses`."""
        return self._kept(Box.STATUSES, cursor, start, wait, once)

    async def pages(
        self, box: Box, since: int, wait: int = 30, once: bool = False, interval: float = 2.0
    ) -> AsyncIterator[Page[Any]]:
        """As `Client.pages`: exactly once, where items and `since` are stored in one transaction."""
        rest = Rest(interval, self._line.timing.monotonic)
        while True:
            rest.asked()
            # A poller outlives every outage; what is refused is raised.
            ask = calls.page(box, since, 0 if once else wait)
            page = await self._line.run(ask, patience=float("inf"))
            if page.items or page.since != since:
                yield page
            since = page.since
            if once and not page.more:
                return
            if not page.items and not page.more:
                await self._line.timing.rest(rest.seconds())

    async def _kept(
        self, box: Box, cursor: str | os.PathLike[str], start: int, wait: int, once: bool
    ) -> AsyncIterator[Any]:
        file = CursorFile(cursor, self._username, box)
        async for page in self.pages(box, file.read(start), wait, once):
            for item in page.items:
                yield item
            # Flushing a file of a hundred bytes; a thread for it would cost more than it spares.
            file.save(page.since)
