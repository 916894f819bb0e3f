"""The script of simulated handsets: the settings of kind `simulator`, for all of them or for one number.

`number.<NUMBER>.<name>` sets a `HandsetScript` setting for that number only. Refuses what `settings.py`
refuses, numbers that no message can be sent to, and reply files that can't be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from rejoinder.carriers import templates
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
    whole_between,
)
from rejoinder.errors import ConfigInvalid
from rejoinder.message.phone import recipient

_PREFIX = "number."
_MAX_FILE = 16 * 1024 * 1024

_seconds = between(0, 30 * 86_400)
_percent = between(0, 100)


def _replies(value: str) -> tuple[templates.Template, ...]:
    """No reply, one, or with `@FILE` one for each line of the file that is not blank."""
    if not value.startswith("@"):
        return (templates.plain(value),) if value else ()
    try:
        with Path(value[1:]).open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        lines = [line for line in data.decode("utf-8-sig").replace("\r\n", "\n").split("\n") if line.strip()]
    except OSError as error:
        raise ValueError(f"names a file that can't be read ({error.strerror})") from None
    except ValueError:
        raise ValueError("names a file that is no UTF-8 text") from None
    if not lines or len(data) > _MAX_FILE:
        raise ValueError("names a file that is empty or larger than 16 MB")
    return tuple(templates.known_only(line) for line in lines)


@dataclass(frozen=True, slots=True)
class HandsetScript:
    """How a handset, and the network before it, treats a message."""

    delay: float = setting(_seconds, "0", "seconds until the handset has a message: its receipt and replies")
    reject_percent: float = setting(_percent, "0", "how many parts in a hundred are refused for good")
    throttle_percent: float = setting(_percent, "0", "how many parts in a hundred are refused for now")
    lose_answer_percent: float = setting(
        _percent, "0", "how many in a hundred reach the handset while their submit stays without an answer"
    )
    lose_receipt_percent: float = setting(_percent, "0", "how many receipts in a hundred never come")
    receipts: str = setting(
        one_of("after", "before", "twice", "never"),
        "after",
        "when a receipt comes: after or before the answer to the submit, twice, or never",
    )
    reply: tuple[templates.Template, ...] = setting(
        _replies,
        "",
        "what the handset answers: a text with {{text}}, {{id}}, {{sender}}, {{recipient}} of the message "
        "it got, or @FILE: a line for each reply, in turn; empty: it never answers",
    )
    reply_percent: float = setting(_percent, "100", "how many messages in a hundred are answered")
    replies: int = setting(whole_between(1, 100), "1", "how many times a message is answered")
    reply_delay: float = setting(_seconds, "0", "seconds from delivery to the reply, and between replies")
    reply_order: str = setting(
        one_of("in_order", "reversed"), "in_order", "the order in which a long reply's parts arrive"
    )
    repeat_replies: bool = setting(
        flag, "false", "true: the network delivers each reply twice, under the same id"
    )


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """What is the same for all handsets."""

    seed: str = setting(str, "", "any text: the same one rolls the same dice; empty: different at each start")
    window: int = setting(WINDOW, "100", "how many messages are handed over at once")
    throughput: float = setting(THROUGHPUT, "0", "messages a second of each server of ours, 0 for no limit")


@dataclass(frozen=True, slots=True)
class Script:
    """All settings of a simulated network."""

    network: SimulatorSettings
    every: HandsetScript
    numbers: Mapping[str, HandsetScript]


def _names(kind: type[HandsetScript] | type[SimulatorSettings]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


_HANDSET_NAMES = _names(HandsetScript)
_NETWORK_NAMES = _names(SimulatorSettings)


def read_script(settings: Mapping[str, str]) -> Script:
    """The script that the settings describe; ConfigInvalid with a sentence when they don't."""
    network = {name: value for name, value in settings.items() if name in _NETWORK_NAMES}
    every = {name: value for name, value in settings.items() if name in _HANDSET_NAMES}
    numbers: dict[str, dict[str, str]] = {}
    for name, value in settings.items():
        if name in network or name in every:
            continue
        number, key = _for_number(name)
        numbers.setdefault(number, {})[key] = value
    return Script(
        read(SimulatorSettings, network),
        read(HandsetScript, every),
        {number: _one(number, every, own) for number, own in numbers.items()},
    )


def _for_number(name: str) -> tuple[str, str]:
    if not name.startswith(_PREFIX):
        known = ", ".join(it.name for it in describe_script())
        raise ConfigInvalid(f"There is no setting {name!r}; known are: {known}.", name)
    given, _, key = name.removeprefix(_PREFIX).partition(".")
    number = recipient(given)
    if number is None:
        raise ConfigInvalid(f"The setting {name!r} has no number of 8 to 16 digits after 'number.'.", name)
    return number, key


def _one(number: str, every: Mapping[str, str], own: Mapping[str, str]) -> HandsetScript:
    prefix = f"{_PREFIX}{number}."
    # Read alone first, so that a sentence names the setting as it was given.
    read(HandsetScript, own, prefix)
    return read(HandsetScript, {**every, **own}, prefix)


def describe_script() -> list[Described]:
    """The settings of kind `simulator`."""
    one = Described(
        "number.<NUMBER>.<SETTING>",
        "",
        "one of the settings from delay to repeat_replies for that number only",
    )
    return [*describe(HandsetScript), one, *describe(SimulatorSettings)]
