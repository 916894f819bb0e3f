"""Templates: a value comes out of its place exactly as it went in, whatever it holds, and is never expanded."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rejoinder.carriers.templates import (
    NAMES,
    SAMPLE,
    Template,
    escaping,
    in_form,
    in_header,
    in_json,
    in_url,
    in_xml,
    known_only,
    plain,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
XML_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r]>"),
    max_size=60,
)
NASTY = "{{id}} \"},\\ & <b> ]]> '%26' +\t\r\n €😀"


def values(text: str) -> dict[str, str]:
    return {**SAMPLE, "text": text}


@pytest.mark.parametrize(
    ("make", "source", "text", "filled"),
    [
        (plain, "Re: {{text}} {{ id }}", "{{id}}", "Re: {{id}} 517509fee4b0b1be3f128ef5"),
        (plain, "{{{{text}}}}", "x", "{{x}}"),
        (plain, "no place", "x", "no place"),
        (plain, "{{text}}{{text}}", "{{", "{{{{"),
        (known_only, "{{text}} {{what}}", "x", "{{text}} {{what}}"),
        (known_only, "{{text}} {{sender}}", "x", "x Shop"),
        (in_url, "https://h.example/{{text}}?t={{text}}", "a/b?&=+ %", "https://h.example/a%2Fb%3F%26%3D%2B%20%25?t=a%2Fb%3F%26%3D%2B%20%25"),
        (in_url, "{{text}}", "€", "%E2%82%AC"),
        (in_form, "t={{text}}&to={{recipient}}", "a b&to=1+%\n", "t=a+b%26to%3D1%2B%25%0A&to=61455555555"),
        (in_header, "x {{text}} y", "a\r\nSet-Cookie: b\tc", "x a Set-Cookie: b c y"),
        (in_json, '{"t":"{{text}}"}', '"}\n\\', '{"t":"\\"}\\n\\\\"}'),
        (in_json, '{"t":{{text}}}', '"}', '{"t":"\\"}"}'),
        (in_json, '["{{recipient}}",{{recipient}},{{sender}},{{duplicate}}]', "",
         '["61455555555",61455555555,"Shop",false]'),
        (in_json, '{"say \\"{{text}}\\"":1}', '"', '{"say \\"\\"\\"":1}'),
        (in_xml, "<a b='{{text}}'/>", "'\n&", "<a b='&#39;&#10;&amp;'/>"),
        (in_xml, "<a>{{text}}</a>", "\x01\f<", "<a>\ufffd\ufffd&lt;</a>"),
        (in_xml, "<a><![CDATA[x{{text}}y]]></a>", "]]>", "<a><![CDATA[x]]>]]&gt;<![CDATA[y]]></a>"),
    ],
)  # fmt: skip
def test_a_template_is_filled_in(
    make: Callable[[str], Template], source: str, text: str, filled: str
) -> None:
    assert make(source).fill(values(text)) == filled


@pytest.mark.parametrize("make", [plain, in_url, in_form, in_header, in_json, in_xml])
@pytest.mark.parametrize("name", ["", "Text", "to", "text.id", "7", "résumé"])
def test_an_unknown_name_is_refused_with_the_known_ones(make: Callable[[str], Template], name: str) -> None:
    with pytest.raises(ValueError, match=r"none of \{\{recipient\}\}, \{\{sender\}\}, \{\{text\}\}"):
        make(f"<a>{{{{text}}}}{{{{{name}}}}}</a>")


@pytest.mark.parametrize(
    "source", ["{{text}", '{"a": "{{text}}"', "x", '{"a": "\\{{text}}"}', '"\\u{{text}}"', "[{{id}},]"]
)
def test_a_body_that_is_no_json_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        in_json(source)


@pytest.mark.parametrize(
    "source", ["", "<a>{{text}}", "<a>{{text}}</b>", "<a {{text}}/>", "{{text}}", "<a>&nope;</a>"]
)
def test_a_body_that_is_no_xml_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="no XML"):
        in_xml(source)


@given(TEXTS)
@example(NASTY)
def test_any_text_comes_through_json_as_it_is(text: str) -> None:
    template = in_json('{"in": "a {{text}}.", "own": {{text}}, "{{id}}": [{{recipient}}, "{{text}}"]}')
    found = json.loads(template.fill(values(text)))
    assert found == {"in": f"a {text}.", "own": text, SAMPLE["id"]: [61455555555, text]}


@given(TEXTS)
@example(NASTY)
def test_any_text_comes_through_a_form_as_it_is(text: str) -> None:
    filled = in_form("a={{text}}&to={{recipient}}&b={{text}}").fill(values(text))
    pairs = parse_qsl(filled, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("a", text), ("to", "61455555555"), ("b", text)]


@given(TEXTS)
@example(NASTY)
def test_any_text_comes_through_an_address_as_it_is(text: str) -> None:
    filled = in_url("https://carrier.example/send/{{text}}/x?t={{text}}&to={{recipient}}").fill(values(text))
    parsed = urlsplit(filled)
    assert filled.isascii()
    assert [unquote(step) for step in parsed.path.split("/")] == ["", "send", text, "x"]
    assert parse_qsl(parsed.query, keep_blank_values=True) == [("t", text), ("to", "61455555555")]


@given(XML_TEXTS)
@example(NASTY)
@example("]]")
def test_any_text_that_xml_can_hold_comes_through_it_as_it_is(text: str) -> None:
    template = in_xml('<m to="{{text}}"><t>{{text}}</t><c>x<![CDATA[<{{text}}>]]></c></m>')
    root = ElementTree.fromstring(template.fill(values(text)))  # noqa: S314 - our own
    assert (root.get("to"), root.findtext("t"), root.findtext("c")) == (text, text or "", f"x<{text}>")


@given(TEXTS)
@example("\0\ufffe\x0b")
def test_any_text_at_all_leaves_xml_well_formed(text: str) -> None:
    ElementTree.fromstring(in_xml("<m a='{{text}}'>{{text}}</m>").fill(values(text)))  # noqa: S314 - our own


@given(TEXTS)
@example(NASTY)
def test_no_text_brings_a_second_line_into_a_header(text: str) -> None:
    filled = in_header("a {{text}} b").fill(values(text))
    assert not set(map(chr, range(32))) & set(filled)
    assert filled.startswith("a ")
    assert filled.endswith(" b")


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_value_that_looks_like_a_template_stays_what_it_is(name: str, inner: str) -> None:
    template = plain("<{{" + name + "}}>")
    assert template.fill({**SAMPLE, name: f"{{{{{inner}}}}}"}) == f"<{{{{{inner}}}}}>"


@pytest.mark.parametrize(
    ("media_type", "make"),
    [
        ("application/json", in_json),
        ("application/vnd.carrier+json", in_json),
        ("application/x-www-form-urlencoded", in_form),
        ("text/xml", in_xml),
        ("application/xml", in_xml),
        ("application/soap+xml", in_xml),
        ("text/plain", plain),
    ],
)
def test_the_media_type_decides_the_escaping(media_type: str, make: object) -> None:
    assert escaping(media_type) is make


@pytest.mark.parametrize(
    "media_type", ["text/html", "text/json", "multipart/form-data", "application/octet-stream"]
)
def test_a_media_type_without_an_escaping_is_refused(media_type: str) -> None:
    with pytest.raises(ValueError, match="must be JSON, XML"):
        escaping(media_type)
