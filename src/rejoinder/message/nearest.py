"""The nearest writing of a character in a small alphabet: `“` is `"`, `ł` is `l`, `€` stays where the
alphabet has it.

Refuses nothing: what has no near character becomes `?`. Compatibility decompositions come from Unicode, the
table holds only what they miss or get wrong. The alphabet must hold `?`. Source: contract §6 "encoding",
`gsm`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Set
from functools import lru_cache

UNKNOWN = "?"


def _table(*lines: str) -> dict[str, str]:
    """Each line: a replacement, a blank, and the characters it stands for."""
    return {char: line.split(" ", 1)[0] for line in lines for char in line.split(" ", 1)[1]}


_NEAREST: dict[str, str] = _table(
    # Punctuation
    "' ‘’‚‛′‵ʹʻʼʽˈ´`ˊˋ＇",
    '" “”„‟«»″‶ʺ˝¨〃〝〞',
    "< ‹〈⟨",
    "> ›〉⟩",
    "- ‐‑‒–—―−⁃﹘─━¬¯ˉ‾",
    "... …⋯",
    ". ·∙⋅。",
    "* •‣●◦★☆✱∗",
    ", ¸、",
    "^ ˆ",
    "~ ˜∼≈",
    "| ¦│┃",
    "/ ⁄∕",
    ": ∶",
    "[ 【〔",
    "] 】〕",
    "!! ‼",
    "?! ⁈‽",
    "!? ⁉",
    # Letters without a decomposition
    "l ł",
    "L Ł",
    "d đðɖ",
    "D ĐÐ",
    "h ħ",
    "H Ħ",
    "i ı",
    "k ĸ",
    "n ŋ",
    "N Ŋ",
    "t ŧ",
    "T Ŧ",
    "b ƀɓ",
    "f ƒ",
    "e ǝəɛ",
    "E Ə",
    "o ɔ",
    "oe œ",
    "OE Œ",
    "th þ",
    "TH Þ",
    "SS ẞ",
    "u µ",
    # Signs
    "o °",
    "x ×✕✖",
    "/ ÷",
    "+/- ±",
    "<= ≤⩽",
    ">= ≥⩾",
    "!= ≠",
    "-> →➔➜⇒",
    "<- ←⇐",
    "<-> ↔⇔",
    "(c) ©",
    "(r) ®",
    "0/00 ‰",
    # Currencies: the sign itself where one of GSM's is close, else the ISO 4217 code, which every reader
    # knows
    "£ ₤",
    "c ¢",
    "AMD ֏",
    "BTC ₿",
    "CRC ₡",
    "GEL ₾",
    "GHS ₵",
    "ILS ₪",
    "INR ₹",
    "KHR ៛",
    "KRW ₩",
    "KZT ₸",
    "LAK ₭",
    "MNT ₮",
    "NGN ₦",
    "PHP ₱",
    "PYG ₲",
    "RUB ₽",
    "THB ฿",
    "TRY ₺",
    "UAH ₴",
    "VND ₫",
    # Greek capitals that look like Latin ones: Greek texts are commonly sent in GSM's capitals and these
    "A Α",
    "B Β",
    "E Ε",
    "Z Ζ",
    "H Η",
    "I Ι",
    "K Κ",
    "M Μ",
    "N Ν",
    "O Ο",
    "P Ρ",
    "T Τ",
    "Y Υ",
    "X Χ",
    "Σ ς",
) | {"\t": " ", "\v": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"}


def nearest(text: str, alphabet: Set[str]) -> str:
    """`text` written with the characters of `alphabet` only; a text that is not empty never becomes empty."""
    replace = _replacer(frozenset(alphabet))
    # Composed first: "e" and a combining acute are one character of the alphabet, taken alone they lose the
    # accent.
    written = "".join(map(replace, unicodedata.normalize("NFC", text)))
    return written or UNKNOWN * bool(text)


@lru_cache(maxsize=8)
def _replacer(alphabet: frozenset[str]) -> Callable[[str], str]:
    """The replacement of one character, remembered: texts use few different ones."""

    @lru_cache(maxsize=4096)
    def replace(char: str) -> str:
        return _character(char, alphabet)

    return replace


def _character(char: str, alphabet: frozenset[str]) -> str:
    if char in alphabet:
        return char
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return ""
    pieces = [_piece(piece, alphabet) for piece in _decomposed(char, alphabet)]
    # Half of a character misleads more than none: one unknown piece makes the whole unknown, and that is one
    # `?`.
    return UNKNOWN if None in pieces else "".join(piece or "" for piece in pieces)


def _decomposed(char: str, alphabet: frozenset[str]) -> str:
    if char in _NEAREST:
        return char
    pieces = unicodedata.normalize("NFKD", char)
    # Of several accents the first one the alphabet can write stays: "ǘ" is "ü", "ế" is "é".
    for mark in filter(unicodedata.combining, pieces[1:]):
        composed = unicodedata.normalize("NFC", pieces[0] + mark)
        if composed in alphabet:
            return composed
    return pieces


def _piece(char: str, alphabet: frozenset[str]) -> str | None:
    """One piece of a decomposition, or None. An accent is an empty piece."""
    if char in alphabet:
        return char
    kind = unicodedata.category(char)
    if kind in ("Mn", "Me", "Cf"):
        return ""
    if kind == "Zs":
        return " "
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    for candidate in (char, char.upper()):
        written = _NEAREST.get(candidate, candidate)
        if all(letter in alphabet for letter in written):
            return written
    return None
