"""SMPP without storage: the codec beside two libraries', and our client against a sink that answers at once.

Each contender writes and reads the same submit_sm, an 80-octet text with its answer's id, from the values a program
has to the octets on the wire and back. Refuses a comparison of unequal octets (`Faulty`). The client is the carrier that
lanes use, with `send` awaited by as many tasks as its window holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Collection

from bench.load import Faulty
from bench.measure import LOAD_CORE, SERVER_CORE, core_busy_seconds, on_core
from bench.process import running
from bench.results import Figure, Sample, figure, rates
from bench.scenarios.run import Outcome, Run, Samples, Scenario
from rejoinder.carriers.registry import make
from rejoinder.clock import SystemClock
from rejoinder.flow.ports import CarrierRow
from rejoinder.message.model import Fate, InboundPart, Outgoing, Receipt
from rejoinder.smpp.codec import decode, encode
from rejoinder.smpp.pdu import SubmitSm

TEXT = b"See you at the station at half past five, the one with the green clock above it."
SENDER, RECIPIENT = "61400000000", "61455555555"
BATCH = 500
TIMES_FASTER = 10.0
WINDOW = 100
AT_LEAST = 50_000

Work = Callable[[], object]


def _ours() -> tuple[Work, Work]:
    def write() -> bytes:
        return encode(SubmitSm("", 1, 1, SENDER, 1, 1, RECIPIENT, 0, 0, 0, "", "", 1, 0, 0, 0, TEXT), 5)

    frame = write()
    return write, lambda: decode(frame)


def _smpplib() -> tuple[Work, Work]:
    from smpplib import smpp

    class Client:
        sequence = 5

        def next_sequence(self) -> int:
            return 5

    client = Client()

    def write() -> bytes:
        pdu = smpp.make_pdu(
            "submit_sm",
            client=client,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=SENDER,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=RECIPIENT,
            short_message=TEXT,
            registered_delivery=1,
        )
        pdu.sequence = 5
        return bytes(pdu.generate())

    frame = write()
    return write, lambda: smpp.parse_pdu(frame, client=client, allow_unknown_opt_params=True)


def _aiosmpplib() -> tuple[Work, Work]:
    from aiosmpplib.protocol import SubmitSm as Theirs
    from aiosmpplib.state import PduHeader, PhoneNumber, SmppCommand, SmppCommandStatus

    text = TEXT.decode()

    def write() -> bytes:
        pdu = Theirs(
            short_message=text,
            source=PhoneNumber(SENDER),
            destination=PhoneNumber(RECIPIENT),
            registered_delivery=1,
            sequence_num=5,
        )
        return bytes(pdu.pdu())

    frame = write()
    header = PduHeader(len(frame), SmppCommand.SUBMIT_SM, SmppCommandStatus.ESME_ROK, 5)
    return write, lambda: Theirs.from_pdu(frame, header)


LIBRARIES = {"Rejoinder": _ours, "smpplib": _smpplib, "aiosmpplib": _aiosmpplib}


def _codec(run: Run) -> Outcome:
    makers = {name: build() for name, build in LIBRARIES.items()}
    _same(makers["Rejoinder"][0](), makers["smpplib"][0]())
    samples: Samples = {f"{name} {what}": [] for what in ("writes", "reads") for name in makers}
    with on_core(SERVER_CORE):
        for number in range(1, run.rounds + 1):
            for place, what in enumerate(("writes", "reads")):
                for name, pair in makers.items():
                    run.tell(f"codec: round {number} of {run.rounds}, {name} {what}")
                    samples[f"{name} {what}"].append(_repeated(pair[place], run.seconds / 4))
    figures = []
    for what in ("writes", "reads"):
        ours = samples[f"Rejoinder {what}"]
        figures += [rates(f"submit_sm, {name} {what}", samples[f"{name} {what}"]) for name in makers]
        figures += [
            _faster(f"submit_sm {what}: times {name}", ours, samples[f"{name} {what}"])
            for name in makers
            if name != "Rejoinder"
        ]
    return Outcome(figures, samples)


def _same(one: object, other: object) -> None:
    if one != other:
        raise Faulty(f"different octets:\n{one!r}\n{other!r}")


def _repeated(work: Work, seconds: float) -> Sample:
    """How often in so many seconds; other processes' share of the core stands beside it."""
    busy, cpu, begun, done = core_busy_seconds(SERVER_CORE), time.process_time(), time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        for _ in range(BATCH):
            work()
        done += BATCH
    took, spent = time.monotonic() - begun, time.process_time() - cpu
    return _sample(done, took, spent, core_busy_seconds(SERVER_CORE) - busy)


