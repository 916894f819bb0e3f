"""Wires store, carriers, workers and endpoints; starts and stops them in order. The only place that does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import sys
from collections.abc import Collection, Iterator

import uvicorn
import uvloop

from rejoinder import __version__
from rejoinder.carriers.registry import make
from rejoinder.clock import Clock, ClockGuard, SystemClock
from rejoinder.config import Config
from rejoinder.endpoints.http.activation import ActivationCalls
from rejoinder.endpoints.http.addresses import Addresses
from rejoinder.endpoints.http.brakes import Brakes
from rejoinder.endpoints.http.carriers import CarrierCalls
from rejoinder.endpoints.http.docs_page import DocsPage
from rejoinder.endpoints.http.health import HealthCalls
from rejoinder.endpoints.http.mailbox import MailboxCalls
from rejoinder.endpoints.http.messages import MessageCalls
from rejoinder.endpoints.http.openapi import with_description
from rejoinder.endpoints.http.protocol import answering
from rejoinder.endpoints.http.resellers import ResellerCalls
from rejoinder.endpoints.http.server import Api, Calls, Operation, RawOperation
from rejoinder.endpoints.http.short_way import ShortWay
from rejoinder.endpoints.listen import address_of, listen, often
from rejoinder.endpoints.pushes import couriers
from rejoinder.endpoints.smpp.requests import Journeys
from rejoinder.endpoints.smpp.server import SmppLimits, SmppServer
from rejoinder.endpoints.smpp.tls import tls_context
from rejoinder.errors import RejoinderError
from rejoinder.flow.accounts import Accounts
from rejoinder.flow.activation import Activation
from rejoinder.flow.cancel import Cancellations
from rejoinder.flow.dispatch import Dispatch, Ground
from rejoinder.flow.inbound import MoIntake
from rejoinder.flow.lane_states import LaneStates
from rejoinder.flow.logins import LoginLimits
from rejoinder.flow.mailbox import MailboxPolls
from rejoinder.flow.optouts import OptOuts, words
from rejoinder.flow.ports import CarrierEvents, Store
from rejoinder.flow.pushes import PushLanes
from rejoinder.flow.receipts import ReceiptIntake
from rejoinder.flow.replacing import Replacements
from rejoinder.flow.request import Limits
from rejoinder.flow.reselling import Reselling
from rejoinder.flow.scheduled import Releases
from rejoinder.flow.setup import Setup
from rejoinder.flow.smpp_accounts import SmppAccounts
from rejoinder.flow.submit import Submissions
from rejoinder.flow.upkeep import Keeping, Upkeep
from rejoinder.message.model import InboundPart, Receipt
from rejoinder.message.objectid import ObjectIds
from rejoinder.observe import configure_logging, log
from rejoinder.store import open_store

# A running server sees the operator's changes within a second.
REFRESH_SECONDS = 0.3
DRAIN_SECONDS = 3
# The garbage collector looks after so many new objects (Python: 700), and each so many looks at older ones. What is under
# way is thousands of objects that are no garbage: looking at them took 5 % of a send, and a tenth in overload.
COLLECT_AFTER = (20_000, 10, 20)


class _Events:
    """Where carriers hand in what networks bring (flow/ports `CarrierEvents`)."""

    def __init__(self, receipts: ReceiptIntake, inbound: MoIntake) -> None:
        self._receipts = receipts
        self._inbound = inbound

    async def receipt(self, receipt: Receipt) -> None:
        await self._receipts.take(receipt)

    async def inbound(self, part: InboundPart) -> None:
        await self._inbound.take(part)

    async def confirmed(self, carrier_id: int, link: int, upto: int) -> None:
        await self._inbound.confirm(carrier_id, link, upto)

    async def lost(self, carrier_id: int, links: Collection[int] | None) -> None:
        await self._inbound.lose(carrier_id, links)


class Service:
    """All parts of one running message centre, without the socket in front of it."""

    def __init__(self, store: Store, clock: Clock, config: Config, ids: ObjectIds | None = None) -> None:
        ids = ids or ObjectIds()
        self.store = store
        self.clock = clock
        self.setup = Setup(store)
        limits = LoginLimits(config.failed_logins_per_user, config.failed_logins_per_address)
        self.accounts = Accounts(store, clock, limits)
        self.addresses = Addresses(config.trusted_proxies)
        guard = ClockGuard(clock)
        self.submissions = Submissions(store, clock, guard, ids, self.accounts, self.setup)
        self.submissions.limits = Limits(
            config.max_parts, config.reply_window * 86_400, bool(config.smtp_host)
        )
        self.cancellations = Cancellations(store, clock)
        self.replacements = Replacements(store, clock, self.submissions)
        self.polls = MailboxPolls(store, clock)
        self.receipts = ReceiptIntake(store, clock, self.setup)
        opt_words = words(config.opt_out_words, config.opt_in_words)
        self.inbound = MoIntake(store, clock, ids, OptOuts(self.setup, opt_words))
        events: CarrierEvents = _Events(self.receipts, self.inbound)
        self.upkeep = Upkeep(store, clock, guard, self.setup, self.inbound, Keeping(config.retention))
        ground = Ground(store, clock, guard, self.setup, self.receipts.learnt)
        self.dispatch = Dispatch(ground, lambda row: make(row, events, clock))
        self.receipts.answered = self.dispatch.answered
        self.lane_states = LaneStates(store, clock, self.dispatch.lanes)
        self.releases = Releases(store, clock, self.accounts, self.submissions, guard)
        self.pushes = PushLanes(store, clock, guard, couriers(config, clock))
        store.on_queued(self.pushes.wake)
        self.setup.on_change(self.accounts.forget)
        self.smpp = self._smpp_server(config, guard)
        self.setup.on_change(self.smpp.changed)
        self.setup.on_clock_accepted(guard.accept)
        self.submissions.on_queued(self.dispatch.wake)
        self.brakes = Brakes(self.submissions.admission, config.request_time)
        self.short_way = ShortWay(self.accounts, self.polls, clock)
        self.api = Api(with_description(self.operations()), self.addresses)
        self._tasks: list[asyncio.Task[None]] = []

    def _smpp_server(self, config: Config, guard: ClockGuard) -> SmppServer:
        limits = SmppLimits(config.smpp_connections, config.smpp_connections_per_address)
        journeys = Journeys(
            self.store, self.clock, guard, self.submissions, self.cancellations, self.replacements
        )
        return SmppServer(journeys, SmppAccounts(self.store, self.accounts), limits)

    def _groups(self) -> list[Calls]:
        """The groups of calls, each with what it needs of the parts above."""
        return [
            MailboxCalls(self.accounts, self.polls),
            MessageCalls(self.accounts, self.submissions, self.cancellations, self.store),
            ResellerCalls(self.accounts, Reselling(self.store, self.clock)),
            ActivationCalls(Activation(self.store, self.clock, self.accounts, self.submissions)),
            CarrierCalls(self.setup, self.inbound, self.receipts, self.clock),
            HealthCalls(self.store, self.setup, self.clock, self._carrier_states),
            DocsPage(),
        ]

    def operations(self) -> list[Operation | RawOperation]:
        """The table of all operations but that which describes them."""
        return [operation for group in self._groups() for operation in group.operations()]

    def _carrier_states(self) -> dict[int, str]:
        return {carrier_id: lane.carrier.state() for carrier_id, lane in self.dispatch.lanes.items()}

    async def start(self) -> None:
        """Reads the set-up, starts carriers and workers."""
        await self.setup.refresh()
        await self.dispatch.reconcile()
        workers = (
            self._follow_setup(),
            self.upkeep.run(),
            self.releases.run(),
            self.lane_states.run(),
        )
        await self.pushes.start()
        self._tasks = [asyncio.create_task(worker) for worker in workers]

    async def _follow_setup(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                if await self.setup.refresh():
                    await self.dispatch.reconcile()
            except RejoinderError as error:
                log.warning("setup_not_refreshed", sentence=error.sentence)
            except Exception as error:  # noqa: BLE001  # this task's outermost line: the next look must still come
                log.error("setup_failed", exc_info=error)

    async def stop(self) -> None:
        """Stops sending, takes the answers that are on their way, finishes what was accepted, closes the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.smpp.stop()
        await self.lane_states.look("stopped")
        await self.dispatch.stop()
        await self.submissions.drained()
        await self.inbound.drained()
        await self.receipts.drained()
        await self.pushes.stop()
        self.accounts.close()
        await self.store.close()


