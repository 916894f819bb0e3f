"""SMPP's codec over everything: what is written is read back, and no bytes do more than refuse."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import Decoded, decode, encode
from rejoinder.smpp.constants import Command
from rejoinder.smpp.errors import Malformed
from tests import smpp_pdus


@pytest.mark.parametrize("kind", p.ALL, ids=lambda kind: kind.__name__)
def test_what_is_written_is_read_back(kind: type[p.Pdu]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(smpp_pdus.of(kind), smpp_pdus.sequences, st.integers(0, 0xFFFF_FFFF))
    def read_back(pdu: p.Pdu, sequence: int, status: int) -> None:
        assert decode(encode(pdu, sequence, status)) == Decoded(pdu, sequence, status)

    read_back()


def read_or_refused(frame: bytes) -> p.Pdu | Malformed:
    """What the octets come to; any other exception is the test's failure."""
    try:
        return decode(frame).pdu
    except Malformed as malformed:
        return malformed


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(Command)), st.integers(0, 0x200), st.binary(max_size=200))
def test_any_body_is_a_pdu_or_malformed(command: int, status: int, body: bytes) -> None:
    frame = struct.pack(">IIII", 16 + len(body), command, status, 1) + body
    read = read_or_refused(frame)
    assert isinstance(read, p.Pdu) or not read.fatal


@settings(max_examples=300, deadline=None)
@given(smpp_pdus.frames, st.data())
def test_a_damaged_pdu_is_a_pdu_or_malformed(frame: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(frame) - 1))
    damaged = frame[:at] + bytes((data.draw(st.integers(0, 255)),)) + frame[at + 1 :]
    for octets in (damaged, frame[:at], frame + b"\0"):
        read_or_refused(octets)


@given(st.binary(max_size=100))
def test_any_bytes_at_all_are_a_pdu_or_malformed(octets: bytes) -> None:
    read = read_or_refused(octets)
    assert isinstance(read, p.Pdu) or read.fatal or len(octets) >= 16
