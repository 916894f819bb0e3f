"""Texts to PDUs and back over everything: no part cuts a pair, and parts rejoin in any order, in every style."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rejoinder.message import parts
from rejoinder.message.model import Outgoing
from rejoinder.message.text import AUTO, GSM_CHARACTERS, Alphabet, for_carrier
from rejoinder.smpp.codec import decode, encode
from rejoinder.smpp.content import read_content
from rejoinder.smpp.pdu import DeliverSm, SubmitSm
from rejoinder.smpp.style import DefaultAlphabet, Flash, Long, Style
from rejoinder.smpp.translate import code

letters = st.one_of(
    st.sampled_from(sorted(GSM_CHARACTERS)),
    st.sampled_from("😀🇦🇺Жשé€{}[]~"),
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
)
texts = st.one_of(
    st.text(st.sampled_from(sorted(GSM_CHARACTERS)), min_size=1, max_size=700),
    st.text(letters, min_size=1, max_size=300),
)
styles = st.builds(
    Style,
    st.sampled_from([DefaultAlphabet.GSM, DefaultAlphabet.GSM_PACKED]),
    st.sampled_from([Long.UDH, Long.UDH16, Long.SAR]),
    st.sampled_from(list(Flash)),
)


def outgoing(text: str, alphabet: Alphabet, flash: bool) -> Outgoing:
    count = parts.count(text, alphabet)
    return Outgoing(
        id="517509fe4b0b1be3f128aef5",
        recipient="61455555555",
        sender="61400000000",
        text=text,
        alphabet=alphabet.value,
        parts=count,
        numbers=tuple(range(1, count + 1)),
        valid_until=0,
        possible_duplicate=False,
        flash=flash,
    )


@settings(max_examples=300, deadline=None)
@given(texts, styles, st.booleans(), st.randoms(use_true_random=False))
def test_a_text_crosses_the_wire_in_parts_and_rejoins_in_any_order(
    text: str, style: Style, flash: bool, order: object
) -> None:
    # A packed text that ends in "@" on a septet boundary can't be told from one without it (docs).
    assume(style.default is DefaultAlphabet.GSM or "@" not in text)
    text, alphabet = for_carrier(text, AUTO)
    message = outgoing(text, alphabet, flash)
    found: dict[int, str] = {}
    coded = code(message, style)
    order.shuffle(coded)  # type: ignore[attr-defined]  # a random.Random
    for number, one in enumerate(coded, 1):
        assert len(one.octets) <= (160 if style.default is DefaultAlphabet.GSM else 140)
        submit = SubmitSm(
            esm_class=one.esm_class,
            data_coding=one.data_coding,
            short_message=one.octets,
            tlvs=one.tlvs,
        )
        arrived = decode(encode(submit, number)).pdu
        assert isinstance(arrived, SubmitSm)
        content = read_content(arrived, style)
        assert content.flash == flash
        piece = content.text()
        assert "\ufffd" not in piece or "\ufffd" in text
        found[content.part.number if content.part else 1] = piece
        assert (content.part.total if content.part else 1) == message.parts
    assert parts.join(found) == text


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=254),
    st.sampled_from(list(DefaultAlphabet)),
)
def test_whatever_a_handset_sends_is_read_as_something(
    coding: int, esm_class: int, octets: bytes, default: DefaultAlphabet
) -> None:
    pdu = DeliverSm(esm_class=esm_class, data_coding=coding, short_message=octets)
    content = read_content(pdu, Style(default))
    assert isinstance(content.text(), str)
    assert content.reference() >= 0
