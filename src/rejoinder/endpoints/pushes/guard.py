"""Which addresses pushes may dial: those of the public internet, and what the operator allows. Pure.

Refuses, when the socket is made, private, loopback, link-local, multicast, unspecified, reserved and cloud metadata
addresses, also where an IPv6 address carries them (mapped, compatible, 6to4, NAT64, Teredo). The name was resolved
before: a name that changes its address between look-up and call gains nothing. Sources: RFC 6890 and the IANA
special-purpose registries, RFC 6052, RFC 3056, RFC 4380.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohappyeyeballs import AddrInfoType

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's special-purpose registries, written out: what Python calls global differs between its versions. The last
# one is public by number, but a cloud's own host, which hands out credentials.
_SPECIAL = tuple(
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *(
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
        ),
        *("203.0.113.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32", "3fff::/20"),
        "168.63.129.16/32",
    )
)
# The only range that is given out as global unicast (RFC 4291 §2.4, IANA); all else is refused.
_GLOBAL_V6 = IPv6Network("2000::/3")
# RFC 6052 §2.1: the last 32 bits are an IPv4 address. The second one is for local use, with the address elsewhere.
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
# What a receive buffer holds at most: nobody can make us take megabytes at once.
_BUFFER = 65_536


class AddressRefused(OSError):
    """The guard refuses to dial; the address is not part of the sentence."""

    def __init__(self) -> None:
        super().__init__("the address is not allowed")


def allowed(host: str, allow: Sequence[Network]) -> bool:
    """Whether this numeric address may be dialled. `allow`: the operator's networks (push_allow)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = _carried(address)
    if any(
        one in network for network in allow for one in (address, *inner) if one.version == network.version
    ):
        return True
    return _is_public(address) and all(_is_public(one) for one in inner)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _NAT64 or address.ipv4_mapped or address in _COMPATIBLE:
            return bool(_carried(address))  # judged by what it carries
        if address not in _GLOBAL_V6:
            return False
    return not any(address in network for network in _SPECIAL if network.version == address.version)


def _carried(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses inside an IPv6 one."""
    if isinstance(address, IPv4Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or address in _COMPATIBLE:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()


class Guard:
    """Makes sockets for allowed addresses (aiohttp's `socket_factory`)."""

    def __init__(self, allow: Sequence[Network]) -> None:
        self._allow = tuple(allow)

    def __call__(self, addr_info: AddrInfoType) -> socket.socket:
        """Raises AddressRefused. Called for every address of every connection, just before it is dialled."""
        family, kind, protocol, _, where = addr_info
        if not allowed(str(where[0]), self._allow):
            raise AddressRefused
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        return made
