"""What a description is made of: parameters, the three kinds of operations, and JSON Schema (2020-12) of answers.

Shapes are closed: a field that is not named is never sent. Pure data for the OpenAPI document. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.endpoints.http.responses import Family
from rejoinder.message.codes import AccountCode, MessageError
from rejoinder.message.status import TABLE

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a call, or a field of a carrier's delivery. A required one has `examples` in its schema."""

    name: str
    meaning: str
    schema: Schema
    required: bool = False
    # Whose it is, where calls have parameters of one name with different meanings.
    of: str = ""

    @property
    def component(self) -> str:
        """The name under which the document's components have it."""
        return f"{self.of}.{self.name}" if self.of else self.name


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the two families. `answers` name shapes; `codes`: refusals with HTTP 200.

    `repeats_recipient`: a refusal says for whom the message was.
    """

    name: str
    summary: str
    family: Family
    parameters: Sequence[Parameter]
    answers: Sequence[str]
    codes: Sequence[int]
    example: Schema | None = None
    repeats_recipient: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a network posts to us, as form or JSON, with its carrier's token."""

    name: str
    summary: str
    fields: Sequence[Parameter]


@dataclass(frozen=True, slots=True)
class Look:
    """A path that operators and their machines look at: HTTP status to shape, and the media type of all."""

    name: str
    summary: str
    answers: Mapping[int, str]
    media_type: str = "application/json"


Description = Call | Delivery | Look


def closed(properties: Mapping[str, Schema], optional: Collection[str] = ()) -> dict[str, Any]:
    """The schema of an object with these fields and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(**more: Any) -> dict[str, Any]:
    """The schema of a string."""
    return {"type": "string", **more}


def list_of(name: str, description: str) -> dict[str, Any]:
    """The schema of a list of one of the shapes."""
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}, "description": description}


def meanings(codes: Iterable[int]) -> str:
    """Each code with what it means, for a reader."""
    return "; ".join(f"{int(code)}: {meaning(code)}" for code in codes)


def meaning(code: int) -> str:
    """What one code means, for a reader."""
    return code.meaning if isinstance(code, AccountCode | MessageError) else TABLE[code].word


def refusal(family: Family, codes: Collection[int], recipient: bool = False) -> dict[str, Any]:
    """The family's error answer with one of these codes (contract §1 "error text").

    `recipient`: a send's, which repeats it, unless the request was not read as far as that.
    """
    shape: dict[str, Schema] = {
        family.value: {
            "type": "integer",
            "enum": [int(code) for code in codes],
            "description": meanings(codes),
        },
        "error": text(minLength=1, description="One English sentence naming the parameter and the fault."),
    }
    if recipient:
        shape = {"recipient": text(description="As it was given, or empty."), **shape}
    return closed(shape, optional=("recipient",))
