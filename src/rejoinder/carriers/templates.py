"""Texts with `{{name}}` in them, filled in with a message's values, each escaped for the place it stands in.

Pure. Filled in one pass: what a value holds is never expanded again and never leaves its place. Refuses
(ValueError, the end of a sentence about the setting) unknown names and JSON or XML that is none.
Source: RFC 8259 §7 (JSON), RFC 3986 §2.1 (URL), RFC 9110 §5.5 (header), XML 1.0 §2.2 and §2.7, the URL
standard's application/x-www-form-urlencoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus
from xml.etree import ElementTree

NAMES = ("recipient", "sender", "text", "id", "duplicate")
"""What a template may hold; `duplicate` is `true` where the handset may have the message already."""

Escape = Callable[[str], str]

# No word of a message may be a valid end of what stands before it: `"\\{{text}}"` is to be seen as broken.
SAMPLE: Mapping[str, str] = {
    "recipient": "61455555555",
    "sender": "Shop",
    "text": "x <&> \"quoted\" 'too' \\ ]]>",
    "id": "517509fee4b0b1be3f128ef5",
    "duplicate": "false",
}

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_JSON_ESCAPE = re.compile(r"\\.", re.DOTALL)
_JSON_NUMBER = re.compile("[1-9][0-9]*")
_CONTROLS = re.compile("[\x00-\x1f\x7f]+")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_ENCODING = re.compile(r"""<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)""")
_XML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
    # A parser turns these into blanks in an attribute, and CR into LF everywhere (XML 1.0 §2.11, §3.3.3).
    | {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and, between each two of them, a name and how its value is escaped there."""

    literals: tuple[str, ...]
    places: tuple[tuple[str, Escape], ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with the values of NAMES in their places."""
        if not self.places:
            return self.literals[0]
        pieces = [self.literals[0]]
        for (name, escape), literal in zip(self.places, self.literals[1:], strict=True):
            pieces += (escape(values[name]), literal)
        return "".join(pieces)


def _compile(source: str, escape_at: Callable[[str, str], Escape]) -> Template:
    """The template of `source`; `escape_at` answers for a name and for all that stands before its place."""
    literals, places, end = [], [], 0
    for found in _PLACE.finditer(source):
        name = found[1].strip()
        if name not in NAMES:
            known = ", ".join(f"{{{{{known}}}}}" for known in NAMES)
            raise ValueError(f"holds {found[0]}, which is none of {known}")
        literals.append(source[end : found.start()])
        places.append((name, escape_at(name, source[: found.start()])))
        end = found.end()
    return Template((*literals, source[end:]), tuple(places))


def _as_is(value: str) -> str:
    return value


def plain(source: str) -> Template:
    """Values as they are: for a text that no program reads."""
    return _compile(source, lambda _name, _before: _as_is)


def known_only(source: str) -> Template:
    """As `plain`, for texts of strangers: a name that is none stays as it stands."""
    return (
        plain(source) if all(name.strip() in NAMES for name in _PLACE.findall(source)) else _literal(source)
    )


def _literal(source: str) -> Template:
    return Template((source,), ())


def in_url(source: str) -> Template:
    """Each value percent-encoded whole, `/` too."""
    return _compile(source, lambda _name, _before: lambda value: quote(value, safe=""))


def in_form(source: str) -> Template:
    """`name={{text}}&…`: each value form-encoded."""
    return _compile(source, lambda _name, _before: quote_plus)


def in_header(source: str) -> Template:
    """A header's value: control characters, CR and LF among them, become a blank."""
    return _compile(source, lambda _name, _before: lambda value: _CONTROLS.sub(" ", value))


def in_json(source: str) -> Template:
    """A value within quotes becomes part of that string, elsewhere a JSON value of its own.

    Of its own it is a string with its quotes; the recipient a number, `duplicate` a boolean.
    """
    template = _compile(source, lambda name, before: _json_part if _in_string(before) else _json_value(name))
    try:
        json.loads(template.fill(SAMPLE))
    except (ValueError, RecursionError):
        raise ValueError("is no JSON when it is filled in") from None
    return template


def _in_string(before: str) -> bool:
    # A value never changes which side of a quote the rest stands on, so names before this one may stay.
    return _JSON_ESCAPE.sub("", before).count('"') % 2 == 1


def _json_part(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _json_value(name: str) -> Escape:
    if name == "duplicate":
        return _as_is
    return _json_number if name == "recipient" else lambda value: json.dumps(value, ensure_ascii=False)


def _json_number(value: str) -> str:
    return value if _JSON_NUMBER.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def in_xml(source: str) -> Template:
    """XML text or an attribute's value; characters that XML 1.0 cannot hold become U+FFFD."""
    declared = _XML_ENCODING.match(source)
    if declared and declared[1].lower() != "utf-8":
        # It leaves as UTF-8: a reader that believed this would get other letters.
        raise ValueError("must declare no encoding but utf-8")
    template = _compile(source, lambda _name, before: _xml_cdata if _in_cdata(before) else _xml_text)
    try:
        ElementTree.fromstring(template.fill(SAMPLE).encode())  # noqa: S314 - the operator's own setting
    except (ElementTree.ParseError, ValueError, LookupError):
        raise ValueError("is no XML when it is filled in") from None
    return template


def _in_cdata(before: str) -> bool:
    return before.rfind("<![CDATA[") > before.rfind("]]>")


def _xml_text(value: str) -> str:
    return _NOT_XML.sub("\ufffd", value).translate(_XML)


def _xml_cdata(value: str) -> str:
    # Nothing is escaped inside a section, and no end of one may stand there: the value goes between two.
    return f"]]>{_xml_text(value)}<![CDATA["


def escaping(media_type: str) -> Callable[[str], Template]:
    """What makes the template of a body of this media type (lower case, without parameters)."""
    if media_type == "application/json" or media_type.endswith("+json"):
        return in_json
    if media_type == "application/x-www-form-urlencoded":
        return in_form
    if media_type in ("text/xml", "application/xml") or media_type.endswith("+xml"):
        return in_xml
    if media_type == "text/plain":
        return plain
    raise ValueError("must be JSON, XML, text/plain or application/x-www-form-urlencoded")
