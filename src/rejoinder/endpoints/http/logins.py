"""The first checks of every call: parameters that must be there, then who calls (contract §1 and §2).

Each family maps a log-in's verdict to its own codes; nothing else differs between calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rejoinder.endpoints.http.params import Params
from rejoinder.flow.accounts import Accounts, Login, Verdict
from rejoinder.flow.ports import UserRow
from rejoinder.flow.refusals import CallRefused
from rejoinder.flow.request import MessageRefused
from rejoinder.message.codes import AccountCode, MessageError

_ACCOUNT: Mapping[Verdict, tuple[int, str]] = {
    Verdict.UNKNOWN_USER: (AccountCode.NO_USER, "username: there is no such user"),
    Verdict.WRONG_PASSWORD: (AccountCode.AUTHENTICATION_FAILED, "password is wrong"),
    Verdict.ADDRESS_NOT_ALLOWED: (
        AccountCode.AUTHENTICATION_FAILED,
        "password is wrong, or the user may not log in from this address",
    ),
    Verdict.PASSWORD_EXPIRED: (AccountCode.AUTHENTICATION_FAILED, "password has expired"),
    Verdict.DISABLED: (AccountCode.AUTHENTICATION_FAILED, "username: the user is disabled"),
    Verdict.BLOCKED: (AccountCode.BLOCKED, "username: the account is blocked"),
    Verdict.NOT_ACTIVATED: (AccountCode.NOT_ACTIVATED, "username: the user account needs to be activated"),
}
_MESSAGE: Mapping[Verdict, tuple[int, str]] = {
    Verdict.UNKNOWN_USER: (MessageError.LOGIN_FAILED, "unknown username or wrong password"),
    Verdict.WRONG_PASSWORD: (MessageError.LOGIN_FAILED, "unknown username or wrong password"),
    # The same words: no other answer may tell which names exist.
    Verdict.ADDRESS_NOT_ALLOWED: (MessageError.LOGIN_FAILED, "unknown username or wrong password"),
    Verdict.PASSWORD_EXPIRED: (MessageError.PASSWORD_EXPIRED, "password has expired"),
    Verdict.DISABLED: (MessageError.USER_INACTIVE, "username: the user is disabled"),
    Verdict.BLOCKED: (MessageError.USER_BLOCKED, "username: the account is blocked"),
    Verdict.NOT_ACTIVATED: (MessageError.USER_INACTIVE, "username: the user account needs to be activated"),
}
_OF_A_MESSAGE = (("username", MessageError.NO_USERNAME), ("password", MessageError.NO_PASSWORD))
_OF_A_DOCUMENT = (*_OF_A_MESSAGE, ("documentId", MessageError.NO_DOCUMENT_ID))


def require(params: Params, names: Sequence[str]) -> None:
    """1 for every missing or empty parameter, then 2 for every one that is no text."""
    for name in names:
        if params.get(name, "") == "":
            raise CallRefused(AccountCode.PARAMETER_MISSING, f"{name} is missing or empty")
    for name in names:
        if params[name] is None:
            raise CallRefused(AccountCode.INVALID_VALUE, f"{name} is not valid UTF-8 text")


async def account_user(params: Params, accounts: Accounts) -> UserRow:
    """The calling user of an account call. Raises CallRefused: 2, 200, 3, 4, 220."""
    username, password = params["username"], params["password"]
    assert username is not None  # require() was first
    assert password is not None
    if " " in username:
        raise CallRefused(AccountCode.INVALID_VALUE, "username must have no spaces")
    login = await _login(accounts, username, password, params.address)
    if login.verdict is Verdict.OK and login.user is not None:
        return login.user
    raise CallRefused(*_ACCOUNT[login.verdict])


async def message_user(params: Params, accounts: Accounts, document: bool = False) -> UserRow:
    """The calling user of a message call. Raises MessageRefused: -101, -102, (-103), -110, -200 to -203."""
    for name, code in _OF_A_DOCUMENT if document else _OF_A_MESSAGE:
        if params.get(name, "") == "":
            raise MessageRefused(code, f"{name} is missing or empty", name)
    username, password = params["username"], params["password"]
    if username is None or password is None:
        name = "username" if username is None else "password"
        raise MessageRefused(MessageError.UNKNOWN_ENCODING, f"{name} is not valid UTF-8 text", name)
    login = await _login(accounts, username, password, params.address)
    if login.verdict is Verdict.OK and login.user is not None:
        return login.user
    raise MessageRefused(*_MESSAGE[login.verdict], "username")


async def _login(accounts: Accounts, username: str, password: str, address: str) -> Login:
    """Nearly all who call were here a moment ago."""
    return accounts.login_now(username, password, address) or await accounts.login(
        username, password, address
    )
