"""The server's settings: one frozen value from a TOML file, the environment and the command line.

Refuses unknown keys and values out of range with a sentence that names the key. `SETTINGS` is the one
place where a setting is declared; docs/configuration.md is generated from it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path

from rejoinder.errors import ConfigInvalid

ENVIRONMENT_PREFIX = "REJOINDER_"


@dataclass(frozen=True, slots=True)
class Config:
    """What the server runs with; see SETTINGS for units and meanings."""

    database: str
    listen: str
    retention: int
    reply_window: int
    max_parts: int
    log_level: str
    request_time: int
    trusted_proxies: str
    failed_logins_per_user: int
    failed_logins_per_address: int
    opt_out_words: str
    opt_in_words: str
    smpp_listen: str
    smpp_tls_cert: str
    smpp_tls_key: str
    smpp_connections: int
    smpp_connections_per_address: int
    push_allow: str
    smtp_host: str
    smtp_port: int
    smtp_from: str
    smtp_user: str
    smtp_password: str = field(repr=False)
    smtp_tls: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return _host_port(self.listen)

    @property
    def smpp_address(self) -> tuple[str, int] | None:
        """Host and port of the SMPP server, where there is one."""
        return _host_port(self.smpp_listen) if self.smpp_listen else None


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its default, its meaning, and the check that parses it (raising ValueError with a reason)."""

    name: str
    default: str
    help: str
    parse: Callable[[str], object]


