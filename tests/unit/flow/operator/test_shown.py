"""What `show` and `list` print, and what they never do."""

from __future__ import annotations

import pytest

from rejoinder.flow.operator.shown import shown, state

ACCOUNT = {"id": 1, "name": "a", "activated": True, "blocked": False, "disabled": False}


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({}, "active"),
        ({"activated": False}, "not_activated"),
        ({"activated": False, "blocked": True}, "blocked"),
        ({"blocked": True, "disabled": True}, "disabled"),
    ],
)
def test_the_gravest_state_is_shown(flags: dict[str, bool], word: str) -> None:
    assert state({**ACCOUNT, **flags}) == word


def test_a_reseller_and_a_customer_are_active_without_being_activated() -> None:
    assert state({"blocked": False, "disabled": False}) == "active"


def test_credits_are_shown_whole_and_times_in_utc() -> None:
    record = {**ACCOUNT, "balance": -12_500, "free_credits": 2000, "created_at": 1_700_000_000_123_456}
    found = shown("reseller", record)
    assert (found["credits"], found["free_credits"]) == (-12.5, 2)
    assert found["created_at"] == "2023-11-14T22:13:20Z"


def test_hashes_and_inner_ids_are_not_shown() -> None:
    found = shown("reseller", {**ACCOUNT, "password_hash": "$argon2id$", "credit_account_id": 7})
    assert set(found) == {*ACCOUNT, "state"}


@pytest.mark.parametrize(
    ("key", "value", "seen"),
    [
        ("token", "s3cret", "***"),
        ("password", "s3cret", "***"),
        ("headers", "Authorization: Bearer s3cret", "***"),
        ("number.61500.token", "s3cret", "***"),
        ("declared_secret", "s3cret", "***"),
        ("url", "https://me:s3cret@sms.example/send", "https://me:***@sms.example/send"),
        (
            "url",
            "https://sms.example/?api_key=s3cret&to={{recipient}}",
            "https://sms.example/?api_key=***&to={{recipient}}",
        ),
        (
            "body",
            '{"password": "s3cret", "to": "{{recipient}}"}',
            '{"password": "***", "to": "{{recipient}}"}',
        ),
        ("url", "https://me:a@s3cret@sms.example/x@y", "https://me:***@sms.example/x@y"),
        ("url", "https://s3cret@sms.example/send", "https://***@sms.example/send"),
        (
            "url",
            "https://sms.example/?pw=a{s3cret&to={{recipient}}",
            "https://sms.example/?pw=***&to={{recipient}}",
        ),
        ("body", '{"password": "a s3cret&s3cret{s3cret"}', '{"password": "***"}'),
        ("body", '{"password": "a\\"s3cret", "to": 1}', '{"password": "***", "to": 1}'),
        ("body", "<password>a&amp;s3cret</password><to>1</to>", "<password>***</password><to>1</to>"),
        ("body", '{"auth": {"user": "me", "key": "s3cret"}}', '{"auth": {"user": "me", "key": "***"}}'),
        ("body", "{'token': 's3cret s3cret'}", "{'token': '***'}"),
        ("body", "token={{id}}&text={{text}}", "token={{id}}&text={{text}}"),
        ("body", '{"key": "{{id}}", "n": 1}', '{"key": "{{id}}", "n": 1}'),
        ("body", "<key>{{id}}</key>", "<key>{{id}}</key>"),
        ("delay", "0.5", "0.5"),
    ],
)
def test_a_carriers_secrets_are_never_shown(key: str, value: str, seen: str) -> None:
    carrier = {"id": 1, "name": "c", "kind": "http", "settings": {key: value}}
    assert shown("carrier", carrier, {"declared_secret"})["settings"] == {key: seen}
