"""Texts to PDUs and back, in every style a peer may have."""

from __future__ import annotations

import itertools
import random

import pytest

from rejoinder.message import parts
from rejoinder.message.model import Outgoing
from rejoinder.message.text import Alphabet, for_carrier
from rejoinder.smpp.constants import Tag
from rejoinder.smpp.content import Content, read_content
from rejoinder.smpp.pdu import DataSm, DeliverSm
from rejoinder.smpp.style import DefaultAlphabet, Flash, Long, Style
from rejoinder.smpp.translate import WHOLE, Coded, code

SHORT = {
    Alphabet.GSM: "Grüße, {you} owe 5€",
    Alphabet.UCS2: "Привет 😀",
    Alphabet.LATIN1: "àéîõü ÿ",
}
LONG = {
    Alphabet.GSM: "Häuser {kosten} 100€ und mehr. " * 12,
    Alphabet.UCS2: "Ещё 😀 не вечер, " * 14,
    Alphabet.LATIN1: "Ça coûte très cher à Genève ÿ " * 12,
}
LACKING = {DefaultAlphabet.ASCII: "ä€", DefaultAlphabet.LATIN1: "€"}
STYLES = [Style(default, long) for default in DefaultAlphabet for long in Long]


def message(text: str, alphabet: Alphabet, **more: object) -> Outgoing:
    count = parts.count(text, alphabet)
    values: dict[str, object] = {
        "id": "517509fe4b0b1be3f128aef5",
        "recipient": "61455555555",
        "sender": "61400000000",
        "text": text,
        "alphabet": alphabet.value,
        "parts": count,
        "numbers": tuple(range(1, count + 1)),
        "valid_until": 0,
        "possible_duplicate": False,
    }
    return Outgoing(**(values | more))  # type: ignore[arg-type]


def carried(coded: Coded) -> DeliverSm:
    """What a peer delivers that got this."""
    return DeliverSm(
        esm_class=coded.esm_class, data_coding=coded.data_coding, short_message=coded.octets, tlvs=coded.tlvs
    )


def texts(coded: list[Coded], style: Style) -> dict[int, str]:
    found = [read_content(carried(one), style) for one in coded]
    return {one.part.number if one.part else number: one.text() for number, one in enumerate(found, 1)}


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.default}-{style.long}")
@pytest.mark.parametrize("alphabet", list(SHORT))
def test_a_short_text_comes_back_letter_for_letter(alphabet: Alphabet, style: Style) -> None:
    coded = code(message(SHORT[alphabet], alphabet), style)
    assert texts(coded, style) == {1: SHORT[alphabet]}


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style.default}-{style.long}")
@pytest.mark.parametrize("alphabet", list(LONG))
def test_a_long_text_comes_back_from_its_parts_in_any_order(alphabet: Alphabet, style: Style) -> None:
    text = LONG[alphabet]
    if alphabet is Alphabet.GSM and style.default in LACKING:
        # What it lacks goes as its nearest letters: a test of its own, below.
        text = "".join(char for char in text if char not in LACKING[style.default])
    whole = style.long is Long.PAYLOAD
    given = message(text, alphabet, numbers=(WHOLE,)) if whole else message(text, alphabet)
    coded = code(given, style)
    random.Random(1).shuffle(coded)
    assert parts.join(texts(coded, style)) == text
    assert len(coded) == (1 if whole else given.parts)


@pytest.mark.parametrize(
    ("long", "esm_class", "head", "tags"),
    [
        (Long.UDH, 0x40, "050003f503", []),
        (Long.UDH16, 0x40, "060804aef503", []),
        (Long.SAR, 0, "", [Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM]),
    ],
)
def test_a_long_text_is_written_as_the_carrier_wants_it(
    long: Long, esm_class: int, head: str, tags: list[Tag]
) -> None:
    coded = code(message("Wie geht es dir? " * 20, Alphabet.GSM), Style(long=long))
    for number, one in enumerate(coded, 1):
        assert one.esm_class == esm_class
        assert [tag for tag, _ in one.tlvs] == tags
        assert one.octets.hex().startswith(head + (f"{number:02x}" if head else ""))


def test_the_same_message_has_the_same_reference_when_only_a_part_goes_again() -> None:
    whole = code(message(LONG[Alphabet.GSM], Alphabet.GSM), Style())
    again = code(message(LONG[Alphabet.GSM], Alphabet.GSM, numbers=(2,)), Style())
    assert again == [whole[1]]


def test_sixteen_bits_are_not_written_where_they_would_cost_a_part_more() -> None:
    text = "x" * 306
    assert message(text, Alphabet.GSM).parts == 2
    coded = code(message(text, Alphabet.GSM), Style(long=Long.UDH16))
    assert [one.octets[:2].hex() for one in coded] == ["0500", "0500"]


def test_references_of_8_bits_16_bits_and_parameters_are_three_different_things() -> None:
    given = message("x" * 200, Alphabet.GSM, id="517509fe4b0b1be3f1280007")
    found = {
        read_content(carried(code(given, Style(long=long))[0]), Style()).reference()
        for long in (Long.UDH, Long.UDH16, Long.SAR)
    }
    assert found == {7, 65_536 + 7, 131_072 + 7}


