"""Failed log-ins are limited per (name, address) and per address, before anything is looked up (contract §1: 429).

Every door asks the same guard: users over HTTP and SMPP, resellers. Refuses to let one address's failures
count against another: a name that is attacked from elsewhere works where its password is right.

Two buckets of tokens, one token a wrong password, both refilled over five minutes. The small one belongs to a
name at an address. The large one belongs to the address, for those who try many names; a name that logged in
from there within the last day passes it by, so that a stranger behind the same proxy locks nobody out.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import TypeVar

from rejoinder.clock import Clock
from rejoinder.errors import Throttled
from rejoinder.observe import LOGINS_FAILED, LOGINS_THROTTLED, log

K = TypeVar("K")
V = TypeVar("V")

# The time in which an empty bucket is full again.
REFILL_SECONDS = 300.0
# How long a name that logged in from an address passes by the address's own bucket.
KNOWN_SECONDS = 86_400.0
# Bounds memory whatever is tried: about 30 MB when all are full; the entry touched longest ago leaves.
KEPT = 50_000
# Longer names are none; they are cut so that they cost no memory.
_NAME = 256
# Of IPv6 a customer has at least this much for himself (RFC 6177): its addresses count as one.
_OWN_PREFIX = 64

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Wrong passwords in five minutes: of one name at one address, and of one address whatever the name."""

    per_name: int = 10
    per_address: int = 100


class _Bucket:
    """Tokens that come back with time. It may owe: what was under way when it ran dry is paid for later."""

    __slots__ = ("at", "most", "tokens")

    def __init__(self, most: int, now: float) -> None:
        self.most = most
        self.tokens = float(most)
        self.at = now

    def wait(self, now: float) -> float:
        """Fills up to this moment; seconds until a token is there."""
        self.tokens = min(self.most, self.tokens + (now - self.at) * self.most / REFILL_SECONDS)
        self.at = now
        return max(0.0, (1 - self.tokens) * REFILL_SECONDS / self.most)


class _Pair(_Bucket):
    """A name at an address; `trying`: the passwords that are being judged, and for how many calls each."""

    __slots__ = ("trying",)

    def __init__(self, most: int, now: float) -> None:
        super().__init__(most, now)
        self.trying: dict[bytes, int] = {}


@dataclass(slots=True)
class Attempt:
    """One log-in under way: a context; say `ended(right)` inside. Left without that, it counts for nothing."""

    guard: LoginGuard
    key: Key
    mark: bytes
    _pair: _Pair
    _right: bool | None = field(default=None, init=False)

    def ended(self, right: bool) -> None:
        self._right = right

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.guard.left(self.key, self.mark, self._pair, self._right)


class LoginGuard:
    """Counts failed log-ins, in memory and on the monotonic clock; a restart forgets them."""

    def __init__(self, clock: Clock, limits: LoginLimits | None = None) -> None:
        self._clock = clock
        self.limits = limits or LoginLimits()
        self._pairs: dict[Key, _Pair] = {}
        self._addresses: dict[str, _Bucket] = {}
        self._known: dict[Key, float] = {}
        # Counts attempts and failures: while it stands still, who was quiet is quiet.
        self.stirred = 0

    def attempt(self, name: str, address: str, mark: bytes) -> Attempt:
        """Begins a log-in. `mark` stands for the password (a keyed hash): the same one, tried by many calls
        at the same time, counts once. Raises Throttled.
        """
        self.stirred += 1
        now = self._clock.monotonic()
        key = _key(name, address)
        wait = 0.0 if self._is_known(key, now) else self._address_wait(key[1], now)
        pair = self._pairs.pop(key, None)
        if pair is None and wait == 0:
            pair = _Pair(self.limits.per_name, now)
        if pair is not None:
            # A token is taken now and given back to who was right: guesses that come all at once count too.
            wait = max(wait, 0.0 if mark in pair.trying else pair.wait(now))
            _keep(self._pairs, key, pair)
        if pair is None or wait > 0:
            # Of a name that was not here before nothing is kept: one address's guesses would fill the memory.
            LOGINS_THROTTLED.inc()
            raise Throttled("too many log-ins failed from this address", math.ceil(wait))
        if mark not in pair.trying:
            pair.tokens -= 1
        pair.trying[mark] = pair.trying.get(mark, 0) + 1
        return Attempt(self, key, mark, pair)

    def is_quiet(self, name: str, address: str) -> bool:
        """Whether nothing failed here lately: who is remembered may then go on without an attempt."""
        key = _key(name, address)
        return key not in self._pairs and (key in self._known or key[1] not in self._addresses)

    def worked(self, name: str, address: str) -> None:
        """A log-in that needed no attempt, from memory."""
        self._know(_key(name, address), self._clock.monotonic())

    def left(self, key: Key, mark: bytes, pair: _Pair, right: bool | None) -> None:
        """An attempt's end: right, wrong, or not judged (None)."""
        now = self._clock.monotonic()
        pair.trying[mark] -= 1
        if right is False:
            LOGINS_FAILED.inc()
        if pair.trying[mark]:
            return
        del pair.trying[mark]
        if right is False:
            self._charge_address(key[1], now)
            if pair.wait(now) > 0:
                log.warning("log_ins_throttled", kind="user", address=key[1])
            return
        pair.tokens += 1
        pair.wait(now)
        if pair.tokens >= pair.most and not pair.trying and self._pairs.get(key) is pair:
            del self._pairs[key]
        if right:
            self._know(key, now)

    def _address_wait(self, address: str, now: float) -> float:
        bucket = self._addresses.get(address)
        return 0.0 if bucket is None else bucket.wait(now)

    def _charge_address(self, address: str, now: float) -> None:
        self.stirred += 1
        bucket = self._addresses.pop(address, None) or _Bucket(self.limits.per_address, now)
        _keep(self._addresses, address, bucket)
        had = bucket.wait(now) == 0
        bucket.tokens -= 1
        if had and bucket.wait(now) > 0:
            log.warning("log_ins_throttled", kind="address", address=address)

    def _is_known(self, key: Key, now: float) -> bool:
        return now - self._known.get(key, -KNOWN_SECONDS) < KNOWN_SECONDS

    def _know(self, key: Key, now: float) -> None:
        # Not at every call: most are polls of somebody who was here a moment ago.
        if now - self._known.get(key, -KNOWN_SECONDS) > KNOWN_SECONDS / 1000:
            self._known.pop(key, None)
            _keep(self._known, key, now)


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


def _key(name: str, address: str) -> Key:
    return name[:_NAME], network_of(address)


@lru_cache(4096)
def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_NAME]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _OWN_PREFIX), strict=False))


@lru_cache(4096)
def networks(listed: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Networks and addresses separated by commas or blanks. Raises ValueError for one that is none."""
    return tuple(ipaddress.ip_network(one, strict=False) for one in listed.replace(",", " ").split())


@lru_cache(16_384)
def is_in(address: str, listed: str) -> bool:
    """Whether an address is in one of the listed networks; what is no address is in none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in networks(listed))
