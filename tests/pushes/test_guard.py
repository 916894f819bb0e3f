"""Which addresses pushes may dial: a table, and the same over real sockets with a control that shows the guard's work."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from rejoinder.clock import SystemClock
from rejoinder.endpoints.pushes.guard import allowed
from rejoinder.endpoints.pushes.web import WebCourier
from rejoinder.flow.push_content import Parcel
from rejoinder.flow.push_records import Brought
from rejoinder.flow.push_settings import PushSetting
from tests.pushes.servers import customers_server

REFUSED = {
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"),
    "shared": ("100.64.0.1", "100.127.255.255"),
    "link-local": ("169.254.0.1", "fe80::1", "fe80::1%eth0", "fec0::1"),
    "metadata": ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "192.0.0.192"),
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104  # dialled, not bound
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    "broadcast and reserved": (
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.7",
        "2001:db8::1",
    ),
    "mapped": ("::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:10.0.0.1"),
    "compatible": ("::127.0.0.1", "::10.0.0.1"),
    "6to4": ("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1"),
    "Teredo": ("2001:0:7f00:1::", "2001::1"),
    "no address": ("localhost", "2130706433", "0x7f.1", "", "127.1"),
}
ALLOWED = (
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "2606:4700::1111",
    "64:ff9b::808:808",
    "2002:808:808::1",
)


@pytest.mark.parametrize(
    ("kind", "host"), [(kind, host) for kind, hosts in REFUSED.items() for host in hosts]
)
def test_addresses_that_are_not_of_the_public_internet_are_refused(kind: str, host: str) -> None:
    assert not allowed(host, ()), kind


@pytest.mark.parametrize("host", ALLOWED)
def test_public_addresses_are_dialled(host: str) -> None:
    assert allowed(host, ())


@pytest.mark.parametrize(
    ("network", "host", "expected"),
    [
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "10.0.0.1", False),
        ("10.1.2.0/24", "10.1.2.3", True),
        ("10.1.2.0/24", "10.1.3.3", False),
        ("fd00::/8", "fd00::1", True),
        ("::1/128", "::1", True),
        ("::1/128", "127.0.0.1", False),
        ("169.254.169.254/32", "169.254.169.254", True),
    ],
)
def test_the_operators_networks_are_let_through_and_only_these(
    network: str, host: str, expected: bool
) -> None:
    assert allowed(host, (ip_network(network),)) is expected


def parcel(url: str) -> Parcel:
    return Parcel("mo_1_1", "web", "mo", 0, PushSetting(url), {"text": "x"})


async def brought(url: str, *allow: str) -> Brought:
    courier = WebCourier(SystemClock(), [ip_network(one) for one in allow])
    await courier.start()
    try:
        return await courier.bring(parcel(url))
    finally:
        await courier.stop()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"],  # noqa: S104
)
async def test_a_loopback_server_is_never_dialled_however_it_is_written(host: str) -> None:
    async with customers_server() as server:
        result = await brought(server.url("/x", host))
        assert not result.ok
        assert server.dialled == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_control_the_same_server_is_reached_where_the_operator_allows_it(host: str) -> None:
    async with customers_server() as server:
        assert await brought(server.url("/x", host), "127.0.0.0/8") == Brought(True)
        assert server.dialled == 1


async def test_every_try_is_guarded_also_when_the_one_before_was_let_through() -> None:
    async with customers_server() as server:
        courier = WebCourier(SystemClock(), [ip_network("127.0.0.0/8")])
        await courier.start()
        try:
            assert (await courier.bring(parcel(server.url()))).ok
            courier._guard._allow = ()
            refused = await courier.bring(parcel(server.url()))
        finally:
            await courier.stop()
    assert refused == Brought(False, "the address is not allowed", trouble=True)
    assert server.dialled == 1
