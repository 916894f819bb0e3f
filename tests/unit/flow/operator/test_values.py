"""What the operator may type for names, numbers, words and amounts (contract §1, §6, §9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import Refused
from rejoinder.flow.operator import values
from rejoinder.flow.operator.values import Parse
from rejoinder.message.model import State

TAKEN: list[tuple[Parse, str, object]] = [
    (values.name, "1234321@reseller", "1234321@reseller"),
    (values.name, "Zoë", "Zoë"),
    (values.reseller_name, "acme", "acme"),
    (values.carrier_name, "acme-2.north_1", "acme-2.north_1"),
    (values.flag, "TRUE", True),
    (values.flag, "off", False),
    (values.credit_amount, "-2.5", -2500),
    (values.credit_allowance, "2.5", 2500),
    (values.integer, "-3", -3),
    (values.billing, "POST_PAID", "post_paid"),
    (values.billing, "pre-paid", "pre_paid"),
    (values.rotation, "CONVERSATION", "conversation"),
    (values.number, "+61500000001", "61500000001"),
    (values.sender, "SHOP", "SHOP"),
    (values.source_address, "", ""),
    (values.source_address, "+123", "123"),
    (values.prefix, "", ""),
    (values.prefix, "+61", "61"),
    (values.email, "", ""),
    (values.email, "a@b", "a@b"),
    (values.phone_number, "+61 500 1", "+61 500 1"),
]

REFUSED: list[tuple[Parse, str]] = [
    (values.name, ""),
    (values.name, "a b"),
    (values.name, "a\u00a0b"),
    (values.name, "a\0b"),
    (values.name, "a\x1b[31m"),
    (values.name, "\udcff"),
    (values.name, "a" * 256),
    (values.reseller_name, "a@b"),
    (values.reseller_name, "a b"),
    (values.carrier_name, ""),
    (values.carrier_name, ".."),
    (values.carrier_name, "a/b"),
    (values.carrier_name, "a" * 65),
    (values.password, ""),
    (values.password, "a\0"),
    (values.password, "\udcff"),
    (values.flag, "maybe"),
    (values.credit_amount, "1e3"),
    (values.credit_allowance, "-1"),
    (values.integer, "1.5"),
    (values.integer, "٣"),
    (values.billing, "free"),
    (values.number, "12"),
    (values.number, "SHOP"),
    (values.sender, "A B"),
    (values.source_address, "12345678901234567"),
    (values.prefix, "6x"),
    (values.prefix, "1" * 17),
    (values.email, "a@b@c"),
    (values.email, "a b@c"),
    (values.phone_number, "ask me"),
    (values.text, "a\nb"),
]


@pytest.mark.parametrize(("parse", "typed", "stored"), TAKEN)
def test_a_value_is_stored_in_its_one_form(parse: Parse, typed: str, stored: object) -> None:
    assert parse("key", typed) == stored


@pytest.mark.parametrize(("parse", "typed"), REFUSED)
def test_a_wrong_value_is_refused_with_a_sentence_that_names_the_key(parse: Parse, typed: str) -> None:
    with pytest.raises(Refused, match="the_key") as refused:
        parse("the_key", typed)
    assert refused.value.parameter == "the_key"


@given(st.text(st.characters(codec="utf-8")))
def test_a_name_that_is_taken_can_be_a_parameter_of_a_call(typed: str) -> None:
    try:
        name = values.name("name", typed)
    except Refused:
        return
    assert name == typed
    assert not any(c.isspace() or c == "\0" for c in name)


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        ("active", {"activated": True, "blocked": False, "disabled": False}),
        ("not-activated", {"activated": False, "blocked": False, "disabled": False}),
        ("BLOCKED", {"blocked": True, "disabled": False}),
        ("disabled", {"blocked": False, "disabled": True}),
    ],
)
def test_a_state_is_made_of_flags(word: str, flags: dict[str, bool]) -> None:
    assert values.state(frozenset(State))("state", word) == flags


def test_only_users_can_be_not_activated() -> None:
    with pytest.raises(Refused, match="disabled or blocked or active"):
        values.state(frozenset({State.ACTIVE, State.BLOCKED, State.DISABLED}))("state", "not_activated")


@pytest.mark.parametrize(
    ("typed", "kept"), [("", ""), ("61", "61"), ("61,64", "61 64"), ("+61, 64\t61", "61 64"), (" , ", "")]
)
def test_prefixes_are_kept_once_each_with_a_blank_between(typed: str, kept: str) -> None:
    assert values.prefixes("prefixes", typed) == kept


@pytest.mark.parametrize("typed", ["x", "61;64", "61 6x", "+", "12345678901234567", "６１"])
def test_what_is_no_prefix_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        values.prefixes("prefixes", typed)
