"""Carriers' settings: what is taken, and the sentence that names what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rejoinder.carriers.registry import KINDS, SECRET_SETTINGS, check_settings, describe, make
from rejoinder.clock import ManualClock
from rejoinder.errors import ConfigInvalid
from rejoinder.flow.ports import CarrierRow
from tests.carrier_events import Collected

URL = {"url": "https://carrier.example/send"}
FORM = "application/x-www-form-urlencoded"
REGEX = r"id=(\w+)"

SMSC = {"host": "smsc.example", "system_id": "we"}
NEEDED = {"http": URL, "smpp": SMSC}
GOOD = [
    ("simulator", {}),
    (
        "simulator",
        {"delay": "0.5", "reply": "ok {{text}}", "receipts": "BEFORE", "seed": "7", "repeat_replies": "True"},
    ),
    ("simulator", {"number.61411111111.reply": "{{id}}", "number.+61411111112.delay": "3600"}),
    ("http", URL),
    ("http", {"url": "http://user:pass@127.0.0.1:8081/a/{{recipient}}?key=x&text={{text}}", "method": "get"}),
    ("http", {**URL, "content_type": f"{FORM}; charset=UTF-8"}),
    ("http", {**URL, "content_type": FORM, "body": "t={{text}}"}),
    ("http", {**URL, "content_type": "text/xml", "body": "<m>{{text}}</m>", "headers": 'SOAPAction: "send"'}),
    (
        "http",
        {**URL, "content_type": "text/xml", "body": '<?xml version="1.0" encoding="UTF-8"?><m>{{text}}</m>'},
    ),
    ("http", {**URL, "headers": "X-Key: abc:def\n\nX-To: {{recipient}}"}),
    ("http", {**URL, "headers": '{"Authorization": "Bearer abc"}'}),
    ("http", {**URL, "id_path": "messages.0.id", "accept_status": "200, 202", "retry_status": ""}),
    ("smpp", SMSC),
    (
        "smpp",
        {
            **SMSC,
            "bind": "TX+RX",
            "tls": "true",
            "profile": "smpp-3.3",
            "encoding": "gsm-packed",
            "long": "sar",
        },
    ),
    ("http", {**URL, "id_regex": REGEX, "status_map": "ok=DELIVRD, bad=5"}),
]

BAD: list[tuple[str, dict[str, str], str, str]] = [
    ("pigeon", {}, "kind", "There is no kind of carrier 'pigeon'; known are: http, simulator, smpp."),
    ("smpp", {"host": "x"}, "system_id", "The setting 'system_id' is missing"),
    ("smpp", {**SMSC, "tls_ca": "/etc/ca"}, "tls_ca", "does not go without tls=true"),
    ("simulator", {"dealy": "1"}, "dealy", "no setting 'dealy'; known are: delay, reject_percent,"),
    ("simulator", {"delay": "soon"}, "delay", "The setting 'delay' must be a number from 0 to 2592000."),
    ("simulator", {"delay": "nan"}, "delay", "must be a number"),
    ("simulator", {"reject_percent": "101"}, "reject_percent", "from 0 to 100"),
    ("simulator", {"window": "0"}, "window", "must be a whole number from 1"),
    ("simulator", {"window": "1_0"}, "window", "must be a whole number from 1"),
    ("simulator", {"replies": "٣"}, "replies", "must be a whole number from 1"),
    ("simulator", {"receipts": "maybe"}, "receipts", "must be one of: after, before, twice, never"),
    ("simulator", {"repeat_replies": "1"}, "repeat_replies", "must be one of: true, false"),
    ("simulator", {"reply": "{{txet}}"}, "reply", "holds {{txet}}, which is none of"),
    ("simulator", {"reply": "@/nowhere/at/all"}, "reply", "names a file that can't be read"),
    ("simulator", {"number.61411111111.dealy": "1"}, "number.61411111111.dealy", "There is no setting"),
    ("simulator", {"number.61411111111.seed": "1"}, "number.61411111111.seed", "There is no setting"),
    ("simulator", {"number.61411111111": "1"}, "number.61411111111.", "There is no setting"),
    ("simulator", {"number.12.delay": "1"}, "number.12.delay", "no number of 8 to 16 digits"),
    ("simulator", {"number.61411111111.delay": "x"}, "number.61411111111.delay", "'number.61411111111.delay' must be"),
    ("http", {}, "url", "The setting 'url' is missing"),
    ("http", {**URL, "uri": "x"}, "uri", "known are: url, method, content_type"),
    ("http", {"url": "ftp://carrier.example/"}, "url", "must be an address such as"),
    ("http", {"url": "carrier.example"}, "url", "must be an address such as"),
    ("http", {"url": "https:///path"}, "url", "must be an address such as"),
    ("http", {"url": "https://h:99999/"}, "url", "must be an address such as"),
    ("http", {"url": "https://[::1/"}, "url", "must be an address such as"),
    ("http", {"url": "https://h/#x"}, "url", "without a fragment"),
    ("http", {"url": "https://h/ü"}, "url", "must be percent-encoded"),
    ("http", {"url": "https://h/a b"}, "url", "must be percent-encoded"),
    ("http", {"url": "https://{{sender}}.example/"}, "url", "must name its host"),
    ("http", {"url": "https://h/{{to}}"}, "url", "holds {{to}}"),
    ("http", {**URL, "method": "DELETE"}, "method", "must be one of: POST, GET, PUT"),
    ("http", {**URL, "method": "GET", "body": "x"}, "body", "does not go with the method GET"),
    ("http", {**URL, "content_type": "text/html"}, "content_type", "must be JSON, XML"),
    ("http", {**URL, "content_type": "json"}, "content_type", "must be a media type"),
    ("http", {**URL, "content_type": "application/json\r\nX: y"}, "content_type", "must be a media type"),
    ("http", {**URL, "content_type": "text/xml; charset=iso-8859-1"}, "content_type", "no charset but utf-8"),
    ("http", {**URL, "content_type": "text/xml"}, "body", "text/xml has no default"),
    (
        "http",
        {**URL, "content_type": "text/xml", "body": "<?xml version='1.0' encoding='ISO-8859-1'?><m>{{text}}</m>"},
        "body",
        "no encoding but utf-8",
    ),
    ("http", {**URL, "body": "{"}, "body", "The setting 'body' is no JSON"),
    ("http", {**URL, "headers": "X-Key abc"}, "headers", "of the form 'Name: value'"),
    ("http", {**URL, "headers": '{"X": 1}'}, "headers", "strings as values"),
    ("http", {**URL, "headers": '{"X": "a\\r\\nY: b"}'}, "headers", "of the form"),
    ("http", {**URL, "headers": '{"X'}, "headers", "JSON object and is none"),
    ("http", {**URL, "headers": "content-LENGTH: 5"}, "headers", "must not hold content-LENGTH"),
    ("http", {**URL, "headers": "X: {{body}}"}, "headers", "holds {{body}}"),
    ("http", {**URL, "id_path": "a..b"}, "id_path", "names or list indices"),
    ("http", {**URL, "id_regex": "("}, "id_regex", "must be a regular expression"),
    ("http", {**URL, "id_regex": "id"}, "id_regex", "must have a group"),
    ("http", {**URL, "id_regex": REGEX, "id_path": "id"}, "id_regex", "exclude each other"),
    ("http", {**URL, "accept_status": "2xx"}, "accept_status", "must be HTTP statuses"),
    ("http", {**URL, "accept_status": "299-200"}, "accept_status", "must be HTTP statuses"),
    ("http", {**URL, "accept_status": "200-500"}, "retry_status", "HTTP status 408 stands in 'accept_status' and"),
    ("http", {**URL, "status_map": "ok=FINE"}, "status_map", "can't be read: 'FINE' is not a status"),
    ("http", {**URL, "token": "a b"}, "token", "printable ASCII without blanks"),
    ("http", {**URL, "timeout": "0"}, "timeout", "from 0.01 to 600"),
    ("http", {**URL, "throughput": "-1"}, "throughput", "from 0 to"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "settings"), GOOD)
def test_good_settings_are_taken_and_a_carrier_is_made_of_them(kind: str, settings: dict[str, str]) -> None:
    check_settings(kind, settings)
    carrier = make(CarrierRow(1, "c", kind, settings), Collected(), ManualClock())
    assert carrier.window >= 1


@pytest.mark.parametrize(("kind", "settings", "parameter", "sentence"), BAD)
def test_a_bad_setting_is_refused_by_name_in_a_sentence(
    kind: str, settings: dict[str, str], parameter: str, sentence: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        check_settings(kind, settings)
    assert refused.value.parameter == parameter
    assert sentence in refused.value.sentence
    assert refused.value.sentence.endswith(".")
    with pytest.raises(ConfigInvalid):
        make(CarrierRow(1, "c", kind, settings), Collected(), ManualClock())


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe"])
def test_a_file_of_replies_without_a_line_of_text_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "replies"
    file.write_bytes(content)
    with pytest.raises(ConfigInvalid, match="The setting 'reply' names a file that"):
        check_settings("simulator", {"reply": f"@{file}"})


@pytest.mark.parametrize("name", ["url", "headers", "body", "token"])
def test_no_refusal_repeats_a_secret(name: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        check_settings("http", {**URL, name: "swordfish \x01 {{"})
    assert "swordfish" not in refused.value.sentence


def test_the_token_and_the_headers_are_secrets() -> None:
    assert frozenset({"token", "headers", "password"}) == SECRET_SETTINGS


@pytest.mark.parametrize("kind", KINDS)
def test_every_described_default_is_a_value_that_is_taken(kind: str) -> None:
    for setting in describe(kind):
        assert setting.help
        if setting.default is not None and "<" not in setting.name:
            check_settings(kind, {**NEEDED.get(kind, {}), setting.name: setting.default})


def test_the_settings_of_the_contract_are_described_with_their_defaults() -> None:
    http = {it.name: it.default for it in describe("http")}
    assert http == {
        "url": None,
        "method": "POST",
        "content_type": "application/json",
        "headers": "",
        "body": "",
        "id_path": "",
        "id_regex": "",
        "accept_status": "200-299",
        "retry_status": "408,429,500-599",
        "token": "",
        "status_map": "",
        "timeout": "30",
        "window": "10",
        "throughput": "0",
    }
    names = {it.name for it in describe("simulator")}
    assert names >= {
        "delay",
        "reject_percent",
        "throttle_percent",
        "lose_answer_percent",
        "lose_receipt_percent",
        "reply",
        "receipts",
    }
    smpp = {it.name: it.default for it in describe("smpp")}
    assert {name: smpp[name] for name in ("port", "bind", "window", "throughput", "binds")} == {
        "port": "2775",
        "bind": "trx",
        "window": "10",
        "throughput": "0",
        "binds": "1",
    }
    assert {it.name for it in describe("smpp") if it.secret} == {"password"}
