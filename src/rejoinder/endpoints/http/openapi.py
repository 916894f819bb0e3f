"""The API's own description, OpenAPI 3.1, as served at /openapi.json.

Paths and methods come from the table of operations, everything else from describe/.
Refuses (ValueError) a table with an operation that is not described, and a description without operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from rejoinder import __version__
from rejoinder.endpoints.http.describe import (
    DESCRIPTIONS,
    SHAPES,
    Call,
    Delivery,
    Description,
    Look,
    Parameter,
)
from rejoinder.endpoints.http.describe.schema import refusal
from rejoinder.endpoints.http.responses import Family, Response, encode
from rejoinder.endpoints.http.server import FORM, Operation, RawOperation, Request
from rejoinder.message.codes import AccountCode, MessageError

Json = dict[str, Any]
Operations = Sequence[Operation | RawOperation]

PATH = "/openapi.json"
_JSON = "application/json"
_FORM = FORM.decode()
_RULES = """\
Every call of a user takes GET with query parameters, or POST with an `application/x-www-form-urlencoded` body. A \
POST may carry its parameters in the query string instead; with an empty body it needs no Content-Type. Names are \
case sensitive, unknown parameters are ignored; of a repeated one the first wins, the query string before the body. \
Text is UTF-8. Query string and body may have 64 KB each, a call 100 parameters.

