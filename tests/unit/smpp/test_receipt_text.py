"""Receipts in every dialect: what carriers really write, read as one thing."""

from __future__ import annotations

import pytest

from rejoinder.message.text import gsm_pack
from rejoinder.smpp.constants import EsmClass, Tag
from rejoinder.smpp.pdu import DataSm, DeliverSm
from rejoinder.smpp.receipt_text import WORDS, ReceiptWord, fields_of, read_receipt, write_receipt
from rejoinder.smpp.style import DefaultAlphabet, Style

STYLE = Style()
APPENDIX_B = (
    "id:1234567890 sub:001 dlvrd:001 submit date:0610191533 done date:0610191534 stat:DELIVRD err:000 text:Hi"
)


def receipt(text: str, esm_class: int = EsmClass.RECEIPT, **more: object) -> DeliverSm:
    return DeliverSm(esm_class=esm_class, short_message=text.encode(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ref", "word", "done", "error"),
    [
        (APPENDIX_B, "1234567890", "DELIVRD", "0610191534", "000"),
        ("id:7f3a sub:001 dlvrd:001 submit date:061019153301 done date:061019153422 stat:DELIVRD err:0 text:", "7f3a",
         "DELIVRD", "061019153422", "0"),
        ("id:77 done date:20061019153422 stat:EXPIRED", "77", "EXPIRED", "20061019153422", None),
        ("id:77 stat:UNDELIV", "77", "UNDELIV", None, None),
        ("ID:77 SUB:1 DLVRD:1 SUBMIT DATE:0610191533 DONE DATE:0610191533 STAT:delivrd ERR:12 TEXT:x", "77", "delivrd",
         "0610191533", "12"),
        ("id: 77 stat: Delivered err: 0x1F", "77", "Delivered", None, "0x1F"),
        ("id:0077\nstat:REJECTD\nerr:005\n", "0077", "REJECTD", None, "005"),
        ("stat:DELIVRD id:77", "77", "DELIVRD", None, None),
        ("message_id:77 status:DELIVRD error:3", "77", "DELIVRD", None, "3"),
        ("id=77 stat=DELIVRD", "77", "DELIVRD", None, None),
        ("id:d7cbb5b4-71cd-4bd6-a5ea-2a1b4cf3ad4b stat:DELIVRD", "d7cbb5b4-71cd-4bd6-a5ea-2a1b4cf3ad4b", "DELIVRD", None,
         None),
        ("id:77 stat:DELIVRD text:id:88 stat:UNDELIV", "77", "DELIVRD", None, None),
        ("id:a_b@c stat:DELIVRD", "a_b@c", "DELIVRD", None, None),
        ("id:77 stat:DELIVRD\0", "77", "DELIVRD", None, None),
        ("id: stat:DELIVRD", "", "DELIVRD", None, None),
        ("Delivered", "", "", None, None),
        ("", "", "", None, None),
    ],
)  # fmt: skip
def test_every_dialect_says_which_message_and_what_became_of_it(
    text: str, ref: str, word: str, done: str | None, error: str | None
) -> None:
    assert read_receipt(receipt(text), STYLE) == ReceiptWord(ref, word, True, error, done)


@pytest.mark.parametrize(("state", "word"), WORDS.items())
def test_parameters_say_it_alone_and_before_the_text(state: int, word: str) -> None:
    tlvs = (
        (Tag.RECEIPTED_MESSAGE_ID, "ab12"),
        (Tag.MESSAGE_STATE, state),
        (Tag.NETWORK_ERROR_CODE, b"\3\1\2"),
    )
    for pdu in (receipt("", tlvs=tlvs), DataSm(esm_class=EsmClass.RECEIPT, tlvs=tlvs)):
        assert read_receipt(pdu, STYLE) == ReceiptWord("ab12", word, True, "258", None)
    said = read_receipt(receipt("id:99 stat:OTHER err:7", tlvs=tlvs), STYLE)
    assert said is not None
    assert (said.ref, said.word, said.error) == ("ab12", word, "258")


def test_a_receipted_message_id_without_the_mark_makes_a_receipt() -> None:
    said = read_receipt(receipt("", 0, tlvs=((Tag.RECEIPTED_MESSAGE_ID, "5"), (Tag.MESSAGE_STATE, 2))), STYLE)
    assert said == ReceiptWord("5", "DELIVRD", True)


def test_an_intermediate_notification_is_never_final() -> None:
    for text in (APPENDIX_B, "id:1 stat:ENROUTE"):
        said = read_receipt(receipt(text, EsmClass.INTERMEDIATE), STYLE)
        assert said is not None
        assert not said.final


@pytest.mark.parametrize(
    "esm_class", [0, EsmClass.UDHI, EsmClass.DELIVERY_ACKNOWLEDGEMENT, EsmClass.REPLY_PATH]
)
def test_a_handsets_text_is_no_receipt_even_when_it_looks_like_one(esm_class: int) -> None:
    assert read_receipt(receipt(APPENDIX_B, esm_class), STYLE) is None


def test_a_carrier_that_marks_nothing_has_its_receipts_known_by_their_text() -> None:
    assert read_receipt(receipt(APPENDIX_B, 0), STYLE, by_text=True) is not None
    assert read_receipt(receipt("my id: 77, thanks", 0), STYLE, by_text=True) is None


def test_a_receipt_in_another_coding_is_read_by_it() -> None:
    wide = DeliverSm(esm_class=4, data_coding=8, short_message=APPENDIX_B.encode("utf-16-be"))
    packed = Style(DefaultAlphabet.LATIN1)
    for pdu, style in ((wide, STYLE), (receipt(APPENDIX_B), packed)):
        said = read_receipt(pdu, style)
        assert said is not None
        assert said.ref == "1234567890"


def test_a_carrier_that_packs_texts_has_its_receipts_read_packed_and_plain() -> None:
    style = Style(DefaultAlphabet.GSM_PACKED)
    packed = DeliverSm(esm_class=4, short_message=gsm_pack(APPENDIX_B.encode()))
    for pdu in (receipt(APPENDIX_B), packed):
        assert read_receipt(pdu, style) == read_receipt(receipt(APPENDIX_B), STYLE)
    assert read_receipt(receipt(APPENDIX_B, 0), style, by_text=True) is not None
    assert read_receipt(receipt("Delivered"), style) is not None


def test_a_receipt_in_a_payload_is_read() -> None:
    said = read_receipt(DeliverSm(esm_class=4, tlvs=((Tag.MESSAGE_PAYLOAD, APPENDIX_B.encode()),)), STYLE)
    assert said is not None
    assert said.word == "DELIVRD"


def test_what_is_written_has_the_form_of_appendix_b_and_is_read_back() -> None:
    octets = write_receipt("5175", "UNDELIV", "2611240830", "2611240831", error=5, text="Grüße")
    assert octets.decode() == (
        "id:5175 sub:001 dlvrd:000 submit date:2611240830 done date:2611240831 stat:UNDELIV err:005 text:Gr??e"
    )
    assert fields_of(octets.decode()) == {
        "id": "5175",
        "sub": "001",
        "dlvrd": "000",
        "submit": "2611240830",
        "done": "2611240831",
        "stat": "UNDELIV",
        "err": "005",
    }
