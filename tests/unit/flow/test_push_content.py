"""What stands in a URL after its templates were filled in: a table of values and places."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.flow.push_content import filled
from rejoinder.flow.push_settings import (
    MO_NAMES,
    STATUS_NAMES,
    PushSetting,
    check_url,
    checked,
    from_call,
    read,
    written,
)

ENCODED = {
    "plain": "plain",
    "a b": "a%20b",
    "a+b": "a%2Bb",
    "a&b=c": "a%26b%3Dc",
    "50%": "50%25",
    "#?/": "%23%3F%2F",
    "ü€😀": "%C3%BC%E2%82%AC%F0%9F%98%80",
    "\r\n\t": "%0D%0A%09",
    "{{from}}": "%7B%7Bfrom%7D%7D",
    "\"'<>": "%22%27%3C%3E",
    "../..": "..%2F..",
    "": "",
}


@pytest.mark.parametrize(("text", "encoded"), ENCODED.items())
def test_a_value_is_percent_encoded_whole(text: str, encoded: str) -> None:
    values = {"text": text, "from": "61"}
    assert filled("https://a.example/{{text}}?t={{text}}&f={{from}}", values) == (
        f"https://a.example/{encoded}?t={encoded}&f=61"
    )


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://a.example", "https://a.example?text=x"),
        ("https://a.example/p?q=1", "https://a.example/p?q=1&text=x"),
        ("https://a.example/p?", "https://a.example/p?text=x"),
        ("https://a.example/p#f", "https://a.example/p?text=x"),
        ("https://a.example/{{ text }}", "https://a.example/x"),
        ("https://a.example/?t={{text}}#{{text}}", "https://a.example/?t=x"),
        ("https://a.example/?t={{text}}&o={{other}}", "https://a.example/?t=x&o=%7B%7Bother%7D%7D"),
        ("https://a.example/?t={{text}}&p=100%&q=%41", "https://a.example/?t=x&p=100%25&q=%41"),
    ],
)
def test_what_is_no_template_stays_as_it_was_written(url: str, result: str) -> None:
    assert filled(url, {"text": "x"}) == result


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    found = urlsplit(filled("https://a.example/{{text}}?t={{text}}&end=1", {"text": text}))
    assert found.netloc == "a.example"
    assert dict(parse_qsl(found.query, keep_blank_values=True)) == {"t": text, "end": "1"}
    assert unquote(found.path) == f"/{text}"


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://a/", "http://", "http://:80/", "http://a:0/", "http://a:99999/", "http://a b/",
     "http://a/\n", "javascript:alert(1)", "http://[::1/", "http://{{from}}.a/", "http://a/" + "x" * 2048],
)  # fmt: skip
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must"):
        check_url(url)


def test_a_setting_is_read_as_it_was_written() -> None:
    setting = PushSetting("https://a/?é={{text}}", "POST", ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
    assert read(written(setting)) == setting
    assert read(written(None)) is None
    assert read(from_call('{"type":"URL","data":{"url":"https://a/?s={{status}}"}}')) == PushSetting(
        "https://a/?s={{status}}"
    )


@pytest.mark.parametrize(("names", "other"), [(MO_NAMES, STATUS_NAMES), (STATUS_NAMES, MO_NAMES)])
def test_each_event_has_its_own_names(names: tuple[str, ...], other: tuple[str, ...]) -> None:
    for name in names:
        checked(PushSetting(f"https://a/?x={{{{{name}}}}}"), names)
    for name in set(other) - set(names):
        with pytest.raises(ValueError, match="none of"):
            checked(PushSetting(f"https://a/?x={{{{{name}}}}}"), names)
