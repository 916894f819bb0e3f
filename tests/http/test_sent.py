"""What an accepted message is (contract §6, §11, §12): its sender, text, price, and clientRef."""

from __future__ import annotations

import re

import pytest

from tests.centre import START
from tests.http.sends import GOOD, OWN_NUMBER, assert_error, balance, furnish, send, sender_of, shown
from tests.http.site import POOL, SEND, Site, encoded


@pytest.fixture(scope="module")
def site(empty_site: Site) -> Site:
    return furnish(empty_site)


# The sender.


def test_a_given_sender_is_the_messages_sender(site: Site) -> None:
    for given, used in ((OWN_NUMBER, OWN_NUMBER), ("+" + OWN_NUMBER, OWN_NUMBER), ("ACME", "ACME")):
        assert sender_of(site, send(site, sender=given).json["documentId"]) == used


@pytest.mark.parametrize("sender", [None, ""])
def test_without_a_sender_it_is_the_users_source_address_or_a_number_of_the_pool(
    site: Site, sender: str | None
) -> None:
    assert sender_of(site, send(site, sender=sender, username="named@shop").json["documentId"]) == "ACME"
    assert sender_of(site, send(site, sender=sender).json["documentId"]) in POOL


def test_without_any_number_in_the_pool_no_sender_is_13(fresh_site: Site) -> None:
    fresh_site.user()
    fresh_site.carrier()
    reply = fresh_site.post(SEND, GOOD)
    assert (reply.http_status, reply.code) == (200, 13)
    assert_error(reply)


# Text: the mailbox shows it as it was given, the carrier gets it after replacement.


@pytest.mark.parametrize(
    ("encoding", "text", "sent"),
    [
        ("gsm", "żółw 😀 ok", "zo?w ? ok"),
        ("gsm", "plain", "plain"),
        ("auto", "żółw 😀", "żółw 😀"),
        ("utf-16", "plain", "plain"),
        ("iso-8859-1", "Grüße", "Grüße"),
    ],
)
def test_gsm_replaces_for_the_carrier_and_the_mailbox_shows_what_was_given(
    site: Site, encoding: str, text: str, sent: str
) -> None:
    document_id = send(site, text=text, encoding=encoding).json["documentId"]
    assert shown(site, document_id)["text"] == text
    ((queued,),) = site.sql("SELECT text FROM outbox WHERE id = $1", document_id)
    assert re.fullmatch(re.escape(sent).replace(r"\?", "."), str(queued))
    if encoding == "gsm":
        assert str(queued).isascii()


@pytest.mark.parametrize(
    ("text", "parts"), [("x" * 160, 1), ("x" * 161, 2), ("x" * 1530, 10), ("ж" * 70, 1), ("ж" * 71, 2)]
)
def test_a_part_costs_one_credit(site: Site, text: str, parts: int) -> None:
    before = balance(site)
    assert send(site, text=text).code == 10
    assert balance(site) == before - parts


def test_plus_is_a_blank_and_a_percent_sequence_is_its_character(site: Site) -> None:
    body = encoded({**GOOD, "text": b"a+b%2Bc%26d%3De%25%C3%A9" + "é".encode()})
    reply = site.request("POST", SEND, b"", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert shown(site, reply.json["documentId"])["text"] == "a b+c&d=e%éé"


# clientRef.


def test_the_same_client_ref_answers_the_first_message_again_and_charges_once(site: Site) -> None:
    before = balance(site)
    first, again = (send(site, clientRef="order-7").json for _ in range(2))
    assert first == again
    assert balance(site) == before - 1
    site.sql("UPDATE mt SET status = 11 WHERE id = $1", first["documentId"])
    assert send(site, clientRef="order-7").json == {**first, "messageStatus": 11}


@pytest.mark.parametrize("changed", [{"text": "another text"}, {"recipient": "61255588886"}])
def test_the_same_client_ref_with_another_text_or_recipient_is_120(
    site: Site, changed: dict[str, str]
) -> None:
    ref = f"order-{list(changed)}"
    assert send(site, clientRef=ref).code == 10
    reply = send(site, clientRef=ref, **changed)
    assert reply.code == -120
    assert_error(reply)


def test_client_refs_are_each_users_own_and_distinguish_case(site: Site) -> None:
    site.user("second@shop")
    ids = {
        send(site, clientRef=ref, username=user).json["documentId"]
        for ref in ("own", "OWN")
        for user in ("anna@shop", "second@shop")
    }
    assert len(ids) == 4


def test_a_client_ref_is_free_again_after_24_hours(fresh_site: Site) -> None:
    fresh_site.user()
    fresh_site.carrier()
    fresh_site.pool(*POOL)
    ids = []
    for seconds in (0, 86_399, 1):
        fresh_site.centre.clock.pass_seconds(seconds)
        ids.append(send(fresh_site, clientRef="order-7").json["documentId"])
    assert ids[0] == ids[1] != ids[2]
    assert int(ids[2][:8], 16) == START + 86_400
