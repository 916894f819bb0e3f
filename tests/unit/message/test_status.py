"""Statuses: contract §1, the table of message statuses and the paragraph below it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.codes import MessageError
from rejoinder.message.status import (
    SMPP_WORDS,
    STEPS,
    TABLE,
    Status,
    combine,
    from_smpp_word,
    is_final,
    priority,
    step,
    word,
)

# The contract's table: code, priority, final, word.
CONTRACT = [
    (0, 1, False, "UNKNOWN"),
    (1, 8, False, "REROUTING"),
    (2, 9, True, "DELIVERED"),
    (3, 6, True, "EXPIRED"),
    (4, 2, True, "DELETED"),
    (5, 4, True, "UNDELIVERABLE"),
    (8, 5, True, "REJECTED"),
    (10, 7, False, "SUBMITTED"),
    (11, 8, False, "SENT"),
    (12, 3, True, "NO_ROUTE"),
    (13, 4, True, "SOURCE_NOT_ALLOWED"),
    (14, 4, True, "CONTENT_BLOCKED"),
    (15, 4, True, "INVALID_CONTENT"),
]
CODES = [code for code, *_ in CONTRACT]
FINAL = {code for code, _, final, _ in CONTRACT if final}
STATUSES = st.sampled_from(list(Status))
# From the first to each of the second, and nothing else but staying.
ALLOWED = {
    Status.UNKNOWN: {Status.SUBMITTED, Status.REROUTING, Status.SENT} | FINAL,
    Status.SUBMITTED: {Status.REROUTING, Status.SENT} | FINAL,
    Status.REROUTING: {Status.SENT} | FINAL,
    Status.SENT: FINAL,
}


@pytest.mark.parametrize(("code", "number", "final", "name"), CONTRACT)
def test_each_status_is_as_the_contract_says(code: int, number: int, final: bool, name: str) -> None:
    assert (priority(code), is_final(code), word(code)) == (number, final, name)
    assert Status(code).name == name


def test_the_table_has_no_other_statuses() -> None:
    assert [int(status) for status in Status] == CODES
    assert set(TABLE) == set(CODES)
    assert set(STEPS) == set(CODES)


@pytest.mark.parametrize(("old", "new"), list(product(CODES, CODES)))
def test_a_status_takes_the_allowed_steps_and_no_others(old: int, new: int) -> None:
    assert step(old, new) == (new if new in ALLOWED.get(Status(old), set()) else old)


@pytest.mark.parametrize(("old", "new"), list(product(sorted(FINAL), CODES)))
def test_a_final_status_never_changes(old: int, new: int) -> None:
    assert step(old, new) == old


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Status.SENT, Status.SUBMITTED),
        (Status.SENT, Status.REROUTING),
        (Status.REROUTING, Status.SUBMITTED),
        (Status.SUBMITTED, Status.UNKNOWN),
    ],
)
def test_nothing_goes_back(old: Status, new: Status) -> None:
    assert step(old, new) == old


@given(st.lists(STATUSES))
def test_any_run_of_reports_ends_at_its_first_final_one(reports: list[Status]) -> None:
    now: int = Status.SUBMITTED
    for report in reports:
        now = step(now, report)
    finals = [report for report in reports if is_final(report)]
    assert now == finals[0] if finals else not is_final(now)


@given(st.lists(STATUSES), st.data())
def test_a_report_that_comes_again_at_once_changes_nothing(
    reports: list[Status], data: st.DataObject
) -> None:
    def run(over: list[Status]) -> int:
        now: int = Status.SUBMITTED
        for report in over:
            now = step(now, report)
        return now

    twice = [report for report in reports for _ in range(data.draw(st.integers(1, 3)))]
    assert run(twice) == run(reports)


@pytest.mark.parametrize("error", list(MessageError))
def test_the_errors_are_final(error: MessageError) -> None:
    assert is_final(error)
    assert step(error, Status.DELIVERED) == error


@pytest.mark.parametrize(
    "function", [is_final, priority, word, lambda code: step(10, code), lambda code: step(code, 2)]
)
@pytest.mark.parametrize("code", [6, 7, 9, 16, -1, -100])
def test_a_code_outside_the_table_is_refused(function: Callable[[int], object], code: int) -> None:
    with pytest.raises(ValueError, match="not a message status"):
        function(code)


@pytest.mark.parametrize("function", [priority, word])
def test_an_error_has_neither_priority_nor_word(function: Callable[[int], object]) -> None:
    with pytest.raises(ValueError, match="not a message status"):
        function(MessageError.INVALID_RECIPIENT)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([2, 11], 11),
        ([2, 3], 3),
        ([2, 2, 2], 2),
        ([10, 11], 10),
        ([1, 11], 1),
        ([11, 2, 10], 10),
        ([5, 13, 14, 15], 5),
        ([13, 15], 13),
        ([8, 5, 12, 4], 4),
        ([0, 4], 0),
    ],
)
def test_the_part_with_the_lowest_priority_number_decides(parts: list[int], whole: int) -> None:
    assert all(combine(order) == whole for order in permutations(parts))


@given(STATUSES)
def test_one_part_is_the_message(status: Status) -> None:
    assert combine([status]) is status
    assert combine([int(status)] * 3) is status


@given(st.lists(st.lists(STATUSES, min_size=1), min_size=1))
def test_groups_of_parts_combine_as_all_of_them_at_once(groups: list[list[Status]]) -> None:
    assert combine(combine(group) for group in groups) == combine(code for group in groups for code in group)


@given(st.lists(STATUSES, min_size=1))
def test_no_part_outranks_the_message(codes: list[Status]) -> None:
    whole = combine(codes)
    assert whole in codes
    assert all((priority(whole), whole) <= (priority(code), code) for code in codes)


@pytest.mark.parametrize("codes", [[], [2, 7], [-104]])
def test_no_parts_or_unknown_ones_do_not_combine(codes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"part|status"):
        combine(codes)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        # SMPP 3.4 appendix B
        ("DELIVRD", Status.DELIVERED),
        ("EXPIRED", Status.EXPIRED),
        ("DELETED", Status.DELETED),
        ("UNDELIV", Status.UNDELIVERABLE),
        ("ACCEPTD", Status.SENT),
        ("UNKNOWN", Status.SENT),
        ("REJECTD", Status.REJECTED),
        ("ENROUTE", Status.SENT),
        # 5.0
        ("SCHEDULED", Status.SENT),
        ("SKIPPED", Status.UNDELIVERABLE),
        # as some networks spell them
        ("DELIVERED", Status.DELIVERED),
        ("UNDELIVERABLE", Status.UNDELIVERABLE),
        ("UNDELIVERED", Status.UNDELIVERABLE),
        ("REJECTED", Status.REJECTED),
        ("ACCEPTED", Status.SENT),
        ("delivrd", Status.DELIVERED),
        ("Delivered", Status.DELIVERED),
        (" DELIVRD ", Status.DELIVERED),
        ("DELIVR", None),
        ("", None),
        ("2", None),
    ],
)
def test_a_receipts_word_is_understood(said: str, status: Status | None) -> None:
    assert from_smpp_word(said) is status


def test_every_word_leads_out_of_sent_or_leaves_it_there() -> None:
    assert all(step(Status.SENT, status) == status for status in SMPP_WORDS.values())
