"""The SMPP carrier against a scripted centre over real sockets: outcomes, deliveries, and links that break."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from rejoinder.carriers import smpp_client, smpp_link
from rejoinder.carriers.registry import make
from rejoinder.carriers.smpp_client import reconnect_after
from rejoinder.carriers.smpp_profiles import PROFILES
from rejoinder.clock import ManualClock, SystemClock
from rejoinder.errors import ConfigInvalid, StoreUnavailable
from rejoinder.flow.ports import CarrierRow
from rejoinder.message.model import Fate, Outcome
from rejoinder.message.status import Status
from rejoinder.smpp.codec import encode
from rejoinder.smpp.constants import CommandStatus, Tag
from rejoinder.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm, EnquireLink
from tests.carrier_events import Collected, outgoing
from tests.smpp_carriers import Build, fates, ready, until, up
from tests.smsc import Smsc

LONG = "Where are you? " * 30


async def test_it_binds_with_what_was_set_and_says_up(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, system_type="VMA", address_range="614", ton="2", npi="8"))
        assert carrier.state() == "up"
        assert smsc.binds == [
            BindTransceiver("we", "secret", "VMA", 0x34, 2, 8, "614"),
        ]


async def test_a_short_message_is_accepted_under_the_centres_id(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc))
        assert await carrier.send(outgoing(text="Grüße")) == [Outcome(1, Fate.ACCEPTED, "m1")]
        (pdu,) = smsc.submits
        assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("61400000000", 1, 1)
        assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("61455555555", 1, 1)
        assert (pdu.short_message, pdu.data_coding, pdu.registered_delivery) == (b"Gr~\x1ee", 0, 1)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [("Shop", (5, 0)), ("1234", (3, 0)), ("61400000000", (1, 1))],
)
async def test_each_kind_of_sender_has_its_type(
    carriers: Build, sender: str, expected: tuple[int, int]
) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc))
        await carrier.send(outgoing(sender=sender))
        assert (smsc.submits[0].source_addr_ton, smsc.submits[0].source_addr_npi) == expected


async def test_a_long_messages_parts_go_over_one_link_each_with_its_own_outcome(carriers: Build) -> None:
    answers = iter(["a1", int(CommandStatus.ESME_RINVDSTADR), "a3"])
    async with Smsc(lambda _: next(answers)) as smsc:
        carrier = await up(carriers(smsc, binds="3"))
        await smsc.until(lambda it: len(it.binds) == 3)
        outcomes = await carrier.send(outgoing(text=LONG, parts=3, numbers=(1, 2, 3)))
        assert outcomes == [
            Outcome(1, Fate.ACCEPTED, "a1"),
            Outcome(2, Fate.REFUSED, reason="ESME_RINVDSTADR"),
            Outcome(3, Fate.ACCEPTED, "a3"),
        ]
        assert [pdu.short_message[5] for pdu in smsc.submits] == [1, 2, 3]


async def test_parts_beyond_the_window_wait_and_go_as_answers_make_room(carriers: Build) -> None:
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, window="2"))
        sending = asyncio.create_task(carrier.send(outgoing(text=LONG, parts=3, numbers=(1, 2, 3))))
        await smsc.until(lambda it: len(it.submits) == 2)
        await asyncio.sleep(0.01)
        assert len(smsc.submits) == 2
        smsc.links[0].answer_waiting("first")
        await smsc.until(lambda it: len(it.submits) == 3)
        smsc.links[0].answer_waiting("second")
        assert [it.ref for it in await sending] == ["first0", "first1", "second0"]


@pytest.mark.parametrize(
    ("version", "profile", "parameters"),
    [
        (None, "standard", 3),
        (0x34, "standard", 3),
        (0x50, "standard", 3),
        (0x33, "standard", 0),
        (None, "smpp-3.3", 0),
    ],
)
async def test_parts_numbered_by_parameters_get_a_header_where_the_link_is_of_3_3(
    carriers: Build, version: int | None, profile: str, parameters: int
) -> None:
    async with Smsc() as smsc:
        smsc.version = version
        carrier = await up(carriers(smsc, long="sar", profile=profile))
        await carrier.send(outgoing(text="a" * 200, parts=2, numbers=(1, 2)))
        for number, part in enumerate(smsc.submits, 1):
            assert len(part.tlvs) == parameters
            header = b"" if parameters else bytes((5, 0, 3, 1, 2, number))
            assert (part.short_message[: len(header)], bool(part.esm_class & 0x40)) == (
                header,
                not parameters,
            )


async def test_throttling_in_the_middle_of_a_long_message_keeps_the_parts_already_accepted(
    carriers: Build,
) -> None:
    answers = iter(["a1", int(CommandStatus.ESME_RTHROTTLED), int(CommandStatus.ESME_RMSGQFUL), "a2", "a3"])
    async with Smsc(lambda _: next(answers)) as smsc:
        carrier = await up(carriers(smsc))
        message = outgoing(text=LONG, parts=3, numbers=(1, 2, 3))
        assert fates(await carrier.send(message)) == [Fate.ACCEPTED, Fate.THROTTLED, Fate.THROTTLED]
        again = outgoing(text=LONG, parts=3, numbers=(2, 3))
        assert await carrier.send(again) == [Outcome(2, Fate.ACCEPTED, "a2"), Outcome(3, Fate.ACCEPTED, "a3")]
        assert [pdu.short_message[3:6] for pdu in smsc.submits[1:3]] == [
            pdu.short_message[3:6] for pdu in smsc.submits[3:]
        ]


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (CommandStatus.ESME_RTHROTTLED, Fate.THROTTLED),
        (CommandStatus.ESME_RMSGQFUL, Fate.THROTTLED),
        (CommandStatus.ESME_RSYSERR, Fate.LATER),
        (CommandStatus.ESME_RX_T_APPN, Fate.LATER),
        (CommandStatus.ESME_RINVDSTADR, Fate.REFUSED),
        (CommandStatus.ESME_RSUBMITFAIL, Fate.REFUSED),
        (0x499, Fate.REFUSED),
    ],
)
async def test_every_status_has_its_fate(carriers: Build, status: int, fate: Fate) -> None:
    async with Smsc(lambda _: int(status)) as smsc:
        carrier = await up(carriers(smsc))
        (outcome,) = await carrier.send(outgoing())
        assert outcome.fate is fate
        assert outcome.reason


async def test_a_profile_says_what_a_carrier_does_otherwise(carriers: Build) -> None:
    async with Smsc(lambda _: 0x400) as smsc:
        carrier = await up(carriers(smsc, profile="vendor-throttle"))
        assert fates(await carrier.send(outgoing())) == [Fate.THROTTLED]


@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("status", [CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RSERTYPUNAVAIL])
async def test_what_passes_by_the_specification_passes_whatever_the_profile(
    carriers: Build, profile: str, status: int
) -> None:
    """Found as messages refused for good, where the profile for another status had its own list of those that pass."""
    async with Smsc(lambda _: int(status)) as smsc:
        carrier = await up(carriers(smsc, profile=profile))
        assert fates(await carrier.send(outgoing())) == [Fate.LATER]


async def test_a_link_cut_with_a_full_window_leaves_unknown_what_was_written_and_unsent_what_was_not(
    carriers: Build,
) -> None:
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, window="3"))
        sending = [asyncio.create_task(carrier.send(outgoing(number))) for number in range(5)]
        await smsc.until(lambda it: len(it.submits) == 3)
        smsc.cut()
        found = [(await task)[0] for task in sending]
        assert [it.fate for it in found] == [Fate.UNKNOWN] * 3 + [Fate.UNSENT] * 2
        assert {it.reason for it in found} == {"the connection was lost", "the link is down"}
        await smsc.until(lambda it: it.made == 2)


async def test_a_living_links_silence_keeps_waiting_and_a_late_answer_counts(carriers: Build) -> None:
    clock = ManualClock()
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, clock=clock))
        sending = asyncio.create_task(carrier.send(outgoing()))
        await smsc.until(lambda it: len(it.submits) == 1)
        link = carrier._places[0].link
        assert link is not None
        for _ in range(9):
            clock.pass_seconds(30)
            link.tick()
            await asyncio.sleep(0.01)
        assert not sending.done()
        smsc.links[0].answer_waiting()
        assert await sending == [Outcome(1, Fate.ACCEPTED, "late0")]


async def test_an_answer_that_never_comes_ends_the_link_and_is_unknown(carriers: Build) -> None:
    clock = ManualClock()
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, clock=clock, answer_timeout="20"))
        sending = asyncio.create_task(carrier.send(outgoing()))
        await smsc.until(lambda it: len(it.submits) == 1)
        clock.pass_seconds(20)
        link = carrier._places[0].link
        assert link is not None
        link.tick()
        assert fates(await sending) == [Fate.UNKNOWN]
        await smsc.until(lambda it: it.made == 2)


async def test_a_link_that_went_silent_is_dead_after_two_misses_and_its_messages_unknown(
    carriers: Build,
) -> None:
    clock = ManualClock()
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, clock=clock))
        sending = asyncio.create_task(carrier.send(outgoing()))
        await smsc.until(lambda it: len(it.submits) == 1)
        smsc.mute = True
        link = carrier._places[0].link
        assert link is not None
        for _ in range(3):
            assert not sending.done()
            clock.pass_seconds(30)
            link.tick()
        assert await sending == [Outcome(1, Fate.UNKNOWN, reason="silent")]


async def test_a_peer_that_accepts_the_connection_and_says_nothing_is_given_up(carriers: Build) -> None:
    clock = ManualClock()
    async with Smsc(mute=True) as smsc:
        carrier = carriers(smsc, clock=clock)
        await carrier.start()
        await smsc.until(lambda it: it.made == 1)
        await until(lambda: carrier._places[0].link)
        first = carrier._places[0].link
        assert fates(await carrier.send(outgoing())) == [Fate.UNSENT]
        clock.pass_seconds(10)
        first.tick()
        await smsc.until(lambda it: it.made == 2)
        assert carrier.last_error() == "not bound in time"


async def test_half_a_pdu_and_then_silence_is_no_sign_of_life(carriers: Build) -> None:
    clock = ManualClock()
    async with Smsc(lambda _: None) as smsc:
        carrier = await up(carriers(smsc, clock=clock))
        sending = asyncio.create_task(carrier.send(outgoing()))
        await smsc.until(lambda it: len(it.submits) == 1)
        smsc.mute = True
        smsc.links[0].raw(bytes.fromhex("00000020 80000004 0000"))
        await asyncio.sleep(0.01)
        link = carrier._places[0].link
        assert link is not None
        for _ in range(3):
            clock.pass_seconds(30)
            link.tick()
        assert fates(await sending) == [Fate.UNKNOWN]


async def test_a_slow_reader_gets_no_more_than_a_window_and_what_waits_stays_here(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, window="1000"))
        link = carrier._places[0].link
        assert link is not None
        link.pause_writing()
        sending = [asyncio.create_task(carrier.send(outgoing(number))) for number in range(50)]
        await asyncio.sleep(0.01)
        assert smsc.submits == []
        link.resume_writing()
        assert all(fates(found) == [Fate.ACCEPTED] for found in await asyncio.gather(*sending))


async def test_a_centre_that_does_not_read_is_not_read_from_either(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc))
        link, theirs = carrier._places[0].link, smsc.links[0]
        assert link is not None
        assert link._transport is not None
        assert theirs.transport is not None
        theirs.transport.pause_reading()
        burst = b"".join(encode(EnquireLink(), number) for number in range(1, 4097))
        while link._transport.is_reading() and link._transport.get_write_buffer_size() < 1_000_000:
            theirs.raw(burst)
            await asyncio.sleep(0)
        size = link._transport.get_write_buffer_size()
        theirs.raw(burst)
        for _ in range(100):
            await asyncio.sleep(0)
        assert link._transport.get_write_buffer_size() <= size < 1_000_000
        theirs.transport.resume_reading()
        await until(link._transport.is_reading)
        assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]


async def test_a_refused_password_is_tried_again_after_five_minutes_and_said(
    carriers: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[bool] = []

    def noted(failures: int, refused: bool, chance: float) -> float:
        waits.append(refused)
        return reconnect_after(failures, refused, chance)

    monkeypatch.setattr(smpp_client, "reconnect_after", noted)
    async with Smsc(bind_status=CommandStatus.ESME_RINVPASWD) as smsc:
        carrier = carriers(smsc)
        await carrier.start()
        await until(lambda: waits)
        assert waits == [True]
        assert carrier.state() == "the bind was refused: ESME_RINVPASWD"
        assert fates(await carrier.send(outgoing())) == [Fate.UNSENT]


async def test_a_bind_that_failed_is_tried_again_as_after_any_passing_fault(carriers: Build) -> None:
    async with Smsc(bind_status=CommandStatus.ESME_RBINDFAIL) as smsc:
        carrier = carriers(smsc)
        await carrier.start()
        await until(lambda: carrier.state() == "the bind was refused: ESME_RBINDFAIL")
        smsc.bind_status = 0
        await ready(carrier)


def test_the_wait_doubles_from_one_second_to_sixty_with_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smpp_client, "FIRST_SECONDS", 1.0)
    assert [reconnect_after(n, False, 0.5) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert reconnect_after(10_000, False, 0.5) == 60
    assert reconnect_after(1, False, 0.0) == pytest.approx(0.8)
    assert reconnect_after(1, False, 1.0) == pytest.approx(1.2)
    assert reconnect_after(1, True, 0.0) == 300


async def test_with_nobody_there_a_message_is_unsent_and_the_link_comes_up_when_somebody_is(
    carriers: Build,
) -> None:
    smsc = Smsc()
    await smsc.listen()
    await smsc.close()
    carrier = carriers(smsc)
    await carrier.start()
    assert fates(await carrier.send(outgoing())) == [Fate.UNSENT]
    await smsc.listen()
    await ready(carrier)
    assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]
    await smsc.close()


async def test_stopping_takes_the_centres_good_bye(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc))
        session = smsc.links[0].session
        await carrier.stop()
        await smsc.until(lambda it: not it.links)
        assert session.ended()
        assert carrier.state() == "down"
        assert fates(await carrier.send(outgoing())) == [Fate.UNSENT]


async def test_sending_and_receiving_binds_of_their_own_share_the_work(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, events, bind="tx+rx"))
        await smsc.until(lambda it: len(it.binds) == 2)
        assert {type(bind) for bind in smsc.binds} == {BindTransmitter, BindReceiver}
        assert fates(await carrier.send(outgoing())) == [Fate.ACCEPTED]
        await until(lambda: carrier.state() == "up")
        assert await smsc.receipt("m1") == 0
        assert [receipt.ref for receipt in events.receipts] == ["m1"]


async def test_a_carrier_that_only_receives_refuses_to_send(carriers: Build) -> None:
    async with Smsc() as smsc:
        carrier = carriers(smsc, bind="rx")
        await carrier.start()
        await smsc.until(lambda it: len(it.binds) == 1)
        assert fates(await carrier.send(outgoing())) == [Fate.REFUSED]


async def test_a_receipt_is_answered_after_it_is_on_disk_and_not_before(carriers: Build) -> None:
    events = Collected()
    events.hold = asyncio.Event()
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        answer = asyncio.create_task(
            smsc.receipt("m1", source_addr="61455555555", destination_addr="61400000000")
        )
        await asyncio.sleep(0.01)
        assert not answer.done()
        events.hold.set()
        assert await answer == 0
        (receipt,) = events.receipts
        assert (receipt.carrier_id, receipt.ref, receipt.status) == (5, "m1", Status.DELIVERED)
        assert (receipt.recipient, receipt.sender) == ("61455555555", "61400000000")


async def test_what_could_not_be_stored_is_asked_for_again(carriers: Build) -> None:
    events = Collected()
    events.refuse = [StoreUnavailable("the database is away"), RuntimeError("a fault of ours")]
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        assert await smsc.receipt("m1") == CommandStatus.ESME_RX_T_APPN
        assert await smsc.receipt("m1") == CommandStatus.ESME_RX_T_APPN
        assert await smsc.receipt("m1") == 0


@pytest.mark.parametrize(
    ("word", "esm_class", "status"),
    [
        ("DELIVRD", 4, Status.DELIVERED),
        ("delivrd", 4, Status.DELIVERED),
        ("UNDELIV", 4, Status.UNDELIVERABLE),
        ("EXPIRED", 4, Status.EXPIRED),
        ("REJECTD", 4, Status.REJECTED),
        ("DELETED", 4, Status.DELETED),
        ("ENROUTE", 4, Status.SENT),
        ("ACCEPTD", 4, Status.SENT),
        ("BUFFRED", 4, Status.SENT),
        ("UNKNOWN", 4, Status.SENT),
        ("OK", 4, Status.DELIVERED),
        ("DELIVRD", 0x20, Status.SENT),
    ],
)
async def test_only_a_receipt_that_says_the_end_ends_a_message(
    carriers: Build, word: str, esm_class: int, status: Status
) -> None:
    events = Collected()
    async with Smsc() as smsc:
        await up(carriers(smsc, events, status_map="OK=DELIVRD"))
        text = f"id:7 sub:001 dlvrd:001 submit date:2611240830 done date:2611240831 stat:{word} err:000 text:"
        assert await smsc.deliver(DeliverSm(esm_class=esm_class, short_message=text.encode())) == 0
        assert [receipt.status for receipt in events.receipts] == [status]


@pytest.mark.parametrize(
    ("profile", "told", "ref"),
    [
        ("standard", "255", "255"),
        ("decimal-receipts", "255", "ff"),
        ("hex-receipts", "ff", "255"),
        ("hex-receipts", "FF", "255"),
        ("decimal-receipts", "no-number", "no-number"),
        ("smpp-3.3", "255", "ff"),
    ],
)
async def test_a_carriers_way_of_writing_ids_is_read_by_its_profile(
    carriers: Build, profile: str, told: str, ref: str
) -> None:
    events = Collected()
    async with Smsc() as smsc:
        await up(carriers(smsc, events, profile=profile))
        await smsc.receipt(told)
        assert [receipt.ref for receipt in events.receipts] == [ref]


async def test_receipts_come_by_parameters_by_data_sm_and_unmarked(carriers: Build) -> None:
    events = Collected()
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, "m1"), (Tag.MESSAGE_STATE, 5))
    async with Smsc() as smsc:
        await up(carriers(smsc, events, profile="unmarked-receipts"))
        assert await smsc.deliver(DataSm(esm_class=4, tlvs=tlvs)) == 0
        assert await smsc.deliver(DeliverSm(short_message=b"id:m2 stat:DELIVRD err:000 text:hi")) == 0
        assert [(it.ref, it.status) for it in events.receipts] == [("m1", 5), ("m2", 2)]
        assert events.inbounds == []


async def test_a_handsets_text_comes_in_with_its_letters_and_its_parts(carriers: Build) -> None:
    events = Collected()
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        who = {"source_addr": "+61455555555", "destination_addr": "61400000000"}
        assert await smsc.deliver(DeliverSm(**who, short_message=b"hello \x00\x1b\x65")) == 0
        udh = DeliverSm(
            **who, esm_class=0x40, data_coding=8, short_message=b"\5\0\3\7\2\2" + "Ж".encode("utf-16-be")
        )
        assert await smsc.deliver(udh) == 0
        sar = ((Tag.SAR_MSG_REF_NUM, 9), (Tag.SAR_TOTAL_SEGMENTS, 3), (Tag.SAR_SEGMENT_SEQNUM, 1))
        assert await smsc.deliver(DeliverSm(**who, short_message=b"one", tlvs=sar)) == 0
        assert [
            (it.sender, it.recipient, it.text, it.reference, it.number, it.total) for it in events.inbounds
        ] == [
            ("61455555555", "61400000000", "hello @€", 0, 1, 1),
            ("61455555555", "61400000000", "Ж", 7, 2, 2),
            ("61455555555", "61400000000", "one", 131_081, 1, 3),
        ]


@pytest.mark.parametrize("address", ["", "6" * 64, "\x01\x02", "Shop\x00", "é" * 30])
async def test_whatever_stands_for_an_address_the_text_is_taken(carriers: Build, address: str) -> None:
    events = Collected()
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        body = b"\0\1\1" + address.replace("\0", "").encode("latin-1") + b"\0\1\1614\0\0\0\0\0\0\0\0\0\0\2hi"
        smsc.links[0].raw(
            (16 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000005 00000000 00000063") + body
        )
        await events.until(lambda it: len(it.inbounds) == 1)
        assert events.inbounds[0].text == "hi"
        assert 1 <= len(events.inbounds[0].sender) <= 20


async def test_a_flood_of_deliveries_is_not_read_faster_than_it_is_stored(
    carriers: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smpp_link, "MOST_DELIVERIES", 10)
    events = Collected()
    events.hold = asyncio.Event()
    async with Smsc() as smsc:
        await up(carriers(smsc, events))
        answers = []
        for _ in range(40):
            answers.append(asyncio.create_task(smsc.deliver(DeliverSm(short_message=b"x"))))
            await asyncio.sleep(0.001)
        assert events.at_once < 40
        events.hold.set()
        assert await asyncio.gather(*answers) == [0] * 40


async def test_tls_is_verified(carriers: Build, tmp_path: Path) -> None:
    ours, other = trustme.CA(), trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(served)
    for name, authority in (("ours", ours), ("other", other)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    async with Smsc(tls=served) as smsc:
        good = await up(carriers(smsc, tls="true", tls_ca=str(tmp_path / "ours")))
        assert fates(await good.send(outgoing())) == [Fate.ACCEPTED]
        bad = carriers(smsc, tls="true", tls_ca=str(tmp_path / "other"))
        await bad.start()
        await until(bad.last_error)
        assert bad.last_error() == "can't be reached: its certificate is not trusted"
        with pytest.raises(ConfigInvalid):
            await carriers(smsc, tls="true", tls_ca=str(tmp_path / "none")).start()


@pytest.mark.parametrize(
    ("validity", "expected"),
    [("relative", "000001020304000R"), ("absolute", "231116001624000+"), ("none", "")],
)
async def test_a_messages_end_is_told_as_the_carrier_wants_it(
    carriers: Build, validity: str, expected: str
) -> None:
    clock = ManualClock(1_700_000_000)
    until = (1_700_000_000 + 26 * 3600 + 3 * 60 + 4) * 1_000_000
    async with Smsc() as smsc:
        carrier = await up(carriers(smsc, clock=clock, validity=validity))
        await carrier.send(outgoing(valid_until=until))
        assert smsc.submits[0].validity_period == expected


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "host"),
        ({"host": "smsc.example"}, "system_id"),
        ({"host": "smpp://smsc.example", "system_id": "a"}, "host"),
        ({"host": "smsc.example", "system_id": "a", "port": "0"}, "port"),
        ({"host": "smsc.example", "system_id": "é"}, "system_id"),
        ({"host": "smsc.example", "system_id": "a", "password": "p" * 65}, "password"),
        ({"host": "smsc.example", "system_id": "a", "bind": "both"}, "bind"),
        ({"host": "smsc.example", "system_id": "a", "profile": "none"}, "profile"),
        ({"host": "smsc.example", "system_id": "a", "encoding": "utf-8"}, "encoding"),
        ({"host": "smsc.example", "system_id": "a", "tls_ca": "/x"}, "tls_ca"),
        ({"host": "smsc.example", "system_id": "a", "status_map": "OK"}, "status_map"),
        ({"host": "smsc.example", "system_id": "a", "colour": "red"}, "colour"),
    ],
)
def test_a_setting_that_can_not_be_read_is_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        make(CarrierRow(1, "c", "smpp", settings), Collected(), SystemClock())
    assert refused.value.parameter == named
