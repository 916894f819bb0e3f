"""The two families of codes: contract §1, both tables."""

from __future__ import annotations

from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.status import Status

ACCOUNT_CODES = {0, 1, 2, 3, 4, 200, 201, 220, 300, 301, 320, 321, 400, 401, 420, 421, 9999}
MESSAGE_ERRORS = {
    *(-101, -102, -103, -104, -105, -106, -107, -109, -110, -111, -112),
    *(-120, -130, -200, -201, -202, -203, -210, -230, -240, -910, -999),
}  # fmt: skip


def test_the_account_codes_are_those_of_the_contract() -> None:
    assert {int(code) for code in AccountCode} == ACCOUNT_CODES


def test_the_message_errors_are_those_of_the_contract() -> None:
    assert {int(error) for error in MessageError} == MESSAGE_ERRORS


def test_the_message_errors_and_statuses_share_no_code() -> None:
    assert not {int(error) for error in MessageError} & {int(status) for status in Status}


def test_every_code_has_a_meaning_of_its_own_that_can_stand_in_a_sentence() -> None:
    for family in (AccountCode, MessageError):
        meanings = [code.meaning for code in family]
        assert len(set(meanings)) == len(meanings)
        assert all(meaning and meaning == meaning.strip(" .") for meaning in meanings)


def test_a_code_is_its_number_wherever_numbers_go() -> None:
    assert AccountCode.INTERNAL_ERROR + 0 == 9999
    assert f"{MessageError.INVALID_RECIPIENT:d}" == "-104"
    assert AccountCode(320) is AccountCode.INSUFFICIENT_CREDITS
