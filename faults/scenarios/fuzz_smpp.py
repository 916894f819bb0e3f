"""A million PDUs, new or spoiled, to the SMPP server over real sockets, bound and unbound, while other clients go on.

Whatever a connection says: each of its requests that stands whole in the stream gets one answer, and the connection
lives; or what it says has an impossible length, or an unbind in it, and the connection ends. Either way soon.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from faults.fuzz.arena import Wrong, control, search
from faults.fuzz.pdus import Frame, PduSource
from faults.run import Found, Say, Scenario
from faults.server import Server
from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import decode, encode
from rejoinder.smpp.constants import RESPONSE, Command
from rejoinder.smpp.errors import Malformed
from rejoinder.smpp.frames import Frames
from tests.smpp.esme import BINDS, SECRET

SYSTEM_ID = "fuzz"
PATIENCE = 20.0
UNBOUND, TORN = 0.25, 0.15
MOST_PDUS = 24
BIND_NUMBER, LAST_NUMBER = 0x1357_0001, 0x1357_0002


@dataclass(frozen=True, slots=True)
class Expected:
    """What a stream is to be answered with: so many answers. `ends`: it has an impossible length; `may_end`: an unbind,
    which the state may forbid; `cut_short`: its last PDU never comes whole.
    """

    answers: int
    ends: bool
    may_end: bool
    cut_short: bool


def expected(stream: bytes) -> Expected:
    """By the lengths in it alone."""
    cutter = Frames()
    octets, frames = cutter.cut(stream)
    whole = frames[-1][4] if frames else 0
    answers = sum(not frame[0] & RESPONSE for frame in frames)
    unbinds = any(frame[0] == Command.UNBIND for frame in frames)
    ends = cutter.wrong is not None
    return Expected(answers, ends, unbinds, not ends and whole < len(octets))


class SmppFuzzer:
    """One connection for each call."""

    name = "fuzz-smpp"

    def __init__(self, seed: int, patience: float = PATIENCE) -> None:
        self._draw = random.Random(f"{seed} smpp")
        self._source = PduSource(self._draw)
        self._patience = patience
        self._port = 0

    async def prepare(self, server: Server) -> None:
        """What a log-in of an unknown name takes of memory is taken before it counts."""
        self._port = server.smpp_port
        await asyncio.gather(*(self._strange_bind(number) for number in range(8)))

    async def _strange_bind(self, number: int) -> None:
        async with _Connection(self._port) as connection:
            await connection.bind(p.BindTransmitter(f"nobody{number}", f"x{number}"))

    async def fuzz(self) -> int:
        draw = self._draw
        frames = [self._source.next() for _ in range(1 + int(draw.random() * MOST_PDUS))]
        if draw.random() > TORN:
            frames = [frame for frame in frames if frame.whole] or frames
        kind = None if draw.random() < UNBOUND else draw.choice(list(BINDS.values()))
        await self._say(frames, kind)
        return len(frames)

    async def honest(self) -> int:
        submit = p.SubmitSm(destination_addr="61255588885", short_message=b"Hello mommy")
        frames = [
            encode(pdu, number) for number, pdu in enumerate([submit, p.QuerySm("f00"), p.EnquireLink()] * 4)
        ]
        await self._say([Frame(octets, True, True) for octets in frames], p.BindTransceiver)
        return len(frames)

    async def _say(self, frames: Sequence[Frame], kind: type[p.Bind] | None) -> None:
        """Says all of it in some pieces, and hears what must come. Raises Wrong."""
        stream = b"".join(frame.octets for frame in frames)
        cut = int(self._draw.random() * len(stream))
        try:
            async with asyncio.timeout(self._patience), _Connection(self._port) as connection:
                if kind is not None and (status := await connection.bind(kind(SYSTEM_ID, SECRET))):
                    raise Wrong(f"a right bind is refused with status {status}", stream)
                connection.say(stream[:cut])
                await asyncio.sleep(0)
                connection.say(stream[cut:])
                await self._hear(connection, expected(stream), stream)
        except TimeoutError:
            raise Wrong(f"no answer and no end within {self._patience:.0f} s", stream) from None
        except Malformed as malformed:
            raise Wrong(f"what the server sends is no PDU: {malformed.sentence}", stream) from None
        except OSError:
            # Cut off while it still spoke: it had said something that ends a connection.
            if not (told := expected(stream)).ends and not told.cut_short and not told.may_end:
                raise Wrong("the connection was reset", stream) from None

    async def _hear(self, connection: _Connection, told: Expected, stream: bytes) -> None:
        if told.cut_short:
            connection.hang_up()
        elif not told.ends:
            connection.say(encode(p.EnquireLink(), LAST_NUMBER))
        wanted = told.answers + 1
        to_the_end = told.ends or told.cut_short
        while to_the_end or connection.answers < wanted:
            if await connection.hear():
                continue
            if not to_the_end and not told.may_end:
                raise Wrong(f"it ended after {connection.answers} answers of {wanted}", stream)
            return
        if connection.answers > wanted:
            raise Wrong(f"{connection.answers} answers to {wanted} requests", stream)


class _Connection:
    """One socket, and how many answers came on it; what the server asks is answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._frames = Frames()
        self._said_all = False
        self.answers = 0

    async def __aenter__(self) -> _Connection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def say(self, octets: bytes) -> None:
        self._writer.write(octets)

    def hang_up(self) -> None:
        self._said_all = True
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def bind(self, pdu: p.Bind) -> int:
        """The status of its answer, which is not counted."""
        self.say(encode(pdu, BIND_NUMBER))
        while True:
            octets, frames = self._frames.cut(await self._read())
            for command, status, sequence, at, end in frames:
                if sequence == BIND_NUMBER and command & RESPONSE:
                    decode(octets[at - 16 : end])
                    return status

    async def _read(self) -> bytes:
        octets = await self._reader.read(1 << 16)
        if not octets:
            raise ConnectionResetError
        return octets

    async def hear(self) -> bool:
        """Takes what comes; False at the end. Raises Malformed."""
        came = await self._reader.read(1 << 16)
        octets, frames = self._frames.cut(came)
        for command, _, sequence, at, end in frames:
            decoded = decode(octets[at - 16 : end])
            if command & RESPONSE:
                self.answers += 1
            elif decoded.pdu.response is not None and not self._said_all and not self._writer.is_closing():
                self.say(encode(decoded.pdu.response(), sequence))
        return bool(came)


def run(count: int, seed: int, say: Say, protected: bool = True) -> Found:
    """`count` PDUs. Not `protected`: a server with a bug in it, which must be found."""
    if protected:
        return search("fuzz-smpp", SmppFuzzer, count, seed, say)
    return control("fuzz-smpp", SmppFuzzer, count, seed, say)


FUZZ_SMPP = Scenario(
    "fuzz-smpp", "PDUs over sockets, bound and unbound, while others call", 1_000_000, run, alone=True
)
