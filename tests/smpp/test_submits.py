"""What a customer submits over SMPP is stored, charged, shown and reported as what comes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from rejoinder.flow.ports import UserRow
from rejoinder.message import parts
from rejoinder.message.text import Alphabet
from rejoinder.smpp import pdu as p
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import MessageState, Tag
from tests.centre import shown_in
from tests.smpp.site import HANDSET, NUMBER, SmppSite

EMOJI = "Grüße 👋 Ωμέγα"


async def shown(site: SmppSite, user: UserRow) -> list[str]:
    """The texts in the user's mailbox, and nothing else in it."""
    answer = await site.centre.poll(user)
    return [one["text"] for one in shown_in(answer)]


async def test_a_submit_is_answered_with_its_document_id_and_shown_and_charged(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    before = await site.centre.balance(user)
    async with site.esme() as esme:
        assert await esme.bind() == 0
        answer = await esme.submit("Coffee at ten?")
    assert answer.status == 0
    assert isinstance(answer.pdu, p.SubmitSmResp)
    assert await site.centre.status(answer.pdu.message_id) == 10
    assert await shown(site, user) == ["Coffee at ten?"]
    assert before - await site.centre.balance(user) == 1000


@pytest.mark.parametrize(
    ("alphabet", "data_coding", "octets", "text"),
    [
        ("gsm", 0, b"caf\x05 \x1be", "café €"),
        ("iso-8859-1", 0, b"caf\xe9", "café"),
        ("gsm", 1, b"plain", "plain"),
        ("gsm", 3, "Çà et là".encode("latin-1"), "Çà et là"),
        ("gsm", 8, EMOJI.encode("utf-16-be"), EMOJI),
        ("gsm", 0xF0, b"flash", "flash"),
        ("gsm", 4, b"\x01\x02", "0102"),
    ],
)
async def test_each_data_coding_is_read_as_what_it_says(
    quick_site: SmppSite, alphabet: str, data_coding: int, octets: bytes, text: str
) -> None:
    user = await quick_site.shop(default_alphabet=alphabet)
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        answer = await esme.submit(short_message=octets, data_coding=data_coding)
    assert answer.status == 0
    assert await shown(quick_site, user) == [text]


def sar(number: int) -> dict[str, Any]:
    return {
        "tlvs": (
            (Tag.SAR_MSG_REF_NUM, 0x1234),
            (Tag.SAR_TOTAL_SEGMENTS, 2),
            (Tag.SAR_SEGMENT_SEQNUM, number),
        )
    }


BRACES = b'{"a":[1],"b":[2]}' * 12


@pytest.mark.parametrize(
    ("octets", "fields", "alphabet"),
    [
        (BRACES[:140], {}, Alphabet.LATIN1),
        (BRACES[:100], {}, Alphabet.GSM),
        # Two parts either way.
        (BRACES[:180], {}, Alphabet.GSM),
        (BRACES[:134], {"esm_class": 0x40}, Alphabet.LATIN1),
        (BRACES[:100], {"esm_class": 0x40}, Alphabet.GSM),
        (BRACES[:134], sar(1), Alphabet.LATIN1),
        (BRACES[:100], sar(1), Alphabet.GSM),
    ],
)
async def test_iso_8859_1_goes_as_gsm_only_where_that_takes_no_more_parts(
    quick_site: SmppSite, octets: bytes, fields: dict[str, Any], alphabet: Alphabet
) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    udh = bytes((5, 0, 3, 9, 2, 1)) if "esm_class" in fields else b""
    async with quick_site.esme() as esme:
        await esme.bind()
        answer = await esme.submit(short_message=udh + octets, data_coding=3, **fields)
    assert answer.status == 0
    assert await quick_site.centre.sql("SELECT parts FROM mt") == [(2 if len(octets) > 140 else 1,)]
    ((_, outgoing),) = await quick_site.centre.deliver(quick_site.carrier_id)
    assert (outgoing.text, outgoing.alphabet) == (octets.decode(), alphabet)


async def test_a_long_text_in_parts_is_answered_by_part_and_shown_once(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    text = "0123456789" * 40
    async with site.esme() as esme:
        await esme.bind()
        answers = [
            await esme.submit(short_message=part.udh + part.octets, esm_class=0x40)
            for part in reversed(parts.split(text, Alphabet.GSM, 7))
        ]
    assert [answer.status for answer in answers] == [0, 0, 0]
    assert len({answer.pdu.message_id for answer in answers}) == 3  # type: ignore[attr-defined]
    assert await shown(site, user) == [text]


async def test_full_parts_by_sar_parameters_fit_beside_the_header_made_for_them(quick_site: SmppSite) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    first, last = "x" * 153, "y" * 9
    async with quick_site.esme() as esme:
        await esme.bind()
        answers = [await esme.submit(text, **sar(number)) for number, text in ((1, first), (2, last))]
    assert [answer.status for answer in answers] == [0, 0]
    assert await shown(quick_site, user) == [first + last]
    delivered = await quick_site.centre.deliver(quick_site.carrier_id)
    assert [outgoing.udh for _, outgoing in delivered] == ["050003340201", "050003340202"]


async def test_a_long_text_as_payload_is_one_message_of_several_parts(quick_site: SmppSite) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    text = "0123456789" * 40
    async with quick_site.esme() as esme:
        await esme.bind()
        answer = await esme.submit(short_message=b"", tlvs=((Tag.MESSAGE_PAYLOAD, text.encode()),))
    assert answer.status == 0
    assert await shown(quick_site, user) == [text]
    assert await quick_site.centre.sql("SELECT parts FROM mt") == [(3,)]


async def test_a_data_sm_is_a_submit(quick_site: SmppSite) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        pdu = p.DataSm(
            source_addr="61500079987", destination_addr=HANDSET, tlvs=((Tag.MESSAGE_PAYLOAD, b"hello"),)
        )
        answer = await esme.ask(pdu)
    assert isinstance(answer.pdu, p.DataSmResp)
    assert await quick_site.centre.status(answer.pdu.message_id) == 10
    assert await shown(quick_site, user) == ["hello"]


async def test_a_submit_multi_is_a_message_for_each_and_names_those_it_refused(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    async with site.esme() as esme:
        await esme.bind()
        answer = await esme.ask(
            p.SubmitMulti(
                source_addr="61500079987",
                destinations=(
                    p.Address(1, 1, HANDSET),
                    p.Address(1, 1, "12"),
                    p.ListName("friends"),
                    p.Address(1, 1, "61255588886"),
                ),
                short_message=b"hello",
            )
        )
    assert answer.status == 0
    assert isinstance(answer.pdu, p.SubmitMultiResp)
    assert [(one.address, one.status) for one in answer.pdu.unsuccess] == [
        ("12", S.ESME_RINVDSTADR),
        ("friends", S.ESME_RINVDLNAME),
    ]
    assert await shown(site, user) == ["hello", "hello"]
    assert await site.centre.status(answer.pdu.message_id) == 10


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to": "123"}, S.ESME_RINVDSTADR),
        ({"source_addr": "!"}, S.ESME_RINVSRCADR),
        ({"source_addr": "61999999999"}, S.ESME_RINVSRCADR),
        ({"short_message": b""}, S.ESME_RINVMSGLEN),
        ({"short_message": b"x" * 200, "tlvs": ((Tag.MESSAGE_PAYLOAD, b"y"),)}, S.ESME_RINVMSGLEN),
        ({"short_message": b"", "tlvs": ((Tag.MESSAGE_PAYLOAD, b"x" * 1531),)}, S.ESME_RINVMSGLEN),
        ({"short_message": b"\x05\x00", "esm_class": 0x40}, S.ESME_RINVESMCLASS),
        ({"short_message": b"", "esm_class": 0x40}, S.ESME_RINVESMCLASS),
        # Elements that reach beyond their header.
        ({"short_message": b"\x05\x00\x04\x09\x02\x01hello", "esm_class": 0x40}, S.ESME_RINVESMCLASS),
        ({"short_message": b"\x06\x00\x03\x09\x02\x01\x05hello", "esm_class": 0x40}, S.ESME_RINVESMCLASS),
        ({"registered_delivery": 3}, S.ESME_RINVREGDLVFLG),
        ({"priority_flag": 4}, S.ESME_RINVPRTFLG),
        ({"sm_default_msg_id": 1}, S.ESME_RINVDFTMSGID),
        ({"schedule_delivery_time": "not a time at al"}, S.ESME_RINVSCHED),
        ({"schedule_delivery_time": "000200000000000R"}, S.ESME_RINVSCHED),
        ({"validity_period": "991301000000000+"}, S.ESME_RINVEXPIRY),
        ({"validity_period": "200101000000000+"}, S.ESME_RINVEXPIRY),
    ],
)
async def test_a_refusal_says_why_and_stores_nothing(
    quick_site: SmppSite, fields: dict[str, object], status: int
) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        answer = await esme.submit(**fields)  # type: ignore[arg-type]
        assert answer.status == status
        assert (await esme.submit("still bound")).status == 0
    assert await shown(quick_site, user) == ["still bound"]


async def test_without_credit_or_route_the_answer_says_so(quick_site: SmppSite) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    await quick_site.centre.sql(
        "UPDATE credit_account SET balance = 999 WHERE id = $1", user.credit_account_id
    )
    async with quick_site.esme() as esme:
        await esme.bind()
        assert (await esme.submit()).status == 0x401
        await quick_site.centre.sql("DELETE FROM route")
        await quick_site.centre.changed()
        assert (await esme.submit()).status == S.ESME_RINVDSTADR
    assert await shown(quick_site, user) == []


async def test_query_tells_where_a_message_stands_and_of_strangers_nothing(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    await site.shop("bert@other", "other")
    async with site.esme() as anna, site.esme() as bert:
        await anna.bind()
        await bert.bind("other")
        sent = await anna.submit()
        message_id = sent.pdu.message_id  # type: ignore[attr-defined]
        asked = await anna.ask(p.QuerySm(message_id))
        assert (asked.status, asked.pdu.message_state) == (0, MessageState.ENROUTE)  # type: ignore[attr-defined]
        ((claim, _),) = await site.centre.deliver(site.carrier_id)
        await site.centre.receipt(site.carrier_id, f"r-{claim.row.id}-1")
        asked = await anna.ask(p.QuerySm(message_id))
        assert (asked.pdu.message_state, asked.pdu.final_date) == (  # type: ignore[attr-defined]
            MessageState.DELIVERED,
            "231114221320000+",
        )
        assert (await bert.ask(p.QuerySm(message_id))).status == S.ESME_RQUERYFAIL
        assert (await anna.ask(p.QuerySm("no such id"))).status == S.ESME_RQUERYFAIL


async def test_cancel_takes_back_what_no_carrier_has_and_nobody_elses(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    await site.shop("bert@other", "other")
    before = await site.centre.balance(user)
    async with site.esme() as anna, site.esme() as bert:
        await anna.bind()
        await bert.bind("other")
        message_id = (await anna.submit()).pdu.message_id  # type: ignore[attr-defined]
        assert (await bert.ask(p.CancelSm(message_id=message_id))).status == S.ESME_RCANCELFAIL
        assert await site.centre.status(message_id) == 10
        assert (await anna.ask(p.CancelSm(message_id=message_id))).status == 0
        assert (await anna.ask(p.CancelSm(message_id=message_id))).status == S.ESME_RCANCELFAIL
        assert await site.centre.status(message_id) == 4
        assert await site.centre.balance(user) == before
        sent = (await anna.submit()).pdu.message_id  # type: ignore[attr-defined]
        await site.centre.deliver(site.carrier_id)
        assert (await anna.ask(p.CancelSm(message_id=sent))).status == S.ESME_RCANCELFAIL
        assert await site.centre.status(sent) == 11


OTHER = "61255588886"


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, "abd"),
        ({"service_type": "WAP"}, "b"),
        ({"service_type": "CMT"}, ""),
        ({"source_addr": ""}, "c"),
        ({"destination_addr": f"+{HANDSET}"}, "abd"),
        ({"destination_addr": OTHER}, "e"),
        ({"destination_addr": "61255588887"}, ""),
        ({"source_addr": "61400000009"}, ""),
    ],
)
async def test_cancel_without_an_id_takes_back_all_of_a_pair_of_addresses(
    quick_site: SmppSite, fields: dict[str, str], taken: str
) -> None:
    """3.4 §4.9: what was submitted to and from these addresses; the service type counts where it is given."""
    user = await quick_site.shop()
    await quick_site.number(user)
    await quick_site.centre.pool("61500000001")
    before = await quick_site.centre.balance(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        answers = {
            "a": await esme.submit("a"),
            "b": await esme.submit("b" * 200, service_type="WAP"),
            "c": await esme.submit("c", source_addr=""),
            "d": await esme.submit("d", schedule_delivery_time="000001000000000R"),
            "e": await esme.submit("e", OTHER),
        }
        ids = {name: answer.pdu.message_id for name, answer in answers.items()}  # type: ignore[attr-defined]
        pair = {"source_addr": NUMBER, "destination_addr": HANDSET, **fields}
        answer = await esme.ask(p.CancelSm(**pair))
        assert (answer.status, type(answer.pdu)) == (0 if taken else S.ESME_RCANCELFAIL, p.CancelSmResp)
        again = await esme.ask(p.CancelSm(**pair))
        assert again.status == S.ESME_RCANCELFAIL
    statuses = {name: await quick_site.centre.status(mt_id) for name, mt_id in ids.items()}
    assert statuses == {name: 4 if name in taken else 10 for name in ids}
    left = sum(2 if name == "b" else 1 for name in ids if name not in taken)
    assert before - await quick_site.centre.balance(user) == left * 1000


async def test_cancel_by_addresses_leaves_what_a_carrier_has_and_what_is_not_the_sessions(
    site: SmppSite,
) -> None:
    user = await site.shop()
    await site.number(user)
    bert = await site.shop("bert@other", "other")
    async with site.esme() as anna, site.esme() as theirs:
        await anna.bind()
        await theirs.bind("other")
        sent = (await anna.submit("at the carrier")).pdu.message_id  # type: ignore[attr-defined]
        await site.centre.deliver(site.carrier_id)
        waiting = (await anna.submit("waits")).pdu.message_id  # type: ignore[attr-defined]
        by_http = await site.centre.send(user, sender=NUMBER)
        await site.centre.sql("UPDATE number SET user_id = NULL, customer_id = NULL")
        await site.centre.sql("UPDATE number SET user_id = $1", bert.id)
        await site.centre.changed()
        of_another = (await theirs.submit("another's")).pdu.message_id  # type: ignore[attr-defined]
        pair = p.CancelSm(source_addr=NUMBER, destination_addr=HANDSET)
        assert (await anna.ask(pair)).status == 0
        assert (await anna.ask(pair)).status == S.ESME_RCANCELFAIL
    assert [await site.centre.status(one) for one in (sent, waiting, by_http.id, of_another)] == [
        11,
        4,
        10,
        10,
    ]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"destination_addr": ""}, S.ESME_RINVDSTADR),
        ({"destination_addr": "12"}, S.ESME_RINVDSTADR),
        ({"destination_addr": HANDSET, "source_addr": "!"}, S.ESME_RINVSRCADR),
    ],
)
async def test_cancel_without_an_id_wants_addresses(
    quick_site: SmppSite, fields: dict[str, str], status: int
) -> None:
    await quick_site.shop()
    async with quick_site.esme() as esme:
        await esme.bind()
        assert (await esme.ask(p.CancelSm(**fields))).status == status


