"""The kinds of carriers: which settings each has, and how one is made.

Refuses unknown kinds and settings that its kind can't read (ConfigInvalid, a sentence naming the setting).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rejoinder.carriers.handset import describe_script, read_script
from rejoinder.carriers.http_client import HttpCarrier
from rejoinder.carriers.http_settings import describe_http, read_http
from rejoinder.carriers.settings import Described
from rejoinder.carriers.simulator import Simulator
from rejoinder.carriers.smpp_client import SmppCarrier
from rejoinder.carriers.smpp_settings import describe_smpp, read_smpp
from rejoinder.clock import Clock
from rejoinder.errors import ConfigInvalid
from rejoinder.flow.ports import Carrier, CarrierEvents, CarrierRow


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Mapping[str, str]], object]
    make: Callable[[CarrierRow, CarrierEvents, Clock], Carrier]
    describe: Callable[[], list[Described]]


_KINDS: Mapping[str, _Kind] = {
    "http": _Kind(read_http, HttpCarrier, describe_http),
    "simulator": _Kind(read_script, Simulator, describe_script),
    "smpp": _Kind(read_smpp, SmppCarrier, describe_smpp),
}

KINDS: tuple[str, ...] = tuple(_KINDS)
"""The names that `--kind` takes."""

SECRET_SETTINGS: frozenset[str] = frozenset(
    setting.name for kind in _KINDS.values() for setting in kind.describe() if setting.secret
)
"""Settings whose values are never shown; of the others what looks like a password is masked (flow/operator/shown.py)."""


def _kind(name: str) -> _Kind:
    if name in _KINDS:
        return _KINDS[name]
    kinds = ", ".join(_KINDS)
    raise ConfigInvalid(f"There is no kind of carrier {name!r}; known are: {kinds}.", "kind")


def check_settings(kind: str, settings: Mapping[str, str]) -> None:
    """ConfigInvalid, with a sentence that names the setting, unless `make` could work with them."""
    _kind(kind).read(settings)


def make(row: CarrierRow, events: CarrierEvents, clock: Clock) -> Carrier:
    """The carrier of this row, not started. ConfigInvalid as `check_settings`."""
    return _kind(row.kind).make(row, events, clock)


def describe(kind: str) -> list[Described]:
    """The settings of a kind with their defaults and help. ConfigInvalid for a kind that there is not."""
    return _kind(kind).describe()
