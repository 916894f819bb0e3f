"""The API's description: valid OpenAPI 3.1, exactly the operations there are, true in what it says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from rejoinder import __version__
from rejoinder.endpoints.http import responses
from rejoinder.endpoints.http.describe import DESCRIPTIONS, Call, Delivery, joined
from rejoinder.endpoints.http.openapi import document, with_description
from rejoinder.endpoints.http.responses import Family, Response
from rejoinder.endpoints.http.server import Operation, RawOperation
from tests.centre import HANDSET
from tests.http.site import ALL_MESSAGES, FORM, Reply, Site, encoded
from tests.schema.conftest import TOKEN, Peopled
from tests.schema.table import GOOD, GOOD_FOR, OPERATIONS, PARAMETERS, calls_with

Json = dict[str, Any]

CALLS = {path: said for path, said in DESCRIPTIONS.items() if isinstance(said, Call)}
DELIVERIES = {path: said for path, said in DESCRIPTIONS.items() if isinstance(said, Delivery)}
each_call = pytest.mark.parametrize("path", CALLS)
each_way = pytest.mark.parametrize(("path", "method"), calls_with("get", "post"))


@pytest.fixture(scope="module")
def served(site: Site) -> Json:
    return site.get("/openapi.json").json


def table(site: Site) -> list[Operation | RawOperation]:
    return site.centre.service.operations()


class Shapes:
    """Looks things up in a document, and holds values against its schemas."""

    def __init__(self, whole: Json) -> None:
        self._whole = whole

    def at(self, node: Json) -> Json:
        """What a reference leads to; anything else is itself."""
        found: Any = node
        while "$ref" in found:
            name = found["$ref"]
            found = self._whole
            for step in name.removeprefix("#/").split("/"):
                found = found[step]
        return found  # type: ignore[no-any-return]

    def fits(self, schema: Json, value: object) -> bool:
        rooted = {"components": self._whole["components"], **schema}
        return bool(Draft202012Validator(rooted).is_valid(value))

    def answer(self, path: str, method: str, status: int) -> Json:
        """The schema of an answer's JSON body."""
        said = self._whole["paths"][path][method]["responses"][str(status)]
        return self.at(said)["content"]["application/json"]["schema"]  # type: ignore[no-any-return]

    def parameters(self, path: str, method: str) -> dict[str, bool]:
        """Name to whether it is required, in query or form."""
        operation = self._whole["paths"][path][method]
        if method == "get":
            said = [self.at(one) for one in operation["parameters"]]
            assert all(one["in"] == "query" for one in said)
            return {one["name"]: one["required"] for one in said}
        form = operation["requestBody"]["content"][FORM]["schema"]
        return {name: name in form["required"] for name in form["properties"]}


@pytest.fixture(scope="module")
def shapes(served: Json) -> Shapes:
    return Shapes(served)


def test_it_is_served_as_json_of_this_version(site: Site) -> None:
    reply = site.get("/openapi.json")
    assert reply.http_status == 200
    assert reply.headers["content-type"] == "application/json"
    assert (reply.json["openapi"], reply.json["info"]["version"]) == ("3.1.0", __version__)
    assert site.post("/openapi.json").http_status == 405


def test_it_is_valid_openapi(served: Json) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


