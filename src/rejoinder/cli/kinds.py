"""Options that several commands share, checked as they are typed.

Refuses, as a usage error, an amount that is none and a word that is not among the choices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rejoinder.errors import Refused
from rejoinder.flow.operator import values
from rejoinder.message.model import Billing, Rotation

F = TypeVar("F", bound=Callable[..., Any])

BILLING = click.Choice([str(word) for word in Billing])
ROTATION = click.Choice([str(word) for word in Rotation])


class Credits(click.ParamType[int]):
    """Credits with up to three decimals, as thousandths."""

    name = "credits"

    def __init__(self, negative: bool = False) -> None:
        self._parse = values.credit_amount if negative else values.credit_allowance

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return self._parse(param.name or "credits" if param else "credits", str(value))
        except Refused as error:
            self.fail(error.sentence, param, ctx)


def customer_option(required: bool = True) -> Callable[[F], F]:
    """--customer, as it is everywhere."""
    return click.option(
        "--customer",
        required=required,
        metavar="NAME",
        help="NAME, or RESELLER/NAME where several have that name.",
    )
