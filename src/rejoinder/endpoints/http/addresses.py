"""The address a request came from: the peer's, or what a trusted proxy says of it.

Refuses to believe `X-Forwarded-For` from anybody but the operator's `trusted_proxies`: whoever may write it may
be anybody. Of its addresses the rightmost that is no trusted proxy counts; what stands left of it is hearsay.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rejoinder.flow.logins import is_in

_HEADER = b"x-forwarded-for"
# More hops than any real chain of proxies has.
_HOPS = 16


@dataclass(frozen=True, slots=True)
class Addresses:
    """`trusted`: networks of proxies, separated by commas; empty: nobody is believed."""

    trusted: str = ""

    def of(self, peer: Sequence[object] | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The caller's address; `headers` have their names in lower case. Empty on a socket without addresses."""
        address = str(peer[0]) if peer else ""
        if not self.trusted or not is_in(address, self.trusted):
            return address
        said = b",".join(value for name, value in headers if name == _HEADER)
        for hop in reversed(said.split(b",")[-_HOPS:]):
            found = _address(hop)
            if found is None:
                break
            address = found
            if not is_in(address, self.trusted):
                break
        return address


def _address(hop: bytes) -> str | None:
    """`192.0.2.1`, `2001:db8::1`, either with a port; None for what is no address."""
    text = hop.strip().decode("ascii", "replace")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
