"""Ids: contract §1 "ids"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.objectid import ObjectIds, is_object_id, timestamp_of

TIMESTAMPS = st.integers(0, 2**32 - 1)


@given(TIMESTAMPS)
def test_an_id_is_24_hex_digits_that_begin_with_its_timestamp(timestamp: int) -> None:
    made = ObjectIds().make(timestamp)
    assert is_object_id(made)
    assert timestamp_of(made) == timestamp
    assert bytes.fromhex(made)[:4] == timestamp.to_bytes(4, "big")


def test_the_contracts_example_is_read() -> None:
    assert timestamp_of("51750a01e4b0d1406c9c5fdb") == 1366624769


def test_the_fixed_start_is_the_first_id_and_each_further_one_is_one_more() -> None:
    ids = ObjectIds(unique=0x0102030405FFFFFE)
    assert [ids.make(1), ids.make(1), ids.make(1)] == [
        "00000001" + "0102030405fffffe",
        "00000001" + "0102030405ffffff",
        "00000001" + "0102030406000000",
    ]


@given(st.integers(0, 2**63 - 1), st.lists(TIMESTAMPS, min_size=2, max_size=50))
def test_ids_made_in_order_of_time_sort_in_the_order_they_were_made(
    unique: int, timestamps: list[int]
) -> None:
    ids = ObjectIds(unique)
    made = [ids.make(timestamp) for timestamp in sorted(timestamps)]
    assert made == sorted(set(made))


def test_ids_of_one_second_count_up_across_many() -> None:
    ids = ObjectIds()
    made = [ids.make(1_700_000_000) for _ in range(10_000)]
    assert made == sorted(set(made))
    assert int(made[-1], 16) - int(made[0], 16) == 9_999


def test_a_random_start_leaves_the_top_bit_free_so_that_ids_do_not_wrap() -> None:
    starts = [int(ObjectIds().make(0)[8:], 16) for _ in range(200)]
    assert len(set(starts)) == 200
    assert all(start < 2**63 for start in starts)


def test_the_very_last_integer_wraps_within_its_16_digits() -> None:
    ids = ObjectIds(unique=2**64 - 1)
    assert [ids.make(0), ids.make(0)] == ["0" * 8 + "f" * 16, "0" * 24]


@pytest.mark.parametrize("timestamp", [-1, 2**32])
def test_a_timestamp_that_does_not_fit_is_refused(timestamp: int) -> None:
    with pytest.raises(ValueError, match="timestamp"):
        ObjectIds().make(timestamp)


@pytest.mark.parametrize("unique", [-1, 2**64])
def test_a_start_that_does_not_fit_is_refused(unique: int) -> None:
    with pytest.raises(ValueError, match="unique"):
        ObjectIds(unique)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "51750a01e4b0d1406c9c5fd",
        "51750a01e4b0d1406c9c5fdb0",
        "51750A01E4B0D1406C9C5FDB",
        "51750a01e4b0d1406c9c5fdg",
        "51750a01e4b0d1406c9c5fdb\n",
        " 1750a01e4b0d1406c9c5fdb",
        "５1750a01e4b0d1406c9c5fdb",
        "-1750a01e4b0d1406c9c5fdb",
    ],
)
def test_what_is_no_id_is_refused(value: str) -> None:
    assert not is_object_id(value)
    with pytest.raises(ValueError, match="not an id"):
        timestamp_of(value)
