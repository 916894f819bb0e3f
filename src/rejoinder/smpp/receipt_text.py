"""Receipts: what a centre says of a message it took, in TLVs and in the text that every centre writes its own way.

Reads the format of 3.4 appendix B with its dialects: missing fields, other cases and spacings, seconds and full years
in dates, long words. Refuses nothing: what is no receipt is None. A state that says only that the message is on its
way never ends it, nor does an intermediate notification, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rejoinder.message.text import Alphabet
from rejoinder.smpp.constants import EsmClass, MessageState, Tag
from rejoinder.smpp.content import Content, read_content, user_data
from rejoinder.smpp.pdu import DataSm, DeliverSm
from rejoinder.smpp.style import Style

# The words of appendix B (and 5.0's) for message_state.
WORDS: Mapping[int, str] = {
    MessageState.SCHEDULED: "SCHEDULED",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
STATES: Mapping[str, int] = {word: state for state, word in WORDS.items()}

# `text:` ends the fields: what the customer wrote may look like some.
_TEXT = re.compile(r"\btext\s*[:=]", re.IGNORECASE)
# A field's value reaches to the next name: looked for as a whole, it cost as much as all else of a receipt.
_NAME = re.compile(
    r"\b(?:message[ _]?id|id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err(?:or)?)\s*[:=]",
    re.IGNORECASE,
)
# What most centres write, letter by letter: five times quicker than looking for names in any order.
_PLAIN = re.compile(
    r"id:([\w.+-]+) sub:(\d+) dlvrd:(\d+) submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w+) [Tt]ext:",
    re.ASCII,
)
_PLAIN_NAMES = ("id", "sub", "dlvrd", "submit", "done", "stat", "err")
_NAMES = {"messageid": "id", "status": "stat", "error": "err", "submitdate": "submit", "donedate": "done"}


@dataclass(frozen=True, slots=True)
class ReceiptWord:
    """What a receipt says. `word`: the state in the peer's own letters, or appendix B's for a message_state.

    `final`: it may end the message, if its word does. `error`: the network's code as it was written, None without.
    `done`: the digits of the done date as they were written.
    """

    ref: str
    word: str
    final: bool
    error: str | None = None
    done: str | None = None


def read_receipt(pdu: DeliverSm | DataSm, style: Style, *, by_text: bool = False) -> ReceiptWord | None:
    """The receipt that a delivery is, or None for a message of a handset.

    `by_text`: a peer that marks its receipts with nothing; then a text that begins like one is taken for one.
    A marked receipt without an id or a state that can be read has "" for it.
    """
    kind = pdu.esm_class & EsmClass.TYPE_MASK
    tlv_id, tlv_state = pdu.tlv(Tag.RECEIPTED_MESSAGE_ID), pdu.tlv(Tag.MESSAGE_STATE)
    marked = kind in (EsmClass.RECEIPT, EsmClass.INTERMEDIATE) or (kind == 0 and tlv_id is not None)
    if not marked and not (by_text and kind == 0):
        return None
    fields = _fields(pdu, style)
    if not marked and not _is_receipt(fields):
        return None
    ref = tlv_id if isinstance(tlv_id, str) and tlv_id else fields.get("id", "")
    word = WORDS.get(tlv_state, "") if isinstance(tlv_state, int) else ""
    return ReceiptWord(
        ref,
        word or fields.get("stat", ""),
        kind != EsmClass.INTERMEDIATE,
        _error(pdu, fields),
        fields.get("done"),
    )


def _fields(pdu: DeliverSm | DataSm, style: Style) -> Mapping[str, str]:
    fields = fields_of(_text(read_content(pdu, style)))
    if _is_receipt(fields):
        return fields
    # Centres that pack texts write their receipts a letter an octet nevertheless.
    plain = fields_of(user_data(pdu).decode("latin-1"))
    return plain if _is_receipt(plain) else fields


def _is_receipt(fields: Mapping[str, str]) -> bool:
    return "id" in fields and "stat" in fields


def _text(content: Content) -> str:
    # Whatever data_coding says, a receipt in octets is ASCII: "_" of an id is no "§", and its NUL no "@".
    return content.text() if content.alphabet is Alphabet.UCS2 else content.octets.decode("latin-1")


def fields_of(text: str) -> dict[str, str]:
    """The fields of a receipt's text by the names id, sub, dlvrd, submit, done, stat, err; the first of a name counts."""
    plain = _PLAIN.match(text)
    if plain:
        return dict(zip(_PLAIN_NAMES, plain.groups(), strict=True))
    head = _TEXT.split(text, maxsplit=1)[0]
    found: dict[str, str] = {}
    names = list(_NAME.finditer(head))
    for match, following in zip(names, [*names[1:], None], strict=False):
        name = match[0].rstrip(":= \t\r\n").lower().replace(" ", "").replace("_", "")
        value = head[match.end() : following.start() if following else None].strip(' \t\r\n\0,;"')
        if value:
            found.setdefault(_NAMES.get(name, name), value)
    return found


def _error(pdu: DeliverSm | DataSm, fields: Mapping[str, str]) -> str | None:
    code = pdu.tlv(Tag.NETWORK_ERROR_CODE)
    if isinstance(code, bytes) and len(code) == 3:
        return str(int.from_bytes(code[1:], "big"))
    return fields.get("err")


def write_receipt(ref: str, word: str, submitted: str, done: str, *, error: int = 0, text: str = "") -> bytes:
    """A receipt's text as appendix B has it. `submitted` and `done` are ten digits, YYMMDDhhmm; `text` its beginning."""
    delivered = "001" if word == WORDS[MessageState.DELIVERED] else "000"
    line = (
        f"id:{ref} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
        f"stat:{word} err:{error:03d} text:{text[:20]}"
    )
    return line.encode("ascii", "replace")