class _HttpServer(uvicorn.Server):
    """uvicorn without its own signal handling: the app decides the order of the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _http(service: Service) -> _HttpServer:
    return _HttpServer(
        uvicorn.Config(
            service.api,
            http=answering(service.api, service.short_way, service.addresses, service.brakes),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


async def serve(config: Config) -> None:
    """Runs until SIGTERM or SIGINT; then ends within ten seconds. Raises RejoinderError when it can't start."""
    clock = SystemClock()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    listener = listen(*config.address)
    tls = tls_context(config.smpp_tls_cert, config.smpp_tls_key)
    smpp_listener = listen(*config.smpp_address) if config.smpp_address else None
    store = await open_store(config.database, clock, serving=True)
    for warning in store.warnings:
        log.warning("database", sentence=warning)
    service = Service(store, clock, config)
    await service.start()
    # What is there now stays: full collections need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    http = _http(service)
    serving = asyncio.create_task(http.serve(often(listener)))
    # The lines a person, or a program that started us, waits for; logs go to stderr.
    print(f"Rejoinder {__version__} listens on http://{address_of(listener)}", flush=True)  # noqa: T201
    if smpp_listener is not None:
        await service.smpp.start(smpp_listener, tls)
        print(f"SMPP{' with TLS' if tls else ''} on {address_of(smpp_listener)}", flush=True)  # noqa: T201
    stopped = asyncio.create_task(ending.wait())
    await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
    # Whoever waits for something to show is answered at once, as if the time were up.
    service.polls.waits.end()
    http.should_exit = True
    await serving
    stopped.cancel()
    await service.stop()
    log.info("stopped")


def run(config: Config) -> None:
    """The `serve` command: its own event loop, logs on stderr, the address on stdout."""
    configure_logging(config.log_level)
    # A writer thread that asks for the interpreter should not wait 5 ms behind a busy event loop.
    sys.setswitchinterval(0.001)
    # Thousands of programs may wait in a poll, each on a connection of its own.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(serve(config))
