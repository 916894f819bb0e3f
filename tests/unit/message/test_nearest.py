"""The nearest GSM writing of a text: contract §6, encoding `gsm`."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.message.nearest import nearest
from rejoinder.message.text import GSM_CHARACTERS, is_gsm, to_gsm

GSM_TEXT = st.text(alphabet=sorted(GSM_CHARACTERS))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text, unchanged {€}", "plain text, unchanged {€}"),
        ("à é ñ Ä ß æ Ø Ç Ω", "à é ñ Ä ß æ Ø Ç Ω"),
        ("“Don’t” ‘x’ „y‟ «z»", '"Don\'t" \'x\' "y" "z"'),
        ("a–b — c‑d", "a-b - c-d"),
        ("wait…", "wait..."),
        ("12\u00a0345\u202f678\u2009kg", "12 345 678 kg"),
        ("tab\there", "tab here"),
        ("line\u2028next\u0085one", "line\nnext\none"),
        ("á â ã ç ê î ô õ û Á Ê Õ", "a a a c e i o o u A E O"),
        ("e\u0301 n\u0303 x\u0301", "é ñ x"),
        ("Zażółć gęślą jaźń", "Zazólc gesla jazn".replace("ó", "o")),
        ("Łódź đak œuvre Þór ŋ ı", "Lodz dak oeuvre THor n i"),
        ("ǘ ế ṩ", "ü é s"),
        ("Καλημέρα ς", "KAΛHMEPA Σ"),
        ("₹5 ₽7 ¢9 ₤1", "INR5 RUB7 c9 £1"),
        ("© ® ™ 20°", "(c) (r) TM 20o"),
        ("½ ² ① ﬁ №", "1/2 2 1 fi No"),
        ("1×2 ÷ ± ≤ ≠ →", "1x2 / +/- <= != ->"),
        ("• a · b", "* a . b"),
        ("`x´", "'x'"),
        ("ＡＢＣ１２３", "ABC123"),
        ("٣٤५", "345"),
        ("𝐇𝐢", "Hi"),
        ("Ω\u2126 Å\u212b", "ΩΩ ÅÅ"),
        ("so\u00adft zero\u200bwidth \ufeffmark", "soft zerowidth mark"),
        ("Привет", "??????"),
        ("日本", "??"),
        ("한", "?"),
        ("😀", "?"),
        ("a😀b", "a?b"),
        ("❤\ufe0f", "?"),
        ("👨\u200d👩\u200d👧", "???"),
        ("\x07\x7f", "??"),
        ("\ud83d", "?"),
        ("\u200b", "?"),
        ("\u0301", "?"),
        ("", ""),
    ],
)
def test_what_gsm_lacks_becomes_its_nearest_character(text: str, written: str) -> None:
    assert to_gsm(text) == written


@given(st.text())
def test_the_result_is_always_gsm_and_stays_as_it_is(text: str) -> None:
    written = to_gsm(text)
    assert is_gsm(written)
    assert to_gsm(written) == written
    assert bool(written) == bool(text)


@given(GSM_TEXT)
def test_a_gsm_text_is_not_touched(text: str) -> None:
    assert to_gsm(text) == text


@given(GSM_TEXT, st.sampled_from("😀ж日\x07"), GSM_TEXT)
def test_one_character_without_a_near_one_is_one_question_mark(before: str, char: str, after: str) -> None:
    assert to_gsm(before + char + after) == f"{before}?{after}"


@given(st.characters(min_codepoint=0x10000))
def test_a_symbol_outside_the_basic_plane_is_at_most_one_question_mark(char: str) -> None:
    assert to_gsm(char).count("?") <= 1 or unicodedata.decomposition(char)


def test_every_character_of_unicode_has_a_writing_without_an_error() -> None:
    """All of the basic plane: the replacement is GSM, not empty, and no longer than a long ligature."""
    for code in range(0x10000):
        written = to_gsm(chr(code))
        assert is_gsm(written), hex(code)
        assert 1 <= len(written) <= 18, hex(code)


def test_another_alphabet_is_written_with_its_own_characters() -> None:
    assert nearest("Größe 5 € – é", frozenset("Größe 5?-")) == "Größe 5 ? - e"


def test_an_empty_text_stays_empty_in_any_alphabet() -> None:
    assert nearest("", frozenset("?")) == ""
