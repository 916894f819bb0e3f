"""Which command status says what: one table from the contract's message codes, one from a bind's verdict.

Refuses nothing: a code that is in no table is ESME_RSUBMITFAIL.
"""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.errors import Overloaded, RejoinderError
from rejoinder.flow.accounts import Verdict
from rejoinder.flow.request import MessageRefused
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status
from rejoinder.smpp.constants import CommandStatus as S
from rejoinder.smpp.constants import MessageState

# The specification has none for it; 0x400 to 0x4FF are a centre's own (§5.1.3).
NO_CREDIT = 0x401

OF_CODE: Mapping[int, int] = {
    MessageError.INVALID_RECIPIENT: S.ESME_RINVDSTADR,
    MessageError.INVALID_SENDER: S.ESME_RINVSRCADR,
    MessageError.TEXT_EMPTY: S.ESME_RINVMSGLEN,
    MessageError.TEXT_TOO_LONG: S.ESME_RINVMSGLEN,
    MessageError.SCHEDULED_IN_PAST: S.ESME_RINVSCHED,
    MessageError.SCHEDULED_TOO_FAR: S.ESME_RINVSCHED,
    MessageError.OPTED_OUT: S.ESME_RINVDSTADR,
    MessageError.NOT_ENOUGH_CREDITS: NO_CREDIT,
    MessageError.SMSC_ERROR: S.ESME_RSYSERR,
    MessageError.INTERNAL_ERROR: S.ESME_RSYSERR,
    Status.NO_ROUTE: S.ESME_RINVDSTADR,
    Status.SOURCE_NOT_ALLOWED: S.ESME_RINVSRCADR,
}
# -110 says that some value is none; which one says the parameter.
_OF_PARAMETER: Mapping[str | None, int] = {
    "validity": S.ESME_RINVEXPIRY,
    "udh": S.ESME_RINVESMCLASS,
    "encoding": S.ESME_RINVDCS,
}
OF_VERDICT: Mapping[Verdict, int] = {
    Verdict.UNKNOWN_USER: S.ESME_RINVSYSID,
    Verdict.WRONG_PASSWORD: S.ESME_RINVPASWD,
    Verdict.ADDRESS_NOT_ALLOWED: S.ESME_RBINDFAIL,
    Verdict.DISABLED: S.ESME_RBINDFAIL,
    Verdict.BLOCKED: S.ESME_RBINDFAIL,
    Verdict.NOT_ACTIVATED: S.ESME_RBINDFAIL,
}
OF_STATE: Mapping[int, MessageState] = {
    Status.DELIVERED: MessageState.DELIVERED,
    Status.EXPIRED: MessageState.EXPIRED,
    Status.DELETED: MessageState.DELETED,
    Status.UNDELIVERABLE: MessageState.UNDELIVERABLE,
    Status.NO_ROUTE: MessageState.UNDELIVERABLE,
    Status.REJECTED: MessageState.REJECTED,
    Status.SOURCE_NOT_ALLOWED: MessageState.REJECTED,
    Status.CONTENT_BLOCKED: MessageState.REJECTED,
    Status.INVALID_CONTENT: MessageState.REJECTED,
}


class PduRefused(RejoinderError):
    """What a PDU asks for cannot be; the peer is told this status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = int(status)


def of_refusal(error: RejoinderError) -> int:
    """The command status for whatever a submission was refused with."""
    if isinstance(error, PduRefused):
        return error.status
    if isinstance(error, MessageRefused):
        if error.code == MessageError.UNKNOWN_ENCODING:
            return int(_OF_PARAMETER.get(error.parameter, S.ESME_RSUBMITFAIL))
        return int(OF_CODE.get(error.code, S.ESME_RSUBMITFAIL))
    if isinstance(error, Overloaded):
        return int(S.ESME_RMSGQFUL)
    return int(S.ESME_RSYSERR)


def state_of(status: int) -> MessageState:
    """message_state of a message: what is not final yet is on its way."""
    return OF_STATE.get(status, MessageState.ENROUTE)
