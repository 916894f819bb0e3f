"""KEY=VALUE: which keys there are, and what becomes of them."""

from __future__ import annotations

import pytest

from rejoinder.errors import Refused
from rejoinder.flow.operator import fields
from rejoinder.flow.passwords import verify_password
from rejoinder.flow.ports import Kind


@pytest.mark.parametrize(
    ("kind", "key", "value", "columns"),
    [
        ("user", "sourceAddress", "SHOP", {"source_address": "SHOP"}),
        ("user", "source_address", "SHOP", {"source_address": "SHOP"}),
        ("user", "swappingSourceAddressAllowed", "true", {"swapping_source_address_allowed": True}),
        ("user", "phoneNumber", "+61 5", {"phone_number": "+61 5"}),
        ("user", "passwordExpired", "yes", {"password_expired": True}),
        ("user", "name", "b@r", {"username": "b@r"}),
        ("customer", "integrationId", "x 1", {"integration_id": "x 1"}),
        ("customer", "contactName", "A. B.", {"contact_name": "A. B."}),
        ("customer", "rotationAlgorithm", "CONVERSATION", {"rotation": "conversation"}),
        ("customer", "billingType", "POST_PAID", {"billing": "post_paid"}),
        ("reseller", "freeCredits", "2.5", {"free_credits": 2500}),
        ("reseller", "default-customer-billing", "post_paid", {"default_customer_billing": "post_paid"}),
        ("reseller", "require_activation", "1", {"require_activation": True}),
        ("reseller", "state", "blocked", {"blocked": True, "disabled": False}),
        ("number", "inbox", "a@r", {"inbox": "a@r"}),
        ("number", "inbox", "", {"inbox": ""}),
        ("route", "onUnknown", "fail", {"on_unknown": "fail"}),
        ("carrier", "name", "b", {"name": "b"}),
        ("carrier", "body", "a=b", {"settings": {"body": "a=b"}}),
        ("carrier", "contentType", "text/plain", {"settings": {"content_type": "text/plain"}}),
        ("carrier", "number.61500000001.reply", "Yes", {"settings": {"number.61500000001.reply": "Yes"}}),
    ],
)
def test_a_key_is_taken_in_snake_case_and_in_camel_case(
    kind: Kind, key: str, value: str, columns: dict[str, object]
) -> None:
    assert fields.changes(kind, [(key, value)]) == columns


def test_several_keys_are_put_together() -> None:
    assert fields.changes("carrier", [("a", "1"), ("name", "n"), ("b", "")]) == {
        "settings": {"a": "1", "b": ""},
        "name": "n",
    }


@pytest.mark.parametrize("kind", ["reseller", "customer", "user", "number", "route"])
def test_an_unknown_key_is_refused_with_the_known_ones(kind: Kind) -> None:
    with pytest.raises(Refused) as refused:
        fields.changes(kind, [("colour", "vermilion")])
    assert all(key in refused.value.sentence for key in fields.settable(kind))
    assert "vermilion" not in refused.value.sentence


def test_a_key_that_is_given_twice_is_refused() -> None:
    with pytest.raises(Refused, match="twice"):
        fields.changes("user", [("sourceAddress", "A1"), ("source_address", "B1")])


def test_a_new_password_is_hashed_and_not_expired() -> None:
    changed = fields.changes("user", [("password", "s3cret")])
    stored = changed.pop("password_hash")
    assert isinstance(stored, str)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password(stored, "s3cret")
    assert not verify_password(stored, "S3cret")
    assert changed == {"password_expired": False}


def test_what_is_no_hash_matches_no_password() -> None:
    assert not verify_password("-", "-")
