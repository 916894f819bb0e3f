"""Addresses: contract §1 "numbers", codes -104 and -105."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message import phone

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ("61555879987", True),
        ("0061555879987", True),
        ("0555879987", True),
        ("555879987", True),
        ("61555879988", False),
        ("79987", False),
        ("", False),
        ("0", False),
        ("shop", False),
    ],
)
def test_a_network_may_name_a_handset_in_national_form(named: str, same: bool) -> None:
    assert phone.may_be(named, "61555879987") is same


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("61555879987", "61555879987"),
        ("+61555879987", "61555879987"),
        ("12345678", "12345678"),
        ("1234567890123456", "1234567890123456"),
        ("+1234567890123456", "1234567890123456"),
        ("00000000", "00000000"),
        ("1234567", None),
        ("+1234567", None),
        ("12345678901234567", None),
        ("", None),
        ("+", None),
        ("++61555879987", None),
        ("61555879987+", None),
        (" 61555879987", None),
        ("61555879987 ", None),
        ("61555879987\n", None),
        ("6155 5879987", None),
        ("6155-5879987", None),
        ("61555x79987", None),
        ("６1555879987", None),
        ("٦١٥٥٥٨٧٩٩٨٧", None),
        ("6155587998²", None),
        ("61555879987\0", None),
    ],
)
def test_a_recipient_is_8_to_16_ascii_digits_after_an_optional_plus(
    given_: str, canonical: str | None
) -> None:
    assert phone.recipient(given_) == canonical


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("123", "123"),
        ("+123", "123"),
        ("1234567890123456", "1234567890123456"),
        ("12345678901234567", None),
        ("12", None),
        ("+12", None),
        ("Rejoinder", "Rejoinder"),
        ("AB", "AB"),
        ("A1", "A1"),
        ("1a", "1a"),
        ("1234567890A", "1234567890A"),
        ("ABCDEFGHIJK", "ABCDEFGHIJK"),
        ("ABCDEFGHIJKL", None),
        ("A", None),
        ("", None),
        ("+Rejoinder", None),
        ("My Shop", None),
        ("My-Shop", None),
        ("Café", None),
        ("shop\n", None),
        ("ＡＢ", None),
        ("1234567890123A", None),
    ],
)
def test_a_sender_is_3_to_16_digits_or_2_to_11_letters_and_digits(given_: str, canonical: str | None) -> None:
    assert phone.sender(given_) == canonical


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("123", "123"),
        ("+61500079987", "61500079987"),
        ("12", None),
        ("12345678901234567", None),
        ("abc", None),
    ],
)
def test_a_number_of_ours_is_3_to_16_digits(given_: str, canonical: str | None) -> None:
    assert phone.number(given_) == canonical


@pytest.mark.parametrize(
    ("value", "is_number"),
    [("1", True), ("0123", True), ("", False), ("+1", False), ("1a", False), ("٣", False)],
)
def test_only_ascii_digits_are_a_number(value: str, is_number: bool) -> None:
    assert phone.is_number(value) is is_number


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("+61555879987", "61555879987"),
        ("61555879987", "61555879987"),
        ("7", "7"),
        ("12345678901234567890", "12345678901234567890"),
        ("+12345678901234567890", "12345678901234567890"),
        ("123456789012345678901", None),
        ("My Bank", "My Bank"),
        ("  My Bank ", "My Bank"),
        ("Banco Ñandú", "Banco Ñandú"),
        ("*100#", "*100#"),
        ("+", "+"),
        ("A" * 20, "A" * 20),
        ("A" * 21, None),
        ("", None),
        ("   ", None),
        ("a\0b", None),
        ("a\nb", None),
        ("a\ud800b", None),
    ],
)
def test_a_handset_is_a_number_or_a_short_printable_name(given_: str, canonical: str | None) -> None:
    assert phone.handset(given_) == canonical


@given(st.text(max_size=24) | st.text(alphabet=DIGITS + "+ aZ", max_size=24))
def test_a_canonical_address_is_its_own_canonical_form(value: str) -> None:
    for canonical in (phone.recipient, phone.sender, phone.number, phone.handset):
        once = canonical(value)
        assert once is None or canonical(once) == once


@given(st.text(max_size=24) | st.text(alphabet=DIGITS + "+ aZ", max_size=24))
def test_each_narrower_address_is_also_a_wider_one(value: str) -> None:
    recipient, number, sender = phone.recipient(value), phone.number(value), phone.sender(value)
    assert recipient in (None, number)
    assert number in (None, sender)
    assert sender in (None, phone.handset(value))
    assert recipient is None or phone.is_number(recipient)
