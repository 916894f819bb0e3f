"""Who may bind, how often, from where, how fast; and what ends a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from rejoinder.endpoints.smpp.connection import LINGER_SECONDS, WRITE_BUFFER
from rejoinder.endpoints.smpp.tls import tls_context
from rejoinder.errors import ConfigInvalid
from rejoinder.flow.operator import smpp
from rejoinder.flow.operator.accounts import change_user, changing
from rejoinder.message.objectid import is_object_id
from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import Tag
from tests.smpp.site import HANDSET, NUMBER, SmppSite


@asynccontextmanager
async def opened(
    tmp_path: Path, tls: ssl.SSLContext | None = None, **settings: object
) -> AsyncIterator[SmppSite]:
    async with SmppSite(f"sqlite:///{tmp_path / 'own.db'}", tls, **settings) as site:
        yield site


async def eventually(reached: Callable[[], bool]) -> None:
    """For what the server does by itself a moment later."""
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110  # as said
            await asyncio.sleep(0.01)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """All that still comes before the server closes the connection."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("kind", ["trx", "tx", "rx"])
async def test_a_bind_is_answered_with_our_name_and_version(quick_site: SmppSite, kind: str) -> None:
    await quick_site.shop()
    async with quick_site.esme() as esme:
        answer = await esme.ask(
            {"trx": p.BindTransceiver, "tx": p.BindTransmitter, "rx": p.BindReceiver}[kind]("shop", "secret3")
        )
    assert answer.status == 0
    assert isinstance(answer.pdu, p.BindResp)
    assert answer.pdu.system_id == "rejoinder"
    assert answer.pdu.tlv(Tag.SC_INTERFACE_VERSION) == 0x34


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("shop", "wrong", S.ESME_RINVPASWD),
        ("shop", "", S.ESME_RINVPASWD),
        ("nobody", "secret3", S.ESME_RINVSYSID),
        ("", "", S.ESME_RINVSYSID),
        ("anna@shop", "secret3", S.ESME_RINVSYSID),
    ],
)
async def test_who_is_not_known_is_told_so_and_may_try_again(
    quick_site: SmppSite, system_id: str, password: str, status: int
) -> None:
    await quick_site.shop()
    async with quick_site.esme() as esme:
        assert await esme.bind(system_id, password) == status
        assert await esme.bind() == 0


@pytest.mark.parametrize("column", ["blocked", "disabled", "activated", "enabled"])
async def test_an_account_that_may_do_nothing_binds_no_more_and_its_binds_end(
    site: SmppSite, column: str
) -> None:
    await site.shop()
    async with site.esme() as esme:
        assert await esme.bind() == 0
        if column == "enabled":
            await site.account(enabled=False)
        else:
            change = {column: column != "activated"}
            await changing(site.centre.store, lambda tx: change_user(tx, "anna@shop", change))
            await site.centre.setup.refresh()
        await esme.until(lambda: bool(esme.ended))
    async with site.esme() as esme:
        assert await esme.bind() == S.ESME_RBINDFAIL


async def test_an_expired_password_of_the_api_does_not_matter_here(quick_site: SmppSite) -> None:
    await quick_site.shop()
    await quick_site.centre.sql("UPDATE user_account SET password_expired = TRUE")
    await quick_site.centre.changed()
    async with quick_site.esme() as esme:
        assert await esme.bind() == 0


async def test_a_removed_account_or_a_new_password_ends_its_binds(quick_site: SmppSite) -> None:
    await quick_site.shop()
    async with quick_site.esme() as esme:
        await esme.bind()
        await quick_site.account(max_binds=7)  # a change that takes nothing away
        await quick_site.account(password_hash="another")
        await esme.until(lambda: bool(esme.ended))
        assert esme.ended == "unbound"
    await changing(quick_site.centre.store, lambda tx: smpp.remove_account(tx, "anna@shop"))
    await quick_site.centre.setup.refresh()
    async with quick_site.esme() as esme:
        assert await esme.bind() == S.ESME_RINVSYSID


async def test_a_change_that_takes_nothing_away_leaves_binds_as_they_are(quick_site: SmppSite) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        await quick_site.account(max_binds=7, throughput=1000)
        assert (await esme.submit()).status == 0
        assert esme.ended == ""


@pytest.mark.parametrize(
    ("allow_ip", "status"),
    [
        ("127.0.0.0/8", 0),
        ("10.0.0.0/8 127.0.0.1/32", 0),
        ("10.0.0.0/8", S.ESME_RBINDFAIL),
        ("::1/128", S.ESME_RBINDFAIL),
    ],
)
async def test_an_account_binds_from_its_networks_alone(
    quick_site: SmppSite, allow_ip: str, status: int
) -> None:
    await quick_site.shop(allow_ip=allow_ip)
    async with quick_site.esme() as esme:
        assert await esme.bind() == status


