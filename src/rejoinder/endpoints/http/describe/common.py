"""What several groups of calls share: the log-in, ids and times, and the codes that a log-in may answer."""

from __future__ import annotations

from rejoinder.endpoints.http.describe.schema import Parameter, text
from rejoinder.message.codes import AccountCode, MessageError

REST = "/services/rest"

HEX_ID = "^[0-9a-f]{24}$"
ID = text(pattern=HEX_ID, description="24 lower-case hex digits (a BSON ObjectId).")
DIGITS = text(pattern="^[0-9]{8,16}$", description="International format, digits only.")
TIMESTAMP = {"type": "integer", "description": "Unix seconds, UTC."}
ACCOUNT_OK = {"type": "integer", "const": 0}

LOGIN = (
    Parameter(
        "username", "The user's name, without spaces.", text(pattern="^[^ ]+$", examples=["anna@acme"]), True
    ),
    Parameter(
        "password", "The user's password.", text(minLength=1, format="password", examples=["secret2"]), True
    ),
)
DOCUMENT = Parameter(
    "documentId",
    "The message's id, as the send answered it.",
    text(minLength=1, examples=["517509fee4b0b1be3f128ef5"]),
    True,
)

_A, _M = AccountCode, MessageError
# A blocked account answers 3 in allMessages, which has no 4 (contract §2).
CODES_WITHOUT_BLOCKED = (
    _A.PARAMETER_MISSING,
    _A.INVALID_VALUE,
    _A.AUTHENTICATION_FAILED,
    _A.NO_USER,
    _A.NOT_ACTIVATED,
)
ACCOUNT_CODES = (*CODES_WITHOUT_BLOCKED, _A.BLOCKED)
MESSAGE_CODES = (
    *(_M.NO_USERNAME, _M.NO_PASSWORD, _M.INVALID_RECIPIENT, _M.UNKNOWN_ENCODING),
    *(_M.LOGIN_FAILED, _M.USER_INACTIVE, _M.USER_BLOCKED, _M.PASSWORD_EXPIRED),
)