HTTP 200 stands for every answer that the contract defines, errors included: read the number in the body. An unknown \
path is answered 404 with `{"status": 2, "error": …}`. Every answer of a call carries `Cache-Control: no-store`."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """An answer with another HTTP status than 200: the code of either family, the header that comes along."""

    meaning: str
    account: AccountCode
    message: MessageError
    header: str | None = None

    def answer(self, family: Family) -> Json:
        code = self.account if family is Family.ACCOUNT else self.message
        said = {"description": self.meaning, "content": _content(_JSON, refusal(family, [code]))}
        header = {self.header: {"required": True, "schema": {"type": "string"}}} if self.header else {}
        return {**said, "headers": header} if header else said


_WRONG = (AccountCode.INVALID_VALUE, MessageError.UNKNOWN_ENCODING)
_STRANGER = (AccountCode.AUTHENTICATION_FAILED, MessageError.LOGIN_FAILED)
_OURS = (AccountCode.INTERNAL_ERROR, MessageError.INTERNAL_ERROR)
_FAULTS: Mapping[int, _Fault] = {
    400: _Fault("A field is missing or not understood.", *_WRONG),
    401: _Fault(
        "Not the carrier's token; a carrier without one takes nobody's word.", *_STRANGER, "WWW-Authenticate"
    ),
    404: _Fault("There is no such carrier.", *_WRONG),
    405: _Fault("The path takes other methods, those that Allow names.", *_WRONG, "Allow"),
    413: _Fault("Query string or body has more than 64 KB.", *_WRONG),
    415: _Fault("The body is of another type than described.", *_WRONG),
    429: _Fault("Too many log-ins failed.", *_STRANGER, "Retry-After"),
    500: _Fault("Internal error.", *_OURS),
    503: _Fault(
        "Overloaded, or the database is away: nothing was stored, try again. With `Rejoinder-Outcome: unknown` it may "
        "have been stored all the same.",
        *_OURS,
        "Retry-After",
    ),
}
# What the kinds of operations answer besides their own; those that read no body have no 415.
_OF_CALLS = (405, 413, 429, 500, 503)
_OF_DELIVERIES = (400, 401, 404, 405, 413, 415, 500, 503)
_OF_LOOKS = (405, 413, 500)


def with_description(operations: Operations) -> list[Operation | RawOperation]:
    """The table of operations, and as its last one that which answers with their description."""

    async def answer(_request: Request) -> Response:
        return Response(body)

    table = [*operations, RawOperation(PATH, answer)]
    body = encode(document(table))
    return table


def document(operations: Operations) -> Json:
    """The document of a table of operations. ValueError where table and descriptions differ."""
    paths = {
        path: {method.lower(): _said(method, path, DESCRIPTIONS[path]) for method in operation.methods}
        for operation in operations
        for path in _paths(operation)
    }
    if astray := sorted(DESCRIPTIONS.keys() - paths.keys()):
        raise ValueError(f"described, but no operation: {', '.join(astray)}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rejoinder",
            "summary": "A self-hosted two-way SMS message centre.",
            "description": _RULES,
            "version": __version__,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": meaning} for name, meaning in _TAGS.items()],
        "paths": paths,
        "components": _components({operation.path for operation in operations if "GET" in operation.methods}),
    }


def _paths(operation: Operation | RawOperation) -> list[str]:
    """The described paths of an operation; one that takes all that begins with its path may have several."""
    prefix = isinstance(operation, RawOperation) and operation.prefix
    found = [
        path
        for path in DESCRIPTIONS
        if path == operation.path or (prefix and path.startswith(operation.path))
    ]
    if not found:
        raise ValueError(f"not described: {operation.path}")
    return found


_TAGS: Mapping[str, str] = {
    "account": "Calls that answer `status`.",
    "message": "Calls that answer `messageStatus`.",
    "carrier": "What carriers' networks post to us.",
    "machine": "What operators and their machines look at.",
}


def _said(method: str, path: str, description: Description) -> Json:
    said = {"operationId": f"{method.lower()}_{description.name}", "summary": description.summary}
    match description:
        case Call():
            return {**said, **_call(method, description)}
        case Delivery():
            return {**said, **_delivery(description)}
        case Look():
            return {**said, **_look(description)}


def _call(method: str, call: Call) -> Json:
    if method == "GET":
        asked: Json = {
            "parameters": [_ref("parameters", parameter.component) for parameter in call.parameters]
        }
        faults: Iterable[int] = _OF_CALLS
    else:
        form = _fields(call.parameters, {one.name: _ref("schemas", _value(one)) for one in call.parameters})
        asked = {
            "requestBody": {
                "required": True,
                "content": {_FORM: {"schema": form, "example": _example(call.parameters)}},
            }
        }
        faults = (*_OF_CALLS, 415)
    refused = refusal(call.family, call.codes, call.repeats_recipient)
    answer = _content(_JSON, {"oneOf": [*(_ref("schemas", name) for name in call.answers), refused]})
    if call.example:
        answer[_JSON]["example"] = call.example
    ok = {"description": "What was asked for, or why not.", "content": answer}
    return {
        "tags": ["account" if call.family is Family.ACCOUNT else "message"],
        **asked,
        "responses": {"200": ok, **_fault_refs(call.family, faults)},
    }


def _delivery(delivery: Delivery) -> Json:
    schema = _fields(
        delivery.fields, {one.name: {**one.schema, "description": one.meaning} for one in delivery.fields}
    )
    example = _example(delivery.fields)
    name = {"name": "name", "in": "path", "required": True, "description": "The carrier's name."}
    ok = {"description": "On disk, now or before.", "content": _content(_JSON, _ref("schemas", "Stored"))}
    return {
        "tags": ["carrier"],
        "security": [{"carrier": []}],
        "parameters": [{**name, "schema": {"type": "string", "minLength": 1}}],
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": schema, "example": example} for kind in (_FORM, _JSON)},
        },
        "responses": {"200": ok, **_fault_refs(Family.ACCOUNT, _OF_DELIVERIES)},
    }


def _look(look: Look) -> Json:
    own = {
        str(status): {"description": shape, "content": _content(look.media_type, _ref("schemas", shape))}
        for status, shape in look.answers.items()
    }
    return {"tags": ["machine"], "responses": {**own, **_fault_refs(Family.ACCOUNT, _OF_LOOKS)}}


def _components(asked: Set[str]) -> Json:
    """All that is referred to. `asked`: the paths that take GET, whose parameters stand in the query."""
    calls = {path: call for path, call in DESCRIPTIONS.items() if isinstance(call, Call)}
    parameters = {one.component: one for call in calls.values() for one in call.parameters}
    in_query = {one.component for path in asked & calls.keys() for one in calls[path].parameters}
    values = {_value(one): {**one.schema, "description": one.meaning} for one in parameters.values()}
    faults: dict[Family, Iterable[int]] = {Family.ACCOUNT: _FAULTS, Family.MESSAGE: (*_OF_CALLS, 415)}
    return {
        "schemas": {**SHAPES, **values},
        "parameters": {name: _in_query(one) for name, one in parameters.items() if name in in_query},
        "responses": {
            _fault_name(family, status): _FAULTS[status].answer(family)
            for family, statuses in faults.items()
            for status in statuses
        },
        "securitySchemes": {
            "carrier": {"type": "http", "scheme": "bearer", "description": "The carrier's setting `token`."}
        },
    }


def _value(parameter: Parameter) -> str:
    """The component that says what a parameter's value is: one for query and form."""
    return f"parameter.{parameter.component}"


def _in_query(parameter: Parameter) -> Json:
    said: Json = {"name": parameter.name, "in": "query", "description": parameter.meaning}
    return {**said, "required": parameter.required, "schema": _ref("schemas", _value(parameter))}


def _fields(parameters: Iterable[Parameter], properties: Json) -> Json:
    """An object that may have other fields too: unknown ones are ignored."""
    required = [parameter.name for parameter in parameters if parameter.required]
    return {"type": "object", "properties": properties, "required": required}


def _example(parameters: Iterable[Parameter]) -> Json:
    """A form to start from at /docs, where all fields without an example would be filled at random."""
    return {one.name: one.schema["examples"][0] for one in parameters if one.required}


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _content(media_type: str, schema: Json) -> Json:
    return {media_type: {"schema": schema}}


def _fault_name(family: Family, status: int) -> str:
    return f"{family.value}.{status}"


def _fault_refs(family: Family, statuses: Iterable[int]) -> Json:
    return {str(status): _ref("responses", _fault_name(family, status)) for status in sorted(statuses)}
