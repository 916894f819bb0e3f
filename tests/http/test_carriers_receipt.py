"""POST /carriers/NAME/receipt: a receipt as form or JSON, by SMPP's words or the carrier's own."""

from __future__ import annotations

import pytest

from tests.http.deliveries import (
    JSON,
    RECEIPT,
    assert_refused,
    assert_taken,
    both_forms,
    deliver,
    furnish,
    sent,
    status,
)
from tests.http.site import ALL_MESSAGES, FORM, Site, login


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


WORDS = [
    ("DELIVRD", "2"), ("EXPIRED", "3"), ("DELETED", "4"), ("UNDELIV", "5"), ("REJECTD", "8"), ("ACCEPTD", "11"),
    ("ENROUTE", "11"), ("arrived", "2"), ("gone", "5"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "shown"), WORDS)
@both_forms
def test_a_receipt_gives_the_message_its_status(site: Site, word: str, shown: str, content_type: str) -> None:
    document_id = sent(site)
    site.run(site.centre.deliver(1))
    for _ in range(2):
        assert_taken(deliver(site, "receipt", {"id": f"r-{document_id}-1", "status": word}, content_type))
        assert status(site, document_id) == shown


def test_a_status_map_is_its_carriers_own(site: Site) -> None:
    reply = deliver(
        site,
        "receipt",
        {**RECEIPT, "status": "arrived"},
        name="other",
        authorization="Bearer token-of-the-other",
    )
    assert_refused(reply, 400)
    assert "status" in reply.json["error"]


def test_a_receipt_for_an_unknown_id_is_taken_as_it_may_precede_the_submits_answer(site: Site) -> None:
    for content_type in (FORM, JSON):
        assert_taken(deliver(site, "receipt", {"id": "nobody-knows-it", "status": "DELIVRD"}, content_type))


def test_the_id_of_a_receipt_may_be_a_json_number(site: Site) -> None:
    document_id = sent(site)
    site.run(site.centre.deliver(1))
    site.sql("UPDATE part SET ref = '4711', ref_key = '4711' WHERE mt_id = $1", document_id)
    assert_taken(deliver(site, "receipt", {"id": 4711, "status": "DELIVRD"}, JSON))
    assert status(site, document_id) == "2"


@both_forms
@pytest.mark.parametrize("field", RECEIPT)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_or_empty_field_of_a_receipt_is_400_and_named(
    site: Site, field: str, value: str | None, content_type: str
) -> None:
    given = {name: value if name == field else good for name, good in RECEIPT.items()}
    reply = deliver(
        site, "receipt", {name: one for name, one in given.items() if one is not None}, content_type
    )
    assert_refused(reply, 400)
    assert field in reply.json["error"]


@both_forms
@pytest.mark.parametrize("word", ["ZOMBIE", "DELIVRD!", "x" * 5000, "status"])
def test_a_status_that_neither_smpp_nor_the_map_knows_is_400(
    site: Site, word: str, content_type: str
) -> None:
    reply = deliver(site, "receipt", {**RECEIPT, "status": word}, content_type)
    assert_refused(reply, 400)
    assert "status" in reply.json["error"]


@pytest.mark.parametrize("value", [None, True, [], {}])
@pytest.mark.parametrize("field", RECEIPT)
def test_a_receipts_field_of_another_kind_is_400_and_named(site: Site, field: str, value: object) -> None:
    reply = deliver(site, "receipt", {**RECEIPT, field: value}, JSON)
    assert_refused(reply, 400)
    assert field in reply.json["error"]


def test_a_whole_conversation_goes_over_http(site: Site) -> None:
    document_id = sent(site, "a question", recipient="61255500002")
    site.run(site.centre.deliver(1))
    ((number,),) = site.sql("SELECT sender FROM mt WHERE id = $1", document_id)
    assert_taken(deliver(site, "receipt", {"id": f"r-{document_id}-1", "status": "DELIVRD"}))
    assert_taken(
        deliver(site, "inbound", {"from": "61255500002", "to": number, "text": "its answer", "id": "whole"})
    )
    site.centre.clock.pass_seconds(10)
    since = str(int(document_id[:8], 16) - 1)
    answer = site.get(ALL_MESSAGES, {**login(), "since": since}).json
    assert [one["originDocumentId"] for one in answer["incomingMessages"] if one["text"] == "its answer"] == [
        document_id
    ]
