"""Contract §5, §9, §12: how credits are read and printed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message import money

AMOUNTS = st.integers(-(10**15) + 1, 10**15 - 1)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("250", 250_000),
        ("2.5", 2500),
        ("0.001", 1),
        ("-1", -1000),
        ("+7.25", 7250),
        ("-0.010", -10),
        ("007", 7000),
    ],
)
def test_credits_are_decimals_with_up_to_three_places(text: str, amount: int) -> None:
    assert money.from_text(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.",
        ".5",
        "1.2345",
        "1e3",
        " 1",
        "1 ",
        "1,5",
        "1_000",
        "٣",
        "--1",
        "1" * 13,
        "NaN",
        "inf",
        "0x1",
        "1\n",
    ],
)
def test_what_is_no_amount_of_credits_is_refused(text: str) -> None:
    assert money.from_text(text) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (250_000, "250"), (12_500, "12.500"), (-1, "-0.001"), (-2500, "-2.500"), (-3000, "-3")],
)
def test_whole_credits_are_printed_without_decimals_others_with_three(amount: int, text: str) -> None:
    assert money.to_text(amount) == text


@given(AMOUNTS)
def test_what_is_printed_is_read_back(amount: int) -> None:
    assert money.from_text(money.to_text(amount)) == amount


@given(AMOUNTS)
def test_a_json_number_of_credits_is_exact_to_the_thousandth(amount: int) -> None:
    written = json.dumps(money.to_number(amount))
    assert round(float(written) * 1000) == amount
    assert ("." in written) == (amount % 1000 != 0)
    assert "e" not in written
