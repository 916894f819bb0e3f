"""Hypothesis strategies for SMPP: every PDU that the specification allows, and its octets."""

from __future__ import annotations

from hypothesis import strategies as st

from rejoinder.smpp import pdu as p
from rejoinder.smpp.codec import encode
from rejoinder.smpp.tlv import EMPTY, INTEGERS, OCTETS, STRINGS

sequences = st.integers(0, 0xFFFF_FFFF)
octets = st.integers(0, 255)


def texts(most: int) -> st.SearchStrategy[str]:
    """What a C-octet string of so many octets holds, its NUL apart."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=most - 1)


_moments = st.sampled_from(["", "020610233429000R", "2611240830000+04"[:16].ljust(16, "0")])
_PARAMETERS = st.one_of(
    *[st.tuples(st.just(int(tag)), st.integers(0, 256**size - 1)) for tag, size in INTEGERS.items()],
    *[
        st.tuples(
            st.just(int(tag)), st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=most - 1)
        )
        for tag, most in STRINGS.items()
    ],
    *[
        st.tuples(st.just(int(tag)), st.binary(min_size=fewest, max_size=min(most, 300)))
        for tag, (fewest, most) in OCTETS.items()
    ],
    *[st.tuples(st.just(tag), st.none()) for tag in EMPTY],
    st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=40)),
)
tlvs = st.lists(_PARAMETERS, max_size=4).map(tuple)
_number = {"ton": octets, "npi": octets, "address": texts(21)}
_BY_NAME: dict[str, st.SearchStrategy[object]] = {
    "system_id": texts(65),
    "password": texts(65),
    "system_type": texts(13),
    "address_range": texts(41),
    "service_type": texts(6),
    "source_addr": texts(21),
    "destination_addr": texts(21),
    "esme_addr": texts(65),
    "message_id": texts(65),
    "schedule_delivery_time": _moments,
    "validity_period": _moments,
    "final_date": _moments,
    "short_message": st.binary(max_size=254),
    "tlvs": tlvs,
    "destinations": st.lists(
        st.builds(p.Address, **_number) | st.builds(p.ListName, name=texts(21)), min_size=1, max_size=254
    ).map(tuple),
    "unsuccess": st.lists(
        st.builds(p.Failed, **_number, status=st.integers(0, 0xFFFF_FFFF)), max_size=20
    ).map(tuple),
}


def of(kind: type[p.Pdu]) -> st.SearchStrategy[p.Pdu]:
    """PDUs of one kind."""
    return st.builds(kind, **{name: _BY_NAME.get(name, octets) for name in kind.__struct_fields__})


pdus = st.one_of(*[of(kind) for kind in p.ALL])
frames = st.builds(encode, pdus, sequences, st.integers(0, 0x500))
