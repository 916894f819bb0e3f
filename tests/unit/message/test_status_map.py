"""A carrier's words for statuses: what a map may say, and what a word then means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.status import FINAL, Status
from rejoinder.message.status_map import look_up, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  \n", {}),
        ("{}", {}),
        ('{"delivered": "DELIVRD"}', {"delivered": Status.DELIVERED}),
        ('{"Done": 2, "bad": "5"}', {"done": Status.DELIVERED, "bad": Status.UNDELIVERABLE}),
        (
            "delivered=DELIVRD, failed=undeliv",
            {"delivered": Status.DELIVERED, "failed": Status.UNDELIVERABLE},
        ),
        ("OK = 2\nspam=CONTENT_BLOCKED,", {"ok": Status.DELIVERED, "spam": Status.CONTENT_BLOCKED}),
        ("a=b=EXPIRED", {"a=b": Status.EXPIRED}),
        ("0=DELIVRD,1=11", {"0": Status.DELIVERED, "1": Status.SENT}),
        ("GRÜN=DELIVRD", {"grün": Status.DELIVERED}),
    ],
)
def test_a_map_is_read(text: str, expected: dict[str, Status]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("delivered", "not of the form word=STATUS"),
        ("=DELIVRD", "word is missing"),
        ("ok=FINE", "'FINE' is not a status"),
        ("ok=0", "'0' is not a status"),
        ("ok=10", "'10' is not a status"),
        ("ok=REROUTING", "is not a status"),
        ("ok=99", "is not a status"),
        ("ok=-106", "is not a status"),
        ("ok=²", "is not a status"),
        ("ok=", "is not a status"),
        ("a=2,A=5", "stands there twice"),
        ('{"a": 2, "a": 5}', "stands there twice"),
        ('{"a": true}', "is not a status"),
        ('{"a": [2]}', "is not a status"),
        ('{"a": {"b": 2}}', "is not a status"),
        ('{"a": 2', "begins like a JSON object"),
        ("{" * 100_000, "begins like a JSON object"),
    ],
)
def test_a_map_that_says_nothing_of_use_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(text)


@pytest.mark.parametrize(
    ("word", "status_map", "expected"),
    [
        ("DELIVRD", "", Status.DELIVERED),
        (" undeliv ", "", Status.UNDELIVERABLE),
        ("delivered", "", Status.DELIVERED),
        ("fine", "", None),
        ("Fine", "fine=DELIVRD", Status.DELIVERED),
        ("DELIVRD", "fine=5", Status.DELIVERED),
        ("DELIVRD", "delivrd=5", Status.UNDELIVERABLE),
        ("2", "", None),
        ("2", '{"2": "DELIVRD"}', Status.DELIVERED),
        ("", "fine=2", None),
    ],
)
def test_a_word_means_what_the_map_says_and_else_what_smpp_says(
    word: str, status_map: str, expected: Status | None
) -> None:
    assert look_up(word, status_map) is expected


@given(st.text())
def test_any_text_is_a_map_of_final_statuses_and_sent_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert set(found.values()) <= FINAL | {Status.SENT}
