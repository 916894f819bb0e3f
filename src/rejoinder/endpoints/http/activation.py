"""user/activate and user/sendActivationCode (contract §9). Who calls proves itself by the code alone."""

from __future__ import annotations

import re

from rejoinder.endpoints.http.forms import Field, account_call, read
from rejoinder.endpoints.http.params import Params
from rejoinder.endpoints.http.responses import Family, Response, encode
from rejoinder.endpoints.http.server import Operation
from rejoinder.errors import Refused
from rejoinder.flow.activation import DIGITS, Activation
from rejoinder.flow.operator import values

_CODE = re.compile(f"[0-9]{{{DIGITS}}}")


def _code(name: str, value: str) -> str:
    if not _CODE.fullmatch(value):
        raise Refused(f"{name} must be {DIGITS} digits", name)
    return value


_USERNAME = Field("username", values.name)
_ACTIVATE = (_USERNAME, Field("activationCode", _code))


class ActivationCalls:
    """The two calls."""

    def __init__(self, activation: Activation) -> None:
        self._activation = activation

    def operations(self) -> list[Operation]:
        calls = {"activate": self.activate, "sendActivationCode": self.send_code}
        return [
            Operation(f"/services/rest/user/{name}", Family.ACCOUNT, account_call(call), ("POST",))
            for name, call in calls.items()
        ]

    async def activate(self, params: Params) -> Response:
        given = read(params, _ACTIVATE)
        await self._activation.activate(given["username"], given["activationCode"])
        return Response(encode({"status": 0}))

    async def send_code(self, params: Params) -> Response:
        await self._activation.send_code(read(params, (_USERNAME,))["username"])
        return Response(encode({"status": 0}))
