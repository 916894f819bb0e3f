"""Receipts' words through a carrier's map; the map itself is tested with message/status_map.py."""

from __future__ import annotations

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.flow.carrier_words import parse_status_map, receipt_status
from rejoinder.message.status import Status


def test_a_word_is_looked_up_in_the_map_and_then_among_smpps() -> None:
    assert receipt_status("gone", '{"gone": "DELIVRD"}') is Status.DELIVERED
    assert receipt_status("EXPIRED", '{"gone": "DELIVRD"}') is Status.EXPIRED
    assert receipt_status("nonsense") is None


def test_a_map_that_can_not_be_read_is_refused_with_the_name_of_its_setting() -> None:
    for call in (lambda: parse_status_map("x"), lambda: receipt_status("DELIVRD", "x")):
        with pytest.raises(ConfigInvalid, match=r"^status_map can't be read: 'x' is not") as refused:
            call()
        assert refused.value.parameter == "status_map"
    assert parse_status_map("gone=DELIVRD") == {"gone": Status.DELIVERED}
