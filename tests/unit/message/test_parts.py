"""Parts: contract §6 and code -107, 3GPP TS 23.040 §9.2.3.24."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.parts import Concatenation, Part, count, join, join_octets, read_udh, split
from rejoinder.message.text import (
    GSM_CHARACTERS,
    Alphabet,
    UnsuitableText,
    for_carrier,
    gsm_encode,
    is_gsm,
    septets,
)

GSM, UCS2, LATIN1 = Alphabet.GSM, Alphabet.UCS2, Alphabet.LATIN1
CODECS = {UCS2: "utf-16-be", LATIN1: "latin-1"}
REAL_TEXTS = Path(__file__).parents[4] / "shared" / "data" / "sms-collection.tsv"


def encoded(text: str, alphabet: Alphabet) -> bytes:
    return gsm_encode(text) if alphabet is GSM else text.encode(CODECS[alphabet])


def room(alphabet: Alphabet, total: int) -> int:
    """Octets of user data that fit one of `total` parts: 140 less the header, as septets for GSM."""
    octets = 140 if total == 1 else 134
    return octets * 8 // 7 if alphabet is GSM else octets


def long(alphabet: st.SearchStrategy[str], pairs: str) -> st.SearchStrategy[str]:
    """Texts of up to six parts, rich in pairs and with long runs, so that cuts meet pairs."""
    run = st.tuples(alphabet | st.sampled_from(pairs), st.integers(1, 170)).map(lambda it: it[0] * it[1])
    return st.lists(run | st.text(alphabet, max_size=5), max_size=5).map("".join)


GSM_TEXTS = long(st.sampled_from(sorted(GSM_CHARACTERS)), "€{}[]")
UCS2_TEXTS = long(st.characters(codec="utf-8", exclude_characters="\0"), "😀ж")
LATIN1_TEXTS = long(st.characters(max_codepoint=255), "éç")
SUITABLE = st.one_of(
    st.tuples(GSM_TEXTS, st.just(GSM)),
    st.tuples(UCS2_TEXTS, st.just(UCS2)),
    st.tuples(LATIN1_TEXTS, st.just(LATIN1)),
)


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("", GSM, 1),
        ("", UCS2, 1),
        ("", LATIN1, 1),
        ("a" * 160, GSM, 1),
        ("a" * 161, GSM, 2),
        ("a" * 306, GSM, 2),
        ("a" * 307, GSM, 3),
        ("a" * 1530, GSM, 10),
        ("a" * 1531, GSM, 11),
        ("€" * 80, GSM, 1),
        ("€" * 81, GSM, 2),
        ("€" * 152, GSM, 2),  # 76 pairs fit 153 septets, the odd one stays empty
        ("€" * 153, GSM, 3),
        ("a" * 152 + "€" + "a" * 7, GSM, 2),
        ("a" * 152 + "€" + "a" * 151, GSM, 2),
        ("a" * 152 + "€" + "a" * 152, GSM, 3),
        ("a" * 158 + "€", GSM, 1),
        ("a" * 159 + "€", GSM, 2),
        ("ж" * 70, UCS2, 1),
        ("ж" * 71, UCS2, 2),
        ("ж" * 134, UCS2, 2),
        ("ж" * 135, UCS2, 3),
        ("ж" * 670, UCS2, 10),
        ("ж" * 671, UCS2, 11),
        ("😀" * 35, UCS2, 1),
        ("😀" * 36, UCS2, 2),
        ("😀" * 66, UCS2, 2),  # 33 pairs fit 67 units
        ("😀" * 67, UCS2, 3),
        ("\U00100000" * 67, UCS2, 3),
        ("\U0010ffff" * 67, UCS2, 3),
        ("é" * 140, LATIN1, 1),
        ("é" * 141, LATIN1, 2),
        ("é" * 268, LATIN1, 2),
        ("é" * 269, LATIN1, 3),
    ],
)
def test_the_number_of_parts_at_each_border(text: str, alphabet: Alphabet, parts: int) -> None:
    assert count(text, alphabet) == parts
    assert len(split(text, alphabet, 1)) == parts


@given(SUITABLE)
def test_the_count_is_the_number_of_parts(suitable: tuple[str, Alphabet]) -> None:
    text, alphabet = suitable
    assert count(text, alphabet) == len(split(text, alphabet, 0))


@given(SUITABLE, st.integers(0, 255), st.randoms(use_true_random=False))
def test_parts_in_any_order_join_to_the_text(
    suitable: tuple[str, Alphabet], reference: int, random: object
) -> None:
    text, alphabet = suitable
    parts = split(text, alphabet, reference)
    random.shuffle(parts)  # type: ignore[attr-defined] # hypothesis hands in a random.Random
    assert join({part.number: part.text for part in parts}) == text
    assert join_octets({part.number: (part.octets, alphabet) for part in parts}) == text


@given(SUITABLE)
def test_every_part_fits_and_is_as_full_as_pairs_allow(suitable: tuple[str, Alphabet]) -> None:
    text, alphabet = suitable
    parts = split(text, alphabet, 7)
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        assert len(part.octets) <= room(alphabet, len(parts))
        if following is not None:
            assert len(encoded(part.text + following.text[0], alphabet)) > room(alphabet, len(parts))


@given(SUITABLE)
def test_no_pair_is_cut(suitable: tuple[str, Alphabet]) -> None:
    """Each part alone is a text whose octets are its own."""
    text, alphabet = suitable
    for part in split(text, alphabet, 7):
        assert encoded(part.text, alphabet) == part.octets


@given(SUITABLE, st.integers(0, 255))
def test_headers_name_the_parts_in_order_and_one_part_has_none(
    suitable: tuple[str, Alphabet], reference: int
) -> None:
    text, alphabet = suitable
    parts = split(text, alphabet, reference)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert {(part.total, part.reference) for part in parts} == {(len(parts), reference)}
    if len(parts) == 1:
        assert parts[0].udh == b""
        return
    for part in parts:
        assert part.udh == bytes([5, 0, 3, reference, len(parts), part.number])
        named = Concatenation(reference, len(parts), part.number, wide=False)
        assert read_udh(part.udh + part.octets) == (named, part.octets)


def test_a_long_text_is_cut_as_the_specification_counts() -> None:
    first, second = split("a" * 152 + "€uro" + "b" * 20, GSM, 0xCC)
    assert first == Part(1, 2, 0xCC, "a" * 152, b"a" * 152, bytes.fromhex("050003cc0201"))
    assert second.text == "€uro" + "b" * 20
    assert second.octets == b"\x1beuro" + b"b" * 20


@pytest.mark.parametrize("reference", [-1, 256])
def test_a_reference_that_is_no_octet_is_refused(reference: int) -> None:
    with pytest.raises(ValueError, match="reference"):
        split("a", GSM, reference)


def test_what_a_header_cannot_count_is_refused_but_can_be_counted() -> None:
    assert len(split("a" * 153 * 255, GSM, 0)) == 255
    assert count("a" * (153 * 255 + 1), GSM) == 256
    with pytest.raises(ValueError, match="256 parts"):
        split("a" * (153 * 255 + 1), GSM, 0)


def test_a_text_that_does_not_suit_the_alphabet_is_not_split() -> None:
    with pytest.raises(UnsuitableText):
        split("ж", GSM, 0)
    with pytest.raises(ValueError, match="latin-1"):
        split("ж", LATIN1, 0)
    with pytest.raises(ValueError, match="surrogates"):
        split("\ud83d", UCS2, 0)


# Headers of others


@pytest.mark.parametrize(
    ("data", "concatenation", "rest"),
    [
        ("050003070201 616263", Concatenation(7, 2, 1, False), "616263"),
        ("060804012c0302 6162", Concatenation(300, 3, 2, True), "6162"),
        ("0608040007ff01", Concatenation(7, 255, 1, True), ""),
        # beside other elements: ports (05), an unknown one, an empty one
        ("0b0504158200000003070202 61", Concatenation(7, 2, 2, False), "61"),
        ("0b0003070202050415820000 61", Concatenation(7, 2, 2, False), "61"),
        ("077000 0003070202 61", Concatenation(7, 2, 2, False), "61"),
        # no concatenation in it
        ("00 6162", None, "6162"),
        ("0605041582000061", None, "61"),
        # to be ignored: number 0, above the total, total 0; a length that is not the element's
        ("050003070200 61", None, "61"),
        ("050003070203 61", None, "61"),
        ("050003070001 61", None, "61"),
        ("050003070000 61", None, "61"),
        ("0400020701 61", None, "61"),
        ("06000407020101 61", None, "61"),
        ("050803070201 61", None, "61"),
        # of several the last valid one counts
        ("0a 0003070201 0003080302 61", Concatenation(8, 3, 2, False), "61"),
        ("0b 0003070201 080401000302 61", Concatenation(256, 3, 2, True), "61"),
        ("0a 0003070201 0003080300 61", Concatenation(7, 2, 1, False), "61"),
        # garbage: lengths that do not fit leave everything as it is
        ("", None, ""),
        ("05", None, "05"),
        ("0500030702", None, "0500030702"),
        ("0500040702 0161", None, "05000407020161"),
        ("0100 61", None, "010061"),
        ("06000307020100 61", None, "0600030702010061"),
        ("06 0003070201", None, "060003070201"),
        ("ff00030702 01", None, "ff0003070201"),
    ],
)
def test_a_header_is_read_or_left_alone(data: str, concatenation: Concatenation | None, rest: str) -> None:
    assert read_udh(bytes.fromhex(data)) == (concatenation, bytes.fromhex(rest))


@given(st.binary(max_size=160))
def test_any_octets_can_be_read_as_a_header(data: bytes) -> None:
    concatenation, rest = read_udh(data)
    assert data.endswith(rest)
    assert concatenation is None or 1 <= concatenation.number <= concatenation.total <= 255


# What others cut badly


@given(st.data())
def test_a_text_cut_at_any_octet_joins_whole(data: st.DataObject) -> None:
    text, alphabet = data.draw(SUITABLE)
    octets = encoded(text, alphabet)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=5)))
    pieces = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    assert join_octets({number: (piece, alphabet) for number, piece in enumerate(pieces, 1)}) == text


@pytest.mark.parametrize(
    ("parts", "alphabet", "text"),
    [
        ({}, UCS2, ""),
        ({1: "d83d", 2: "de00"}, UCS2, "😀"),
        ({2: "de00", 1: "d83d"}, UCS2, "😀"),
        ({1: "0061d83d", 3: "de000062"}, UCS2, "a\ufffd\ufffdb"),
        ({1: "0061d83d"}, UCS2, "a\ufffd"),
        ({1: "d83d0061"}, UCS2, "\ufffda"),
        ({1: "006100"}, UCS2, "a\ufffd"),
        ({1: "006100", 2: "620063"}, UCS2, "abc"),
        ({1: "006100", 3: "0063"}, UCS2, "a\ufffdc"),
        ({1: "00610000"}, UCS2, "a\0"),
        ({1: "611b", 2: "6562"}, GSM, "a€b"),
        ({1: "611b", 3: "6562"}, GSM, "a eb"),
        ({1: "e9", 2: "00"}, LATIN1, "é\0"),
    ],
)
def test_badly_cut_parts_lose_no_more_than_the_cut_pair(
    parts: dict[int, str], alphabet: Alphabet, text: str
) -> None:
    assert join_octets({number: (bytes.fromhex(data), alphabet) for number, data in parts.items()}) == text


@given(st.dictionaries(st.integers(1, 9), st.binary(max_size=9)), st.sampled_from(Alphabet))
def test_any_octets_join_to_a_text_without_lone_surrogates(
    parts: dict[int, bytes], alphabet: Alphabet
) -> None:
    join_octets({number: (data, alphabet) for number, data in parts.items()}).encode()


def test_parts_of_several_alphabets_are_read_each_in_its_own() -> None:
    pieces = {
        1: (b"a\x1b", GSM),
        2: (bytes.fromhex("d83d"), UCS2),
        3: (bytes.fromhex("de00"), UCS2),
        4: (b"e", GSM),
    }
    assert join_octets(pieces) == "a 😀e"


def test_missing_parts_are_simply_not_there() -> None:
    assert join({3: "c", 1: "a"}) == "ac"
    assert join({}) == ""


@pytest.mark.skipif(not REAL_TEXTS.exists(), reason="the collection of real texts is not there")
def test_real_texts_survive_every_encoding() -> None:
    texts = [line.partition("\t")[2] for line in REAL_TEXTS.read_text("utf-8").split("\n") if line]
    assert len(texts) > 5000
    for text in texts:
        for encoding in ("auto", "gsm", "utf-16"):
            sent, alphabet = for_carrier(text, encoding)
            parts = split(sent, alphabet, 5)
            assert count(sent, alphabet) == len(parts)
            assert join({part.number: part.text for part in parts}) == sent
            assert join_octets({part.number: (part.octets, alphabet) for part in parts}) == sent
            if alphabet is GSM:
                assert is_gsm(sent)
                assert septets(sent) == sum(len(part.octets) for part in parts)
