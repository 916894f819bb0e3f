"""The settings of kind `http`: what is asked of a carrier's web server, and how its answer is read.

Refuses, each with a sentence: addresses that are none or whose host is a template, unknown `{{names}}`, bodies
that don't suit their content type, statuses that mean two things, headers that HTTP itself writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from rejoinder.carriers import templates
from rejoinder.carriers.settings import (
    THROUGHPUT,
    WINDOW,
    Described,
    between,
    describe,
    one_of,
    read,
    setting,
)
from rejoinder.carriers.templates import Template
from rejoinder.errors import ConfigInvalid
from rejoinder.message import status_map

T = TypeVar("T")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_A_HEADER = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
# The first is a setting of its own, the others describe the connection and are the client's own business.
_OUR_HEADERS = frozenset(
    (
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "trailer",
        "te",
        "expect",
    )
)
_STATUSES = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_DEFAULT_BODIES = {
    "application/json": '{"id": "{{id}}", "to": "{{recipient}}", "from": "{{sender}}", "text": "{{text}}"}',
    "application/x-www-form-urlencoded": "id={{id}}&to={{recipient}}&from={{sender}}&text={{text}}",
}


def _url(value: str) -> Template:
    template = templates.in_url(value)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be percent-encoded: it holds blanks or characters beyond ASCII")
    parsed = _address(value)
    if parsed is None or parsed.fragment:
        raise ValueError("must be an address such as https://carrier.example/send, without a fragment")
    if "{{" in parsed.netloc:
        raise ValueError("must name its host: templates belong into its path and its query")
    return template


def _address(value: str) -> SplitResult | None:
    try:
        parsed = urlsplit(value)
        usable = parsed.scheme in ("http", "https") and parsed.hostname and parsed.port != 0
    except ValueError:
        return None
    return parsed if usable else None


def _content_type(value: str) -> str:
    media_type = _media_type(value)
    charset = _CHARSET.search(value)
    if not _MEDIA_TYPE.fullmatch(media_type) or not value.isascii() or not value.isprintable():
        raise ValueError("must be a media type such as application/json")
    if charset and charset[1].lower() != "utf-8":
        raise ValueError("must have no charset but utf-8")
    return value.strip() + ("; charset=utf-8" if media_type.startswith("text/") and not charset else "")


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _headers(value: str) -> tuple[tuple[str, Template], ...]:
    pairs = _header_pairs(value.strip())
    for name, content in pairs:
        if not _HEADER_NAME.fullmatch(name) or _NOT_A_HEADER.search(content):
            raise ValueError("must be lines of the form 'Name: value', or a JSON object of strings")
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"must not hold {name}: use content_type, or leave it to HTTP")
    return tuple((name, templates.in_header(content)) for name, content in pairs)


def _header_pairs(value: str) -> list[tuple[str, str]]:
    if value.startswith("{"):
        try:
            given = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("begins like a JSON object and is none") from None
        if not all(isinstance(content, str) for content in given.values()):
            raise ValueError("must have strings as values of its JSON object")
        return list(given.items())
    lines = [line.partition(":") for line in value.splitlines() if line.strip()]
    return [(name.strip() if colon else "", content.strip()) for name, colon, content in lines]


def _id_path(value: str) -> tuple[str, ...]:
    if value and not all(value.split(".")):
        raise ValueError("must be names or list indices with dots between, such as messages.0.id")
    return tuple(value.split(".")) if value else ()


def _id_regex(value: str) -> re.Pattern[str] | None:
    if not value:
        return None
    try:
        pattern = re.compile(value)
    except (re.error, RecursionError, OverflowError):
        raise ValueError("must be a regular expression as Python writes them") from None
    if not pattern.groups:
        raise ValueError("must have a group: the first one is the carrier's id")
    return pattern


def _status_set(value: str) -> frozenset[int]:
    found: set[int] = set()
    for entry in value.split(","):
        span = _STATUSES.fullmatch(entry.strip())
        if entry.strip() and (not span or (span[2] and span[2] < span[1])):
            raise ValueError("must be HTTP statuses such as 200-299 or 408,429,500-599")
        if span:
            found.update(range(int(span[1]), int(span[2] or span[1]) + 1))
    return frozenset(found)


def _status_map(value: str) -> str:
    try:
        status_map.parse(value)
    except ValueError as error:
        raise ValueError(f"can't be read: {error}") from None
    return value


def _token(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be printable ASCII without blanks")
    return value


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What the operator sets. Templates: {{recipient}} {{sender}} {{text}} {{id}} {{duplicate}}."""

    url: Template = setting(  # noqa: RUF009 - it makes a field
        _url, None, "the address that takes messages; a template in its path and query"
    )
    method: str = setting(one_of("POST", "GET", "PUT"), "POST", "POST, PUT, or GET, which sends no body")
    content_type: str = setting(
        _content_type,
        "application/json",
        "of the body: JSON, XML, text/plain or application/x-www-form-urlencoded",
    )
    headers: tuple[tuple[str, Template], ...] = setting(
        _headers, "", "a line 'Name: value' each, or a JSON object; values are templates", secret=True
    )
    body: str = setting(
        str,
        "",
        "a template, each value escaped for where it stands; empty: id, to, from and text as JSON or form",
    )
    id_path: tuple[str, ...] = setting(
        _id_path, "", "where the carrier's id stands in a JSON answer, such as messages.0.id"
    )
    id_regex: re.Pattern[str] | None = setting(  # noqa: RUF009 - it makes a field
        _id_regex, "", "or a regular expression whose first group is the id; without both it is our own"
    )
    accept_status: frozenset[int] = setting(_status_set, "200-299", "HTTP statuses that accept the message")
    retry_status: frozenset[int] = setting(
        _status_set, "408,429,500-599", "HTTP statuses to try again after; all others refuse the message"
    )
    token: str = setting(
        _token,
        "",
        "what the carrier shows as Authorization: Bearer for receipts and MOs; empty: none get in",
        secret=True,
    )
    status_map: str = setting(
        _status_map,
        "",
        "the carrier's words for statuses: delivered=DELIVRD, failed=UNDELIV, or a JSON object",
    )
    timeout: float = setting(between(0.01, 600), "30", "seconds until an answer is given up")
    window: int = setting(WINDOW, "10", "how many requests are under way at once")
    throughput: float = setting(THROUGHPUT, "0", "messages a second of each server of ours, 0 for no limit")