@pytest.mark.parametrize("style", [Style(DefaultAlphabet.LATIN1), Style(DefaultAlphabet.ASCII)])
def test_what_the_default_alphabet_lacks_goes_as_ucs2_where_it_fits_and_else_as_its_nearest(
    style: Style,
) -> None:
    (short,) = code(message("ΩΦ 5€", Alphabet.GSM), style)
    assert (short.data_coding, short.octets) == (8, "ΩΦ 5€".encode("utf-16-be"))
    long = code(message("5€ " * 60, Alphabet.GSM), style)
    assert {one.data_coding for one in long} == {0}
    assert "€" not in parts.join(texts(long, style))


@pytest.mark.parametrize(
    ("alphabet", "coding"), [(Alphabet.GSM, 0xF0), (Alphabet.UCS2, 0x18), (Alphabet.BINARY, 0xF4)]
)
def test_flash_is_class_0_or_the_display_and_is_read_either_way(alphabet: Alphabet, coding: int) -> None:
    text = "00ff10" if alphabet is Alphabet.BINARY else "Now!"
    given = message(text, alphabet, flash=True)
    (by_class,) = code(given, Style())
    (by_unit,) = code(given, Style(flash=Flash.SUBUNIT))
    assert by_class.data_coding == coding
    assert by_unit.tlvs == ((Tag.DEST_ADDR_SUBUNIT, 1),)
    for one in (by_class, by_unit):
        content = read_content(carried(one), Style())
        assert (content.flash, content.alphabet, content.text()) == (True, alphabet, text)


def test_octets_with_a_header_of_the_customers_own_come_back_as_they_were() -> None:
    udh = "0605040b8423f0"
    (coded,) = code(message("ff00fe", Alphabet.BINARY, udh=udh), Style())
    content = read_content(carried(coded), Style())
    assert content == Content(b"\xff\0\xfe", Alphabet.BINARY, bytes.fromhex(udh))


def test_septets_after_a_header_of_any_length_are_packed_on_their_boundary() -> None:
    style = Style(DefaultAlphabet.GSM_PACKED)
    for length, size in itertools.product(range(2, 12), range(1, 20)):
        udh = bytes((length, 0x70, length - 2)) + bytes(length - 2)
        text = "abcdefghijklmnopqrstuvw"[:size]
        (coded,) = code(message(text, Alphabet.GSM, udh=udh.hex()), style)
        assert read_content(carried(coded), style).text() == text


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (1, b"plain", "plain"),
        (3, b"\xe9t\xe9", "été"),
        (4, b"\x00\xff", "00ff"),
        (2, b"\x00\xff", "00ff"),
        (6, b"\xbf\xe0", "Пр"),
        (7, b"\xf9\xec", "של"),
        (8, b"\x04\x1f\x04\x40", "Пр"),
        (8, b"\xff\xfe\x1f\x04\x40\x04", "Пр"),
        (8, b"\xfe\xff\x04\x1f", "П"),
        (8, b"\x04\x1f\x04", "П\ufffd"),
        (0x10, b"\x00\x01", "@£"),
        (0x14, b"\x01", "01"),
        (0x18, b"\x04\x1f", "П"),
        (0xC8, b"\x00", "@"),
        (0xE0, b"\x04\x1f", "П"),
        (0xF1, b"\x00", "@"),
        (0xF5, b"\x01", "01"),
        (0x20, b"\x01", "01"),
        (0x99, b"\x01", "01"),
    ],
)  # fmt: skip
def test_every_data_coding_is_read_as_something(coding: int, octets: bytes, text: str) -> None:
    assert read_content(DeliverSm(data_coding=coding, short_message=octets), Style()).text() == text


def test_a_data_sm_and_a_delivery_may_have_their_text_in_a_payload() -> None:
    tlvs = ((Tag.MESSAGE_PAYLOAD, b"Hi"),)
    assert read_content(DataSm(tlvs=tlvs), Style()).text() == "Hi"
    assert read_content(DeliverSm(tlvs=tlvs), Style()).text() == "Hi"
    assert read_content(DeliverSm(), Style()).text() == ""


@pytest.mark.parametrize("octets", [b"", b"\x05", b"\x05\x00\x03\x01", b"\xff" * 10])
def test_a_header_that_does_not_fit_itself_is_text(octets: bytes) -> None:
    content = read_content(DeliverSm(esm_class=0x40, data_coding=4, short_message=octets), Style())
    assert (content.part, content.udh, content.octets) == (None, b"", octets)


@pytest.mark.parametrize(("total", "number"), [(0, 0), (2, 0), (2, 3)])
def test_parameters_that_name_no_part_make_a_single_message(total: int, number: int) -> None:
    tlvs = (
        (Tag.SAR_MSG_REF_NUM, 9),
        (Tag.SAR_TOTAL_SEGMENTS, total),
        (Tag.SAR_SEGMENT_SEQNUM, number),
    )
    content = read_content(DeliverSm(short_message=b"x", tlvs=tlvs), Style())
    assert (content.part, content.reference()) == (None, 0)


def test_a_whole_text_is_a_short_message_where_it_is_one_part_and_else_a_payload() -> None:
    (short,) = code(message("Hi", Alphabet.GSM, numbers=(WHOLE,)), Style(long=Long.PAYLOAD))
    assert short == Coded(WHOLE, b"Hi")
    text, alphabet = for_carrier("Ж" * 300, "auto")
    (long,) = code(message(text, alphabet, numbers=(WHOLE,)), Style(long=Long.PAYLOAD))
    assert long.octets == b""
    assert long.tlvs == ((Tag.MESSAGE_PAYLOAD, text.encode("utf-16-be")),)
