"""Names to records: what the operator calls a thing, and the one it means.

A name may say more where the short one is ambiguous: RESELLER/CUSTOMER, CUSTOMER/SENDER, PREFIX/CARRIER. Refuses
names that mean nothing (NotFound) and names that mean several (Refused, with the longer names to choose from).
"""

from __future__ import annotations

from collections.abc import Iterator

from rejoinder.errors import NotFound, Refused
from rejoinder.flow.ports import Kind, Record, Tables
from rejoinder.message import phone

# The columns that a name's pieces may stand for, the longest form last.
_FORMS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "reseller": (("name",),),
    "customer": (("name",), ("reseller", "name")),
    "user": (("username",),),
    "smpp_account": (("username",),),
    "number": (("number",),),
    "sender": (("name",), ("customer", "name"), ("reseller", "customer", "name")),
    "carrier": (("name",),),
    "route": (("prefix",), ("prefix", "carrier")),
}


def _cuts(name: str, pieces: int) -> Iterator[tuple[str, ...]]:
    """All ways to cut a name at its slashes: a customer's name may have some of its own."""
    if pieces == 1:
        yield (name,)
        return
    for i, c in enumerate(name):
        if c == "/":
            yield from ((name[:i], *rest) for rest in _cuts(name[i + 1 :], pieces - 1))


def _canonical(kind: Kind, name: str) -> str:
    if kind == "number":
        return phone.number(name) or name
    return name.removeprefix("+") if kind == "route" else name


def full_name(kind: Kind, record: Record) -> str:
    """The name that means this record alone."""
    return "/".join(str(record[column]) for column in _FORMS[kind][-1])


async def one(tables: Tables, kind: Kind, name: str) -> Record:
    """The record a name means. Raises NotFound or Refused."""
    found: dict[object, Record] = {}
    for form in _FORMS[kind]:
        for pieces in _cuts(_canonical(kind, name), len(form)):
            for record in await tables.registry.find(kind, dict(zip(form, pieces, strict=True))):
                found[record["id"]] = record
    if not found:
        # A number is nobody's business in an error that may be logged.
        raise NotFound(
            "this number is not there" if kind == "number" else f"{kind} {name!r} does not exist", kind
        )
    if len(found) > 1:
        longer = ", ".join(sorted(full_name(kind, record) for record in found.values()))
        raise Refused(f"{kind} {name!r} is ambiguous: say which of {longer}", kind)
    (record,) = found.values()
    return record