@dataclass(frozen=True, slots=True)
class HttpScript:
    """The settings, and the body that they make together (None: the request has none)."""

    settings: HttpSettings
    body: Template | None


def read_http(given: Mapping[str, str]) -> HttpScript:
    """The script that the settings describe; ConfigInvalid with a sentence when they don't."""
    settings = read(HttpSettings, given)
    if settings.id_path and settings.id_regex:
        raise ConfigInvalid("The settings 'id_path' and 'id_regex' exclude each other.", "id_regex")
    both = sorted(settings.accept_status & settings.retry_status)
    if both:
        sentence = f"The HTTP status {both[0]} stands in 'accept_status' and in 'retry_status'."
        raise ConfigInvalid(sentence, "retry_status")
    if settings.method == "GET":
        if settings.body:
            raise ConfigInvalid(
                "The setting 'body' does not go with the method GET, which sends none.", "body"
            )
        return HttpScript(settings, None)
    return HttpScript(settings, _body(settings))


def _body(settings: HttpSettings) -> Template:
    media_type = _media_type(settings.content_type)
    make = _named("content_type", lambda: templates.escaping(media_type))
    source = settings.body or _DEFAULT_BODIES.get(media_type, "")
    if not source:
        raise ConfigInvalid(f"The setting 'body' is missing: {media_type} has no default.", "body")
    return _named("body", lambda: make(source))


def _named(name: str, made: Callable[[], T]) -> T:
    try:
        return made()
    except ValueError as error:
        raise ConfigInvalid(f"The setting {name!r} {error}.", name) from None


def describe_http() -> list[Described]:
    """The settings of kind `http`."""
    return describe(HttpSettings)