def _sample(done: int, took: float, spent: float, busy: float) -> Sample:
    return Sample(
        requests=done,
        seconds=round(took, 3),
        cpu_seconds=round(spent, 3),
        per_cpu_second=round(done / spent, 1),
        core_share=round(spent / took, 3),
        foreign_share=round(max(0.0, busy - spent) / took, 3),
        p50_ms=0.0,
        p99_ms=0.0,
    )


def _faster(name: str, ours: list[Sample], theirs: list[Sample]) -> Figure:
    values = [one.per_cpu_second / other.per_cpu_second for one, other in zip(ours, theirs, strict=True)]
    return figure(name, "×", values, at_least=TIMES_FASTER)


class _Nobody:
    """Events of a carrier that nobody writes to."""

    async def receipt(self, receipt: Receipt) -> None:
        raise AssertionError(receipt)

    async def inbound(self, part: InboundPart) -> None:
        raise AssertionError(part)

    async def confirmed(self, carrier_id: int, link: int, upto: int) -> None:
        raise AssertionError(link)

    async def lost(self, carrier_id: int, links: Collection[int] | None) -> None:
        raise AssertionError(links)


def _client(run: Run) -> Outcome:
    samples: list[Sample] = []
    # The sink has the core that loads have elsewhere: it is what the client works against.
    log = run.new_folder() / "log"
    command = [sys.executable, "-m", "bench.smpp_sink"]
    with running(command, log, core=LOAD_CORE) as sink, on_core(SERVER_CORE):
        port = sink.url.rpartition(":")[2]
        for number in range(run.rounds + 1):
            run.tell(f"client: round {number} of {run.rounds}")
            sample = _with_uvloop(port, run.seconds)
            if number:
                samples.append(sample)
    values = [one.per_second for one in samples]
    name = f"submits, window {WINDOW}, each answered"
    figures = [
        figure(name, "messages/s", values, at_least=AT_LEAST),
        rates(name, samples),
    ]
    return Outcome(figures, {"client": samples})


def _with_uvloop(port: str, seconds: float) -> Sample:
    import uvloop

    return uvloop.run(_submits(port, seconds))


async def _submits(port: str, seconds: float) -> Sample:
    settings = {"host": "127.0.0.1", "port": port, "system_id": "bench", "window": str(WINDOW)}
    carrier = make(CarrierRow(1, "sink", "smpp", settings), _Nobody(), SystemClock())
    await carrier.start()
    async with asyncio.timeout(10):
        while not carrier.ready():  # noqa: ASYNC110  # a carrier has no event for it
            await asyncio.sleep(0.01)
    message = Outgoing(
        "517509fe4b0b1be3f128aef5",
        RECIPIENT,
        SENDER,
        TEXT.decode(),
        "gsm",
        1,
        (1,),
        2_000_000_000_000_000,
        False,
    )
    done, ends = 0, time.monotonic() + seconds

    async def send_on() -> None:
        nonlocal done
        while time.monotonic() < ends:
            (outcome,) = await carrier.send(message)
            if outcome.fate is not Fate.ACCEPTED:
                raise Faulty(f"not accepted: {outcome.fate}")
            done += 1

    busy, cpu, begun = core_busy_seconds(SERVER_CORE), time.process_time(), time.monotonic()
    await asyncio.gather(*(send_on() for _ in range(WINDOW)))
    took, spent = time.monotonic() - begun, time.process_time() - cpu
    with contextlib.suppress(ConnectionError):
        await carrier.stop()
    return _sample(done, took, spent, core_busy_seconds(SERVER_CORE) - busy)


SCENARIOS = [
    Scenario("smpp-codec", "submit_sm written and read, beside smpplib and aiosmpplib", _codec),
    Scenario("smpp-client", f"our SMPP client against a sink that answers at once, window {WINDOW}", _client),
]
