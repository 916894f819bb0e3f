"""Alphabets: 3GPP TS 23.038 §6.1.2.1 and §6.2.1, contract §6 "encoding"."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.text import (
    ENCODINGS,
    GSM_CHARACTERS,
    Alphabet,
    UnsuitableText,
    for_carrier,
    gsm_decode,
    gsm_encode,
    gsm_pack,
    gsm_unpack,
    is_gsm,
    is_text,
    septets,
)

# The default alphabet is ASCII from 0x20 on but for these; code points, so that no editor can blur them.
NOT_ASCII = """
00:0040 01:00A3 02:0024 03:00A5 04:00E8 05:00E9 06:00F9 07:00EC 08:00F2 09:00C7 0A:000A 0B:00D8 0C:00F8
0D:000D 0E:00C5 0F:00E5 10:0394 11:005F 12:03A6 13:0393 14:039B 15:03A9 16:03A0 17:03A8 18:03A3 19:0398
1A:039E 1C:00C6 1D:00E6 1E:00DF 1F:00C9 24:00A4 40:00A1 5B:00C4 5C:00D6 5D:00D1 5E:00DC 5F:00A7 60:00BF
7B:00E4 7C:00F6 7D:00F1 7E:00FC 7F:00E0
"""
AFTER_ESCAPE = "0A:000C 14:005E 28:007B 29:007D 2F:005C 3C:005B 3D:007E 3E:005D 40:007C 65:20AC"


def table(lines: str) -> dict[int, int]:
    return {int(code, 16): int(point, 16) for code, point in (pair.split(":") for pair in lines.split())}


TABLE = {code: code for code in range(0x20, 0x80)} | table(NOT_ASCII)
EXTENSION = table(AFTER_ESCAPE)
ESCAPE = b"\x1b"

GSM_TEXT = st.text(alphabet=sorted(GSM_CHARACTERS), max_size=400)
SEPTETS = st.binary(max_size=200).map(lambda data: bytes(octet & 0x7F for octet in data))


@pytest.mark.parametrize(("code", "point"), list(TABLE.items()))
def test_each_character_of_the_default_alphabet_is_one_septet(code: int, point: int) -> None:
    char = chr(point)
    assert is_gsm(char)
    assert septets(char) == 1
    assert gsm_encode(char) == bytes([code])
    assert gsm_decode(bytes([code])) == char


@pytest.mark.parametrize(("code", "point"), list(EXTENSION.items()))
def test_each_character_of_the_extension_table_is_an_escape_and_a_septet(code: int, point: int) -> None:
    char = chr(point)
    assert is_gsm(char)
    assert septets(char) == 2
    assert gsm_encode(char) == ESCAPE + bytes([code])
    assert gsm_decode(ESCAPE + bytes([code])) == char


def test_the_alphabet_has_127_characters_and_10_more_and_no_others() -> None:
    assert {ord(char) for char in GSM_CHARACTERS} == {*TABLE.values(), *EXTENSION.values()}
    assert len(TABLE) == 127
    assert len(GSM_CHARACTERS) == 137
    assert {chr(code) for code in range(0x110000) if is_gsm(chr(code))} == GSM_CHARACTERS


@pytest.mark.parametrize("code", sorted(set(range(128)) - set(EXTENSION) - {0x1B}))
def test_an_unknown_septet_after_an_escape_shows_as_the_default_tables_character(code: int) -> None:
    assert gsm_decode(b"a" + ESCAPE + bytes([code]) + b"b") == f"a{chr(TABLE[code])}b"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\x1b", "a "),
        (b"\x1b\x1b", " "),
        (b"\x1b\x1be", " e"),
        (b"\x1b\x1b\x1be", " €"),
        (b"\x1b\x65\x1b\x65", "€€"),
        (b"\x80\xff", "\ufffd\ufffd"),
        (b"\x1b\xe5", "\ufffd"),
    ],
)
def test_septets_that_no_sender_should_write_are_read_all_the_same(data: bytes, text: str) -> None:
    assert gsm_decode(data) == text


@given(st.binary())
def test_any_octets_decode_to_a_text(data: bytes) -> None:
    assert len(gsm_decode(data)) <= len(data)
    assert is_text(gsm_decode(data))


@given(GSM_TEXT)
def test_a_gsm_text_comes_back_from_its_septets(text: str) -> None:
    data = gsm_encode(text)
    assert len(data) == septets(text)
    assert gsm_decode(data) == text


@given(st.text())
def test_a_text_is_gsm_exactly_when_each_character_is(text: str) -> None:
    assert is_gsm(text) == (set(text) <= GSM_CHARACTERS)


@pytest.mark.parametrize("text", ["`", "ç", "á", "\t", "\0", "\x1b", "\x7f", "ж", "😀", "a" * 159 + "’"])
def test_what_gsm_lacks_is_not_encoded(text: str) -> None:
    assert not is_gsm(text)
    with pytest.raises(UnsuitableText):
        gsm_encode(text)


# Packing


def packed_by_the_book(data: bytes, fill: int) -> bytes:
    """§6.1.2.1 read literally: the bits of each septet, lowest first, fill the octets, lowest first."""
    bits = [0] * fill + [septet >> bit & 1 for septet in data for bit in range(7)]
    bits += [0] * (-len(bits) % 8)
    return bytes(sum(bits[at + bit] << bit for bit in range(8)) for at in range(0, len(bits), 8))


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("", ""),
        ("A", "41"),
        ("hellohello", "e8329bfd4697d9ec37"),
        ("12345678", "31d98c56b3dd70"),
        ("€", "9b32"),
    ],
)
def test_known_texts_pack_to_known_octets(text: str, packed: str) -> None:
    assert gsm_pack(gsm_encode(text)).hex() == packed


@given(SEPTETS, st.integers(0, 6))
def test_packing_is_as_the_specification_draws_it(data: bytes, fill: int) -> None:
    assert gsm_pack(data, fill) == packed_by_the_book(data, fill)


@given(SEPTETS, st.integers(0, 6))
def test_packed_septets_come_back(data: bytes, fill: int) -> None:
    assert gsm_unpack(gsm_pack(data, fill), len(data), fill) == data


def test_packing_64_kb_takes_no_time_that_grows_with_its_square() -> None:
    """A message_payload may be as long; it took 2.4 s each way when all bits stood in one number. CPU seconds."""
    septets_of_it = bytes(range(128)) * 584
    begun = time.process_time()
    packed = gsm_pack(septets_of_it)
    assert gsm_unpack(packed, len(septets_of_it)) == septets_of_it
    assert time.process_time() - begun < 1.0


@given(SEPTETS, st.integers(0, 6))
def test_without_a_count_at_most_one_septet_of_padding_follows(data: bytes, fill: int) -> None:
    assert gsm_unpack(gsm_pack(data, fill), fill=fill) in (data, data + b"\0")


def test_160_septets_fill_140_octets() -> None:
    assert len(gsm_pack(b"a" * 160)) == 140


def test_153_septets_after_a_header_of_6_octets_fill_the_other_134() -> None:
    assert len(gsm_pack(b"a" * 153, fill=1)) == 134


@given(st.binary(max_size=20), st.integers(0, 200), st.integers(0, 6))
def test_unpacking_answers_what_is_there_and_no_more_than_was_asked_for(
    data: bytes, count: int, fill: int
) -> None:
    found = gsm_unpack(data, count, fill)
    assert len(found) == min(count, max(0, len(data) * 8 - fill) // 7)
    assert found.isascii()


@pytest.mark.parametrize("fill", [-1, 7])
def test_fill_bits_beyond_a_septet_are_refused(fill: int) -> None:
    with pytest.raises(ValueError, match="fill bits"):
        gsm_pack(b"a", fill)
    with pytest.raises(ValueError, match="fill bits"):
        gsm_unpack(b"a", None, fill)


def test_an_octet_that_is_no_septet_is_not_packed() -> None:
    with pytest.raises(ValueError, match="septet"):
        gsm_pack(b"\x80")


# The choice


@pytest.mark.parametrize(
    ("text", "encoding", "sent", "alphabet"),
    [
        ("Hello {€}", "auto", "Hello {€}", Alphabet.GSM),
        ("Hello ’", "auto", "Hello ’", Alphabet.UCS2),
        ("ça", "auto", "ça", Alphabet.UCS2),
        ("😀", "auto", "😀", Alphabet.UCS2),
        ("", "auto", "", Alphabet.GSM),
        ("Hello ’ 😀", "gsm", "Hello ' ?", Alphabet.GSM),
        ("Hello", "gsm", "Hello", Alphabet.GSM),
        ("Hello", "utf-16", "Hello", Alphabet.UCS2),
        ("😀", "utf-16", "😀", Alphabet.UCS2),
        ("ça va\xff", "iso-8859-1", "ça va\xff", Alphabet.LATIN1),
    ],
)
def test_each_encoding_gives_its_alphabet(text: str, encoding: str, sent: str, alphabet: Alphabet) -> None:
    assert for_carrier(text, encoding) == (sent, alphabet)


@pytest.mark.parametrize("text", ["€", "’", "😀", "Ω"])
def test_iso_8859_1_refuses_what_it_lacks(text: str) -> None:
    with pytest.raises(UnsuitableText):
        for_carrier(text, "iso-8859-1")


@pytest.mark.parametrize("encoding", ["", "AUTO", "utf-8", "ucs2", "latin-1"])
def test_an_unknown_encoding_is_not_taken_for_an_unsuitable_text(encoding: str) -> None:
    assert encoding not in ENCODINGS
    with pytest.raises(ValueError, match="not a valid Alphabet") as refused:
        for_carrier("text", encoding)
    assert not isinstance(refused.value, UnsuitableText)


def test_the_encodings_are_those_of_the_contract() -> None:
    assert {"auto", "gsm", "utf-16", "iso-8859-1"} == ENCODINGS


@given(st.text(), st.sampled_from(["auto", "utf-16"]))
def test_only_gsm_changes_a_text(text: str, encoding: str) -> None:
    assert for_carrier(text, encoding)[0] == text


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "a\udfffb", "\ud83d \ude00", "é\0"])
def test_nul_and_lone_surrogates_are_no_text(text: str) -> None:
    assert not is_text(text)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_everything_else_is_text(text: str) -> None:
    assert is_text(text)
