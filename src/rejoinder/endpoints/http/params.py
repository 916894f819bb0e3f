"""Parameters of a call, from query string and form body (contract §1). Refuses more than 100 of them.

A value whose bytes are no text (broken percent- or UTF-8 sequence, NUL, lone surrogate) is kept as
BROKEN, so that each call can answer it by its own code.
"""

from __future__ import annotations

from collections.abc import Collection

MOST = 100
SIZE = 65_536
_DIGITS = "0123456789ABCDEFabcdef"
_OCTETS = {f"{high}{low}".encode(): bytes.fromhex(high + low) for high in _DIGITS for low in _DIGITS}


class Params(dict[str, str | None]):
    """Names to values, and the address of the caller who brought them."""

    __slots__ = ("address",)

    address: str


# A parameter that is there but is no text.
BROKEN = None


class TooManyParameters(ValueError):
    """More than 100 parameters in one call."""


def _text(raw: bytes) -> str | None:
    # Names, numbers and most passwords; a send's parameters took 20 us where each was looked through for escapes, now 11.
    if raw.isalnum():
        return raw.decode("ascii")
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        first, *escaped = raw.split(b"%")
        try:
            raw = first + b"".join([_OCTETS[piece[:2]] + piece[2:] for piece in escaped])
        except KeyError:
            return BROKEN
    try:
        # Strict UTF-8 has no way to write a lone surrogate.
        text = raw.decode()
    except UnicodeDecodeError:
        return BROKEN
    return BROKEN if "\0" in text else text


def parse(query: bytes, body: bytes = b"", repeatable: Collection[str] = (), address: str = "") -> Params:
    """Names to values; the first of a repeated one wins, the query string before the body. `address`: the caller's.

    Raises TooManyParameters. Parameters named in `repeatable` are not counted, and all their values count: joined by
    commas, what is no text among them as U+FFFD.
    """
    found = Params()
    found.address = address
    count = 0
    for source in (query, body):
        if not source:
            continue
        for piece in source.split(b"&"):
            if not piece:
                continue
            raw_name, _, raw_value = piece.partition(b"=")
            name = _text(raw_name)
            if name in repeatable and name is not None:
                more = _text(raw_value)
                value = "\ufffd" if more is BROKEN else more
                found[name] = f"{found[name]},{value}" if name in found else value
                continue
            count += 1
            if count > MOST:
                raise TooManyParameters
            if name is not None and name not in found:
                found[name] = _text(raw_value)
    return found
