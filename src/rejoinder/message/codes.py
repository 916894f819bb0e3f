"""The two families of answer codes, account calls' `status` and message calls' `messageStatus`, each with its
meaning.

They are never mixed. The message statuses from 0 upwards are in `status.py`; here are the errors below 0.
Source: contract §1.
"""

from __future__ import annotations

from enum import IntEnum


class _Code(IntEnum):
    """An integer that knows what it means: `meaning` is a short English phrase without a full stop."""

    meaning: str

    def __new__(cls, code: int, meaning: str = "") -> _Code:
        # The default is for type checkers, which take the look-up AccountCode(320) for a call of this.
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class AccountCode(_Code):
    """`status` of the account calls."""

    OK = 0, "OK"
    PARAMETER_MISSING = 1, "required parameter missing"
    INVALID_VALUE = 2, "invalid parameter value"
    AUTHENTICATION_FAILED = 3, "authentication failed"
    BLOCKED = 4, "account blocked"
    NO_USER = 200, "user does not exist"
    USER_TAKEN = 201, "user name taken"
    NOT_ACTIVATED = 220, "user account needs to be activated"
    NO_CUSTOMER = 300, "customer does not exist"
    CUSTOMER_TAKEN = 301, "customer name taken"
    INSUFFICIENT_CREDITS = 320, "insufficient credits"
    BILLING_CLASH = 321, "billing type clash: post-paid customer under a pre-paid reseller"
    NO_RESELLER = 400, "reseller does not exist"
    RESELLER_TAKEN = 401, "reseller name taken"
    NO_RIGHTS = 420, "reseller has no rights to that customer"
    CUSTOMER_IS_POST_PAID = 421, "credits cannot be moved to a post-paid customer"
    INTERNAL_ERROR = 9999, "internal error"


class MessageError(_Code):
    """`messageStatus` of a message call that was refused: all below 0, all final."""

    NO_USERNAME = -101, "no username"
    NO_PASSWORD = -102, "no password"
    NO_DOCUMENT_ID = -103, "no documentId"
    INVALID_RECIPIENT = -104, "recipient invalid: must be 8 to 16 digits"
    INVALID_SENDER = -105, "sender invalid: 2 to 11 alphanumeric characters, or 3 to 16 digits"
    TEXT_EMPTY = -106, "text empty"
    TEXT_TOO_LONG = -107, "text too long"
    UNKNOWN_ROTATION = -109, "unknown rotation"
    UNKNOWN_ENCODING = -110, "unknown encoding, or text that is not text"
    SCHEDULED_IN_PAST = -111, "scheduled time lies in the past"
    SCHEDULED_TOO_FAR = -112, "scheduled time is too far ahead"
    CLIENT_REF_TAKEN = -120, "clientRef was used for another message"
    OPTED_OUT = -130, "the recipient has opted out"
    LOGIN_FAILED = -200, "unknown user or wrong password"
    USER_INACTIVE = -201, "user disabled or not activated"
    USER_BLOCKED = -202, "user blocked"
    PASSWORD_EXPIRED = -203, "password expired"
    NOT_ENOUGH_CREDITS = -210, "not enough credits"
    NOT_YOURS = -230, "that document belongs to somebody else"
    REPLY_TO_NOT_SUPPORTED = -240, "replyTo not supported"
    SMSC_ERROR = -910, "SMSC error"
    INTERNAL_ERROR = -999, "internal error"