async def test_a_user_has_so_many_binds_and_one_that_ended_makes_room(quick_site: SmppSite) -> None:
    await quick_site.shop(max_binds=2)
    async with quick_site.esme() as one, quick_site.esme() as two, quick_site.esme() as three:
        assert [await esme.bind() for esme in (one, two, three)] == [0, 0, S.ESME_RALYBND]
        one.put(p.Unbind())
        await one.until(lambda: one.ended == "unbound")
        await eventually(lambda: len(quick_site.service.smpp.binds.receiving(1)) == 1)
        assert await three.bind() == 0


async def test_one_address_has_so_many_connections(tmp_path: Path) -> None:
    async with opened(tmp_path, smpp_connections_per_address=2) as site:
        await site.shop()
        async with site.esme() as one, site.esme() as two, site.esme() as three:
            assert await one.bind() == 0
            assert await two.bind() == 0
            await three.until(lambda: bool(three.ended))
        await eventually(lambda: not site.service.smpp.binds.connections())
        async with site.esme() as four:
            assert await four.bind() == 0


async def test_wrong_passwords_are_no_longer_judged_after_a_while(tmp_path: Path) -> None:
    async with opened(tmp_path, failed_logins_per_user=3) as site:
        await site.shop()
        async with site.esme() as esme:
            tries = [await esme.bind(password=f"wrong{number}") for number in range(4)]
            assert tries == [S.ESME_RINVPASWD] * 3 + [S.ESME_RBINDFAIL]
            # Not even the right one is, until the time is over.
            assert await esme.bind() == S.ESME_RBINDFAIL
            site.clock.pass_seconds(5)
            assert await esme.bind() == S.ESME_RBINDFAIL
        site.clock.pass_seconds(100)
        async with site.esme() as esme:
            assert await esme.bind() == 0


async def test_who_does_not_bind_in_ten_seconds_is_gone(quick_site: SmppSite) -> None:
    await quick_site.shop()
    async with quick_site.esme() as late, quick_site.esme() as bound:
        assert await bound.bind() == 0
        assert await late.bind(password="wrong") == S.ESME_RINVPASWD
        quick_site.clock.pass_seconds(9)
        quick_site.look()
        assert (await late.ask(p.EnquireLink())).status == 0
        quick_site.clock.pass_seconds(1)
        quick_site.look()
        await late.until(lambda: bool(late.ended))
        assert (await bound.ask(p.EnquireLink())).status == 0


