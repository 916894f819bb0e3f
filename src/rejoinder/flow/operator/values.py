"""The values of accounts, numbers, carriers and routes: each function takes what was typed and gives what is stored.

Refuses, with a sentence that names the key and never the value, everything the contract does not allow (§1, §6,
§9): blanks in names, `@` in a reseller's, numbers that are none, credits with four decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rejoinder.errors import Refused
from rejoinder.flow import logins, push_settings
from rejoinder.message import money, phone
from rejoinder.message.model import Billing, Rotation, State

# What is stored for a typed value: columns and their new values.
Parse = Callable[[str, str], object]

MOST = 255
# Of a customer that is trusted to name its senders: another gateway, say.
ANY_SENDER = "*"
# Some hundred networks: more is work for a firewall.
_LISTED = 4000
_CARRIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PREFIX = re.compile(r"\+?([0-9]{0,16})")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_PHONE = re.compile(r"[+ 0-9]*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def text(key: str, value: str) -> str:
    """Any printable text up to 255 characters, also none."""
    if len(value) > MOST or not value.isprintable():
        raise Refused(f"{key} must be at most {MOST} printable characters", key)
    return value


def name(key: str, value: str) -> str:
    """A name of a customer or a user: at least one character, no blanks."""
    if not value or any(c.isspace() for c in value):
        raise Refused(f"{key} must not be empty and must not have blanks", key)
    return text(key, value)


def reseller_name(key: str, value: str) -> str:
    """A name as above, without `@`, since usernames end in `@reseller`."""
    if "@" in value:
        raise Refused(f"{key} must not have an @", key)
    return name(key, value)


def carrier_name(key: str, value: str) -> str:
    """A name that can stand in the path of a URL."""
    if not _CARRIER.fullmatch(value) or value in {".", ".."}:
        raise Refused(f"{key} must be 1 to 64 letters, digits, dots, dashes and underscores", key)
    return value


def password(key: str, value: str) -> str:
    """A password as it can be given in a call: not empty, not more than fits."""
    if not value or len(value) > MOST:
        raise Refused(f"{key} must be 1 to {MOST} characters", key)
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Refused(f"{key} must be text", key)
    return value


def flag(key: str, value: str) -> bool:
    """true or false, also as yes/no, on/off, 1/0, in any case."""
    found = _WORDS.get(value.lower())
    if found is None:
        raise Refused(f"{key} must be true or false", key)
    return found


def credit_amount(key: str, value: str) -> int:
    """Thousandths of a credit, negative ones too."""
    amount = money.from_text(value)
    if amount is None:
        raise Refused(f"{key} must be a number of credits with up to three decimals", key)
    return amount


def credit_allowance(key: str, value: str) -> int:
    """Thousandths of a credit, not below 0."""
    amount = credit_amount(key, value)
    if amount < 0:
        raise Refused(f"{key} must not be negative", key)
    return amount


def integer(key: str, value: str) -> int:
    """A whole number of at most nine digits."""
    if not _INTEGER.fullmatch(value):
        raise Refused(f"{key} must be a whole number", key)
    return int(value)


def weight(key: str, value: str) -> int:
    """A share among routes of one priority: 1 to 1000."""
    if not _INTEGER.fullmatch(value) or not 1 <= int(value) <= 1000:
        raise Refused(f"{key} must be a whole number from 1 to 1000", key)
    return int(value)


def one_of(*words: str) -> Parse:
    """A parser for one of these words, in any case; dashes and underscores are the same."""

    def parse(key: str, value: str) -> str:
        word = value.lower().replace("-", "_")
        if word not in words:
            raise Refused(f"{key} must be {' or '.join(words)}", key)
        return word

    return parse


billing = one_of(*Billing)
rotation = one_of(*Rotation)
on_unknown = one_of("resend", "fail")


def number(key: str, value: str) -> str:
    """One of our own numbers, as digits."""
    found = phone.number(value)
    if found is None:
        raise Refused(f"{key} must be 3 to 16 digits", key)
    return found


def handset(key: str, value: str) -> str:
    """Somebody's number, as digits."""
    found = phone.recipient(value)
    if found is None:
        raise Refused(f"{key} must be 8 to 16 digits in international format", key)
    return found


def sender(key: str, value: str) -> str:
    """A sender that is allowed: 2 to 11 letters and digits, or a number."""
    found = phone.sender(value)
    if found is None:
        raise Refused(f"{key} must be 2 to 11 letters and digits, or a number of 3 to 16 digits", key)
    return found


def allowed_sender(key: str, value: str) -> str:
    """A sender, or `*` for every one."""
    return value if value == ANY_SENDER else sender(key, value)


def source_address(key: str, value: str) -> str:
    """A sender, or none."""
    return sender(key, value) if value else ""


def prefix(key: str, value: str) -> str:
    """The digits a number begins with; none of them: every number."""
    found = _PREFIX.fullmatch(value)
    if found is None:
        raise Refused(f'{key} must be up to 16 digits, or "" for every number', key)
    return found[1]


def prefixes(key: str, value: str) -> str:
    """Prefixes separated by commas or blanks, as digits with a blank between; none of them: every number."""
    found = dict.fromkeys(prefix(key, one) for one in re.split(r"[,\s]+", value) if one)
    if "" in found:
        raise Refused(f"{key} must be prefixes of digits", key)
    if len(" ".join(found)) > _LISTED:
        raise Refused(f"{key} may have {_LISTED} characters", key)
    return " ".join(found)


def email(key: str, value: str) -> str:
    """An address with one `@`, or none."""
    if value and not _EMAIL.fullmatch(value):
        raise Refused(f"{key} must be an e-mail address", key)
    return text(key, value)


def phone_number(key: str, value: str) -> str:
    """`+`, blanks and digits only (contract §9), or nothing."""
    if not _PHONE.fullmatch(value):
        raise Refused(f"{key} must consist of +, blanks and digits", key)
    return text(key, value)


def networks(key: str, value: str) -> str:
    """IP networks in CIDR form or single addresses, separated by commas; none of them: every address."""
    try:
        found = ",".join(str(network) for network in logins.networks(value))
    except ValueError:
        raise Refused(f"{key} must be networks such as 192.0.2.0/24 or 2001:db8::/32", key) from None
    if len(found) > _LISTED:
        raise Refused(f"{key} may have {_LISTED} characters", key)
    return found


def state(own: frozenset[State]) -> Parse:
    """A parser for an account's state: gives the flags that make it so. `own`: the states it can have."""
    words = one_of(*(word for word in State if word in own))

    def parse(key: str, value: str) -> dict[str, bool]:
        given = "active" if value == "activated" else value
        word = words(key, given)
        flags = {"blocked": word == State.BLOCKED, "disabled": word == State.DISABLED}
        # Blocking says nothing about activation; only these two words do.
        if State.INACTIVE in own and word in {State.ACTIVE, State.INACTIVE}:
            flags["activated"] = word == State.ACTIVE
        return flags

    return parse


def final_status_push(key: str, value: str) -> str:
    """A push setting as user/create takes it (contract §9), or none."""
    if not value:
        return ""
    try:
        return push_settings.from_call(value)
    except ValueError as error:
        raise Refused(f"{key} {error}", key) from None
