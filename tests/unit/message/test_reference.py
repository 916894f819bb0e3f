"""Carriers' message ids: what is stored from the submit's answer and what the receipt calls it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.reference import DECIMAL_TO_HEX, HEX_TO_DECIMAL, RAW, best, forms, key, proves

IDS = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("ref", "stored_key"),
    [
        ("abc", "abc"),
        ("ABC", "abc"),
        ("  00aB ", "ab"),
        ("0", "0"),
        ("000", "0"),
        ("100", "100"),
        ("0-0", "-0"),
        ("6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_key_has_no_blanks_capitals_or_leading_zeros(ref: str, stored_key: str) -> None:
    assert key(ref) == stored_key


@given(st.text(max_size=70))
def test_a_key_is_its_own_key(ref: str) -> None:
    assert key(key(ref)) == key(ref)
    assert bool(key(ref)) == bool(ref.strip())


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("305419896", ((RAW, "305419896"), (DECIMAL_TO_HEX, "12345678"), (HEX_TO_DECIMAL, "12973086870"))),
        ("0012AB", ((RAW, "12ab"), (HEX_TO_DECIMAL, "4779"))),
        ("7", ((RAW, "7"),)),
        ("0", ((RAW, "0"),)),
        ("msg-17", ((RAW, "msg-17"),)),
        ("٣", ((RAW, "٣"),)),
        ("-5", ((RAW, "-5"),)),
        ("1_0", ((RAW, "1_0"),)),
        ("f" * 65, ((RAW, "f" * 65),)),
        ("1" * 65, ((RAW, "1" * 65),)),
        ("", ()),
        (" ", ()),
    ],
)
def test_the_forms_of_a_receipts_id_come_in_order_of_preference(
    ref: str, expected: tuple[tuple[str, str], ...]
) -> None:
    assert forms(ref) == expected


@given(st.text(max_size=70) | st.from_regex(r"\A[0-9]{1,70}\Z") | st.from_regex(r"\A[0-9a-fA-F]{1,70}\Z"))
def test_each_form_has_a_name_and_a_key_of_its_own(ref: str) -> None:
    names, keys = [name for name, _ in forms(ref)], [wanted for _, wanted in forms(ref)]
    assert len(set(names)) == len(names)
    assert len(set(keys)) == len(keys)
    assert all(wanted == key(wanted) for wanted in keys)


@given(IDS, st.integers(0, 24), st.booleans())
def test_every_spelling_of_an_id_finds_it(number: int, width: int, capitals: bool) -> None:
    decimal, hexadecimal = f"{number:0{width}d}", f"{number:0{width}{'X' if capitals else 'x'}}"
    for stored in (decimal, hexadecimal):
        for receipt in (decimal, hexadecimal, f" {decimal}", hexadecimal.swapcase()):
            found = best(receipt, [stored])
            assert found is not None
            assert found[0] == stored


@pytest.mark.parametrize(
    ("ref", "stored", "learnt", "found"),
    [
        ("16", ["10", "16"], None, ("16", RAW)),
        ("16", ["10", "16"], RAW, ("16", RAW)),
        ("16", ["10", "16"], DECIMAL_TO_HEX, ("10", DECIMAL_TO_HEX)),
        ("16", ["22", "16"], HEX_TO_DECIMAL, ("22", HEX_TO_DECIMAL)),
        # nothing in the learnt form: the carrier may have changed it
        ("16", ["16"], DECIMAL_TO_HEX, ("16", RAW)),
        ("16", ["10"], None, ("10", DECIMAL_TO_HEX)),
        ("16", ["22"], None, ("22", HEX_TO_DECIMAL)),
        # ambiguous: the order of the forms
        ("16", ["22", "10"], None, ("10", DECIMAL_TO_HEX)),
        # one form, several spellings: the receipt's own, else the first candidate
        ("0A", ["a", "0A"], None, ("0A", RAW)),
        ("0A", ["a", "00A"], None, ("a", RAW)),
        ("10", ["0A", "a"], DECIMAL_TO_HEX, ("0A", DECIMAL_TO_HEX)),
        ("16", ["17"], None, None),
        ("16", [], None, None),
        ("", [""], None, None),
        ("16", ["16"], "a form of an older version", ("16", RAW)),
    ],
)
def test_the_learnt_form_wins_then_the_same_spelling_then_the_order(
    ref: str, stored: list[str], learnt: str | None, found: tuple[str, str] | None
) -> None:
    assert best(ref, stored, learnt) == found


def test_a_carrier_that_counts_from_one_in_hex_and_reports_in_decimal_is_matched_once_learnt() -> None:
    """The trap: "16" is both the decimal of "10" and the stored spelling of 22."""
    stored = [f"{number:x}" for number in range(1, 500)]
    for number in range(1, 500):
        wanted = {wanted for _, wanted in forms(str(number))}
        candidates = [ref for ref in stored if key(ref) in wanted]
        assert best(str(number), candidates, DECIMAL_TO_HEX if number > 9 else None) == (
            f"{number:x}",
            DECIMAL_TO_HEX if number > 9 else RAW,
        )


@pytest.mark.parametrize(
    ("ref", "stored", "form", "proof"),
    [
        ("26", "1a", DECIMAL_TO_HEX, True),
        ("1a", "26", HEX_TO_DECIMAL, True),
        ("1A", "01a", RAW, True),
        ("msg-17", "msg-17", RAW, True),
        ("16", "10", DECIMAL_TO_HEX, False),
        ("16", "16", RAW, False),
        ("16", "22", HEX_TO_DECIMAL, False),
        ("305419896", "12345678", DECIMAL_TO_HEX, True),
        ("12345678", "12345678", RAW, True),
        ("00000016", "00000016", RAW, False),
        ("26", "1a", RAW, False),
        ("26", "27", RAW, False),
    ],
)
def test_only_a_match_beyond_chance_proves_a_carriers_form(
    ref: str, stored: str, form: str, proof: bool
) -> None:
    assert proves(ref, stored, form) is proof


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60, unique=True), st.data())
def test_a_carrier_with_plain_small_ids_is_never_learnt_wrongly(
    numbers: list[int], data: st.DataObject
) -> None:
    """Some of its messages are gone: their receipts meet strangers by chance, which must teach nothing."""
    kept = data.draw(st.sets(st.sampled_from(numbers)))
    stored = [str(number) for number in sorted(kept)]
    for number in numbers:
        found = best(str(number), stored)
        assert found is None or found[1] == RAW or not proves(str(number), *found)