async def test_a_silent_peer_is_asked_and_then_gone(quick_site: SmppSite) -> None:
    await quick_site.shop()
    reader, writer = await asyncio.open_connection("127.0.0.1", quick_site.port)
    writer.write(encode(p.BindTransceiver("shop", "secret3"), 1))
    assert await reader.readexactly(16)
    for _ in range(4):
        quick_site.clock.pass_seconds(30)
        quick_site.look()
    rest = await closed(reader)
    assert rest.count(b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00") == 2
    writer.close()


async def test_half_a_pdu_and_then_silence_is_no_sign_of_life(quick_site: SmppSite) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", quick_site.port)
    writer.write(encode(p.BindTransceiver("shop", "secret3"), 1)[:20])
    await eventually(lambda: bool(quick_site.service.smpp.binds.connections()))
    quick_site.clock.pass_seconds(10)
    quick_site.look()
    assert await closed(reader) == b""
    writer.close()


@pytest.mark.parametrize(
    "octets", [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x0f" + b"\x00" * 12, b"\xff" * 16]
)
async def test_what_is_no_smpp_ends_the_connection_at_once(quick_site: SmppSite, octets: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", quick_site.port)
    writer.write(octets)
    answer = await closed(reader)
    assert answer[4:8] == b"\x80\x00\x00\x00"
    assert len(answer) == 16
    writer.close()


async def test_submits_beyond_the_window_are_throttled_and_the_others_taken(quick_site: SmppSite) -> None:
    user = await quick_site.shop(window_size=5)
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        futures = [
            esme.put(p.SubmitSm(source_addr=NUMBER, destination_addr=HANDSET, short_message=b"x"))
            for _ in range(20)
        ]
        statuses = [(await future).status for future in futures]
        assert statuses.count(S.ESME_RTHROTTLED) == 15
        assert statuses.count(0) == 5
        assert (await esme.submit()).status == 0


async def test_an_account_has_so_many_messages_a_second_over_all_its_binds(quick_site: SmppSite) -> None:
    user = await quick_site.shop(throughput=3)
    await quick_site.number(user)
    async with quick_site.esme() as one, quick_site.esme() as two:
        await one.bind()
        await two.bind()
        statuses = [(await esme.submit()).status for esme in (one, two, one, two)]
        assert statuses == [0, 0, 0, S.ESME_RTHROTTLED]
        multi = await one.ask(
            p.SubmitMulti(source_addr=NUMBER, destinations=(p.Address(1, 1, HANDSET),), short_message=b"x")
        )
        assert multi.status == S.ESME_RTHROTTLED
        quick_site.clock.pass_seconds(1)
        multi = await one.ask(
            p.SubmitMulti(
                source_addr=NUMBER,
                destinations=tuple(p.Address(1, 1, f"6125558888{number}") for number in range(5)),
                short_message=b"x",
            )
        )
        assert multi.status == 0
        assert [one.status for one in multi.pdu.unsuccess] == [S.ESME_RTHROTTLED] * 2  # type: ignore[attr-defined]


async def test_binding_anew_gives_no_more_messages_a_second(quick_site: SmppSite) -> None:
    user = await quick_site.shop(throughput=1)
    await quick_site.number(user)

    async def one_more() -> int:
        async with quick_site.esme() as esme:
            await esme.bind()
            status = (await esme.submit()).status
            esme.put(p.Unbind())
            await esme.until(lambda: bool(esme.ended))
            return status

    statuses = [await one_more() for _ in range(3)]
    assert statuses == [0, S.ESME_RTHROTTLED, S.ESME_RTHROTTLED]
    quick_site.clock.pass_seconds(1)
    assert await one_more() == 0
    await quick_site.account(throughput=2)
    assert [await one_more() for _ in range(3)] == [0, 0, S.ESME_RTHROTTLED]


async def test_the_end_answers_what_is_under_way_unbinds_and_closes(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        user = await site.shop()
        await site.number(user)
        async with site.esme() as esme:
            await esme.bind()
            futures = [
                esme.put(p.SubmitSm(source_addr=NUMBER, destination_addr=HANDSET, short_message=b"x"))
                for _ in range(50)
            ]
            await futures[0]
            stopping = asyncio.create_task(site.service.smpp.stop())
            answers = [await future for future in futures]
            await stopping
            await esme.until(lambda: bool(esme.ended))
        assert {answer.status for answer in answers} <= {0, S.ESME_RMSGQFUL}
        taken = [answer.pdu.message_id for answer in answers if answer.status == 0]  # type: ignore[attr-defined]
        assert all(map(is_object_id, taken))
        assert await site.centre.sql("SELECT count(*) FROM mt") == [(len(taken),)]
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", site.port)


async def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with opened(tmp_path, tls_context(str(chain), "")) as site:
        user = await site.shop()
        await site.number(user)
        async with site.esme(tls=trusting) as esme:
            assert await esme.bind() == 0
            assert (await esme.submit()).status == 0
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(encode(p.BindTransceiver("shop", "secret3"), 1))
        assert b"rejoinder" not in await closed(reader)
        writer.close()


@pytest.mark.parametrize(("certificate", "key"), [("", "key.pem"), ("no-such-file.pem", ""), (__file__, "")])
def test_a_certificate_that_cannot_be_used_is_said_at_the_start(certificate: str, key: str) -> None:
    with pytest.raises(ConfigInvalid, match="smpp_tls_") as refused:
        tls_context(certificate, key)
    assert certificate in refused.value.sentence


def test_a_key_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigInvalid, match=r"smpp_tls_key can't be read: .*: no-key\.pem"):
        tls_context(__file__, "no-key.pem")


async def test_who_does_not_read_is_read_no_further_and_harms_nobody(quick_site: SmppSite) -> None:
    await quick_site.shop()
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("127.0.0.1", quick_site.port))
    # The stream's reader takes a little, then leaves the rest to the kernel and so to the server.
    _, writer = await asyncio.open_connection(sock=peer, limit=1024)
    writer.write(encode(p.BindTransceiver("shop", "secret3"), 1))
    binds = quick_site.service.smpp.binds
    await eventually(lambda: any(one.session.bound() for one in binds.connections()))
    (connection,) = binds.connections()

    async def flood() -> None:
        question = encode(p.EnquireLink(), 2)
        while True:
            writer.write(question * 4096)
            await writer.drain()

    flooding = asyncio.create_task(flood())
    await eventually(lambda: connection._choked and not connection._reading)
    assert connection._transport is not None
    # What waited when it was choked, and the answers to one read more: a loop reads 256 KB at once.
    assert connection._transport.get_write_buffer_size() <= WRITE_BUFFER + 4 * 65_536
    async with quick_site.esme() as other:
        assert await other.bind() == 0
        assert (await other.ask(p.EnquireLink())).status == 0
    flooding.cancel()
    writer.transport.abort()
    await eventually(lambda: connection not in binds.connections())


async def test_who_reads_nothing_at_the_end_counts_until_it_is_cut_off(tmp_path: Path) -> None:
    async with opened(tmp_path, smpp_connections_per_address=1) as site:
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(peer, ("127.0.0.1", site.port))
        binds = site.service.smpp.binds
        await eventually(lambda: bool(binds.connections()))
        (connection,) = binds.connections()
        assert connection._transport is not None
        # Answers fill what the kernel holds until some of them stay here: too few to stop reading for.
        while not connection._transport.get_write_buffer_size():
            await loop.sock_sendall(peer, encode(p.EnquireLink(), 2) * 500)
            await asyncio.sleep(0)
        assert not connection._choked
        site.clock.pass_seconds(11)
        site.look()
        assert connection.session.ended()
        async with site.esme() as another:
            await another.until(lambda: bool(another.ended))
        site.clock.pass_seconds(LINGER_SECONDS)
        site.look()
        await eventually(lambda: not binds.connections())
        async with site.esme() as another:
            assert (await another.ask(p.EnquireLink())).status == 0
        peer.close()
