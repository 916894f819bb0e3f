"""schemathesis over the served description: no answer is a server's error, and none is another than described.

Right requests carry log-ins, ids and tokens that exist, so that the calls' depths are reached. The others are
whatever schemathesis makes of the description, right or wrong, with or without a log-in that exists.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rejoinder.endpoints.http.describe import DESCRIPTIONS, Call, Delivery, Look
from rejoinder.endpoints.http.responses import Family, Response, encode, internal_error
from tests.centre import HANDSET, START
from tests.http.resellers import (
    ACTIVATE,
    ADD_CREDITS,
    BALANCE,
    CREATE_BOTH,
    CREATE_CUSTOMER,
    CREATE_USER,
    SEND_CODE,
)
from tests.http.site import (
    ALL_MESSAGES,
    CANCEL,
    CREDIT_BALANCE,
    FINALS,
    FORM,
    MESSAGES,
    PASSWORD,
    SEND,
    SEND_MULTIPLE,
    STATUS,
    Site,
)
from tests.schema.conftest import TOKEN, Peopled
from tests.schema.table import GOOD, GOOD_FOR, OPERATIONS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Of each operation, half of them right ones. REJOINDER_EXAMPLES asks for more or fewer.
EXAMPLES = int(os.environ.get("REJOINDER_EXAMPLES", "200"))
# One fault ends an exploration: it is shown, not shrunk for long.
EXPLORATION = settings(
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


MAKING = {CREATE_BOTH, CREATE_CUSTOMER, CREATE_USER}
WAITS = {str(seconds) for seconds in range(1, 61)}
_FRESH = itertools.count(1)
LABELS = [f"{method.upper()} {path}" for path, methods in OPERATIONS.items() for method in sorted(methods)]
each_operation = pytest.mark.parametrize("label", LABELS)

LOGINS = st.sampled_from(
    [
        {"username": name, "password": password}
        for name in ("anna", "bob", "blocked", "disabled", "sleeping", "expired", "nobody")
        for name, password in ((f"{name}@shop", PASSWORD), (f"{name}@shop", "wrong"))
    ]
)
# What is in a success, by operation: an exploration that never came so far has proved nothing.
DEEP = {
    ALL_MESSAGES: {"status 0"},
    MESSAGES: {"status 0"},
    FINALS: {"status 0"},
    CREDIT_BALANCE: {"status 0"},
    SEND: {"messageStatus 10"},
    SEND_MULTIPLE: {"status 0"},
    CANCEL: {"messageStatus 11", "messageStatus 0", "messageStatus -230"},
    STATUS: {"messageStatus 11", "messageStatus 0", "messageStatus -230"},
    ADD_CREDITS: {"status 0"},
    BALANCE: {"status 0"},
    CREATE_BOTH: {"status 0"},
    CREATE_CUSTOMER: {"status 0"},
    CREATE_USER: {"status 0"},
    ACTIVATE: {"status 0", "status 2"},
    SEND_CODE: {"status 0", "status 200"},
}


def right(peopled: Peopled) -> st.SearchStrategy[dict[str, str]]:
    """Values that lead deep into each operation."""
    return st.fixed_dictionaries(
        {
            "username": st.just("anna@shop"),
            "password": st.just(PASSWORD),
            "since": st.sampled_from(["0", "-1", f"{START}", f"{START - 1}"]),
            "documentId": st.sampled_from([peopled.own, peopled.foreign, "5175000000000000000000ff"]),
            "recipient": st.sampled_from([HANDSET, f"+{HANDSET}"]),
            "sender": st.sampled_from(["", "", "Stranger"]),
            "replyTo": st.sampled_from(["", "log", "https://shop.example/{{from}}", "sftp://shop.example"]),
            "from": st.just(HANDSET),
            "to": st.just("61500079987"),
            "reseller": st.just("acme"),
            "reseller.password": st.just(PASSWORD),
            "resellerName": st.just("acme"),
            "resellerPassword": st.just(PASSWORD),
            "customer": st.sampled_from(["shop", "nobodys"]),
            "inactive.username": st.sampled_from(["coming@shop", "coded@shop", "nobody@shop"]),
            "activationCode": st.sampled_from(["123456", "123457"]),
            "customerId": st.sampled_from([peopled.customer, "f" * 24]),
        },
        optional={"status": st.sampled_from(["DELIVRD", "undeliv", "ENROUTE"])},
    )


def some_right(peopled: Peopled) -> st.SearchStrategy[dict[str, str]]:
    """Some of those values, with a log-in that may be refused."""
    values = st.builds(lambda known, login: {**known, **login}, right(peopled), LOGINS)
    names = st.sets(st.sampled_from(["since", "documentId", "recipient", "sender", "replyTo", "from", "to"]))
    return st.builds(lambda all_, less: {k: v for k, v in all_.items() if k not in less}, values, names)


def feed(case: Case[Any], values: dict[str, str], made: dict[str, str]) -> None:
    """Puts known values where the case has such parameters, and the token where a carrier is named. `values`: by
    the description's component; `made`: by the parameter's name.
    """
    description = DESCRIPTIONS[case.path]
    fields = description.parameters if isinstance(description, Call) else ()
    if isinstance(description, Delivery):
        fields = description.fields
        case.path_parameters["name"] = "sim"
        case.headers["Authorization"] = f"Bearer {TOKEN}"
    fed = {field.name: values[field.component] for field in fields if field.component in values}
    fed |= {field.name: made[field.name] for field in fields if field.name in made}
    if case.method == "GET":
        case.query = {**(case.query or {}), **fed}
    elif isinstance(case.body, dict):
        case.body = {**case.body, **fed}


def made(path: str) -> dict[str, str]:
    """Good values of what a call needs to make something, with a name that is new."""
    fresh = str(next(_FRESH))
    return {
        name: GOOD_FOR[path][name] + fresh if name in GOOD_FOR[path] else GOOD[name]
        for name in (*GOOD_FOR.get(path, {}), "email", "phoneNumber")
        if path in MAKING
    }


def into_query(case: Case[Any]) -> None:
    """Half of a form's parameters go into the query string, where a POST may carry them."""
    if isinstance(case.body, dict) and case.media_type == FORM:
        names = sorted(case.body)[::2]
        case.query = {name: case.body[name] for name in names}
        case.body = {name: value for name, value in case.body.items() if name not in names}


