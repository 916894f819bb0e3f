"""The parameters of an account call as values: 1 for every one that is missing, then 2 for every one that is none.

Contract §1 "order of checks". Refuses nothing that needs a look at the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.endpoints.http.params import Params
from rejoinder.endpoints.http.responses import Family, Response, fault
from rejoinder.errors import Refused
from rejoinder.flow.operator.values import Parse
from rejoinder.flow.refusals import CallRefused
from rejoinder.message.codes import AccountCode

Answer = Callable[[Params], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter: its name, what makes a value of it (raises Refused), and what its absence means.

    `older`: a name it also has in the API's documents; the newer one counts where both are given.
    """

    name: str
    parse: Parse
    older: str = ""
    required: bool = True
    default: object = ""

    def given(self, params: Params) -> tuple[str, str | None]:
        """The name under which it came, and what; nothing where it is absent or empty."""
        for name in (self.name, self.older):
            if params.get(name, "") != "":
                return name, params[name]
        return self.name, ""


def read(params: Params, fields: Sequence[Field]) -> dict[str, Any]:
    """Values by the fields' names. Raises CallRefused 1, 2."""
    given = [(field, *field.given(params)) for field in fields]
    for field, name, raw in given:
        if field.required and raw == "":
            raise CallRefused(AccountCode.PARAMETER_MISSING, f"{name} is missing or empty", name)
    return {field.name: _value(field, name, raw) for field, name, raw in given}


def _value(field: Field, name: str, raw: str | None) -> object:
    if raw is None:
        raise CallRefused(AccountCode.INVALID_VALUE, f"{name} is not valid UTF-8 text", name)
    if raw == "":
        return field.default
    try:
        return field.parse(name, raw)
    except Refused as error:
        raise CallRefused(AccountCode.INVALID_VALUE, error.sentence, name) from error


def word(*words: str) -> Parse:
    """A parser for one of these words, in any case; gives it in lower case."""

    def parse(name: str, value: str) -> str:
        if value.lower() not in {one.lower() for one in words}:
            raise Refused(f"{name} must be {' or '.join(words)}", name)
        return value.lower()

    return parse


def truth(name: str, value: str) -> bool:
    """`true` or `false`, in any case."""
    return word("true", "false")(name, value) == "true"


def as_given(_name: str, value: str) -> str:
    """Any text: whether it is right is seen later."""
    return value


def account_call(answer: Answer) -> Answer:
    """The same call with its refusals answered."""

    async def answered(params: Params) -> Response:
        try:
            return await answer(params)
        except CallRefused as refused:
            return fault(Family.ACCOUNT, refused.status, refused.sentence)

    return answered
