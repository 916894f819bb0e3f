"""POST /carriers/NAME/inbound: an MO as form or JSON, stored before it is answered, once, whatever its bytes."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from rejoinder.errors import StoreUnavailable
from tests.centre import HANDSET
from tests.http.deliveries import (
    JSON,
    MO,
    NUMBER,
    RECEIPT,
    assert_refused,
    assert_taken,
    both_forms,
    deliver,
    furnish,
    received,
    sent,
)
from tests.http.site import FORM, Site, encoded, patched


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


@pytest.fixture
def fields(request: pytest.FixtureRequest) -> dict[str, object]:
    """Good fields of an MO with an id of the test's own."""
    return {**MO, "id": f"mo of {request.node.name}"}


@both_forms
def test_an_mo_is_in_the_mailbox_when_it_is_answered(
    site: Site, content_type: str, fields: dict[str, object]
) -> None:
    fields["text"] = f" typed {content_type} 😀 "
    assert_taken(deliver(site, "inbound", fields, content_type))
    (found,) = received(site, str(fields["text"]))
    assert (found["from"], found["recipient"], found["originDocumentId"]) == (HANDSET, NUMBER, None)


def test_an_mo_to_a_pool_number_names_the_message_it_answers_though_its_numbers_have_a_plus(
    site: Site,
) -> None:
    document_id = sent(site, recipient="61255500001")
    ((number,),) = site.sql("SELECT sender FROM mt WHERE id = $1", document_id)
    answer = {"from": "+61255500001", "to": f"+{number}", "text": "an answer", "id": "plus"}
    assert_taken(deliver(site, "inbound", answer, JSON))
    (found,) = received(site, "an answer")
    assert (found["from"], found["recipient"], found["originDocumentId"]) == (
        "61255500001",
        number,
        document_id,
    )


def test_an_mo_that_nobody_can_take_is_answered_200_and_parked(site: Site, fields: dict[str, object]) -> None:
    assert_taken(deliver(site, "inbound", {**fields, "to": "61999999999", "text": "to park"}))
    assert site.sql("SELECT count(*) FROM mo_parked WHERE text = 'to park'") == [(1,)]


@both_forms
def test_the_same_id_twice_is_stored_once_and_answered_200(
    site: Site, content_type: str, fields: dict[str, object]
) -> None:
    fields["text"] = f"once {content_type}"
    for _ in range(3):
        assert_taken(deliver(site, "inbound", fields, content_type))
    assert len(received(site, str(fields["text"]))) == 1


def test_an_id_belongs_to_its_carrier(site: Site, fields: dict[str, object]) -> None:
    fields["text"] = "two carriers"
    assert_taken(deliver(site, "inbound", fields))
    assert_taken(deliver(site, "inbound", fields, name="other", authorization="Bearer token-of-the-other"))
    assert len(received(site, "two carriers")) == 2


def test_an_id_may_be_a_json_number_and_is_the_same_as_its_digits(
    site: Site, fields: dict[str, object]
) -> None:
    for number in (4711, "4711"):
        assert_taken(deliver(site, "inbound", {**fields, "text": "a number", "id": number}, JSON))
    assert_taken(deliver(site, "inbound", {**fields, "text": "a number", "id": "4711"}, FORM))
    assert len(received(site, "a number")) == 1


def test_unknown_fields_are_ignored(site: Site, fields: dict[str, object]) -> None:
    more = {"price": {"amount": [1.5, None]}, "From": "x"}
    assert_taken(deliver(site, "inbound", {**fields, **more}, JSON))


# What networks bring is kept whatever its bytes are: U+FFFD stands for what is no text.
BROKEN_TEXTS = [
    (FORM, b"a%00b", "a\ufffdb"),
    (FORM, b"a%ffb", "a\ufffdb"),
    (FORM, b"a\xffb", "a\ufffdb"),
    (FORM, b"a%c3", "a\ufffd"),
    (FORM, b"100% sure".replace(b" ", b"+"), "100% sure"),
    (JSON, b'"a\\u0000b"', "a\ufffdb"),
    (JSON, b'"a\\ud800b"', "a\ufffdb"),
    (JSON, b'"a\\udc00"', "a\ufffd"),
    (JSON, b'"a\xffb"', "a\ufffdb"),
    (JSON, b'"a\xc3"', "a\ufffd"),
    (JSON, b'"a\0b"', "a\ufffdb"),
    (JSON, b'"a\nb"', "a\nb"),
    (JSON, b'"\\ud83d\\ude00"', "😀"),
]