def without_waiting(case: Case[Any]) -> None:
    """A poll that may wait is asked not to: nothing comes, and the minute would pass (tests of `wait` are elsewhere)."""
    for place in (case.query, case.body):
        if isinstance(place, dict) and str(place.get("wait", "")) in WAITS:
            place["wait"] = 0


class Explorer:
    """Sends schemathesis' cases to the site, checks the answers, and counts what they were."""

    def __init__(self, peopled: Peopled, session: requests.Session) -> None:
        self.peopled = peopled
        self.served = schemathesis.openapi.from_dict(
            peopled.site.get("/openapi.json").json, config=schemathesis.Config()
        )
        self._session = session

    def ask(self, case: Case[Any]) -> str:
        """The HTTP status, or of a 200 its number."""
        base = f"http://127.0.0.1:{self.peopled.site.port}"
        reply = case.call_and_validate(base, self._session, checks=CHECKS, timeout=20)
        if reply.status_code != 200 or not isinstance(DESCRIPTIONS[case.path], Call):
            return str(reply.status_code)
        word = DESCRIPTIONS[case.path].family.value  # type: ignore[union-attr]
        answer = reply.json()
        # Answers for many messages say `status` of the call, and each message its own.
        return f"{word} {answer[word]}" if word in answer else f"status {answer['status']}"

    def explore(self, label: str, deep: bool) -> Counter[str]:
        method, path = label.split(" ")
        operation, said = self.served[path][method], DESCRIPTIONS[path]
        cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        values: st.SearchStrategy[dict[str, str] | None] = right(self.peopled)
        if not deep and not isinstance(said, Look):
            cases = st.one_of(cases, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
            values = st.one_of(st.none(), some_right(self.peopled))
        # Whatever earlier examples did to log-ins is long past.
        self.peopled.site.centre.clock.pass_seconds(86_400)
        seen: Counter[str] = Counter()

        # What takes no parameters has been seen after a few.
        share = EXAMPLES // 2 if isinstance(said, Call | Delivery) else 3

        @settings(EXPLORATION, max_examples=share)
        @given(case=cases, known=values, split=st.booleans())
        def examples(case: Case[Any], known: dict[str, str] | None, split: bool) -> None:
            if known is not None:
                feed(case, known, made(path) if deep else {})
            if split:
                into_query(case)
            without_waiting(case)
            seen[self.ask(case)] += 1

        examples()
        return seen


@pytest.fixture(scope="module")
def explorer(peopled: Peopled) -> Iterator[Explorer]:
    with requests.Session() as session:
        session.trust_env = False
        yield Explorer(peopled, session)


def test_every_operation_is_explored(explorer: Explorer) -> None:
    found = [f"{method.upper()} {path}" for path in explorer.served for method in explorer.served[path]]
    assert sorted(found) == sorted(LABELS)


@each_operation
def test_right_requests_are_answered_as_described(label: str, explorer: Explorer) -> None:
    seen = explorer.explore(label, deep=True)
    assert DEEP.get(label.split(" ")[1], {"200"}) - set(seen) == set(), seen


@each_operation
def test_any_requests_are_answered_as_described(label: str, explorer: Explorer) -> None:
    explorer.explore(label, deep=False)


# The negative control: each check finds an operation that breaks it.


@contextmanager
def sabotaged(site: Site, path: str, response: Response) -> Iterator[None]:
    """An operation that answers this, whatever it is asked."""

    async def answer(_: object) -> Response:
        return response

    table = site.centre.service.api._exact
    before = table[path]
    table[path] = replace(before, answer=answer)
    try:
        yield
    finally:
        table[path] = before


FINE = {"newestMessageTimestamp": 0, "hasMoreMessages": False, "messages": [], "status": 0}
BREACHES = {
    "an internal error": internal_error(Family.ACCOUNT),
    "a status that is not described": Response(encode(FINE), 418),
    "another media type": Response(encode(FINE), content_type=b"text/html"),
    "a field too many": Response(encode({**FINE, "trace": "x"})),
    "a field too few": Response(encode({"messages": [], "status": 0})),
    "a number as a string": Response(encode({**FINE, "status": "0"})),
    "a code of another family": Response(encode({"messageStatus": -200, "error": "no"})),
    "a code that is not this call's": Response(encode({"status": 300, "error": "no"})),
    "an error without a sentence": Response(encode({"status": 3})),
    "no JSON": Response(b"{"),
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_breach_of_the_description_is_found(explorer: Explorer, breach: Response) -> None:
    with sabotaged(explorer.peopled.site, MESSAGES, breach), pytest.raises((FailureGroup, Failure)):
        explorer.explore(f"GET {MESSAGES}", deep=True)


def test_the_control_itself_is_no_breach(explorer: Explorer) -> None:
    with sabotaged(explorer.peopled.site, MESSAGES, Response(encode(FINE))):
        assert set(explorer.explore(f"GET {MESSAGES}", deep=True)) == {"status 0"}
