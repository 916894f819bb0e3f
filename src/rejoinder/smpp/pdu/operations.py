"""PDUs about messages that a centre has already, and about handsets (3.4 §4.8 to §4.10, §4.12)."""

from __future__ import annotations

from rejoinder.smpp.constants import Command
from rejoinder.smpp.pdu.base import Pdu, Tlvs


class QuerySmResp(Pdu, frozen=True, gc=False):
    command = Command.QUERY_SM_RESP
    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0
    tlvs: Tlvs = ()


class QuerySm(Pdu, frozen=True, gc=False):
    command = Command.QUERY_SM
    response = QuerySmResp
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    tlvs: Tlvs = ()


class CancelSmResp(Pdu, frozen=True, gc=False):
    command = Command.CANCEL_SM_RESP
    tlvs: Tlvs = ()


class CancelSm(Pdu, frozen=True, gc=False):
    command = Command.CANCEL_SM
    response = CancelSmResp
    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    tlvs: Tlvs = ()


class ReplaceSmResp(Pdu, frozen=True, gc=False):
    command = Command.REPLACE_SM_RESP
    tlvs: Tlvs = ()


class ReplaceSm(Pdu, frozen=True, gc=False):
    command = Command.REPLACE_SM
    response = ReplaceSmResp
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class AlertNotification(Pdu, frozen=True, gc=False):
    """A handset is there again (§4.12.1); nothing answers it."""

    command = Command.ALERT_NOTIFICATION
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
    tlvs: Tlvs = ()
