"""Every call there is, from the table of operations: one good request of each, made for whoever calls.

A new operation whose required parameters have no value in tests/schema/table.py, or whose parameters nobody has
said what they name, fails the tests that are generated from here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rejoinder.endpoints.http.describe import DESCRIPTIONS, Call
from tests.http.resellers import ACTIVATE, SEND_CODE, Trade, inactive_users
from tests.http.site import FORM, PASSWORD, Reply, Site, encoded
from tests.schema.table import GOOD, GOOD_FOR, OPERATIONS

CALLS = {path: said for path, said in DESCRIPTIONS.items() if isinstance(said, Call)}
# Names that a call gives to something new: each request needs one of its own.
_NEW = frozenset({"username", "customer", "name"})
# Those that concern a user who is there and can't log in yet.
_OF_INACTIVE = frozenset({ACTIVATE, SEND_CODE})
_FRESH = itertools.count(1)


@dataclass(frozen=True)
class Way:
    """A call by one of its methods."""

    method: str
    path: str

    @property
    def said(self) -> Call:
        return CALLS[self.path]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.said.parameters)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.said.parameters if parameter.required)

    @property
    def word(self) -> str:
        return self.said.family.value

    @property
    def of_resellers(self) -> bool:
        return "reseller" in self.names or "resellerName" in self.names

    def __str__(self) -> str:
        return f"{self.method}-{self.path.removeprefix('/services/rest/')}"

    def makes(self, name: str) -> bool:
        """Whether this parameter names what the call makes."""
        return name in _NEW and name in GOOD_FOR.get(self.path, {}) and self.path not in _OF_INACTIVE


WAYS = [Way(method.upper(), path) for path in CALLS for method in sorted(OPERATIONS[path])]
each_way = pytest.mark.parametrize("way", WAYS, ids=str)
each_way_and_name = pytest.mark.parametrize(
    ("way", "name"),
    [(way, name) for way in WAYS for name in way.names],
    ids=str,
)


@dataclass(frozen=True)
class Caller:
    """Who calls: a user, or a reseller for the calls of resellers; `customer` is the reseller's own."""

    username: str = "anna@shop"
    reseller: str = "acme"
    customer: str = "shop"
    password: str = PASSWORD
    own: dict[str, str] = field(default_factory=dict)

    def request(self, way: Way, **changed: str | bytes) -> dict[str, str | bytes]:
        """A good request with this caller's log-in; names of what is to be made are new in each."""
        given: dict[str, str | bytes] = {}
        for name in way.required:
            given[name] = self._value(way, name)
        return {**given, **changed}

    def _value(self, way: Way, name: str) -> str:
        if way.path in _OF_INACTIVE:
            return GOOD_FOR[way.path][name]
        if way.makes(name):
            return f"{GOOD_FOR[way.path][name]}{next(_FRESH)}"
        mine = {
            "username": self.username,
            "password": self.password,
            "reseller": self.reseller,
            "resellerName": self.reseller,
            "resellerPassword": self.password,
            "customer": self.customer,
            **self.own,
        }
        found = mine.get(name) or GOOD_FOR.get(way.path, {}).get(name) or GOOD.get(name)
        assert found, f"{way}: tests/schema/table.py has no good value for {name}"
        return found


def ask(site: Site, way: Way, params: dict[str, str | bytes]) -> Reply:
    if way.method == "GET":
        return site.request("GET", way.path, encoded(params))
    return site.request(way.method, way.path, b"", encoded(params), {"Content-Type": FORM})


def codes(reply: Reply) -> Iterator[Any]:
    """The answer's number, and those of the messages in it."""
    body = reply.json
    yield body["messageStatus"] if "messageStatus" in body else body["status"]
    for message in body.get("messages", ()):
        if "messageStatus" in message:
            yield message["messageStatus"]


def furnish(site: Site) -> Trade:
    """Acme's shop with anna, somebody to send to and numbers to send from; what more, tests add themselves."""
    site.user()
    inactive_users(site)
    site.sql("UPDATE reseller SET password_hash = (SELECT password_hash FROM user_account LIMIT 1)")
    site.changed()
    return Trade(site)
