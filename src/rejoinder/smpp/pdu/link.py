"""PDUs that make, keep and end a connection (3.4 §4.1, §4.2, §4.3, §4.11)."""

from __future__ import annotations

from rejoinder.smpp.constants import VERSION, Command
from rejoinder.smpp.pdu.base import Pdu, Tlvs


class GenericNack(Pdu, frozen=True, gc=False):
    command = Command.GENERIC_NACK
    tlvs: Tlvs = ()


class BindResp(Pdu, frozen=True, gc=False):
    """The answer to any bind, under the command of its subclass."""

    system_id: str = ""
    tlvs: Tlvs = ()


class BindReceiverResp(BindResp, frozen=True, gc=False):
    command = Command.BIND_RECEIVER_RESP


class BindTransmitterResp(BindResp, frozen=True, gc=False):
    command = Command.BIND_TRANSMITTER_RESP


class BindTransceiverResp(BindResp, frozen=True, gc=False):
    command = Command.BIND_TRANSCEIVER_RESP


class Bind(Pdu, frozen=True, gc=False):
    """A bind of any kind, under the command of its subclass (§4.1)."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tlvs: Tlvs = ()


class BindReceiver(Bind, frozen=True, gc=False):
    command = Command.BIND_RECEIVER
    response = BindReceiverResp


class BindTransmitter(Bind, frozen=True, gc=False):
    command = Command.BIND_TRANSMITTER
    response = BindTransmitterResp


class BindTransceiver(Bind, frozen=True, gc=False):
    command = Command.BIND_TRANSCEIVER
    response = BindTransceiverResp


class Outbind(Pdu, frozen=True, gc=False):
    """A centre asks the ESME it called to bind as receiver (§4.1.7); nothing answers it."""

    command = Command.OUTBIND
    system_id: str = ""
    password: str = ""
    tlvs: Tlvs = ()


class UnbindResp(Pdu, frozen=True, gc=False):
    command = Command.UNBIND_RESP
    tlvs: Tlvs = ()


class Unbind(Pdu, frozen=True, gc=False):
    command = Command.UNBIND
    response = UnbindResp
    tlvs: Tlvs = ()


class EnquireLinkResp(Pdu, frozen=True, gc=False):
    command = Command.ENQUIRE_LINK_RESP
    tlvs: Tlvs = ()


class EnquireLink(Pdu, frozen=True, gc=False):
    command = Command.ENQUIRE_LINK
    response = EnquireLinkResp
    tlvs: Tlvs = ()
