"""The settings of kind `smpp`: where the centre is, how we bind, how it wants its texts.

Refuses, each with a sentence: hosts and ports that are none, credentials that no bind can carry, unknown profiles, a
certificate file without TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rejoinder.carriers.settings import (
    THROUGHPUT,
    WINDOW,
    Described,
    between,
    describe,
    flag,
    one_of,
    read,
    setting,
    text,
    whole_between,
)
from rejoinder.carriers.smpp_profiles import PROFILES, STANDARD, Profile
from rejoinder.errors import ConfigInvalid
from rejoinder.message import status_map
from rejoinder.smpp.constants import RegisteredDelivery
from rejoinder.smpp.style import DefaultAlphabet, Flash, Long, Style

_OCTET = whole_between(0, 255)
_RECEIPTS = {
    "never": RegisteredDelivery.NEVER,
    "final": RegisteredDelivery.FINAL,
    "failure": RegisteredDelivery.FAILURE,
    "intermediate": RegisteredDelivery.FINAL | RegisteredDelivery.INTERMEDIATE,
}


def _host(value: str) -> str:
    if not value or not value.isascii() or any(char.isspace() or char in "/@" for char in value):
        raise ValueError("must be a host name or an address, without scheme and port")
    return value.strip("[]")


def _ascii(most: int, fewest: int = 0) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not fewest <= len(value) <= most or not value.isascii() or not value.isprintable():
            raise ValueError(f"must be {fewest} to {most} printable ASCII characters")
        return value

    return parse


def _statuses(value: str) -> str:
    try:
        status_map.parse(value)
    except ValueError as error:
        raise ValueError(f"can't be read: {error}") from None
    return value


def _receipts(value: str) -> int:
    return int(_RECEIPTS[one_of(*_RECEIPTS)(value)])


def _optional(value: str) -> int | None:
    return _OCTET(value) if value.strip() else None


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """What the operator sets."""

    host: str = setting(_host, None, "the centre's host name or address")
    port: int = setting(whole_between(1, 65_535), "2775", "its port")
    tls: bool = setting(flag, "false", "true: TLS, and its certificate must be right for the host")
    tls_ca: str = setting(text, "", "a file of certificates to trust instead of the system's")
    bind: str = setting(
        one_of("trx", "tx", "rx", "tx+rx"), "trx", "trx, tx, rx, or tx+rx: one of each to the same centre"
    )
    binds: int = setting(whole_between(1, 50), "1", "how many such binds at once")
    system_id: str = setting(_ascii(64, 1), None, "the name we bind with; by the specification at most 15")
    password: str = setting(_ascii(64), "", "its password; by the specification at most 8", secret=True)
    system_type: str = setting(_ascii(12), "", "what kind of system we are, where the carrier asks")
    address_range: str = setting(_ascii(40), "", "numbers whose messages we want; mostly empty")
    service_type: str = setting(_ascii(5), "", "of every message; mostly empty")
    ton: int = setting(_OCTET, "1", "type of numbers: 1 is international")
    npi: int = setting(_OCTET, "1", "numbering plan of numbers: 1 is ISDN")
    source_ton: int | None = setting(_optional, "", "the same of numbers we send from, where it differs")
    source_npi: int | None = setting(_optional, "", "the same of numbers we send from, where it differs")
    short_ton: int = setting(_OCTET, "3", "type of short numbers (3 to 6 digits) we send from")
    short_npi: int = setting(_OCTET, "0", "numbering plan of short numbers we send from")
    window: int = setting(WINDOW, "10", "how many messages each bind may leave unanswered")
    throughput: float = setting(
        THROUGHPUT, "0", "messages a second over all binds of a server of ours, 0 for no limit"
    )
    validity: str = setting(
        one_of("relative", "absolute", "none"),
        "relative",
        "how a message's end is told: as a span, a time, not",
    )
    registered_delivery: int = setting(
        _receipts, "final", "receipts asked for: final, failure, intermediate (these too), never"
    )
    receipts_per: str = setting(
        one_of("part", "message"), "part", "message: one receipt speaks for all parts of a long message"
    )
    encoding: str = setting(
        one_of(*DefaultAlphabet),
        "gsm",
        "what data_coding 0 means there: gsm, gsm-packed, iso-8859-1 or ascii",
    )
    long: str = setting(one_of(*Long), "udh", "how long texts go: udh, udh16, sar, or payload in one piece")
    flash: str = setting(one_of(*Flash), "data_coding", "how flash goes: data_coding or dest_addr_subunit")
    profile: str = setting(
        one_of(*PROFILES),
        STANDARD,
        "what the carrier does otherwise: "
        + "; ".join(f"{name}: {it.about}" for name, it in PROFILES.items()),
    )
    status_map: str = setting(
        _statuses, "", "the carrier's own words in receipts: OK=DELIVRD, BAD=UNDELIV, or a JSON object"
    )
    enquire_link: float = setting(
        between(1, 600), "30", "seconds of silence before the link is asked; twice, then dead"
    )
    answer_timeout: float = setting(
        between(1, 3_600), "300", "seconds after which a link that leaves a message unanswered is made anew"
    )

    @property
    def style(self) -> Style:
        return Style(DefaultAlphabet(self.encoding), Long(self.long), Flash(self.flash))

    @property
    def quirks(self) -> Profile:
        return PROFILES[self.profile]


def read_smpp(given: Mapping[str, str]) -> SmppSettings:
    """The settings; ConfigInvalid with a sentence when they can't be read."""
    settings = read(SmppSettings, given)
    if settings.tls_ca and not settings.tls:
        raise ConfigInvalid("The setting 'tls_ca' does not go without tls=true.", "tls_ca")
    return settings


def describe_smpp() -> list[Described]:
    """The settings of kind `smpp`."""
    return describe(SmppSettings)
