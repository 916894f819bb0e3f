"""The SMPP server: accepts customers' connections, judges binds, hands requests to flow, sends couriers on their way.

Refuses at once, by command status, what an account's window or throughput does not hold, and everything while it
stops. A bind whose account was changed so that it may bind no more is ended within a second.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rejoinder.endpoints.listen import BACKLOG
from rejoinder.endpoints.smpp import statuses
from rejoinder.endpoints.smpp.binds import Bind, Binds
from rejoinder.endpoints.smpp.connection import Connection
from rejoinder.endpoints.smpp.couriers import Couriers, Delivery
from rejoinder.endpoints.smpp.requests import Asker, Journeys, Requests
from rejoinder.endpoints.smpp.waiting import settled
from rejoinder.errors import RejoinderError, Throttled
from rejoinder.flow.accounts import Verdict
from rejoinder.flow.smpp_accounts import BindLogin, SmppAccounts
from rejoinder.observe import SMPP_BINDS_REFUSED, SMPP_CONNECTIONS, SMPP_REQUESTS, log
from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import RESPONSE, VERSION, Command, Tag, status_name
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.pdu import Pdu
from rejoinder.smpp.window import Timers

# What bind responses call us.
SYSTEM_ID = "rejoinder"
_SUBMITS = (p.SubmitSm, p.DataSm, p.SubmitMulti)
_SPEAKS: p.Tlvs = ((int(Tag.SC_INTERFACE_VERSION), VERSION),)


@dataclass(frozen=True, slots=True)
class SmppLimits:
    """Connections at once, in all and from one address; and what sessions count by."""

    connections: int = 1000
    per_address: int = 100
    timers: Timers = Timers()  # noqa: RUF009  # frozen


@cache
def _series(command: int, status: int) -> Any:
    """What counts requests answered so; looked up once: labels() costs more than the count."""
    return SMPP_REQUESTS.labels(Command(command).name.lower(), status_name(status))


class SmppServer:
    """Accepts customers. Owner of its connections (connection.py `Owner`)."""

    def __init__(self, journeys: Journeys, accounts: SmppAccounts, limits: SmppLimits) -> None:
        self._clock = journeys.clock
        self._journeys = journeys
        self._admission = journeys.submissions.admission
        self._accounts = accounts
        self._limits = limits
        self.binds = Binds(limits.connections, limits.per_address)
        self.couriers = Couriers(journeys.store, journeys.clock, journeys.guard, self.binds)
        self._requests = Requests(journeys)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serves on a bound socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.connection, sock=listener, ssl=tls, backlog=BACKLOG)

    def connection(self) -> Connection:
        return Connection(self, self._clock, self._limits.timers)

    async def stop(self, seconds: float = 5.0) -> None:
        """Accepts no more, answers what is under way, unbinds, closes; what does not end in time is cut."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        await self.couriers.stop(seconds / 2)
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for connection in self.binds.connections():
            connection.unbind()
        await settled(lambda: not self.binds.connections(), seconds / 2)
        for connection in self.binds.connections():
            connection.cut()

    def admit(self, connection: Connection) -> bool:
        admitted = not self._stopping and self.binds.admit(connection)
        if admitted:
            SMPP_CONNECTIONS.inc()
        else:
            log.warning("smpp_connection_refused", address=connection.address)
        return admitted

    def room_for_submits(self) -> int:
        return self._admission.room()

    def turned_away(self, commands: Mapping[int, int]) -> None:
        self._admission.refused(self._clock.monotonic(), sum(commands.values()))
        for command, count in commands.items():
            _series(command, S.ESME_RMSGQFUL).inc(count)

    def requested(self, connection: Connection, sequence: int, pdu: Pdu) -> None:
        if pdu.response is None:
            return
        bind = connection.bind
        if isinstance(pdu, p.Bind):
            self._begin(self._judge(connection, sequence, pdu))
        elif self._stopping:
            self._respond(connection, sequence, pdu.response(), S.ESME_RMSGQFUL)
        elif not isinstance(bind, Bind):
            self._respond(connection, sequence, pdu.response(), S.ESME_RINVBNDSTS)
        else:
            self._take(bind, sequence, pdu, pdu.response)

    def _take(self, bind: Bind, sequence: int, pdu: Pdu, response: type[Pdu]) -> None:
        """Within what the machine can do, and the account's window and throughput, it is under way from here on."""
        submits = isinstance(pdu, _SUBMITS)
        wanted = len(pdu.destinations) if isinstance(pdu, p.SubmitMulti) else 1
        allowance = wanted
        if bind.under_way >= bind.account.window:
            allowance = 0
        elif submits:
            allowance = self.binds.take(bind, wanted, self._clock.monotonic())
        if wanted and not allowance:
            self._respond(bind.connection, sequence, response(), S.ESME_RTHROTTLED)
            return
        bind.under_way += 1
        if submits:
            self._admission.enter()
        self._begin(self._answer(bind, sequence, pdu, allowance))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, bind: Bind, sequence: int, pdu: Pdu, allowance: int) -> None:
        assert pdu.response is not None
        answer, status = pdu.response(), int(S.ESME_RSYSERR)
        try:
            login = await self._accounts.standing(bind.account.system_id, bind.connection.address)
            if login.verdict is Verdict.OK and login.user is not None and login.account is not None:
                asker = Asker(login.user, login.account, allowance)
                answer, status = await self._requests.answer(asker, pdu)
            else:
                status = int(S.ESME_RINVBNDSTS)
        except RejoinderError as error:
            status = statuses.of_refusal(error)
        except Exception as error:  # noqa: BLE001  # the request's outermost line
            log.error("smpp_request_failed", exc_info=error)
        bind.under_way -= 1
        if isinstance(pdu, _SUBMITS):
            self._admission.leave()
        self._respond(bind.connection, sequence, answer, status)

    def _respond(self, connection: Connection, sequence: int, answer: Pdu, status: int) -> None:
        _series(answer.command & ~RESPONSE, status).inc()
        connection.respond(sequence, answer, status)

    async def _judge(self, connection: Connection, sequence: int, pdu: p.Bind) -> None:
        """A bind: who it is, and whether one more may be."""
        assert pdu.response is not None
        status = int(S.ESME_RSYSERR)
        try:
            login = await self._accounts.login(pdu.system_id, pdu.password, connection.address)
            status = self._bound(connection, login, pdu)
        except Throttled:
            status = int(S.ESME_RBINDFAIL)
        except RejoinderError as error:
            log.warning("smpp_bind_failed", sentence=error.sentence)
        except Exception as error:  # noqa: BLE001  # the bind's outermost line
            log.error("smpp_bind_failed", exc_info=error)
        if status:
            SMPP_BINDS_REFUSED.labels(status_name(status)).inc()
            log.warning("smpp_bind_refused", reason=status_name(status), address=connection.address)
        connection.respond(sequence, pdu.response(SYSTEM_ID, _SPEAKS if not status else ()), status)
        bind = connection.bind
        if isinstance(bind, Bind) and bind.receives():
            self.couriers.call(bind.account.user_id)

    def _bound(self, connection: Connection, login: BindLogin, pdu: p.Bind) -> int:
        if login.verdict is not Verdict.OK or login.account is None:
            return statuses.OF_VERDICT[login.verdict]
        if self._stopping or connection.session.ended():
            return int(S.ESME_RBINDFAIL)
        bind = self.binds.bind(connection, login.account, pdu.command, self._clock.monotonic())
        if bind is None:
            return int(S.ESME_RALYBND)
        log.info("smpp_bound", user_id=login.account.user_id, kind=pdu.command.name.lower())
        return int(S.ESME_ROK)

    def answered(self, connection: Connection, status: int, context: object) -> None:
        if isinstance(context, Delivery):
            context.courier.answered(context, status)

    def overdue(self, connection: Connection, context: object) -> None:
        if isinstance(context, Delivery):
            context.courier.overdue(context)

    def room(self, connection: Connection) -> None:
        bind = connection.bind
        if isinstance(bind, Bind) and bind.receives():
            self.couriers.call(bind.account.user_id)

    def ended(self, connection: Connection, contexts: list[Any]) -> None:
        self.binds.unbound(connection)
        for context in contexts:
            if isinstance(context, Delivery):
                context.courier.lost(context)

    def gone(self, connection: Connection) -> None:
        if self.binds.leave(connection):
            SMPP_CONNECTIONS.dec()

    def changed(self) -> None:
        """The operator changed something: look at every bind again."""
        self._accounts.forget()
        if self._looking is not None and not self._looking.done():
            self._look_again = True
        elif self.binds.connections():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            self._look_again = False
            for connection in self.binds.connections():
                try:
                    await self._look_at(connection)
                except RejoinderError as error:
                    log.warning("smpp_binds_not_looked_at", sentence=error.sentence)
            if not self._look_again:
                return

    async def _look_at(self, connection: Connection) -> None:
        bind = connection.bind
        if not isinstance(bind, Bind):
            return
        before = bind.account
        login = await self._accounts.standing(before.system_id, connection.address)
        if connection.bind is not bind:
            return
        now = login.account
        same = now is not None and (now.user_id, now.password_hash) == (before.user_id, before.password_hash)
        if now is None or login.verdict is not Verdict.OK or not same:
            log.info("smpp_bind_ended", user_id=before.user_id, reason=str(login.verdict))
            connection.unbind()
        else:
            self.binds.renew(bind, now, self._clock.monotonic())