@pytest.mark.parametrize(("content_type", "raw", "text"), BROKEN_TEXTS)
def test_an_mo_whose_text_is_broken_is_kept(site: Site, content_type: str, raw: bytes, text: str) -> None:
    mark = f"{BROKEN_TEXTS.index((content_type, raw, text))}:"
    if content_type == JSON:
        raw = raw.replace(b'"', b'"' + mark.encode(), 1)
        body = b'{"from":"%s","to":"%s","text":%s,"id":"broken %s"}'
    else:
        raw, body = mark.encode() + raw, b"from=%s&to=%s&text=%s&id=broken+%s"
    reply = deliver(
        site, "inbound", body % (HANDSET.encode(), NUMBER.encode(), raw, mark.encode()), content_type
    )
    assert_taken(reply)
    assert len(received(site, mark + text)) == 1


@both_forms
@pytest.mark.parametrize("field", MO)
def test_a_missing_field_of_an_mo_is_400_and_named(
    site: Site, field: str, content_type: str, fields: dict[str, object]
) -> None:
    fields["text"] = "incomplete"
    without = {name: value for name, value in fields.items() if name != field}
    reply = deliver(site, "inbound", without, content_type)
    assert_refused(reply, 400)
    assert field in reply.json["error"]
    assert received(site, "incomplete") == []


@both_forms
@pytest.mark.parametrize("field", ["from", "to", "id"])
def test_an_empty_field_of_an_mo_is_400_and_named(
    site: Site, field: str, content_type: str, fields: dict[str, object]
) -> None:
    reply = deliver(site, "inbound", {**fields, field: ""}, content_type)
    assert_refused(reply, 400)
    assert field in reply.json["error"]


@pytest.mark.parametrize("value", [None, True, [], {}, ["61255588885"], {"a": "b"}])
@pytest.mark.parametrize("field", MO)
def test_a_field_of_another_kind_is_400_and_named(
    site: Site, field: str, value: object, fields: dict[str, object]
) -> None:
    reply = deliver(site, "inbound", {**fields, field: value}, JSON)
    assert_refused(reply, 400)
    assert field in reply.json["error"]


NO_TEXT = [
    (FORM, b"a%00"),
    (FORM, b"a%ff"),
    (FORM, b"\xff"),
    (JSON, b'"a\\u0000"'),
    (JSON, b'"\\ud800"'),
    (JSON, b'"a\xff"'),
]


@pytest.mark.parametrize(("content_type", "raw"), NO_TEXT)
def test_any_other_field_that_is_no_text_is_400_and_named(site: Site, content_type: str, raw: bytes) -> None:
    """Two broken ids must not be taken for one: the second MO would be lost as a repetition."""
    for kind, good in (("inbound", MO), ("receipt", RECEIPT)):
        for field in set(good) - {"text"}:
            if content_type == JSON:
                mark = b'"in place of the value"'
                body = json.dumps({**good, field: mark[1:-1].decode()}).encode().replace(mark, raw)
            else:
                body = encoded({**good, field: raw})
            reply = deliver(site, kind, body, content_type)
            assert_refused(reply, 400)
            assert field in reply.json["error"]


@pytest.mark.parametrize("field", MO)
def test_a_number_of_thousands_of_digits_is_400(site: Site, field: str) -> None:
    body = json.dumps({**MO, field: "?"}).encode().replace(b'"?"', b"1" * 30_000)
    assert_refused(deliver(site, "inbound", body, JSON), 400)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", FORM + ";charset=UTF-8"]
)
def test_content_types_may_have_a_charset(site: Site, content_type: str, fields: dict[str, object]) -> None:
    body = urlencode(fields).encode() if FORM in content_type else json.dumps(fields).encode()
    assert_taken(deliver(site, "inbound", body, content_type))


def test_an_mo_that_was_not_stored_is_503_and_taken_when_it_comes_again(
    site: Site, fields: dict[str, object]
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the database is away")

    fields["text"] = "while it was away"
    for kind in ("inbound", "receipt"):
        with patched(site.centre.store, "write", away):
            reply = deliver(site, kind, {**fields, "status": "DELIVRD"})
        assert_refused(reply, 503)
        assert int(reply.headers["retry-after"]) > 0
    assert_taken(deliver(site, "inbound", fields))
    assert len(received(site, "while it was away")) == 1