def _host_port(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    return host.strip("[]"), int(port)


def _between(low: int, high: int, also: int | None = None) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit():
            raise ValueError("must be a whole number")
        number = int(value)
        if number != also and not low <= number <= high:
            raise ValueError(f"must be {low} to {high}" + (f", or {also}" if also is not None else ""))
        return number

    return parse


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(
            "must be HOST:PORT, such as 127.0.0.1:8080, with a port of 0 (any free one) to 65535"
        )
    return value


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("must be sqlite:///path/file.db or postgresql://user@host/name")
    return value


def _networks(value: str) -> str:
    try:
        return ",".join(str(ip_network(one, strict=False)) for one in value.replace(",", " ").split())
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, separated by commas") from None


def _words(value: str) -> str:
    words = [word.rpartition(":")[2].strip() for word in value.split(",")]
    if not value.isprintable() or (value and not all(0 < len(word) <= 32 for word in words)):
        raise ValueError("must be words of at most 32 characters, separated by commas")
    return value


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("must be one of " + ", ".join(words))
        return value

    return parse


def _mail_address(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value):
        raise ValueError("must be a mail address such as sms@example.org")
    return value


SETTINGS = (
    Setting(
        "database",
        "sqlite:///rejoinder.db",
        "Where everything is kept: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`. "
        "Made or migrated when due. Of several servers (`user@one,two/name`) the one that takes writes is used.",
        _database,
    ),
    Setting(
        "listen", "127.0.0.1:8080", "Where the HTTP API listens: HOST:PORT; port 0 takes a free one.", _listen
    ),
    Setting(
        "retention",
        "90",
        "Days that mailboxes keep their messages: at least 7; 0 keeps them for ever.",
        _between(7, 36_500, 0),
    ),
    Setting(
        "reply_window",
        "7",
        "Days in which a pool number is not used twice for one handset while another is free.",
        _between(1, 365),
    ),
    Setting(
        "max_parts", "10", "Parts that one text may need; longer ones are refused (-107).", _between(1, 255)
    ),
    Setting(
        "log_level", "info", "debug, info, warning or error.", _one_of("debug", "info", "warning", "error")
    ),
    Setting(
        "request_time",
        "30",
        "Seconds for an HTTP request to come in, head and body; then it is answered 408 and its connection closed.",
        _between(1, 3600),
    ),
    Setting(
        "trusted_proxies",
        "",
        "Reverse proxies in front of the HTTP API, as networks separated by commas (`127.0.0.1, 10.0.0.0/8`): what "
        "they say in `X-Forwarded-For` is the caller's address. Nobody else is believed.",
        _networks,
    ),
    Setting(
        "failed_logins_per_user",
        "10",
        "Wrong passwords of one name from one address in five minutes; then that pair is answered 429.",
        _between(1, 1_000_000),
    ),
    Setting(
        "failed_logins_per_address",
        "100",
        "Wrong passwords from one address (an IPv6 /64) in five minutes, whatever the names; then names that did not "
        "log in from there within a day are answered 429.",
        _between(1, 1_000_000),
    ),
    Setting(
        "opt_out_words",
        "",
        "What handsets also write to get nothing more from a customer, beside STOP, UNSUBSCRIBE, END, QUIT, CANCEL and "
        "STOPALL: separated by commas, in any case, each after its language if you like (`fr: ARRET, es: BAJA`).",
        _words,
    ),
    Setting(
        "opt_in_words", "", "What they also write to take that back, beside START; in the same form.", _words
    ),
    Setting(
        "smpp_listen",
        "",
        "Where the SMPP server listens: HOST:PORT; port 0 takes a free one; empty: there is none. Who may bind: "
        "`rejoinder user smpp`.",
        lambda value: _listen(value) if value else value,
    ),
    Setting(
        "smpp_tls_cert",
        "",
        "A file with the SMPP server's certificate and its chain (PEM): it then speaks TLS only.",
        str,
    ),
    Setting("smpp_tls_key", "", "The file with the certificate's key, where it is another one (PEM).", str),
    Setting("smpp_connections", "1000", "SMPP connections at once, bound or not.", _between(1, 1_000_000)),
    Setting(
        "smpp_connections_per_address",
        "100",
        "SMPP connections at once from one address (an IPv6 /64).",
        _between(1, 1_000_000),
    ),
    Setting(
        "push_allow",
        "",
        "Networks that pushes and `replyTo` may reach beside the public internet, separated by commas "
        "(`10.1.2.0/24, ::1/128`). What is private, loopback, link-local, multicast or a cloud's metadata is refused.",
        _networks,
    ),
    Setting(
        "smtp_host",
        "",
        "The server that takes mails to `mailto:` replyTo addresses; without it they are refused (-240).",
        str,
    ),
    Setting("smtp_port", "587", "Its port.", _between(1, 65_535)),
    Setting("smtp_from", "", "The address that mails come from; needed with `smtp_host`.", _mail_address),
    Setting("smtp_user", "", "How to log in there; empty: without.", str),
    Setting("smtp_password", "", "The password for that; better in the environment than in a file.", str),
    Setting(
        "smtp_tls",
        "starttls",
        "`starttls` (the connection is secured before anything is said), `tls` (from the first byte, often port 465), "
        "or `none`.",
        _one_of("starttls", "tls", "none"),
    ),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def load(path: str | None = None, overrides: Mapping[str, object] | None = None) -> Config:
    """The settings: defaults, then the file, then REJOINDER_… variables, then `overrides` (those not None).

    Raises ConfigInvalid, naming the key, for whatever is unknown or wrong.
    """
    raw = {setting.name: setting.default for setting in SETTINGS}
    raw.update(_from_file(path) if path else {})
    raw.update(_from_environment(os.environ))
    raw.update({key: str(value) for key, value in (overrides or {}).items() if value is not None})
    config = Config(**{one.name: _parsed(one.name, raw[one.name]) for one in fields(Config)})  # type: ignore[arg-type]  # each parse gives its field's type
    if config.smtp_host and not config.smtp_from:
        raise ConfigInvalid("smtp_from is needed with smtp_host: mails come from an address", "smtp_from")
    return config


def _parsed(name: str, value: str) -> object:
    try:
        return _BY_NAME[name].parse(value)
    except ValueError as error:
        raise ConfigInvalid(f"{name} {error}", name) from None


def _from_file(path: str) -> dict[str, str]:
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"the configuration file can't be read ({error.strerror})", "config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"the configuration file is not TOML: {error}", "config") from None
    for key, value in content.items():
        if key not in _BY_NAME:
            raise ConfigInvalid(f"unknown setting {key}; known are {', '.join(_BY_NAME)}", key)
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise ConfigInvalid(f"{key} must be a text or a whole number", key)
    return {key: str(value) for key, value in content.items()}


def strangers(environment: Iterable[str]) -> list[str]:
    """Variables that look like settings and are none: mistyped, most likely."""
    known = {ENVIRONMENT_PREFIX + name.upper() for name in (*_BY_NAME, "config")}
    return sorted(name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known)


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    given = {name: environment.get(ENVIRONMENT_PREFIX + name.upper()) for name in _BY_NAME}
    return {name: value for name, value in given.items() if value}
