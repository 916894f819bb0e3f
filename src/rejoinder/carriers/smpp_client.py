"""A carrier behind SMPP: binds, kept up; parts in, outcomes out.

A message's parts go over one bind, each with its own outcome. A bind that breaks is made anew after 1 s, doubling to
60 s, with jitter; a centre that refuses our name or password is asked again every 5 minutes. Refuses what no PDU can
hold. Names, passwords, texts and numbers are never logged.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from datetime import UTC, datetime
from functools import lru_cache

from rejoinder.carriers.smpp_inbound import SmppDeliveries
from rejoinder.carriers.smpp_link import Link
from rejoinder.carriers.smpp_plan import Handover, LinkPlan
from rejoinder.carriers.smpp_settings import SmppSettings, read_smpp
from rejoinder.clock import MICROSECONDS, Clock
from rejoinder.errors import ConfigInvalid
from rejoinder.flow.ports import CarrierEvents, CarrierRow
from rejoinder.message import phone
from rejoinder.message.model import Fate, Outcome, Outgoing
from rejoinder.observe import log
from rejoinder.smpp.constants import CommandStatus, Npi, Ton, status_name
from rejoinder.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter, SubmitSm
from rejoinder.smpp.style import Long
from rejoinder.smpp.translate import Coded, code
from rejoinder.smpp.window import Timers

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
REFUSED_SECONDS = 300.0
# A bind that held so long was a good one: the next tries begin anew with the shortest wait.
STEADY_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_FAREWELL_SECONDS = 2.0
_SHORT_NUMBER = 6
_KINDS: dict[str, tuple[type[Bind], ...]] = {
    "trx": (BindTransceiver,),
    "tx": (BindTransmitter,),
    "rx": (BindReceiver,),
    "tx+rx": (BindTransmitter, BindReceiver),
}
# Statuses of a bind's answer that another try in a second will not change. ESME_RBINDFAIL is none: it is also said while
# the centre has not noticed yet that our last link is gone.
_CREDENTIALS = frozenset({CommandStatus.ESME_RINVPASWD, CommandStatus.ESME_RINVSYSID})


def reconnect_after(failures: int, refused: bool, chance: float) -> float:
    """Seconds until the next try after so many failed ones in a row (from 1); `chance` in [0, 1) spreads by ±20 %."""
    if refused:
        return REFUSED_SECONDS
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * float(2 ** min(failures - 1, 16)))
    return seconds * (0.8 + 0.4 * chance)


class _Place:
    """One of the binds a carrier keeps up: its kind, its present link, and how it stands."""

    __slots__ = ("kind", "link", "word")

    def __init__(self, kind: type[Bind]) -> None:
        self.kind = kind
        self.link: Link | None = None
        self.word = "down"

    def up(self) -> bool:
        return self.link is not None and self.link.usable()

    def sends(self) -> bool:
        return self.kind is not BindReceiver


class SmppCarrier:
    """A `Carrier` over SMPP. One per CarrierRow of kind `smpp`."""

    def __init__(self, row: CarrierRow, events: CarrierEvents, clock: Clock) -> None:
        self._row = row
        self._settings: SmppSettings = read_smpp(row.settings)
        self._clock = clock
        self._deliveries = SmppDeliveries(row, self._settings, events, clock)
        self._places = [_Place(kind) for kind in _KINDS[self._settings.bind] * self._settings.binds]
        self._senders = [place for place in self._places if place.sends()]
        self._tasks: list[asyncio.Task[None]] = []
        self.whole = self._settings.long == Long.PAYLOAD
        self.window = self._settings.window * max(1, len(self._senders))
        self.throughput = self._settings.throughput
        self._last_error = ""
        self._style = self._settings.style
        self._plain = self._style.without_parameters()

    async def start(self) -> None:
        """Begins to connect; `ready` says when it has."""
        tls = await asyncio.to_thread(_tls, self._settings)
        self._tasks = [asyncio.create_task(self._keep_up(place, tls)) for place in self._places]

    async def stop(self) -> None:
        """Unbinds every link, waits for the centre's word a moment, and closes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        links = [place.link for place in self._places if place.link is not None]
        for link in links:
            link.unbind()
        if links:
            await asyncio.wait([link.ended for link in links], timeout=_FAREWELL_SECONDS)
        for link in links:
            link.close("stopped")
        await asyncio.gather(*(link.confirmed() for link in links))
        for place in self._places:
            place.link, place.word = None, "down"

    def state(self) -> str:
        if not self._tasks:
            return "down"
        up = sum(place.up() for place in self._places)
        if up == len(self._places):
            return "up"
        word = next(place.word for place in self._places if not place.up())
        return f"{up} of {len(self._places)} binds up; {word}" if up else word

    def ready(self) -> bool:
        """Whether a message could leave now. A carrier that only receives is always ready to refuse one."""
        return bool(self._tasks) and (not self._senders or any(place.up() for place in self._senders))

    def last_error(self) -> str:
        return self._last_error

    def in_flight(self) -> int:
        return sum(place.link.in_flight() for place in self._places if place.link is not None)

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Each part named gets its outcome, in the order of `numbers`."""
        if not self._senders and self._tasks:
            return _all(message, Fate.REFUSED, "this carrier only receives")
        links = [place.link for place in self._senders if place.link is not None and place.link.usable()]
        if not links:
            return _all(message, Fate.UNSENT, self._last_error or "the link is down")
        link = links[0] if len(links) == 1 else max(links, key=Link.room)
        try:
            coded = code(message, self._style if link.parameters() else self._plain)
        except ValueError:
            return _all(message, Fate.REFUSED, "the text can't be coded")
        handover = Handover(message.numbers, asyncio.get_running_loop().create_future())
        for part in coded:
            link.submit(self._submit(message, part), handover, part.number)
        if not handover.done.done():
            await handover.done
        return [handover.outcomes[number] for number in message.numbers]

    def _submit(self, message: Outgoing, part: Coded) -> SubmitSm:
        it = self._settings
        ton, npi = self._source(message.sender)
        return SubmitSm(
            it.service_type,
            ton,
            npi,
            message.sender,
            it.ton,
            it.npi,
            message.recipient,
            part.esm_class,
            0,
            0,
            "",
            self._validity(message.valid_until),
            it.registered_delivery,
            0,
            part.data_coding,
            0,
            part.octets,
            part.tlvs,
        )

    def _source(self, sender: str) -> tuple[int, int]:
        it = self._settings
        if not phone.is_number(sender):
            return int(Ton.ALPHANUMERIC), int(Npi.UNKNOWN)
        if len(sender) <= _SHORT_NUMBER:
            return it.short_ton, it.short_npi
        return (
            it.ton if it.source_ton is None else it.source_ton,
            it.npi if it.source_npi is None else it.source_npi,
        )

    def _validity(self, until: int) -> str:
        """The message's end as §7.1.1 has times: a span, or a moment in UTC."""
        if self._settings.validity == "none":
            return ""
        if self._settings.validity == "absolute":
            return datetime.fromtimestamp(until // MICROSECONDS, UTC).strftime("%y%m%d%H%M%S") + "000+"
        return _span(max(1, (until - self._clock.wall_us()) // MICROSECONDS))

    def _plan(self, kind: type[Bind]) -> LinkPlan:
        it, quirks = self._settings, self._settings.quirks
        bind = kind(
            it.system_id,
            it.password,
            it.system_type,
            quirks.interface_version,
            it.ton,
            it.npi,
            it.address_range,
        )
        timers = Timers(bind=_CONNECT_SECONDS, enquire=it.enquire_link, answer=it.answer_timeout)
        return LinkPlan(self._row.name, bind, timers, it.window, self._fate, self._deliveries)

    def _fate(self, status: int) -> Fate:
        if status in self._settings.quirks.throttled:
            return Fate.THROTTLED
        return Fate.LATER if status in self._settings.quirks.later else Fate.REFUSED

    async def _keep_up(self, place: _Place, tls: ssl.SSLContext | None) -> None:
        plan = self._plan(place.kind)
        failures = 0
        while True:
            place.word = "connecting"
            reason, lived, refused = await self._one_link(place, plan, tls)
            failures = 1 if lived >= STEADY_SECONDS else failures + 1
            self._last_error = place.word = reason
            seconds = reconnect_after(failures, refused, random.random())  # noqa: S311  # spreads retries
            log.warning("smpp_link_down", carrier=self._row.name, reason=reason, seconds=round(seconds, 1))
            await asyncio.sleep(seconds)

    async def _one_link(
        self, place: _Place, plan: LinkPlan, tls: ssl.SSLContext | None
    ) -> tuple[str, float, bool]:
        """A link from its making to its end: why it ended, how long it was bound, whether we were refused."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, link = await loop.create_connection(
                    lambda: Link(plan, self._clock), self._settings.host, self._settings.port, ssl=tls
                )
        except (OSError, UnicodeError) as error:
            return _unreached(error), 0.0, False
        place.link = link
        self._deliveries.losses.began()
        try:
            return await self._lived(link)
        finally:
            unstored = link.deliveries()
            self._deliveries.losses.ended(link.name, unstored, brought=bool(link.kept or unstored))

    async def _lived(self, link: Link) -> tuple[str, float, bool]:
        await asyncio.wait([link.bound])
        if link.bound.cancelled():
            return link.ended.result(), 0.0, False
        status = link.bound.result()
        if status:
            link.close("refused")
            return f"the bind was refused: {status_name(status)}", 0.0, status in _CREDENTIALS
        log.info("smpp_bound", carrier=self._row.name)
        since = self._clock.monotonic()
        reason = await asyncio.shield(link.ended)
        return reason, self._clock.monotonic() - since, False


# Messages that are sent together mostly end together.
@lru_cache(maxsize=1024)
def _span(seconds: int) -> str:
    """A relative time of §7.1.1.2."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{min(days, 30):02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def _all(message: Outgoing, fate: Fate, reason: str) -> list[Outcome]:
    return [Outcome(number, fate, reason=reason) for number in message.numbers]


def _tls(settings: SmppSettings) -> ssl.SSLContext | None:
    """Certificates are always verified, and the host's name with them."""
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.tls_ca or None)
    except OSError:
        raise ConfigInvalid("The setting 'tls_ca' names no file of certificates.", "tls_ca") from None


def _unreached(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "can't be reached: its certificate is not trusted"
    if isinstance(error, ssl.SSLError):
        return "can't be reached: TLS failed"
    if isinstance(error, TimeoutError):
        return "can't be reached: no connection in time"
    return "can't be reached: no connection"
