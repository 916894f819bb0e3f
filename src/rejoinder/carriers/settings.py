"""How a kind of carrier declares its settings, once: name, how it is read, default, help.

A kind's settings are a frozen dataclass whose fields are made by `setting`; checking, reading and describing
all go by those fields. Refuses what it can't read with ConfigInvalid, a sentence that names the setting and
never repeats the value, which may be a secret.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from rejoinder.errors import ConfigInvalid

T = TypeVar("T")
Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Described:
    """A setting as people read of it. `default` None: it is required."""

    name: str
    default: str | None
    help: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class _Declared:
    parse: Callable[[str], object]
    default: str | None
    help: str
    secret: bool


def setting(parse: Callable[[str], T], default: str | None, help_text: str, *, secret: bool = False) -> T:
    """A field of a settings class. `parse` raises ValueError with the end of a sentence: "must be …"."""
    declared = _Declared(parse, default, help_text, secret)
    return cast(T, dataclasses.field(metadata={"setting": declared}))


def _declared(kind: type[Any]) -> dict[str, _Declared]:
    return {field.name: field.metadata["setting"] for field in dataclasses.fields(kind)}


def describe(kind: type[Any]) -> list[Described]:
    """The settings of a settings class, in the order of their declaration."""
    return [Described(name, it.default, it.help, it.secret) for name, it in _declared(kind).items()]


def read(kind: type[Settings], given: Mapping[str, str], prefix: str = "") -> Settings:
    """An instance of the settings class from what was given, defaults filled in.

    ConfigInvalid names the first setting that is unknown, missing or unreadable, `prefix` before its name.
    """
    declared = _declared(kind)
    for name in given:
        if name not in declared:
            known = ", ".join(declared)
            raise ConfigInvalid(f"There is no setting {prefix + name!r}; known are: {known}.", prefix + name)
    return kind(**{name: _value(prefix + name, it, given.get(name)) for name, it in declared.items()})


def _value(name: str, declared: _Declared, given: str | None) -> object:
    text = declared.default if given is None else given
    if text is None:
        raise ConfigInvalid(f"The setting {name!r} is missing: {declared.help}.", name)
    try:
        return declared.parse(text)
    except ValueError as error:
        raise ConfigInvalid(f"The setting {name!r} {error}.", name) from None


def text(value: str) -> str:
    """Any text, as it is."""
    return value


def between(lowest: float, highest: float) -> Callable[[str], float]:
    """A number with or without decimals, from `lowest` to `highest`."""

    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not lowest <= number <= highest:
            raise ValueError(f"must be a number from {lowest:.15g} to {highest:.15g}")
        return number

    return parse


def whole_between(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number from `lowest` to `highest`."""

    def parse(value: str) -> int:
        bare = value.strip()
        if not (bare.isascii() and bare.isdecimal() and len(bare) < 20 and lowest <= int(bare) <= highest):
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(bare)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """One of the words, any case; read as it is written here."""

    def parse(value: str) -> str:
        for word in words:
            if word.casefold() == value.strip().casefold():
                return word
        raise ValueError(f"must be one of: {', '.join(words)}")

    return parse


def flag(value: str) -> bool:
    """`true` or `false`, any case."""
    return one_of("true", "false")(value) == "true"


THROUGHPUT = between(0, 1_000_000)
WINDOW = whole_between(1, 10_000)