def test_every_component_is_used(served: Json) -> None:
    said = json.dumps(served)
    for kind in ("schemas", "parameters", "responses"):
        for name in served["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in said


def test_it_describes_exactly_the_operations_there_are(served: Json) -> None:
    assert {path: set(methods) for path, methods in served["paths"].items()} == OPERATIONS


def test_an_operation_without_description_is_refused(site: Site) -> None:
    stranger = replace(table(site)[0], path="/services/rest/user/unheardOf")
    with pytest.raises(ValueError, match="not described: /services/rest/user/unheardOf"):
        with_description([*table(site), stranger])


def test_a_description_without_operation_is_refused(site: Site) -> None:
    for at, missing in enumerate(table(site)):
        rest = [one for other, one in enumerate(table(site)) if other != at]
        with pytest.raises(ValueError, match=f"no operation: .*{missing.path}"):
            with_description(rest)


def test_methods_are_those_of_the_table(site: Site) -> None:
    changed = [replace(one, methods=("PUT",)) for one in with_description(table(site))]
    assert all(set(methods) == {"put"} for methods in _paths(document(changed)).values())


def _paths(whole: Json) -> Mapping[str, Json]:
    return whole["paths"]  # type: ignore[no-any-return]


def test_every_call_has_its_row_of_parameters() -> None:
    assert CALLS.keys() == PARAMETERS.keys()


@each_way
def test_query_and_form_have_the_contracts_parameters(path: str, method: str, shapes: Shapes) -> None:
    wanted = {name.lower(): name.isupper() for name in PARAMETERS[path].split()}
    assert {name.lower(): must for name, must in shapes.parameters(path, method).items()} == wanted


@pytest.mark.parametrize("path", [path for path, _ in calls_with("get")])
def test_query_and_form_share_one_declaration_of_each_parameter(
    path: str, served: Json, shapes: Shapes
) -> None:
    query = {one["name"]: one["schema"] for one in map(shapes.at, served["paths"][path]["get"]["parameters"])}
    form = served["paths"][path]["post"]["requestBody"]["content"][FORM]["schema"]["properties"]
    assert query == form
    assert all(shapes.at(value)["description"] for value in form.values())


def good(peopled: Peopled, path: str) -> dict[str, str]:
    return {**GOOD, "documentId": peopled.own, "customerId": peopled.customer, **GOOD_FOR.get(path, {})}


def ask(site: Site, method: str, path: str, params: Mapping[str, str]) -> Reply:
    return site.get(path, params) if method == "get" else site.post(path, params)


@each_way
def test_required_marks_are_true(path: str, method: str, shapes: Shapes, peopled: Peopled) -> None:
    required = [name for name, must in shapes.parameters(path, method).items() if must]
    params = {name: good(peopled, path)[name] for name in required}
    assert "error" not in ask(peopled.site, method, path, params).json
    for name in required:
        less = {other: value for other, value in params.items() if other != name}
        answer = ask(peopled.site, method, path, less).json
        # A call for many recipients answers each of them.
        refused = answer["messages"][0] if "messages" in answer else answer
        assert refused["error"].startswith(name)


@pytest.mark.parametrize("path", DELIVERIES)
def test_required_fields_of_deliveries_are_true(path: str, site: Site) -> None:
    fields = {"from": HANDSET, "to": "61500079987", "text": "", "id": "1", "status": "DELIVRD"}
    named = {field.name: fields[field.name] for field in DELIVERIES[path].fields if field.required}
    real, token = path.replace("{name}", "sim"), {"Authorization": f"Bearer {TOKEN}"}
    for kind, form in (
        (FORM, encoded),
        ("application/json", lambda given: json.dumps(given).encode()),
    ):
        headers = {"Content-Type": kind, **token}
        assert site.request("POST", real, b"", form(named), headers).http_status == 200
        for name in named:
            less = {other: value for other, value in named.items() if other != name}
            reply = site.request("POST", real, b"", form(less), headers)
            assert reply.http_status == 400
            assert reply.json["error"].startswith(name)


def test_the_contracts_example_fits_its_shape(served: Json, shapes: Shapes) -> None:
    content = served["paths"][ALL_MESSAGES]["get"]["responses"]["200"]["content"]["application/json"]
    assert [message["text"] for message in content["example"]["incomingMessages"]] == [" ggghhh"]
    assert shapes.fits(content["schema"], content["example"])
    assert not shapes.fits(content["schema"], {**content["example"], "more": 1})


def faults(family: Family) -> Iterator[Response]:
    """Every answer of the server's own that stands for a fault of HTTP."""
    yield responses.method_not_allowed(family, ("GET", "POST"))
    yield responses.too_large(family)
    yield responses.wrong_type(family, FORM)
    yield responses.internal_error(family)
    yield responses.unavailable(family)


@each_call
def test_faults_are_answered_as_described(path: str, served: Json, shapes: Shapes) -> None:
    for response in faults(CALLS[path].family):
        body = json.loads(response.body)
        assert shapes.fits(shapes.answer(path, "post", response.status), body)
        other = next(call.family for call in CALLS.values() if call.family is not CALLS[path].family)
        wrong = [fault for fault in faults(other) if fault.status == response.status]
        assert not shapes.fits(shapes.answer(path, "post", response.status), json.loads(wrong[0].body))
        headers = shapes.at(served["paths"][path]["post"]["responses"][str(response.status)]).get(
            "headers", {}
        )
        assert {name.lower() for name in headers} == {name.decode() for name, _ in response.extra}


def test_a_stranger_to_a_carrier_is_answered_as_described(site: Site, shapes: Shapes) -> None:
    for carrier, expected in (("sim", 401), ("mute", 401), ("nobody", 404)):
        reply = site.request("POST", f"/carriers/{carrier}/inbound", b"", b"", {"Authorization": "Bearer x"})
        assert reply.http_status == expected
        assert shapes.fits(shapes.answer("/carriers/{name}/inbound", "post", expected), reply.json)


OF_USERS = [
    (path, way) for path, way in calls_with("get", "post") if PARAMETERS[path].startswith("USERNAME PASSWORD")
]


@pytest.mark.parametrize("user", ["anna", "blocked", "disabled", "sleeping", "expired", "nobody"])
@pytest.mark.parametrize(("path", "method"), OF_USERS)
def test_an_account_in_any_state_is_answered_as_described(
    path: str, method: str, user: str, shapes: Shapes, peopled: Peopled
) -> None:
    params = {**good(peopled, path), "username": f"{user}@shop"}
    reply = ask(peopled.site, method, path, params)
    assert ("error" in reply.json) == (user != "anna")
    assert shapes.fits(shapes.answer(path, method, 200), reply.json)


def test_a_path_that_two_groups_describe_is_refused() -> None:
    with pytest.raises(ValueError, match="described twice: b, c"):
        joined([{"a": 1, "b": 2, "c": 3}, {"c": 4, "b": 2}])


@pytest.mark.parametrize("path", [*CALLS, *DELIVERIES])
def test_a_form_starts_from_an_example_of_its_required_fields(
    path: str, served: Json, shapes: Shapes
) -> None:
    said = served["paths"][path]["post"]["requestBody"]["content"][FORM]
    assert set(said["example"]) == set(said["schema"]["required"])
    assert shapes.fits(said["schema"], said["example"])
