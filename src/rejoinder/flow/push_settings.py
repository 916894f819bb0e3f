"""Push settings: where and how pushes go, as they are stored (JSON) and as callers write them. Pure.

Refuses addresses that are no http(s) URL, templates that are none or stand in the server's name, and secrets that
Standard Webhooks would not take. Stored as `{"type": "URL", "data": {"url": …, "method": …, "secrets": […]}}`, the
form in which user/create brings `finalStatusPush` (contract §9); method and secrets are ours.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

MO_NAMES = ("MTMessageId", "MOMessageId", "timestamp", "from", "to", "text")
STATUS_NAMES = (
    "status",
    "statusCode",
    "id",
    "timestamp",
    "from",
    "to",
    "text",
    "chargedAmount",
    "numberOfParts",
)
PLACE = re.compile(r"\{\{\s*([A-Za-z]+)\s*\}\}")
METHODS = ("GET", "POST")
_LONGEST = 2048
# Standard Webhooks: 24 to 64 bytes, in base64 behind a prefix that says what it is.
_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)
# The new secret and the one before, while receivers change over.
MOST_SECRETS = 2


@dataclass(frozen=True, slots=True)
class PushSetting:
    """One target's setting. `secrets`: the newest first; a POST is signed with each."""

    url: str
    method: str = "GET"
    secrets: tuple[str, ...] = ()


class _Data(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    url: str
    method: str = "GET"
    secrets: list[str] = []


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    data: _Data


def read(stored: str) -> PushSetting | None:
    """A setting as it was stored; None for none."""
    if not stored:
        return None
    try:
        data = msgspec.json.decode(stored, type=_Stored).data
    except msgspec.MsgspecError:
        # Written by another version: nothing that could be used, and no reason to stop others' pushes.
        return None
    return PushSetting(data.url, data.method, tuple(data.secrets))


def written(setting: PushSetting | None) -> str:
    """The setting as it is stored."""
    if setting is None:
        return ""
    return msgspec.json.encode(
        _Stored("URL", _Data(setting.url, setting.method, list(setting.secrets)))
    ).decode()


def from_call(value: str) -> str:
    """`finalStatusPush` as user/create takes it, checked, as it is stored. ValueError with a reason."""
    try:
        given = msgspec.json.decode(value, type=_Stored)
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError('must be JSON such as {"type": "URL", "data": {"url": "https://…"}}') from None
    if given.type != "URL":
        raise ValueError('must have the type "URL"')
    return written(
        checked(PushSetting(given.data.url, given.data.method, tuple(given.data.secrets)), STATUS_NAMES)
    )


def checked(setting: PushSetting, names: tuple[str, ...]) -> PushSetting:
    """The setting itself. ValueError, the end of a sentence, when it can't be used; `names`: what templates may hold."""
    check_url(setting.url)
    for name in PLACE.findall(setting.url):
        if name not in names:
            known = ", ".join(f"{{{{{known}}}}}" for known in names)
            raise ValueError(f"holds {{{{{name}}}}}, which is none of {known}")
    if setting.method not in METHODS:
        raise ValueError(f"must have the method {' or '.join(METHODS)}")
    if len(setting.secrets) > MOST_SECRETS:
        raise ValueError(f"may have {MOST_SECRETS} secrets at most")
    for secret in setting.secrets:
        check_secret(secret)
    if setting.method == "POST" and not setting.secrets:
        raise ValueError("needs a secret for the method POST: every POST is signed")
    return setting


def check_url(url: str) -> None:
    """ValueError unless it is an http(s) URL with a host, and without templates before its path."""
    if len(url) > _LONGEST or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError(f"must be a URL of at most {_LONGEST} characters without blanks")
    try:
        found = urlsplit(url)
        usable = found.scheme.lower() in {"http", "https"} and bool(found.hostname) and found.port != 0
    except ValueError:
        raise ValueError("must be a URL with a host and a port that can be") from None
    if not usable:
        raise ValueError("must be a URL that begins with http:// or https://")
    if "{" in found.netloc:
        raise ValueError("must not have a template in the server's name")


def check_secret(secret: str) -> None:
    """ValueError unless it is `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme")."""
    try:
        size = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith(_PREFIX) or size not in _SECRET_BYTES:
        raise ValueError(
            f"must have secrets of {_PREFIX} and base64 of 24 to 64 bytes, as `rejoinder push secret` makes one"
        )


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
