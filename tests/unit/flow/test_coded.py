"""Ready-made content as a draft: the same checks as for text, the customer's octets kept, references by content."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rejoinder.flow.coded import CodedRequest, coded_draft
from rejoinder.flow.request import Concat, Draft, Limits, MessageRefused
from rejoinder.message import parts
from rejoinder.message.parts import Concatenation
from rejoinder.message.text import Alphabet

GOOD = CodedRequest("61255588885", "ACME", b"Hello mommy", Alphabet.GSM)
HEADER = bytes.fromhex("050003070201")
NOW = 1_700_000_000_000_000


def judged(**changed: object) -> Draft:
    return coded_draft(replace(GOOD, **changed), Limits(), NOW)  # type: ignore[arg-type]  # fields of the request


def test_a_text_is_the_same_draft_as_over_http() -> None:
    found = judged()
    assert (found.text, found.body, found.alphabet, found.parts) == ("Hello mommy", "Hello mommy", "gsm", 1)
    assert (found.udh, found.octets, found.concat, found.client_ref) == ("", "", None, "")


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (-104, {"recipient": "6125558"}),
        (-104, {"recipient": ""}),
        (-104, {"recipient": "6125558", "octets": b"", "sender": "A"}),
        (-106, {"octets": b""}),
        (-106, {"octets": b"", "sender": "A"}),
        (-107, {"octets": b"x" * 1531}),
        (-107, {"octets": b"x" * 154, "udh": HEADER}),
        (-107, {"octets": b"x" * 135, "udh": HEADER, "alphabet": Alphabet.UCS2}),
        (-107, {"octets": b"x" * 135, "udh": HEADER, "alphabet": Alphabet.BINARY}),
        (-105, {"sender": "A"}),
        (-110, {"udh": b"\x09\x00\x03\x07\x02\x01"}),
        (-110, {"udh": b"\x00"}),
        (-110, {"validity": 0}),
        (-111, {"release_at": NOW - 1_000_000}),
        (-112, {"release_at": NOW + 31 * 86_400 * 1_000_000}),
    ],
)
def test_what_is_wrong_in_itself_has_the_contracts_code(code: int, changed: dict[str, object]) -> None:
    with pytest.raises(MessageRefused) as refused:
        judged(**changed)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("alphabet", "most"), [(Alphabet.GSM, 153), (Alphabet.UCS2, 134), (Alphabet.BINARY, 134)]
)
def test_a_full_part_fits_beside_its_header(alphabet: Alphabet, most: int) -> None:
    found = judged(octets=b"\x31" * most, udh=HEADER, alphabet=alphabet)
    assert (found.parts, found.concat) == (1, Concat(7, 1, 2))


def test_sar_parameters_become_a_header_that_carriers_understand() -> None:
    # Always with 8 bits: beside the header of 16 a full part would not fit.
    for reference, wide in ((7, False), (7, True), (0x1207, True)):
        found = judged(part=Concatenation(reference, 2, 1, wide))
        assert found.udh == "050003070201"
        assert found.concat == Concat(reference + (1 << 16 if wide else 0), 1, 2)
    assert judged(part=Concatenation(7, 1, 1, True)).concat is None


def test_a_long_text_without_a_header_is_cut_here() -> None:
    assert judged(octets=b"x" * 400).parts == 3


@pytest.mark.parametrize(
    ("octets", "alphabet", "text"),
    [
        (b"a\x1b", Alphabet.GSM, "a "),
        (b"\x00a\xd8\x3d", Alphabet.UCS2, "a\ufffd"),
        (b"\x00a\x00\x00", Alphabet.UCS2, "a\ufffd"),
        (b"a\x00", Alphabet.LATIN1, "a\ufffd"),
    ],
)
def test_what_no_text_can_say_reaches_the_carrier_all_the_same(
    octets: bytes, alphabet: Alphabet, text: str
) -> None:
    found = judged(octets=octets, alphabet=alphabet, udh=HEADER)
    assert (found.text, found.octets) == (text, octets.hex())


@pytest.mark.parametrize("alphabet", [Alphabet.BINARY, Alphabet.GSM, Alphabet.UCS2, Alphabet.LATIN1])
def test_every_octet_is_kept(alphabet: Alphabet) -> None:
    octets = bytes(range(128))
    found = judged(octets=octets, alphabet=alphabet)
    kept = bytes.fromhex(found.octets) if found.octets else parts.encode(found.body, alphabet)
    assert kept == octets


def test_a_reference_is_the_same_only_with_the_same_content_and_longer_than_any_client_ref() -> None:
    first = judged(reference="17").client_ref
    assert first == judged(reference="17").client_ref
    assert len(first) > 64
    for changed in (
        {"reference": "18"},
        {"recipient": "61255588886"},
        {"sender": "OTHER"},
        {"octets": b"Hello daddy"},
        {"udh": HEADER},
        {"part": Concatenation(7, 2, 1, False)},
    ):
        assert judged(**{"reference": "17", **changed}).client_ref != first, changed


def test_a_validity_is_cut_to_what_networks_may_try() -> None:
    assert [judged(validity=v).validity for v in (None, 1, 172_800, 10**9)] == [172_800, 1, 172_800, 172_800]
