"""PDUs that bring messages, and their answers (3.4 §4.4 to §4.7)."""

from __future__ import annotations

import msgspec

from rejoinder.smpp.constants import Command
from rejoinder.smpp.pdu.base import Pdu, Tlvs


class SubmitSmResp(Pdu, frozen=True, gc=False):
    command = Command.SUBMIT_SM_RESP
    message_id: str = ""
    tlvs: Tlvs = ()


class DeliverSmResp(Pdu, frozen=True, gc=False):
    """Its message_id is unused (§4.6.2)."""

    command = Command.DELIVER_SM_RESP
    message_id: str = ""
    tlvs: Tlvs = ()


class DataSmResp(Pdu, frozen=True, gc=False):
    command = Command.DATA_SM_RESP
    message_id: str = ""
    tlvs: Tlvs = ()


class ShortMessage(Pdu, frozen=True, gc=False):
    """What submit_sm and deliver_sm have in common: everything (§4.4.1, §4.6.1)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class SubmitSm(ShortMessage, frozen=True, gc=False):
    command = Command.SUBMIT_SM
    response = SubmitSmResp


class DeliverSm(ShortMessage, frozen=True, gc=False):
    command = Command.DELIVER_SM
    response = DeliverSmResp


class DataSm(Pdu, frozen=True, gc=False):
    """A message whose text is a message_payload TLV; both sides send it (§4.7.1)."""

    command = Command.DATA_SM
    response = DataSmResp
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()


class Address(msgspec.Struct, frozen=True, gc=False):
    """One destination of a submit_multi by its number."""

    ton: int = 0
    npi: int = 0
    address: str = ""


class ListName(msgspec.Struct, frozen=True, gc=False):
    """A distribution list of the centre as a destination of a submit_multi."""

    name: str = ""


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A destination that a submit_multi did not reach, and the status that says why."""

    ton: int = 0
    npi: int = 0
    address: str = ""
    status: int = 0


class SubmitMultiResp(Pdu, frozen=True, gc=False):
    command = Command.SUBMIT_MULTI_RESP
    message_id: str = ""
    unsuccess: tuple[Failed, ...] = ()
    tlvs: Tlvs = ()


class SubmitMulti(Pdu, frozen=True, gc=False):
    """One text for up to 254 destinations (§4.5.1)."""

    command = Command.SUBMIT_MULTI
    response = SubmitMultiResp
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    destinations: tuple[Address | ListName, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()