async def test_more_of_a_pair_than_one_transaction_takes_is_taken_back_all_the_same(
    quick_site: SmppSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rejoinder.flow.cancel.STEP", 3)
    user = await quick_site.shop()
    await quick_site.number(user)
    async with quick_site.esme() as esme:
        await esme.bind()
        for number in range(6):
            await esme.submit(f"text {number}")
        answer = await esme.ask(p.CancelSm(source_addr=NUMBER, destination_addr=HANDSET))
    assert answer.status == 0
    assert await quick_site.centre.sql("SELECT DISTINCT status FROM mt") == [(4,)]


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_repeated_reference_is_one_message_where_the_user_wants_that(
    site: SmppSite, idempotent: bool
) -> None:
    user = await site.shop()
    await site.number(user)
    await site.centre.sql(f"UPDATE user_account SET idempotent_reference = {str(idempotent).upper()}")
    await site.centre.changed()
    tlvs = ((Tag.USER_MESSAGE_REFERENCE, 77),)
    async with site.esme() as esme:
        await esme.bind()
        first = (await esme.submit("once", tlvs=tlvs)).pdu
        again = (await esme.submit("once", tlvs=tlvs)).pdu
        other = (await esme.submit("another text", tlvs=tlvs)).pdu
        elsewhere = (await esme.submit("once", "61255588886", tlvs=tlvs)).pdu
    ids = [first.message_id, again.message_id, other.message_id, elsewhere.message_id]  # type: ignore[attr-defined]
    assert (ids[0] == ids[1]) is idempotent
    assert len(set(ids)) == (3 if idempotent else 4)
    assert len(await shown(site, user)) == (3 if idempotent else 4)


@pytest.mark.parametrize(
    ("changed", "hours", "same"),
    [
        ({}, 23.9, True),
        ({}, 24.1, False),
        ({"dest_addr_ton": 5, "priority_flag": 1, "registered_delivery": 0}, 23.9, True),
        ({"tlvs": ((Tag.USER_MESSAGE_REFERENCE, 78),)}, 23.9, False),
        ({"tlvs": ()}, 23.9, False),
        ({"to": "61255588886"}, 23.9, False),
        ({"source_addr": "61500000002"}, 23.9, False),
        ({"short_message": b"\x05\0\x03\x07\x02\x02Part"}, 23.9, False),
        ({"short_message": b"\x05\0\x03\x07\x02\x01Port"}, 23.9, False),
    ],
)
async def test_a_reference_is_the_same_message_with_the_same_addresses_header_and_text_within_24_hours(
    quick_site: SmppSite, changed: dict[str, Any], hours: float, same: bool
) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    await quick_site.number(user, "61500000002")
    await quick_site.centre.sql("UPDATE user_account SET idempotent_reference = TRUE")
    await quick_site.centre.changed()
    sent = {
        "short_message": b"\x05\0\x03\x07\x02\x01Part",
        "esm_class": 0x40,
        "tlvs": ((Tag.USER_MESSAGE_REFERENCE, 77),),
    }
    ids = []
    for again in ({}, changed):
        async with quick_site.esme() as esme:
            await esme.bind()
            ids.append((await esme.submit(**{**sent, **again})).pdu.message_id)  # type: ignore[attr-defined]
        quick_site.clock.pass_seconds(int(hours * 3600))
    assert (ids[0] == ids[1]) is same


async def test_replace_changes_what_waits_for_its_time_and_nothing_else(site: SmppSite) -> None:
    user = await site.shop()
    await site.number(user)
    await site.shop("bert@other", "other")
    before = await site.centre.balance(user)
    tomorrow = "000001000000000R"
    async with site.esme() as anna, site.esme() as bert:
        await anna.bind()
        await bert.bind("other")
        sent = await anna.submit("Coffee at ten?", schedule_delivery_time=tomorrow)
        message_id = sent.pdu.message_id  # type: ignore[attr-defined]
        new = p.ReplaceSm(message_id, short_message=b"x" * 200, registered_delivery=1)
        assert (await bert.ask(new)).status == S.ESME_RREPLACEFAIL
        assert (
            await anna.ask(p.ReplaceSm(message_id, source_addr="61400000009"))
        ).status == S.ESME_RREPLACEFAIL
        assert (
            await anna.ask(p.ReplaceSm(message_id, schedule_delivery_time="x" * 16))
        ).status == S.ESME_RINVSCHED
        answer = await anna.ask(new)
        assert (answer.status, type(answer.pdu)) == (0, p.ReplaceSmResp)
        assert before - await site.centre.balance(user) == 2000
        site.centre.clock.pass_seconds(86_400)
        await site.centre.releases.step()
        assert await shown(site, user) == ["x" * 200]
        assert (await anna.ask(new)).status == S.ESME_RREPLACEFAIL
        assert (await anna.ask(p.ReplaceSm("no such id", short_message=b"x"))).status == S.ESME_RREPLACEFAIL


async def test_an_overloaded_server_refuses_submits_with_queue_full_and_goes_on_afterwards(
    quick_site: SmppSite,
) -> None:
    user = await quick_site.shop()
    await quick_site.number(user)
    admission = quick_site.service.submissions.admission
    async with quick_site.esme() as esme:
        await esme.bind()
        admission.limit = 0
        assert (await esme.submit()).status == S.ESME_RMSGQFUL
        admission.limit = 100
        assert (await esme.submit()).status == 0
    assert admission.under_way == 0
    assert await shown(quick_site, user) == ["Hello mommy"]
